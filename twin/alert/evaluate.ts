/**
 * Judgement of one device: `evaluate(plan, state, input)` takes samples, an event, a command or the passing of time, and
 * gives the next state, what changed (verdicts) and when it wants to be woken. No clock: time comes in the input. Only
 * the rules that read a touched series are judged, so that a sample costs nothing for all others. An input is judged once
 * per instant, after all its samples of that instant are in, so that two metrics of one poll are never seen half-updated.
 */
import type { EntityKey, EntityKind } from "#protocol/id.ts"
import { DEVICE_ENTITY, entityKind } from "#protocol/id.ts"
import { metricById } from "#protocol/metric.ts"
import type { EventMatch, RuleEvent } from "#protocol/rule.ts"
import { advanceTo, arriveAt } from "#twin/alert/clock.ts"
import { acknowledged, lifted, suppressed } from "#twin/alert/command.ts"
import type { AlertCommand } from "#twin/alert/command.ts"
import { Draft } from "#twin/alert/draft.ts"
import type { Hand } from "#twin/alert/hand.ts"
import { judgeEntity, judgeRule } from "#twin/alert/judge.ts"
import { patternMatches } from "#twin/alert/pattern.ts"
import type { DevicePlan, KindPlan, Watch } from "#twin/alert/plan.ts"
import { watchOf } from "#twin/alert/plan.ts"
import { passes } from "#twin/alert/screen.ts"
import { readied } from "#twin/alert/series-layout.ts"
import type { SeriesSpec } from "#twin/alert/series-layout.ts"
import { NEWEST, push, REFUSED, UNREADY } from "#twin/alert/series.ts"
import type { DeviceState, EntityState } from "#twin/alert/state.ts"
import type { Verdict } from "#twin/alert/verdict.ts"

/** Column-wise, as a poll: row i says that entities[entity[i]] has metric[i] = value[i]. */
export interface SampleInput {
  readonly kind: "samples"
  /** The twin's time; also the samples' own unless `times` says otherwise. */
  readonly atMs: number
  readonly entities: readonly EntityKey[]
  readonly entity: Uint16Array
  readonly metric: Uint16Array
  readonly value: Float64Array
  readonly times?: Float64Array
}
export interface EventInput {
  readonly kind: "event"
  readonly atMs: number
  /** When it happened, no later than atMs. */
  readonly happenedMs: number
  readonly entity: EntityKey
  readonly type: RuleEvent
  readonly old: string | null
  readonly new: string | null
  readonly raw: string | null
}
export interface TickInput {
  readonly kind: "tick"
  readonly atMs: number
}
/** The entity does not exist any more. */
export interface GoneInput {
  readonly kind: "gone"
  readonly atMs: number
  readonly entity: EntityKey
}
export type JudgementInput = SampleInput | EventInput | TickInput | GoneInput | AlertCommand

export interface Judged {
  readonly state: DeviceState
  readonly verdicts: readonly Verdict[]
  /** Absolute time at which a tick is wanted; null = none. */
  readonly timerMs: number | null
}

/** A clock that falls by more than this was set; windows begin anew then. */
export const JUMP_BACK_MS = 60_000

/**
 * The state that goes in stays as it was, but for rows that a hand says are nobody else's: these are written to, which saves
 * copying them.
 */
export const evaluate = (
  plan: DevicePlan,
  state: DeviceState,
  input: JudgementInput,
  hand: Hand | null = null,
): Judged => {
  if (plan.key !== state.planKey) throw new RangeError("the state belongs to another plan: configure it first")
  const draft = new Draft(plan, state, hand)
  if (input.atMs < draft.clockMs - JUMP_BACK_MS) draft.restartAt(input.atMs)
  try {
    heard(draft, input)
    advanceTo(draft, input.atMs)
  } finally {
    // The marks are shared scratch: a throw must not leave rules of other devices marked as looked at.
    draft.unmark()
  }
  return draft.finish()
}

const heard = (draft: Draft, input: JudgementInput): void => {
  switch (input.kind) {
    case "samples":
      return takeSamples(draft, input)
    case "event":
      return takeEvent(draft, input)
    case "gone":
      advanceTo(draft, input.atMs)
      return draft.remove(input.entity)
    case "suppress":
      return suppressed(draft, input)
    case "lift":
      return lifted(draft, input)
    case "ack":
    case "unack":
      return acknowledged(draft, input)
    case "tick":
      return
  }
}

// -- samples -----------------------------------------------------------------------------------------------------------

const takeSamples = (draft: Draft, input: SampleInput): void => {
  const indexes = draft.indexesOf(input.entities, Math.max(draft.clockMs, input.atMs))
  const { times } = input
  const count = Math.min(input.entity.length, input.metric.length, input.value.length)
  if (times === undefined) {
    arriveAt(draft, input.atMs)
    for (let i = 0; i < count; i++) takeSample(draft, input, indexes, i, input.atMs)
    return judgeTouched(draft)
  }
  const order = orderOf(times, count)
  for (let from = 0; from < count;) {
    const atMs = times[order === null ? from : (order[from] as number)] as number
    if (atMs > draft.clockMs && atMs <= input.atMs) arriveAt(draft, atMs)
    let end = from
    for (; end < count; end++) {
      const i = order === null ? end : (order[end] as number)
      if (times[i] !== atMs) break
      takeSample(draft, input, indexes, i, atMs)
    }
    judgeTouched(draft)
    // NaN equals nothing, itself included.
    if (end === from) draft.refused++
    from = Math.max(end, from + 1)
  }
}

/** Rows by time; null = they are so already, as those of a poll are. */
const orderOf = (times: Float64Array, count: number): readonly number[] | null => {
  let i = 1
  while (i < count && (times[i] as number) >= (times[i - 1] as number)) i++
  if (i >= count) return null
  return Array.from({ length: count }, (_, at) => at).sort(
    (a, b) => (times[a] as number) - (times[b] as number) || a - b,
  )
}

const takeSample = (draft: Draft, input: SampleInput, indexes: Int32Array, i: number, atMs: number): void => {
  const index = indexes[input.entity[i] as number] ?? -1
  const metric = input.metric[i] as number
  const value = input.value[i] as number
  // Not "atMs > clock": a time that is no number has to be refused too.
  if (index < 0 || !Number.isFinite(value) || !(atMs <= Math.max(draft.clockMs, input.atMs))) {
    draft.refused++
    return
  }
  const kind = draft.kinds[index] as KindPlan
  const at = kind.seriesOf[metric] as number
  if (at === undefined || at < 0) {
    if (metricById(metric)?.entity !== kind.kind) draft.refused++
    return
  }
  const series = kind.series[at] as SeriesSpec
  const row = draft.rowOf(index)
  let pushed = push(row, kind.series, series, atMs, value, draft.clockMs)
  if (pushed === UNREADY) {
    const wider = readied(row, kind.series, series, atMs, value)
    if (wider !== row) draft.own(index).row = wider
    pushed = push(wider, kind.series, series, atMs, value, draft.clockMs)
  }
  if (pushed === NEWEST) draft.fresh.push(index * SERIES_MAX + at)
  else if (pushed === REFUSED) draft.refused++
}

/** Series of a kind are fewer. */
const SERIES_MAX = 1024

/** All samples of an instant are in: whatever they may have made true, and every alert that they may move, is judged. */
const judgeTouched = (draft: Draft): void => {
  const { fresh, touched } = draft
  for (let f = 0; f < fresh.length; f++) {
    const index = Math.floor((fresh[f] as number) / SERIES_MAX)
    screen(draft, index, (fresh[f] as number) - index * SERIES_MAX)
  }
  for (let t = 0; t < touched.length; t++) {
    const mark = touched[t] as number
    const index = Math.floor(mark / draft.plan.widest)
    judgeRule(draft, index, mark - index * draft.plan.widest)
  }
  draft.unmark()
}

/** Marks what a series' newest sample can have changed. */
const screen = (draft: Draft, index: number, at: number): void => {
  const series = (draft.kinds[index] as KindPlan).series[at] as SeriesSpec
  screenEntity(draft, index, series, draft.classOf(index).watchers[at] as Watch)
  if (index !== 0) return
  for (const { kind, positions } of draft.plan.deviceReaders[at] ?? []) screenParts(draft, kind, series, positions)
}

const screenParts = (draft: Draft, kind: EntityKind, series: SeriesSpec, positions: readonly number[]): void => {
  for (let index = 1; index < draft.entities.length; index++) {
    if ((draft.kinds[index] as KindPlan).kind !== kind) continue
    const { live } = draft.classOf(index)
    const { rules } = draft.kinds[index] as KindPlan
    screenEntity(
      draft,
      index,
      series,
      watchOf(
        rules,
        positions.filter((position) => live.includes(position)),
      ),
    )
  }
}

const screenEntity = (draft: Draft, index: number, series: SeriesSpec, { positions, screens }: Watch): void => {
  if (positions.length === 0) return
  const row = draft.rowOf(index)
  const device = index === 0 ? row : draft.rowOf(0)
  const { alerts } = draft.entities[index] as EntityState
  const isQuiet = alerts.length === 0
  const nowMs = draft.clockMs
  for (let p = 0; p < positions.length; p++) {
    const position = positions[p] as number
    const needed = screens[p] as Watch["screens"][number]
    if (needed === null || (!isQuiet && alerts[position] !== null) || passes(needed, row, device, series, nowMs))
      draft.mark(index, position)
  }
}

// -- events ------------------------------------------------------------------------------------------------------------

const takeEvent = (draft: Draft, input: EventInput): void => {
  advanceTo(draft, input.atMs)
  if (input.happenedMs > draft.clockMs || entityKind(input.entity) === null) {
    draft.refused++
    return
  }
  noteEvent(draft, 0, input)
  if (input.entity === DEVICE_ENTITY) return
  const index = draft.indexesOf([input.entity], draft.clockMs)[0] as number
  if (index >= 0) noteEvent(draft, index, input)
}

const noteEvent = (draft: Draft, index: number, input: EventInput): void => {
  const { events } = draft.kinds[index] as KindPlan
  let matched = false
  for (const { index: at, condition } of events) {
    if (condition.event_type !== input.type || !matches(condition.match ?? {}, input)) continue
    const entity = draft.own(index)
    const all = events.map((_, i) => entity.events[i] ?? [])
    all[at] = [...(all[at] ?? []), input.happenedMs].sort((a, b) => a - b).slice(-condition.count)
    entity.events = all
    matched = true
  }
  if (matched) judgeEntity(draft, index)
}

const matches = (match: EventMatch, input: EventInput): boolean =>
  (match.old === undefined || patternMatches(match.old, input.old ?? "")) &&
  (match.new === undefined || patternMatches(match.new, input.new ?? "")) &&
  (match.raw === undefined || patternMatches(match.raw, input.raw ?? ""))
