/**
 * "Why": why an alert fires, why it does not, why nobody was told. One record for all three, with the samples, thresholds
 * and the version of the rule that were looked at; the same state gives the same record, so it can be re-checked.
 */
import type { EntityKey } from "#protocol/id.ts"
import { DEVICE_ENTITY, entityKind, entityName } from "#protocol/id.ts"
import type { AlertSeverity, Rule } from "#protocol/rule.ts"
import type { Alert, HeldBack } from "#twin/alert/alert.ts"
import { isLit, settle } from "#twin/alert/alert.ts"
import type { Moment, Observation } from "#twin/alert/condition.ts"
import type { AlertState } from "#twin/alert/lifecycle.ts"
import type { CompiledRule, DevicePlan } from "#twin/alert/plan.ts"
import type { DeviceFacts } from "#twin/alert/scope.ts"
import { coversDevice, coversEntity, scopeWords, whyChosen } from "#twin/alert/scope.ts"
import type { DeviceState, EntityState } from "#twin/alert/state.ts"
import { copiedEntity } from "#twin/alert/state.ts"
import { suppressionOf } from "#twin/alert/suppression.ts"
import { fillTemplate, numberText } from "#twin/alert/template.ts"

export interface Explanation {
  readonly atMs: number
  readonly rule: string
  readonly version: string
  readonly name: string
  readonly device: string
  readonly entity: string
  readonly state: AlertState
  /** When it came into this state; null = it never left ok. */
  readonly sinceMs: number | null
  readonly severity: AlertSeverity | null
  readonly forSeconds: number
  readonly recoverSeconds: number
  readonly condition: Observation
  readonly recover: Observation | null
  /** Why this rule, and not another of its name. */
  readonly scope: string
  readonly heldBack: HeldBack | null
  readonly summary: string
  /** One sentence: why it is in this state. */
  readonly because: string
  readonly runbook: string
}

/** `moment` must be the entity's at `nowMs`, and writable. */
export const explained = (
  { rule, version, condition, recover }: CompiledRule,
  facts: DeviceFacts,
  entity: string,
  outweighed: ReadonlyMap<string, Rule>,
  alert: Alert | null,
  heldBack: HeldBack | null,
  moment: Moment,
): Explanation => {
  const seen = condition.observe(moment)
  const back = recover === null ? null : recover.observe(moment)
  const state = alert?.state ?? "ok"
  // The rules that this one outweighs are those whose winner it is; only their ids are needed to say so.
  const losers = [...outweighed].filter(([, winner]) => winner.id === rule.id).map(([id]) => id)
  return {
    atMs: moment.nowMs,
    rule: rule.id,
    version,
    name: rule.name,
    device: facts.device,
    entity,
    state,
    sinceMs: alert?.sinceMs ?? null,
    severity: alert === null || !isLit(state) ? null : alert.severity,
    forSeconds: rule.for_seconds,
    recoverSeconds: rule.recover_seconds,
    condition: seen,
    recover: back,
    scope:
      losers.length === 0
        ? whyChosen(rule, [])
        : `its scope, ${scopeWords(rule.scope)}, is more specific than that of ${losers.join(", ")}`,
    heldBack,
    summary: summaryOf(rule, facts, entity, seen, alert?.severity ?? null),
    because: because(rule, state, seen, back, heldBack),
    runbook: rule.annotations.runbook_url,
  }
}

const summaryOf = (
  rule: Rule,
  facts: DeviceFacts,
  entity: string,
  seen: Observation,
  severity: string | null,
): string =>
  fillTemplate(rule.annotations.summary_template, {
    device: facts.name,
    entity: calledIn(facts, entity as EntityKey),
    site: facts.siteName ?? facts.site,
    role: facts.roles[0] ?? "",
    rule: rule.name,
    severity: severity ?? "",
    metric: seen.metric ?? "",
    value: seen.value === undefined || seen.value === null ? "unknown" : numberText(seen.value),
    percent:
      seen.value === undefined || seen.value === null ? "unknown" : numberText(Math.abs(Math.round(seen.value * 100))),
    threshold: seen.threshold === undefined || seen.threshold === null ? "unknown" : numberText(seen.threshold),
    unit: seen.unit ?? "",
  })

/** A service by its name: its id says nothing to people. */
const calledIn = ({ name, services }: DeviceFacts, entity: EntityKey): string => {
  if (entity === DEVICE_ENTITY) return name
  const own = entityName(entity)
  const isService = services !== undefined && entityKind(entity) === "service"
  return isService && Object.hasOwn(services, own) ? (services[own] as string) : own
}

const because = (
  rule: Rule,
  state: AlertState,
  seen: Observation,
  back: Observation | null,
  heldBack: HeldBack | null,
): string => {
  const held = heldBack === null ? "" : `; nobody is told: ${heldBack.by}, ${heldBack.reason}`
  const says = leaf(seen)
  switch (state) {
    case "ok":
      return seen.truth === "unknown"
        ? `it does not fire: there is no evidence (${says})${held}`
        : `it does not fire: ${says}${held}`
    case "pending":
      return `it does not fire yet: ${says}, for less than ${rule.for_seconds} s`
    case "firing":
      return seen.truth === "true"
        ? `it fires: ${says}${held}`
        : `it still fires: ${seen.truth === "unknown" ? "there is no evidence that it is over" : "it is not recovered"} (${leaf(back ?? seen)})${held}`
    case "recovering":
      return `it recovers: ${leaf(back ?? seen)}, for less than ${rule.recover_seconds} s${held}`
  }
}

const leaf = (seen: Observation): string =>
  seen.parts === undefined ? seen.text : `${seen.text}: ${seen.parts.map((part) => `(${leaf(part)})`).join(" ")}`

export type Explained =
  | { readonly found: true; readonly explanation: Explanation }
  /** The rule is not judged here, and why. */
  | { readonly found: false; readonly reason: string }

/** Why a rule does, or does not, fire on an entity right now. `all` = the tenant's rules, also those that do not apply. */
export const explain = (
  plan: DevicePlan,
  state: DeviceState,
  all: readonly Rule[],
  ruleId: string,
  entity: string,
): Explained => {
  const index = state.keys.indexOf(entity as EntityKey)
  const kind = entityKind(entity as EntityKey)
  if (index < 0 || kind === null) return { found: false, reason: "this device has no such entity" }
  const kindPlan = plan.kinds[kind]
  const { live, outweighed } = kindPlan.classOf(entity)
  const position = live.find((at) => (kindPlan.rules[at] as CompiledRule).rule.id === ruleId)
  if (position === undefined)
    return { found: false, reason: whyNot(all, state.facts, kind, entity, ruleId, outweighed) }
  const compiled = kindPlan.rules[position] as CompiledRule
  // Looking expires windows, and a question must not change the state.
  const own = copiedEntity(state.entities[index] as EntityState)
  const device = index === 0 ? own : copiedEntity(state.entities[0] as EntityState)
  const moment: Moment = {
    nowMs: state.clockMs,
    subject: own.row,
    device: device.row,
    events: own.events,
    sinceMs: own.sinceMs,
  }
  const alert = own.alerts[position] ?? null
  const suppression = suppressionOf(state.suppressions, ruleId, entity, alert?.severity ?? "info")
  const heldBack =
    alert === null ? null : settle(alert, suppression, compiled.rule.cooldown_seconds * 1000, state.clockMs).heldBack
  return { found: true, explanation: explained(compiled, state.facts, entity, outweighed, alert, heldBack, moment) }
}

const whyNot = (
  all: readonly Rule[],
  facts: DeviceFacts,
  kind: string,
  entity: string,
  ruleId: string,
  outweighed: ReadonlyMap<string, Rule>,
): string => {
  const rule = all.find(({ id }) => id === ruleId)
  const winner = outweighed.get(ruleId)
  if (rule === undefined) return "there is no such rule"
  if (!rule.enabled) return "the rule is off"
  if (winner !== undefined)
    return `${winner.id} counts instead: its scope, ${scopeWords(winner.scope)}, is more specific than ${scopeWords(rule.scope)}`
  if (!coversDevice(rule.scope, facts)) return `its scope (${scopeWords(rule.scope)}) does not cover this device`
  return coversEntity(rule.scope, entityKind(entity as EntityKey) ?? "device", entity)
    ? `it judges another kind of entity than ${kind}`
    : `its scope (${scopeWords(rule.scope)}) does not cover this entity`
}
