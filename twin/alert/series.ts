/**
 * Samples go into a series, and windows over them follow: count, sum, changes and tallies cost O(1) a sample, whatever the
 * window's length; minimum, maximum and p95 are compared with a number by counting what is greater. Sums are kept in fixed
 * point, so that adding and taking away is exact and a window always equals a computation from scratch, bit by bit. Where
 * the cells lie: series-layout.ts; how they are read: series-read.ts.
 */
import { addBucket } from "#twin/alert/baseline-buckets.ts"
import type { RunSpec, SeriesSpec, WindowSpec } from "#twin/alert/series-layout.ts"
import {
  CLOCK,
  CLOCK_CELLS,
  CONSTANT,
  END,
  FIRST,
  HELD,
  isShared,
  LOST,
  NEXT,
  PLACES,
  SAMPLES_MAX,
  VALUES,
} from "#twin/alert/series-layout.ts"

/** What became of a sample. */
export const REFUSED = 0
export const NEWEST = 1
/** It is not its series' newest, but belongs to windows. */
export const LATE = 2
/** Nothing yet: the row must be `readied` for it first. */
export const UNREADY = -1
export type Pushed = typeof REFUSED | typeof NEWEST | typeof LATE | typeof UNREADY

/** Parts of one unit in a sum: 2^-40. Sums are exact while they stay below 2^53. */
export const PARTS = 1_099_511_627_776

/**
 * Takes one sample. A late one only mends the windows that it belongs to, and one that is too late, or of a time that the
 * series already has, is refused. `nowMs` = the evaluation's time.
 */
export const push = (
  row: Float64Array,
  specs: readonly SeriesSpec[],
  spec: SeriesSpec,
  atMs: number,
  value: number,
  nowMs: number,
): Pushed => {
  const o = row[spec.index] as number
  if (o === 0) return UNREADY
  const clock = row[o + CLOCK] as number
  const next = row[o + NEXT] as number
  const held = row[o + HELD] as number
  const first = row[clock + FIRST] as number
  const end = row[clock + END] as number
  const times = clock + CLOCK_CELLS - first
  if (held > 0 && atMs <= (row[times + next - 1] as number)) return pushLate(row, specs, spec, atMs, value, nowMs)
  if (next === end) {
    if (end - first >= (row[clock + PLACES] as number)) return UNREADY
  } else if (next !== end - 1 || row[times + next] !== atMs) return UNREADY
  const values = row[o + VALUES] as number
  if (values > 0) row[values + next - first] = value
  else if (held > 0 && !Object.is(row[o + CONSTANT], value)) return UNREADY
  else row[o + CONSTANT] = value
  if (held === SAMPLES_MAX) dropOldest(row, spec, o)
  if (next === end) {
    row[times + next] = atMs
    row[clock + END] = end + 1
  }
  row[o + NEXT] = next + 1
  row[o + HELD] = (row[o + HELD] as number) + 1
  const { windows, runs, buckets } = spec
  const before = held === 0 ? Number.NaN : values > 0 ? (row[values + next - 1 - first] as number) : value
  for (let w = 0; w < windows.length; w++) enter(row, o, windows[w] as WindowSpec, value, before)
  for (let r = 0; r < runs.length; r++) extendRun(row, o, runs[r] as RunSpec, atMs, value)
  for (let b = 0; b < buckets.length; b++) addBucket(row, o, buckets[b] as SeriesSpec["buckets"][number], atMs, value)
  expire(row, spec, nowMs)
  return NEWEST
}

/** Lets what is no longer inside its window at `nowMs` leave it. Idempotent; every reader calls it first. */
export const expire = (row: Float64Array, spec: SeriesSpec, nowMs: number): void => {
  const o = row[spec.index] as number
  if (o === 0) return
  const clock = row[o + CLOCK] as number
  const next = row[o + NEXT] as number
  const times = clock + CLOCK_CELLS - (row[clock + FIRST] as number)
  const { windows } = spec
  let longest = 0
  for (let w = 0; w < windows.length; w++) {
    const window = windows[w] as WindowSpec
    const limit = nowMs - window.ms
    let count = row[o + window.at] as number
    while (count > 0 && (row[times + next - count] as number) <= limit) {
      leave(row, o, window, next - count--)
      row[o + window.at] = count
    }
    if (count > longest) longest = count
  }
  // One sample before the oldest window stays: it tells the state that the window began with.
  const wanted = longest + 1 > spec.keep ? longest + 1 : spec.keep
  if (wanted < (row[o + HELD] as number)) {
    row[o + HELD] = wanted
    row[o + LOST] = 1
  }
}

/** Value of a sample by its number. */
const valueOf = (row: Float64Array, o: number, seq: number): number => {
  const values = row[o + VALUES] as number
  if (values === 0) return row[o + CONSTANT] as number
  return row[values + seq - (row[(row[o + CLOCK] as number) + FIRST] as number)] as number
}

/** A sample comes in. `before` = the value of the one before it, which may lie outside the window; NaN = there is none. */
const enter = (row: Float64Array, o: number, window: WindowSpec, value: number, before: number): void => {
  const cell = o + window.at
  row[cell] = (row[cell] as number) + 1
  count(row, o, window, value, before, 1)
}

const leave = (row: Float64Array, o: number, window: WindowSpec, seq: number): void => {
  const values = row[o + VALUES] as number
  const isFirst = seq <= (row[o + NEXT] as number) - (row[o + HELD] as number)
  if (values === 0) {
    const value = row[o + CONSTANT] as number
    return count(row, o, window, value, isFirst ? Number.NaN : value, -1)
  }
  const place = values + seq - (row[(row[o + CLOCK] as number) + FIRST] as number)
  count(row, o, window, row[place] as number, isFirst ? Number.NaN : (row[place - 1] as number), -1)
}

/** What a sample counts for in a window, added or taken away. */
const count = (row: Float64Array, o: number, window: WindowSpec, value: number, before: number, sign: 1 | -1): void => {
  if (window.sum >= 0) add(row, o + window.sum, value, sign)
  const { tallies, transitions } = window
  for (let t = 0; t < tallies.length; t++) {
    const tally = tallies[t] as WindowSpec["tallies"][number]
    if (value > tally.over) row[o + tally.at] = (row[o + tally.at] as number) + sign
  }
  if (before !== before) return
  if (transitions >= 0 && before !== value) row[o + transitions] = (row[o + transitions] as number) + sign
  if (window.increase >= 0) add(row, o + window.increase, increment(before, value), sign)
}

const add = (row: Float64Array, cell: number, value: number, sign: 1 | -1): void => {
  const whole = Math.floor(value)
  row[cell] = (row[cell] as number) + sign * whole
  if (whole !== value) row[cell + 1] = (row[cell + 1] as number) + sign * Math.round((value - whole) * PARTS)
}

/** A counter that fell was reset: it has counted from zero since. */
export const increment = (before: number, value: number): number => (value >= before ? value - before : value)

const extendRun = (row: Float64Array, o: number, run: RunSpec, atMs: number, value: number): void => {
  const cell = o + run.at
  const count = row[cell] as number
  if (!run.test(value)) {
    if (count > 0) row[cell] = 0
    return
  }
  if (count === 0) row[cell + 1] = atMs
  if (count < run.keep) row[cell] = count + 1
}

/** The series is at its bound: its oldest sample goes, and with it the windows that still held it or its neighbour. */
const dropOldest = (row: Float64Array, spec: SeriesSpec, o: number): void => {
  const held = row[o + HELD] as number
  for (const window of spec.windows)
    for (let count = row[o + window.at] as number; count > held - 2; row[o + window.at] = --count)
      leave(row, o, window, (row[o + NEXT] as number) - count)
  row[o + HELD] = held - 1
  row[o + LOST] = 1
}

// -- the rare case: a sample of the past ---------------------------------------------------------------------------------

const pushLate = (
  row: Float64Array,
  specs: readonly SeriesSpec[],
  spec: SeriesSpec,
  atMs: number,
  value: number,
  nowMs: number,
): Pushed => {
  const o = row[spec.index] as number
  const clock = row[o + CLOCK] as number
  const first = row[clock + FIRST] as number
  const times = clock + CLOCK_CELLS - first
  const next = row[o + NEXT] as number
  const newest = row[times + next - 1] as number
  const head = next - (row[o + HELD] as number)
  let seq = next
  while (seq > head && (row[times + seq - 1] as number) > atMs) seq--
  const known = seq > head && row[times + seq - 1] === atMs
  // Once samples were let go, nothing can be put in order before the oldest that is kept.
  if (known || (seq === head && row[o + LOST] === 1)) return REFUSED
  if (atMs <= newest - spec.spanMs || atMs <= nowMs - spec.spanMs) return REFUSED
  const values = row[o + VALUES] as number
  if (values === 0 && !Object.is(row[o + CONSTANT], value)) return UNREADY
  if (isShared(row, specs, spec) || next - first >= (row[clock + PLACES] as number)) return UNREADY
  if (row[o + HELD] === SAMPLES_MAX) {
    dropOldest(row, spec, o)
    if (seq <= head + 1) return REFUSED
  }
  row.copyWithin(times + seq + 1, times + seq, times + next)
  row[times + seq] = atMs
  if (values > 0) {
    row.copyWithin(values + seq - first + 1, values + seq - first, values + next - first)
    row[values + seq - first] = value
  }
  row[clock + END] = next + 1
  row[o + NEXT] = next + 1
  row[o + HELD] = (row[o + HELD] as number) + 1
  for (const bucket of spec.buckets) addBucket(row, o, bucket, atMs, value)
  rebuild(row, spec, nowMs > newest ? nowMs : newest)
  return LATE
}

/** Windows and runs from what is held. What has left a window does not come back: one that was cut stays cut. */
export const rebuild = (row: Float64Array, spec: SeriesSpec, nowMs: number): void => {
  const o = row[spec.index] as number
  const next = row[o + NEXT] as number
  const held = row[o + HELD] as number
  const head = next - held
  for (const window of spec.windows) {
    row[o + window.at] = 0
    if (window.sum >= 0) row.fill(0, o + window.sum, o + window.sum + 2)
    if (window.transitions >= 0) row[o + window.transitions] = 0
    if (window.increase >= 0) row.fill(0, o + window.increase, o + window.increase + 2)
    for (const { at } of window.tallies) row[o + at] = 0
  }
  // `enter` takes in the newest, so every sample is the newest once.
  for (let seq = head + (row[o + LOST] as number); seq < next; seq++) {
    row[o + NEXT] = seq + 1
    row[o + HELD] = seq + 1 - head
    const before = seq === head ? Number.NaN : valueOf(row, o, seq - 1)
    for (const window of spec.windows) enter(row, o, window, valueOf(row, o, seq), before)
  }
  row[o + NEXT] = next
  row[o + HELD] = held
  for (const run of spec.runs) rebuildRun(row, o, run)
  expire(row, spec, nowMs)
}

const rebuildRun = (row: Float64Array, o: number, run: RunSpec): void => {
  const next = row[o + NEXT] as number
  const head = next - (row[o + HELD] as number)
  const clock = row[o + CLOCK] as number
  const cell = o + run.at
  const before = (row[cell] as number) > 0 ? (row[cell + 1] as number) : Number.POSITIVE_INFINITY
  let seq = next
  while (seq > head && run.test(valueOf(row, o, seq - 1))) seq--
  row[cell] = Math.min(run.keep, next - seq)
  if (seq === next) return
  const since = row[clock + CLOCK_CELLS + seq - (row[clock + FIRST] as number)] as number
  // The run may be older than what is still held.
  row[cell + 1] = seq === head ? Math.min(before, since) : since
}
