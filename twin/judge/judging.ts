/**
 * What a tenant's devices are judged by: its rules, compiled once per change, and its silences. Both came as inputs and lie
 * in every snapshot as they came; what is compiled holds functions, so it is made again from them and travels to a router
 * inside each message (a Judge), never inside a state.
 */
import type { Device } from "#protocol/inventory.ts"
import type { Silence } from "#protocol/maintenance.ts"
import { SILENCES_MAX } from "#protocol/maintenance.ts"
import type { Rule } from "#protocol/rule.ts"
import { checkRule, subjectKind } from "#twin/alert/check.ts"
import type { DevicePlan, JudgedRule, RuleSet } from "#twin/alert/plan.ts"
import { makeRuleSet, RULES_MAX } from "#twin/alert/plan.ts"
import type { DeviceFacts } from "#twin/alert/scope.ts"
import { coversDevice } from "#twin/alert/scope.ts"

/** What judges one device. */
export interface Judge {
  readonly plan: DevicePlan
  readonly facts: DeviceFacts
  /** Those of the tenant that cover the device, or parts of it. */
  readonly silences: readonly Silence[]
}

/** The inputs that it was made of: plain data. */
export interface JudgingInputs {
  readonly rulesRev: number
  readonly rules: readonly Rule[]
  readonly silencesRev: number
  readonly silences: readonly Silence[]
}

export interface Judging extends JudgingInputs {
  readonly compiled: CompiledRules
  /** Null = there are no rules: nothing is judged. */
  readonly judgeOf: (device: Device) => Judge | null
}

export const NO_JUDGING_INPUTS: JudgingInputs = { rulesRev: 0, rules: [], silencesRev: 0, silences: [] }

interface CompiledRules {
  /** Null = there is none. */
  readonly ruleSet: RuleSet | null
  /** Ids of rules that this build cannot judge: they are left out. */
  readonly unusable: readonly string[]
}

/** `before`: what it replaces; its rules are not compiled again if they stay. */
export const makeJudging = (
  { rulesRev, rules, silencesRev, silences: given }: JudgingInputs,
  before: Judging | null = null,
): Judging => {
  const compiled = before !== null && before.rules === rules ? before.compiled : compileRules(rules)
  const { ruleSet } = compiled
  const silences = given.slice(0, SILENCES_MAX)
  const judges = new WeakMap<Device, Judge>()
  return {
    rulesRev,
    rules,
    silencesRev,
    silences: given,
    compiled,
    judgeOf: (device) => {
      if (ruleSet === null) return null
      const known = judges.get(device)
      if (known !== undefined) return known
      const made = makeJudge(ruleSet, silences, device)
      judges.set(device, made)
      return made
    },
  }
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

const makeJudge = (ruleSet: RuleSet, silences: readonly Silence[], device: Device): Judge => {
  const facts = factsOf(device)
  return {
    plan: ruleSet.planFor(facts),
    facts,
    silences: silences.filter(({ scope }) => coversDevice(scope, facts)),
  }
}

/** What scopes may ask of a device. */
export const factsOf = ({ id, name, site, roles, tags }: Device): DeviceFacts => ({
  device: id,
  name,
  site,
  roles,
  tags: tags ?? [],
})
