/**
 * Other rules, or other facts of the device: the state moves to the new plan. Samples that are still held fill the new
 * windows, alerts of rules that stay go on (also when the rule was edited: its next evaluation decides), and alerts of rules
 * that no longer count here end.
 */
import { entityKind } from "#protocol/id.ts"
import { Draft } from "#twin/alert/draft.ts"
import { advanceTo } from "#twin/alert/clock.ts"
import type { Judged } from "#twin/alert/evaluate.ts"
import { endAlert } from "#twin/alert/judge.ts"
import type { CompiledRule, DevicePlan, KindPlan } from "#twin/alert/plan.ts"
import type { DeviceFacts } from "#twin/alert/scope.ts"
import type { SeriesSpec } from "#twin/alert/series.ts"
import { lacksRoom, newestSamples, newRow, push, SAMPLES_MAX, widened } from "#twin/alert/series.ts"
import type { DeviceState, EntityState } from "#twin/alert/state.ts"

export const configure = (
  from: DevicePlan,
  to: DevicePlan,
  state: DeviceState,
  facts: DeviceFacts,
  atMs: number,
): Judged => {
  const ending = new Draft(from, state, false)
  ending.clockMs = Math.max(ending.clockMs, atMs)
  for (const [index, key] of ending.keys.entries()) {
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
  const next = new Draft(to, { ...ended.state, planKey: to.key, facts, entities, dueMs: nowMs }, true)
  advanceTo(next, nowMs)
  const judged = next.finish()
  return { ...judged, verdicts: [...ended.verdicts, ...judged.verdicts] }
}

const liveRules = (kind: KindPlan, key: string): ReadonlySet<string> =>
  new Set(kind.classOf(key).live.map((position) => (kind.rules[position] as CompiledRule).rule.id))

const moved = (from: KindPlan, to: KindPlan, entity: EntityState, nowMs: number): EntityState => {
  const was = new Map(from.rules.map(({ rule }, position) => [rule.id, entity.alerts[position] ?? null]))
  const alerts = to.rules.map(({ rule }) => was.get(rule.id) ?? null)
  return {
    row: movedRow(from, to, entity.row, nowMs),
    alerts: alerts.every((alert) => alert === null) ? [] : alerts,
    events: movedEvents(from, to, entity.events),
    sinceMs: entity.sinceMs,
    dueMs: nowMs,
  }
}

const movedRow = (from: KindPlan, to: KindPlan, old: Float64Array, nowMs: number): Float64Array => {
  // Its own all the same: what follows writes to it.
  if (from.rowKey === to.rowKey) return old.slice()
  let row = newRow(to.series, to.cells)
  for (const series of to.series) {
    const before = from.series.find(({ metric }) => metric === series.metric)
    if (before === undefined) continue
    for (const [atMs, value] of newestSamples(old, before, SAMPLES_MAX)) {
      if (lacksRoom(row, series, value)) row = widened(row, to.series, to.cells, series, value)
      push(row, series, atMs, value, nowMs)
    }
    moveBuckets(before, series, old, row)
  }
  return row
}

/** A baseline of the same width goes on; its buckets hold more than the ring does. */
const moveBuckets = (from: SeriesSpec, to: SeriesSpec, old: Float64Array, row: Float64Array): void => {
  for (const bucket of to.buckets) {
    const before = from.buckets.find(({ widthMs }) => widthMs === bucket.widthMs)
    if (before === undefined) continue
    const ids = Array.from({ length: before.count }, (_, b) => old[before.at + 4 * b] as number)
    for (const [b, id] of ids.entries()) {
      const cell = bucket.at + 4 * (id % bucket.count)
      if (id < 0 || (row[cell] as number) > id) continue
      row.set(old.subarray(before.at + 4 * b, before.at + 4 * b + 4), cell)
    }
  }
}

const movedEvents = (from: KindPlan, to: KindPlan, events: EntityState["events"]): ReadonlyArray<readonly number[]> => {
  if (events.length === 0) return []
  const wish = (condition: unknown): string => JSON.stringify(condition)
  const was = new Map(from.events.map(({ index, condition }) => [wish(condition), events[index] ?? []]))
  return to.events.map(({ condition }) => was.get(wish(condition)) ?? [])
}
