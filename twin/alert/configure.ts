/**
 * Other rules, or other facts of the device: the state moves to the new plan. Samples that are still held fill the new
 * windows, alerts of rules that stay go on (also when the rule was edited: its next evaluation decides), and alerts of rules
 * that no longer count here end.
 */
import { entityKind } from "#protocol/id.ts"
import { Draft } from "#twin/alert/draft.ts"
import { advanceTo } from "#twin/alert/clock.ts"
import type { Judged } from "#twin/alert/evaluate.ts"
import type { Hand } from "#twin/alert/hand.ts"
import { handBack, rowsInHand } from "#twin/alert/hand.ts"
import { endAlert } from "#twin/alert/judge.ts"
import type { CompiledRule, DevicePlan, KindPlan } from "#twin/alert/plan.ts"
import { movedRow } from "#twin/alert/row-move.ts"
import type { DeviceFacts } from "#twin/alert/scope.ts"
import type { DeviceState, EntityState } from "#twin/alert/state.ts"
import { copiedAlerts } from "#twin/alert/state.ts"

export const configure = (
  from: DevicePlan,
  to: DevicePlan,
  state: DeviceState,
  facts: DeviceFacts,
  atMs: number,
  hand: Hand | null = null,
): Judged => {
  const ending = new Draft(from, state, hand)
  ending.clockMs = Math.max(ending.clockMs, atMs)
  for (const [index, key] of ending.keys.entries()) {
    if ((ending.entities[index] as EntityState).alerts.length === 0) continue
    const stays = liveRules(to.kinds[entityKind(key) ?? "device"], key)
    for (const [position, { rule }] of (ending.kinds[index] as KindPlan).rules.entries())
      if (!stays.has(rule.id)) endAlert(ending, index, position)
  }
  const ended = ending.finish()
  const nowMs = ended.state.clockMs
  const entities = ended.state.keys.map((key, index) => {
    const kind = entityKind(key) ?? "device"
    return moved(from.kinds[kind], to.kinds[kind], ended.state.entities[index] as EntityState, nowMs)
  })
  const start: DeviceState = { ...ended.state, planKey: to.key, facts, entities, dueMs: nowMs }
  const rows = rowsInHand(hand, ended.state).map((own, index) =>
    entities[index]?.row === ended.state.entities[index]?.row ? own : 1,
  )
  handBack(hand, start, rows)
  const next = new Draft(to, start, hand)
  advanceTo(next, nowMs)
  const judged = next.finish()
  return { ...judged, verdicts: [...ended.verdicts, ...judged.verdicts] }
}

const liveRules = (kind: KindPlan, key: string): ReadonlySet<string> =>
  new Set(kind.classOf(key).live.map((position) => (kind.rules[position] as CompiledRule).rule.id))

const moved = (from: KindPlan, to: KindPlan, entity: EntityState, nowMs: number): EntityState => {
  const alerts = movedAlerts(from, to, entity.alerts)
  return {
    row: movedRow(from, to, entity.row, nowMs),
    alerts,
    events: movedEvents(from, to, entity.events),
    sinceMs: entity.sinceMs,
    // Where neither an alert waits nor time alone can change a truth, the next sample is soon enough.
    dueMs: alerts.length > 0 || to.rules.some(({ timed }) => timed) ? nowMs : Number.POSITIVE_INFINITY,
  }
}

const movedAlerts = (from: KindPlan, to: KindPlan, alerts: EntityState["alerts"]): EntityState["alerts"] => {
  if (alerts.length === 0) return alerts
  const was = new Map(from.rules.map(({ rule }, position) => [rule.id, alerts[position] ?? null]))
  const now = to.rules.map(({ rule }) => was.get(rule.id) ?? null)
  return now.every((alert) => alert === null) ? [] : copiedAlerts(now)
}

const movedEvents = (from: KindPlan, to: KindPlan, events: EntityState["events"]): ReadonlyArray<readonly number[]> => {
  if (events.length === 0) return []
  const wish = (condition: unknown): string => JSON.stringify(condition)
  const was = new Map(from.events.map(({ index, condition }) => [wish(condition), events[index] ?? []]))
  return to.events.map(({ condition }) => was.get(wish(condition)) ?? [])
}
