/**
 * What a tenant's devices are judged by: its rules, compiled once per change, and its silences. Both came as inputs and lie
 * in every snapshot as they came; what is compiled holds functions, so it is made again from them and travels to a router
 * inside each message (a Judge), never inside a state. A router learns of a change with its next message, or by the walk that
 * follows the change (walk.ts); until all have, the rules of before are kept, so that each can move on from what it has.
 */
import type { Device } from "#protocol/inventory.ts"
import type { Silence } from "#protocol/maintenance.ts"
import { SILENCES_MAX } from "#protocol/maintenance.ts"
import type { Rule } from "#protocol/rule.ts"
import { checkRule, subjectKind } from "#twin/alert/check.ts"
import type { Hand, Shares } from "#twin/alert/hand.ts"
import { newHand } from "#twin/alert/hand.ts"
import type { DevicePlan, JudgedRule, RuleSet } from "#twin/alert/plan.ts"
import { makeRuleSet, RULES_MAX } from "#twin/alert/plan.ts"
import type { DeviceFacts } from "#twin/alert/scope.ts"
import { coversDevice } from "#twin/alert/scope.ts"
import type { DeviceState } from "#twin/alert/state.ts"

/** What judges one device. */
export interface Judge {
  readonly plan: DevicePlan
  readonly facts: DeviceFacts
  /** Those of the tenant that cover the device, or parts of it. */
  readonly silences: readonly Silence[]
  /** Of rules, silences and inventory: a judgement of another generation has to look at them anew. */
  readonly generation: number
  /** There are no rules (any more): what is still judged ends. */
  readonly idle: boolean
  /** The plan that a state belongs to: this one, or one that was in force before; null = neither. */
  readonly planOf: (state: DeviceState) => DevicePlan | null
  /** Which rows of the device's state may be written to in place. */
  readonly hand: Hand
}

/** The inputs that it was made of: plain data. */
export interface JudgingInputs {
  readonly rulesRev: number
  readonly rules: readonly Rule[]
  readonly silencesRev: number
  readonly silences: readonly Silence[]
  /** Grows with each change of rules, silences and inventory; absent in snapshots of before it was counted. */
  readonly generation?: number
  /** Rules of before that some router may still be judged by, oldest first. */
  readonly earlier?: ReadonlyArray<readonly Rule[]>
}

/** Sets of rules of before at most; a change that would need more waits for no walk, but ends it at once. */
export const EARLIER_MAX = 4

export interface Judging extends Required<JudgingInputs> {
  /** Ids of rules that this build cannot judge: they are left out. */
  readonly unusable: readonly string[]
  /** Null = there are no rules, and no router has any left of before: nothing is judged. */
  readonly judgeOf: (device: Device, siteName?: string, services?: DeviceFacts["services"]) => Judge | null
  /** Counted by whoever keeps states: a snapshot, hence also a branch. */
  readonly shares: Shares
}

export const NO_JUDGING_INPUTS: JudgingInputs = { rulesRev: 0, rules: [], silencesRev: 0, silences: [] }

export const makeJudging = ({
  rulesRev,
  rules,
  silencesRev,
  silences: given,
  generation = 0,
  earlier = [],
}: JudgingInputs): Judging => {
  const { ruleSet, unusable } = compiledOf(rules)
  const sets = [ruleSet, ...earlier.map((before) => compiledOf(before).ruleSet)].filter((set) => set !== null)
  const silences = given.slice(0, SILENCES_MAX)
  const planOf = (state: DeviceState): DevicePlan | null =>
    sets.map((set) => set.planFor(state.facts)).find(({ key }) => key === state.planKey) ?? null
  const shares: Shares = { count: 0 }
  const judges = new WeakMap<Device, Judge>()
  const judge = (device: Device, siteName: string | undefined, services: DeviceFacts["services"]): Judge => {
    const facts = factsOf(device, siteName, services)
    return {
      plan: (ruleSet ?? noRules()).planFor(facts),
      facts,
      silences: silences.filter(({ scope }) => coversDevice(scope, facts)),
      generation,
      idle: ruleSet === null,
      planOf,
      hand: newHand(shares),
    }
  }
  return {
    rulesRev,
    rules,
    silencesRev,
    silences: given,
    generation,
    earlier,
    unusable,
    shares,
    judgeOf: (device, siteName, services) => {
      if (sets.length === 0) return null
      const known = judges.get(device)
      if (known !== undefined) return known
      const made = judge(device, siteName, services)
      judges.set(device, made)
      return made
    },
  }
}

/** The plain inputs, for a snapshot and for what follows. */
export const judgingInputs = ({
  rulesRev,
  rules,
  silencesRev,
  silences,
  generation,
  earlier,
}: Judging): Required<JudgingInputs> => ({ rulesRev, rules, silencesRev, silences, generation, earlier })

/** Made when it is first asked for: plan.ts may not be there yet when this file is read. */
let none: RuleSet | null = null
const noRules = (): RuleSet => (none ??= makeRuleSet([]))

interface CompiledRules {
  /** Null = there is none. */
  readonly ruleSet: RuleSet | null
  readonly unusable: readonly string[]
}

/** A list of rules never changes, so it is compiled once, for all branches of a twin that are judged by it. */
const compiledLists = new WeakMap<readonly Rule[], CompiledRules>()
const compiledOf = (rules: readonly Rule[]): CompiledRules => {
  const known = compiledLists.get(rules)
  if (known !== undefined) return known
  const compiled = compileRules(rules)
  compiledLists.set(rules, compiled)
  return compiled
}

/** Total: rules of another build that this one refuses are named, not thrown. */
const compileRules = (rules: readonly Rule[]): CompiledRules => {
  const judged = new Map<string, JudgedRule>()
  const unusable: string[] = []
  for (const json of rules.slice(0, RULES_MAX)) {
    const checked = checkRule(json)
    if (checked.ok && !judged.has(checked.rule.id))
      judged.set(checked.rule.id, { rule: checked.rule, version: checked.version, kind: subjectKind(checked.rule) })
    else unusable.push(String(json.id))
  }
  const unread = rules.slice(RULES_MAX).map(({ id }) => String(id))
  return { ruleSet: judged.size === 0 ? null : makeRuleSet([...judged.values()]), unusable: [...unusable, ...unread] }
}

/** What scopes may ask of a device, and what it, its site and its services are called in what is told. */
const factsOf = (
  { id, name, site, roles, tags }: Device,
  siteName: string | undefined,
  services: DeviceFacts["services"],
): DeviceFacts => ({
  device: id,
  name,
  site,
  ...(siteName === undefined ? {} : { siteName }),
  ...(services === undefined ? {} : { services }),
  roles,
  tags: tags ?? [],
})
