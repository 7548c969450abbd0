/**
 * One rule, one entity, one instant: the condition's truth becomes a signal, the signal moves the alert, the alert may be
 * told. A quiet alert whose condition does not hold (nearly always) costs the condition's test and nothing else.
 */
import type { AlertSeverity, Rule } from "#protocol/rule.ts"
import { ALERT_SEVERITIES } from "#protocol/rule.ts"
import type { Alert, HeldBack, Notice } from "#twin/alert/alert.ts"
import {
  advance,
  isAtRest,
  isForgettable,
  isLit,
  quietAlert,
  released,
  settle,
  settleDueMs,
} from "#twin/alert/alert.ts"
import type { Moment, Truth } from "#twin/alert/condition.ts"
import { EVIDENCE_MS, FALSE, TRUE, UNKNOWN } from "#twin/alert/condition.ts"
import type { Draft } from "#twin/alert/draft.ts"
import { explained } from "#twin/alert/explain.ts"
import type { AlertSignal } from "#twin/alert/lifecycle.ts"
import { LIFE } from "#twin/alert/lifecycle.ts"
import type { CompiledRule, KindPlan } from "#twin/alert/plan.ts"
import { receiptOf } from "#twin/alert/receipt.ts"
import type { DeviceFacts } from "#twin/alert/scope.ts"
import type { EntityState } from "#twin/alert/state.ts"
import type { Suppression } from "#twin/alert/suppression.ts"
import { suppressionOf } from "#twin/alert/suppression.ts"

/** All rules that count for an entity. */
export const judgeEntity = (draft: Draft, index: number): void => {
  for (const position of draft.classOf(index).live) judgeRule(draft, index, position)
}

/**
 * What an entity's alarm clock rang for: rules that time alone can change, and alerts that waited for this instant. All
 * others are left alone: a window that merely grew older is judged with its next sample, not when some other rule is due.
 */
export const judgeDue = (draft: Draft, index: number): void => {
  const { rules } = draft.kinds[index] as KindPlan
  for (const position of draft.classOf(index).live) {
    const compiled = rules[position] as CompiledRule
    const alert = draft.alertOf(index, position)
    if (compiled.timed || (alert !== null && isDue(compiled.rule, alert, draft.clockMs)))
      judgeRule(draft, index, position)
    else if (alert !== null) wake(draft, index, compiled, alert, draft.momentOf(index))
  }
}

const isDue = (rule: Rule, alert: Alert, nowMs: number): boolean => {
  const waited = nowMs - alert.sinceMs
  return (
    (alert.state === "pending" && waited >= rule.for_seconds * 1000) ||
    (alert.state === "recovering" && waited >= rule.recover_seconds * 1000) ||
    (alert.owed && nowMs - alert.toldMs >= rule.cooldown_seconds * 1000) ||
    !isAtRest(alert, nowMs)
  )
}

export const judgeRule = (draft: Draft, index: number, position: number): void => {
  const compiled = (draft.kinds[index] as KindPlan).rules[position] as CompiledRule
  const moment = draft.momentOf(index)
  const truth = compiled.condition.truth(moment)
  const before = draft.alertOf(index, position)
  if (before !== null && truth === TRUE && isSteady(compiled, before)) {
    before.knownMs = draft.clockMs
    return
  }
  if (before === null && truth !== TRUE) {
    if (compiled.timed) draft.wakeAt(index, nextMs(compiled, moment))
    return
  }
  const alert = before ?? quietAlert(draft.clockMs)
  const signal = signalOf(compiled, alert, truth, moment)
  const lights = signal === "held" || (signal === "met" && isLit(alert.state))
  const severity = lights ? severityOf(compiled, draft.facts, moment) : alert.severity
  if (before !== null && nothingNew(compiled.rule, before, signal, severity, draft.clockMs)) {
    // The draft has the entity for its own by now, and its alerts with it.
    if (signal !== "unknown" && signal !== "lost") before.knownMs = draft.clockMs
    return wake(draft, index, compiled, before, moment)
  }
  conclude(draft, index, position, alert, advance(alert, signal, severity, draft.clockMs), signal)
}

/** The rule or the entity is gone. */
export const endAlert = (draft: Draft, index: number, position: number): void => {
  const alert = draft.alertOf(index, position)
  if (alert === null) return
  conclude(draft, index, position, alert, advance(alert, "removed", alert.severity, draft.clockMs), "removed")
}

/**
 * Suppressions changed: whatever a former one covered and none does now is owed again. Only one that is gone can leave
 * anything uncovered, so that the others are not asked: an incident holds back thousands of places, one order each.
 */
export const resettle = (draft: Draft, before: readonly Suppression[]): void => {
  const now = new Set(draft.suppressions)
  const gone = before.filter((one) => !now.has(one))
  if (gone.length === 0) return
  for (let index = 0; index < draft.entities.length; index++) {
    const { alerts } = draft.entities[index] as EntityState
    if (alerts.length === 0) continue
    const key = draft.keys[index] as string
    for (const [position, alert] of [...alerts].entries()) {
      if (alert === null) continue
      const { rule } = (draft.kinds[index] as KindPlan).rules[position] as CompiledRule
      if (suppressionOf(gone, rule.id, key, alert.severity) === null) continue
      if (suppressionOf(draft.suppressions, rule.id, key, alert.severity) === null)
        conclude(draft, index, position, alert, released(alert), null)
    }
  }
}

/** Tells or holds back, writes down what is left, and sets the alarm clock. `signal` null = no signal, only another look. */
export const conclude = (
  draft: Draft,
  index: number,
  position: number,
  before: Alert,
  moved: Alert,
  signal: AlertSignal | null,
): void => {
  const compiled = (draft.kinds[index] as KindPlan).rules[position] as CompiledRule
  const cooldownMs = compiled.rule.cooldown_seconds * 1000
  const suppression = suppressionOf(draft.suppressions, compiled.rule.id, draft.keys[index] as string, moved.severity)
  const { alert, notice, heldBack } = settle(moved, suppression, cooldownMs, draft.clockMs)
  const forget = isForgettable(alert, cooldownMs, draft.clockMs)
  draft.setAlert(index, position, forget ? null : alert)
  wake(draft, index, compiled, alert, draft.momentOf(index))
  if (alert.state !== before.state || notice !== null || alert.severity !== before.severity)
    say(draft, index, position, { before, alert, signal, notice, heldBack })
}

/** The alert stays as it is, nobody is to be told, and there is nothing to forget: by far the most frequent case. */
const nothingNew = (rule: Rule, alert: Alert, signal: AlertSignal, severity: AlertSeverity, nowMs: number): boolean =>
  LIFE[alert.state][signal] === alert.state &&
  (!isLit(alert.state) || severity === alert.severity) &&
  isAtRest(alert, nowMs) &&
  !isForgettable(alert, rule.cooldown_seconds * 1000, nowMs)

/** Sets the alarm clock for whatever time alone may change. */
const wake = (draft: Draft, index: number, compiled: CompiledRule, alert: Alert, moment: Moment): void => {
  const due = Math.min(
    compiled.timed ? nextMs(compiled, moment) : Number.POSITIVE_INFINITY,
    lifeDueMs(compiled.rule, alert, draft.clockMs),
    settleDueMs(alert, compiled.rule.cooldown_seconds * 1000, draft.clockMs),
  )
  if (due < Number.POSITIVE_INFINITY) draft.wakeAt(index, due)
}

/** It fires, goes on firing, and neither time nor anybody's word changes that. */
const isSteady = ({ rule, timed }: CompiledRule, alert: Alert): boolean =>
  alert.state === "firing" &&
  !alert.owed &&
  alert.flapUntilMs === 0 &&
  alert.ack === null &&
  !timed &&
  rule.severity === alert.severity

interface Saying {
  readonly before: Alert
  readonly alert: Alert
  readonly signal: AlertSignal | null
  readonly notice: Notice | null
  readonly heldBack: HeldBack | null
}

const say = (
  draft: Draft,
  index: number,
  position: number,
  { before, alert, signal, notice, heldBack }: Saying,
): void => {
  const compiled = (draft.kinds[index] as KindPlan).rules[position] as CompiledRule
  const { outweighed } = draft.classOf(index)
  const explanation = explained(
    compiled,
    draft.facts,
    draft.keys[index] as string,
    outweighed,
    alert,
    heldBack,
    draft.momentOf(index),
  )
  const entity = draft.keys[index] as string
  const receipt = receiptOf({
    plan: draft.plan,
    compiled,
    facts: draft.facts,
    entity,
    moment: draft.momentOf(index),
    before,
    after: alert,
    signal,
    notice,
    heldBack,
    summary: explanation.summary,
  })
  draft.verdicts.push({
    atMs: draft.clockMs,
    rule: compiled.rule.id,
    version: compiled.version,
    device: draft.facts.device,
    entity,
    from: before.state,
    to: alert.state,
    signal,
    severity: alert.severity,
    notice,
    heldBack,
    summary: explanation.summary,
    explanation,
    receipt,
  })
}

const nextMs = (compiled: CompiledRule, moment: Moment): number =>
  Math.min(compiled.condition.nextMs?.(moment) ?? Infinity, compiled.recover?.nextMs?.(moment) ?? Infinity)

/** When `for_seconds` or `recover_seconds` are over. */
const lifeDueMs = (rule: Rule, alert: Alert, nowMs: number): number => {
  const wait = alert.state === "pending" ? rule.for_seconds : alert.state === "recovering" ? rule.recover_seconds : null
  const due = wait === null ? Infinity : alert.sinceMs + wait * 1000
  return due > nowMs ? due : Infinity
}

const signalOf = ({ rule, recover }: CompiledRule, alert: Alert, truth: Truth, moment: Moment): AlertSignal => {
  const { nowMs } = moment
  if (truth === TRUE) {
    if (isLit(alert.state)) return "met"
    // A gap without evidence is no part of "it held all the time".
    const pending = alert.state === "pending" && nowMs - alert.knownMs <= gapMs(rule)
    if (alert.state === "pending" && !pending) return "unmet"
    return nowMs - (pending ? alert.sinceMs : nowMs) >= rule.for_seconds * 1000 ? "held" : "met"
  }
  if (!isLit(alert.state)) {
    if (truth === FALSE) return "unmet"
    return nowMs - alert.knownMs > gapMs(rule) ? "lost" : "unknown"
  }
  const back: Truth = recover === null ? (truth === FALSE ? TRUE : UNKNOWN) : recover.truth(moment)
  if (back === UNKNOWN) return nowMs - alert.knownMs > EVIDENCE_MS ? "lost" : "unknown"
  if (back === FALSE) return "unmet"
  if (rule.recover_seconds === 0) return "settled"
  return alert.state === "recovering" && nowMs - alert.sinceMs >= rule.recover_seconds * 1000 ? "settled" : "recovered"
}

const gapMs = (rule: Rule): number => Math.max(EVIDENCE_MS, rule.for_seconds * 1000)

export const severityOf = ({ rule, tiers }: CompiledRule, facts: DeviceFacts, moment: Moment): AlertSeverity => {
  const { severity } = rule
  if (typeof severity === "string") return severity
  if ("by_role" in severity) {
    const named = facts.roles.map((role) => severity.by_role[role]).filter((one) => one !== undefined)
    const worst = named.sort((a, b) => ALERT_SEVERITIES.indexOf(b) - ALERT_SEVERITIES.indexOf(a))[0]
    return worst ?? severity.by_role.default ?? "warn"
  }
  return tiers.find(({ when }) => when.truth(moment) === TRUE)?.sev ?? tiers.at(-1)?.sev ?? "warn"
}
