/**
 * The engine's own condition, judged by the tenant's rules as devices are: what the engine measured of itself comes as a poll
 * of ENGINE_DEVICE, an input of the journal like any other, so that a replay has the same alerts. It is no router: it is on no
 * map, has no links and opens no incident; its alerts stand in the same list, are told, acknowledged, silenced and explained
 * alike. Time is heard with every input (at least a heartbeat a second), so it needs no timer.
 */
import type { EntityKey } from "#protocol/id.ts"
import { ENGINE_DEVICE, ENGINE_NAME, entityKey } from "#protocol/id.ts"
import type { Rule } from "#protocol/rule.ts"
import { checkRule, subjectKind } from "#twin/alert/check.ts"
import type { AlertCommand } from "#twin/alert/command.ts"
import { configure } from "#twin/alert/configure.ts"
import type { Judged, JudgementInput } from "#twin/alert/evaluate.ts"
import { evaluate } from "#twin/alert/evaluate.ts"
import type { DevicePlan, JudgedRule } from "#twin/alert/plan.ts"
import { makeRuleSet } from "#twin/alert/plan.ts"
import type { OpenReceipt } from "#twin/alert/receipt.ts"
import type { DeviceFacts } from "#twin/alert/scope.ts"
import { coversDevice } from "#twin/alert/scope.ts"
import type { DeviceState } from "#twin/alert/state.ts"
import { newDeviceState } from "#twin/alert/state.ts"
import type { Verdict } from "#twin/alert/verdict.ts"
import type { PollInput } from "#twin/input.ts"
import { alertHappening } from "#twin/judge/alert-events.ts"
import type { AlertRow } from "#twin/judge/alert-rows.ts"
import { rowsOf } from "#twin/judge/alert-rows.ts"
import { ASIDE_MS, receiptsAfter } from "#twin/judge/judged.ts"
import type { Judging } from "#twin/judge/judging.ts"
import { silenced } from "#twin/judge/silence.ts"
import type { Happening } from "#twin/step.ts"

export { ENGINE_DEVICE }
/** The one entity of it. */
export const ENGINE_ENTITY: EntityKey = entityKey("engine:self")
export const ENGINE_FACTS: DeviceFacts = { device: ENGINE_DEVICE, name: ENGINE_NAME, site: "", roles: [], tags: [] }

/** Plain data: it lies in snapshots. */
export interface SelfState {
  readonly device: DeviceState
  /** The rules about the engine that it is judged by: those that follow find their way from them. */
  readonly rules: readonly Rule[]
  /** Of rules, silences and inventory (Judging.generation) that it last looked at. */
  readonly generation: number
  readonly rows: readonly AlertRow[]
  readonly receipts: readonly OpenReceipt[]
  /** When a silence begins; null = none will. */
  readonly silenceMs: number | null
  /** After a throw it rests until then. */
  readonly asideUntilMs: number
}

export type SelfNews =
  | { readonly kind: "time" }
  | { readonly kind: "poll"; readonly poll: PollInput }
  | { readonly kind: "command"; readonly command: AlertCommand }

export interface SelfHeard {
  readonly self: SelfState
  readonly events: readonly Happening[]
}

/** Null = it changes nothing. */
export const hearSelf = (held: SelfState | null, judging: Judging, atMs: number, news: SelfNews): SelfHeard | null => {
  if (held === null) {
    if (news.kind !== "poll" || selfPlan(judging.rules).rules.length === 0) return null
  } else {
    if (atMs < held.asideUntilMs) return null
    const isAnew = held.generation !== judging.generation
    if (news.kind === "time" && !isAnew && Math.min(held.device.dueMs, held.silenceMs ?? Infinity) > atMs) return null
  }
  try {
    return concluded(held, judging, atMs, news)
  } catch (error) {
    return setAside(judging, atMs, error)
  }
}

const concluded = (held: SelfState | null, judging: Judging, atMs: number, news: SelfNews): SelfHeard => {
  const { plan, rules } = selfPlan(judging.rules)
  const verdicts: Verdict[] = []
  let device = held?.device ?? newDeviceState(plan, ENGINE_FACTS, atMs)
  const take = (judged: Judged): void => {
    device = judged.state
    verdicts.push(...judged.verdicts)
  }
  const hear = (input: JudgementInput): void => take(evaluate(plan, device, input))
  if (held !== null && device.planKey !== plan.key) {
    const from = selfPlan(held.rules).plan
    // Of a build that lays rows out otherwise: it begins anew.
    if (from.key === device.planKey) take(configure(from, plan, device, ENGINE_FACTS, atMs))
    else device = newDeviceState(plan, ENGINE_FACTS, atMs)
  }
  let silenceMs = held?.silenceMs ?? null
  if (held === null || held.generation !== judging.generation || (silenceMs !== null && silenceMs <= atMs)) {
    const covering = judging.silences.filter(({ scope }) => coversDevice(scope, ENGINE_FACTS))
    const { commands, nextMs } = silenced(covering, device.suppressions, atMs)
    for (const command of commands) hear(command)
    silenceMs = nextMs
  }
  if (news.kind === "command") hear({ ...news.command, atMs })
  if (news.kind === "poll") {
    const { entities, entity, metric, value } = news.poll
    hear({ kind: "samples", atMs, entities, entity, metric, value })
  }
  if (device.dueMs <= atMs) hear({ kind: "tick", atMs })
  const rows = rowsOf(plan, device)
  const receipts = receiptsAfter(held?.receipts ?? [], verdicts, rows, held?.rows ?? [])
  return {
    self: { device, rules, generation: judging.generation, rows, receipts, silenceMs, asideUntilMs: 0 },
    events: verdicts.flatMap((verdict) => alertHappening(verdict) ?? []).map(ofTenant),
  }
}

/** It is begun anew after a while: what it remembered may be what it stumbled over. */
const setAside = (judging: Judging, atMs: number, error: unknown): SelfHeard => {
  const { plan, rules } = selfPlan(judging.rules)
  const what = `the engine's own alert rules cannot be judged: ${error instanceof Error ? error.message : "unknown defect"}`
  const device = newDeviceState(plan, ENGINE_FACTS, atMs)
  const rest = { generation: judging.generation, rows: [], receipts: [], silenceMs: atMs }
  return {
    self: { device, rules, ...rest, asideUntilMs: atMs + ASIDE_MS },
    events: [
      {
        atMs,
        type: "monitoring.degraded",
        severity: "warning",
        subject: ENGINE_DEVICE,
        subjectKind: "tenant",
        entity: "",
        old: null,
        new: what.slice(0, 256),
        raw: null,
        source: "twin",
      },
    ],
  }
}

/** People bound to sites do not hear of it: it is of no site. */
const ofTenant = (happening: Happening): Happening => ({ ...happening, subjectKind: "tenant" })

export interface SelfPlan {
  readonly plan: DevicePlan
  readonly rules: readonly Rule[]
}

/** Those of a tenant's rules that are about the engine, compiled once for each list. */
export const selfPlan = (rules: readonly Rule[]): SelfPlan => {
  const known = plans.get(rules)
  if (known !== undefined) return known
  const judged = rules.flatMap((rule): JudgedRule[] => {
    const checked = checkRule(rule)
    return checked.ok && subjectKind(checked.rule) === "engine"
      ? [{ rule: checked.rule, version: checked.version, kind: "engine" }]
      : []
  })
  const own = judged.map(({ rule }) => rule)
  const made = { plan: makeRuleSet(judged).planFor(ENGINE_FACTS), rules: own }
  plans.set(rules, made)
  plans.set(own, made)
  return made
}
const plans = new WeakMap<readonly Rule[], SelfPlan>()
