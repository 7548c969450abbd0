/**
 * The samples of one entity's series and the windows over them, in one Float64Array (a row): fixed headers, then a ring of
 * samples per series. Every window of a series shares its ring; count, sum and mean cost O(1) a sample, minimum and maximum
 * amortised O(1) (monotonic deques, shared by all windows: a shorter window's deque is the end of a longer one's), p95 one
 * binary search and a move of at most the window. Sums are kept in fixed point, so that adding and taking away is exact and
 * a window always equals a computation from scratch, bit by bit. Copying a row copies everything it knows. While all samples
 * of a series are equal (errors: none; state: up) their value is held once, and only their times take room.
 */
import { addBucket } from "#twin/alert/baseline-buckets.ts"

/** Samples that a ring holds at most; a window that would need more covers the newest ones. Power of two. */
export const SAMPLES_MAX = 8192
const SAMPLES_FIRST = 8

export interface WindowSpec {
  /** Offset of this window's cells in the row. */
  readonly at: number
  readonly ms: number
  readonly sum: boolean
  readonly min: boolean
  readonly max: boolean
  readonly transitions: boolean
  /** Sum of a counter's increments. */
  readonly increase: boolean
  /** Which of the series' sorted lists is this window's; -1 = no p95 is asked. */
  readonly sorted: number
}

/** A run of newest samples that all pass a test: its length (counted up to `keep`) and when it began. */
export interface RunSpec {
  readonly at: number
  /** Equal keys, equal tests. */
  readonly key: string
  readonly keep: number
  readonly test: (value: number) => boolean
}

/** Means of long stretches, in buckets of event time. */
export interface BucketSpec {
  /** Offset of the cells, 4 a bucket: id, sum (whole and parts), count. */
  readonly at: number
  readonly widthMs: number
  readonly count: number
}

export interface SeriesSpec {
  readonly metric: number
  readonly counter: boolean
  /** Offset of the header in the row. */
  readonly at: number
  readonly windows: readonly WindowSpec[]
  readonly runs: readonly RunSpec[]
  readonly buckets: readonly BucketSpec[]
  /** Newest samples that stay however old they are, >= 1. */
  readonly keep: number
  /** Longest window, ms: later samples than this are too late to matter. */
  readonly spanMs: number
  readonly minQueue: boolean
  readonly maxQueue: boolean
  readonly sortedLists: number
}

/** Header cells of a series. Sequence numbers count its samples from 0; a ring's place is `seq & (capacity - 1)`. */
export const HEAD = 0
export const NEXT = 1
export const CAPACITY = 2
export const DATA = 3
const SEEN_MS = 4
const MIN_HEAD = 5
const MIN_TAIL = 6
const MAX_HEAD = 7
const MAX_TAIL = 8
/** Samples that came too late for every window, and repeated ones. */
export const REFUSED = 9
/** Start of the values' ring; 0 = flat: every sample that is held has the value of CONSTANT. */
export const VALUES = 10
const CONSTANT = 11
export const HEADER_CELLS = 12

/** Cells of a window. */
const TAIL = 0
const SUM_WHOLE = 1
const SUM_PARTS = 2
const MIN_FRONT = 3
const MAX_FRONT = 4
const TRANSITIONS = 5
const INCREASE_WHOLE = 6
const INCREASE_PARTS = 7
export const WINDOW_CELLS = 8

/** Cells of a run. */
const [RUN_COUNT, RUN_SINCE] = [0, 1]
export const RUN_CELLS = 2

/** Parts of one unit in a sum: 2^-40. Sums are exact while they stay below 2^53. */
const PARTS = 1_099_511_627_776

/** A fresh row: no samples. `cells` = headers of all series. */
export const newRow = (specs: readonly SeriesSpec[], cells: number): Float64Array => {
  const row = new Float64Array(cells)
  for (const spec of specs) {
    row[spec.at + SEEN_MS] = Number.NEGATIVE_INFINITY
    row[spec.at + DATA] = cells
    for (const bucket of spec.buckets) for (let b = 0; b < bucket.count; b++) row[bucket.at + 4 * b] = -1
  }
  return row
}

const at = (row: Float64Array, index: number): number => row[index] as number
const place = (row: Float64Array, o: number, list: number, seq: number): number => {
  const capacity = at(row, o + CAPACITY)
  return at(row, o + DATA) + list * capacity + (seq & (capacity - 1))
}
const timeAt = (row: Float64Array, o: number, seq: number): number => at(row, place(row, o, 0, seq))
const valueAt = (row: Float64Array, o: number, seq: number): number => {
  const values = at(row, o + VALUES)
  return values === 0 ? at(row, o + CONSTANT) : at(row, values + (seq & (at(row, o + CAPACITY) - 1)))
}
/** Of a flat series only the value that it has already (`lacksRoom`). */
const setValue = (row: Float64Array, o: number, seq: number, value: number): void => {
  const values = at(row, o + VALUES)
  row[values === 0 ? o + CONSTANT : values + (seq & (at(row, o + CAPACITY) - 1))] = value
}

/** How many rings of `capacity` cells a series has: times, two deques, sorted lists; one more for values unless flat. */
export const listsOf = (spec: SeriesSpec): number =>
  1 + (spec.minQueue ? 1 : 0) + (spec.maxQueue ? 1 : 0) + spec.sortedLists
const minList = 1
const maxList = (spec: SeriesSpec): number => (spec.minQueue ? 2 : 1)
const sortedStart = (row: Float64Array, spec: SeriesSpec, sorted: number): number =>
  at(row, spec.at + DATA) + (listsOf(spec) - spec.sortedLists + sorted) * at(row, spec.at + CAPACITY)

export const isEmpty = (row: Float64Array, spec: SeriesSpec): boolean =>
  at(row, spec.at + NEXT) === at(row, spec.at + HEAD)
/** Time of the newest sample; -Infinity = none. */
export const newestMs = (row: Float64Array, spec: SeriesSpec): number =>
  isEmpty(row, spec) ? Number.NEGATIVE_INFINITY : timeAt(row, spec.at, at(row, spec.at + NEXT) - 1)
/** NaN = none. */
export const newestValue = (row: Float64Array, spec: SeriesSpec): number =>
  isEmpty(row, spec) ? Number.NaN : valueAt(row, spec.at, at(row, spec.at + NEXT) - 1)

const isFull = (row: Float64Array, spec: SeriesSpec): boolean =>
  at(row, spec.at + CAPACITY) < SAMPLES_MAX && heldSamples(row, spec) >= at(row, spec.at + CAPACITY)
const staysFlat = (row: Float64Array, spec: SeriesSpec, value: number): boolean =>
  at(row, spec.at + VALUES) === 0 && (isEmpty(row, spec) || Object.is(at(row, spec.at + CONSTANT), value))

/** True when the series has no room for a sample of this value: the row must be `widened` before `push`. */
export const lacksRoom = (row: Float64Array, spec: SeriesSpec, value: number): boolean =>
  isFull(row, spec) || (at(row, spec.at + VALUES) === 0 && !staysFlat(row, spec, value))

/** A new row in which series `which` has room for one more sample, of this value; everything else as it was. */
export const widened = (
  row: Float64Array,
  specs: readonly SeriesSpec[],
  cells: number,
  which: SeriesSpec,
  value: number,
): Float64Array => {
  const grown = Math.max(SAMPLES_FIRST, at(row, which.at + CAPACITY) * (isFull(row, which) ? 2 : 1))
  const roomOf = (spec: SeriesSpec): number => (spec === which ? grown : at(row, spec.at + CAPACITY))
  const isFlat = (spec: SeriesSpec): boolean =>
    spec === which ? staysFlat(row, spec, value) : at(row, spec.at + VALUES) === 0
  const listsIn = (spec: SeriesSpec): number => listsOf(spec) + (isFlat(spec) ? 0 : 1)
  const wide = new Float64Array(specs.reduce((sum, spec) => sum + roomOf(spec) * listsIn(spec), cells))
  wide.set(row.subarray(0, cells))
  let data = cells
  for (const spec of specs) {
    const room = roomOf(spec)
    wide[spec.at + CAPACITY] = room
    wide[spec.at + DATA] = data
    wide[spec.at + VALUES] = isFlat(spec) ? 0 : data + room * listsOf(spec)
    data += room * listsIn(spec)
    if (at(row, spec.at + CAPACITY) > 0) moveRings(row, wide, spec)
  }
  return wide
}

const moveRings = (from: Float64Array, to: Float64Array, spec: SeriesSpec): void => {
  const o = spec.at
  const ring = (list: number, first: number, end: number): void => {
    for (let seq = first; seq < end; seq++) to[place(to, o, list, seq)] = at(from, place(from, o, list, seq))
  }
  ring(0, at(from, o + HEAD), at(from, o + NEXT))
  for (let seq = at(from, o + HEAD); seq < at(from, o + NEXT); seq++) setValue(to, o, seq, valueAt(from, o, seq))
  if (spec.minQueue) ring(minList, at(from, o + MIN_HEAD), at(from, o + MIN_TAIL))
  if (spec.maxQueue) ring(maxList(spec), at(from, o + MAX_HEAD), at(from, o + MAX_TAIL))
  for (const window of spec.windows) {
    if (window.sorted < 0) continue
    const start = sortedStart(from, spec, window.sorted)
    to.set(from.subarray(start, start + countOf(from, spec, window)), sortedStart(to, spec, window.sorted))
  }
}

/**
 * Takes one sample. Returns true when it is the newest of its series; a late one only mends the windows that it belongs to,
 * and one that is too late, or of a time that the series already has, is refused. `nowMs` = the evaluation's time.
 */
export const push = (row: Float64Array, spec: SeriesSpec, atMs: number, value: number, nowMs: number): boolean => {
  const o = spec.at
  const next = at(row, o + NEXT)
  if (next > at(row, o + HEAD)) {
    const newest = timeAt(row, o, next - 1)
    if (atMs <= newest) {
      pushLate(row, spec, atMs, value, newest, nowMs)
      return false
    }
  }
  if (at(row, o + CAPACITY) === next - at(row, o + HEAD)) dropOldest(row, spec)
  row[place(row, o, 0, next)] = atMs
  setValue(row, o, next, value)
  row[o + NEXT] = next + 1
  if (spec.minQueue) queueMin(row, spec, next, value)
  if (spec.maxQueue) queueMax(row, spec, next, value)
  for (let w = 0; w < spec.windows.length; w++) enter(row, spec, spec.windows[w] as WindowSpec, next, value)
  for (let r = 0; r < spec.runs.length; r++) extendRun(row, spec.runs[r] as RunSpec, atMs, value)
  for (let b = 0; b < spec.buckets.length; b++) addBucket(row, spec.buckets[b] as BucketSpec, atMs, value)
  row[o + SEEN_MS] = Number.NEGATIVE_INFINITY
  expire(row, spec, nowMs)
  return true
}

/** Lets what is no longer inside its window at `nowMs` leave it. Idempotent; every reader calls it first. */
export const expire = (row: Float64Array, spec: SeriesSpec, nowMs: number): void => {
  const o = spec.at
  if (at(row, o + SEEN_MS) >= nowMs) return
  row[o + SEEN_MS] = nowMs
  const next = at(row, o + NEXT)
  let oldest = next
  for (let w = 0; w < spec.windows.length; w++) {
    const window = spec.windows[w] as WindowSpec
    const limit = nowMs - window.ms
    let tail = at(row, window.at + TAIL)
    const before = tail
    while (tail < next && timeAt(row, o, tail) <= limit) leave(row, spec, window, tail++)
    if (tail !== before) settle(row, spec, window, tail)
    if (tail < oldest) oldest = tail
  }
  // One sample before the oldest window stays: it tells the state that the window began with.
  const head = Math.min(oldest - 1, next - spec.keep)
  if (head > at(row, o + HEAD)) row[o + HEAD] = head
}

const settle = (row: Float64Array, spec: SeriesSpec, window: WindowSpec, tail: number): void => {
  row[window.at + TAIL] = tail
  if (window.min) row[window.at + MIN_FRONT] = front(row, spec, minList, MIN_TAIL, at(row, window.at + MIN_FRONT), tail)
  if (window.max)
    row[window.at + MAX_FRONT] = front(row, spec, maxList(spec), MAX_TAIL, at(row, window.at + MAX_FRONT), tail)
}

/** The first entry of a deque that is still inside. */
const front = (row: Float64Array, spec: SeriesSpec, list: number, end: number, from: number, tail: number): number => {
  const last = at(row, spec.at + end)
  let entry = from
  while (entry < last && at(row, place(row, spec.at, list, entry)) < tail) entry++
  return entry
}

const queueMin = (row: Float64Array, spec: SeriesSpec, seq: number, value: number): void => {
  const o = spec.at
  const head = front(row, spec, minList, MIN_TAIL, at(row, o + MIN_HEAD), at(row, o + HEAD))
  let tail = at(row, o + MIN_TAIL)
  while (tail > head && valueAt(row, o, at(row, place(row, o, minList, tail - 1))) >= value) tail--
  row[place(row, o, minList, tail)] = seq
  row[o + MIN_HEAD] = head
  row[o + MIN_TAIL] = tail + 1
}

const queueMax = (row: Float64Array, spec: SeriesSpec, seq: number, value: number): void => {
  const o = spec.at
  const list = maxList(spec)
  const head = front(row, spec, list, MAX_TAIL, at(row, o + MAX_HEAD), at(row, o + HEAD))
  let tail = at(row, o + MAX_TAIL)
  while (tail > head && valueAt(row, o, at(row, place(row, o, list, tail - 1))) <= value) tail--
  row[place(row, o, list, tail)] = seq
  row[o + MAX_HEAD] = head
  row[o + MAX_TAIL] = tail + 1
}

const enter = (row: Float64Array, spec: SeriesSpec, window: WindowSpec, seq: number, value: number): void => {
  const w = window.at
  if (window.sum) {
    const whole = Math.floor(value)
    row[w + SUM_WHOLE] = at(row, w + SUM_WHOLE) + whole
    row[w + SUM_PARTS] = at(row, w + SUM_PARTS) + Math.round((value - whole) * PARTS)
  }
  if (window.min) row[w + MIN_FRONT] = Math.min(at(row, w + MIN_FRONT), at(row, spec.at + MIN_TAIL) - 1)
  if (window.max) row[w + MAX_FRONT] = Math.min(at(row, w + MAX_FRONT), at(row, spec.at + MAX_TAIL) - 1)
  if (window.transitions || window.increase) pair(row, spec, window, seq, 1)
  if (window.sorted >= 0) insertSorted(row, spec, window, seq - at(row, w + TAIL), value)
}

const leave = (row: Float64Array, spec: SeriesSpec, window: WindowSpec, seq: number): void => {
  const w = window.at
  const value = valueAt(row, spec.at, seq)
  if (window.sum) {
    const whole = Math.floor(value)
    row[w + SUM_WHOLE] = at(row, w + SUM_WHOLE) - whole
    row[w + SUM_PARTS] = at(row, w + SUM_PARTS) - Math.round((value - whole) * PARTS)
  }
  if (window.transitions || window.increase) pair(row, spec, window, seq, -1)
  if (window.sorted >= 0) removeSorted(row, spec, window, at(row, spec.at + NEXT) - seq, value)
}

/** What a sample adds by being different from the one before it, which may lie outside the window. */
const pair = (row: Float64Array, spec: SeriesSpec, window: WindowSpec, seq: number, sign: 1 | -1): void => {
  if (seq <= at(row, spec.at + HEAD)) return
  const w = window.at
  const before = valueAt(row, spec.at, seq - 1)
  const value = valueAt(row, spec.at, seq)
  if (window.transitions && before !== value) row[w + TRANSITIONS] = at(row, w + TRANSITIONS) + sign
  if (!window.increase) return
  const grown = increment(before, value)
  const whole = Math.floor(grown)
  row[w + INCREASE_WHOLE] = at(row, w + INCREASE_WHOLE) + sign * whole
  row[w + INCREASE_PARTS] = at(row, w + INCREASE_PARTS) + sign * Math.round((grown - whole) * PARTS)
}

/** A counter that fell was reset: it has counted from zero since. */
export const increment = (before: number, value: number): number => (value >= before ? value - before : value)

const insertSorted = (row: Float64Array, spec: SeriesSpec, window: WindowSpec, count: number, value: number): void => {
  const start = sortedStart(row, spec, window.sorted)
  const index = start + lowerBound(row, start, count, value)
  row.copyWithin(index + 1, index, start + count)
  row[index] = value
}

const removeSorted = (row: Float64Array, spec: SeriesSpec, window: WindowSpec, count: number, value: number): void => {
  const start = sortedStart(row, spec, window.sorted)
  const index = start + lowerBound(row, start, count, value)
  row.copyWithin(index, index + 1, start + count)
}

const lowerBound = (row: Float64Array, start: number, count: number, value: number): number => {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >> 1
    if (at(row, start + middle) < value) low = middle + 1
    else high = middle
  }
  return low
}

const extendRun = (row: Float64Array, run: RunSpec, atMs: number, value: number): void => {
  const count = at(row, run.at + RUN_COUNT)
  if (!run.test(value)) row[run.at + RUN_COUNT] = 0
  else {
    if (count === 0) row[run.at + RUN_SINCE] = atMs
    row[run.at + RUN_COUNT] = Math.min(run.keep, count + 1)
  }
}

/** The ring is at its bound: its oldest sample leaves, and with it the windows that still held it or its neighbour. */
const dropOldest = (row: Float64Array, spec: SeriesSpec): void => {
  const head = at(row, spec.at + HEAD)
  for (const window of spec.windows) {
    let tail = at(row, window.at + TAIL)
    while (tail < head + 2) leave(row, spec, window, tail++)
    settle(row, spec, window, tail)
  }
  row[spec.at + HEAD] = head + 1
}

// -- the rare case: a sample of the past ---------------------------------------------------------------------------------

const pushLate = (
  row: Float64Array,
  spec: SeriesSpec,
  atMs: number,
  value: number,
  newest: number,
  nowMs: number,
): void => {
  const o = spec.at
  const head = at(row, o + HEAD)
  let seq = at(row, o + NEXT)
  while (seq > head && timeAt(row, o, seq - 1) > atMs) seq--
  const known = seq > head && timeAt(row, o, seq - 1) === atMs
  // Once samples were let go, nothing can be put in order before the oldest that is kept.
  if (known || (seq === head && head > 0) || atMs <= newest - spec.spanMs || atMs <= nowMs - spec.spanMs)
    return void refuse(row, o)
  if (at(row, o + CAPACITY) === at(row, o + NEXT) - head) {
    dropOldest(row, spec)
    if (seq <= head + 1) return void refuse(row, o)
  }
  for (let moved = at(row, o + NEXT); moved > seq; moved--) {
    row[place(row, o, 0, moved)] = timeAt(row, o, moved - 1)
    setValue(row, o, moved, valueAt(row, o, moved - 1))
  }
  row[place(row, o, 0, seq)] = atMs
  setValue(row, o, seq, value)
  row[o + NEXT] = at(row, o + NEXT) + 1
  for (const bucket of spec.buckets) addBucket(row, bucket, atMs, value)
  rebuild(row, spec, Math.max(nowMs, newest))
}

const refuse = (row: Float64Array, o: number): number => (row[o + REFUSED] = at(row, o + REFUSED) + 1)

const rebuild = (row: Float64Array, spec: SeriesSpec, nowMs: number): void => {
  const o = spec.at
  const head = at(row, o + HEAD)
  const next = at(row, o + NEXT)
  for (const cell of [MIN_HEAD, MIN_TAIL, MAX_HEAD, MAX_TAIL]) row[o + cell] = head
  for (const window of spec.windows) {
    // What has left a window does not come back: a window that was cut at the ring's bound stays cut.
    row.fill(0, window.at, window.at + WINDOW_CELLS)
    row[window.at + TAIL] = head === 0 ? 0 : head + 1
    row[window.at + MIN_FRONT] = head
    row[window.at + MAX_FRONT] = head
  }
  for (let seq = head; seq < next; seq++) {
    const value = valueAt(row, o, seq)
    if (spec.minQueue) queueMin(row, spec, seq, value)
    if (spec.maxQueue) queueMax(row, spec, seq, value)
    for (const window of spec.windows)
      if (seq >= at(row, window.at + TAIL)) enter(row, spec, window, seq, value)
      else if (window.min || window.max) enterFronts(row, spec, window)
  }
  for (const run of spec.runs) rebuildRun(row, spec, run)
  row[o + SEEN_MS] = Number.NEGATIVE_INFINITY
  expire(row, spec, nowMs)
}

const enterFronts = (row: Float64Array, spec: SeriesSpec, window: WindowSpec): void => {
  if (window.min) row[window.at + MIN_FRONT] = at(row, spec.at + MIN_TAIL)
  if (window.max) row[window.at + MAX_FRONT] = at(row, spec.at + MAX_TAIL)
}

const rebuildRun = (row: Float64Array, spec: SeriesSpec, run: RunSpec): void => {
  const o = spec.at
  const head = at(row, o + HEAD)
  const before = at(row, run.at + RUN_COUNT) > 0 ? at(row, run.at + RUN_SINCE) : Number.POSITIVE_INFINITY
  let seq = at(row, o + NEXT)
  while (seq > head && run.test(valueAt(row, o, seq - 1))) seq--
  row[run.at + RUN_COUNT] = Math.min(run.keep, at(row, o + NEXT) - seq)
  if (seq === at(row, o + NEXT)) return
  const since = timeAt(row, o, seq)
  // The run may be older than what the ring still holds.
  row[run.at + RUN_SINCE] = seq === head ? Math.min(before, since) : since
}

// -- reading ---------------------------------------------------------------------------------------------------------

export const countOf = (row: Float64Array, spec: SeriesSpec, window: WindowSpec): number =>
  at(row, spec.at + NEXT) - at(row, window.at + TAIL)
export const sumOf = (row: Float64Array, window: WindowSpec): number =>
  at(row, window.at + SUM_WHOLE) + at(row, window.at + SUM_PARTS) / PARTS
/** The next three: of a window that is not empty. */
export const minOf = (row: Float64Array, spec: SeriesSpec, window: WindowSpec): number =>
  valueAt(row, spec.at, at(row, place(row, spec.at, minList, at(row, window.at + MIN_FRONT))))
export const maxOf = (row: Float64Array, spec: SeriesSpec, window: WindowSpec): number =>
  valueAt(row, spec.at, at(row, place(row, spec.at, maxList(spec), at(row, window.at + MAX_FRONT))))
/** Nearest rank: the value that 95 % of the samples do not exceed. */
export const p95Of = (row: Float64Array, spec: SeriesSpec, window: WindowSpec): number =>
  at(row, sortedStart(row, spec, window.sorted) + Math.ceil(0.95 * countOf(row, spec, window)) - 1)
export const transitionsOf = (row: Float64Array, window: WindowSpec): number => at(row, window.at + TRANSITIONS)
export const increaseOf = (row: Float64Array, window: WindowSpec): number =>
  at(row, window.at + INCREASE_WHOLE) + at(row, window.at + INCREASE_PARTS) / PARTS

/** Of the oldest sample inside the window, or with `before` of the one just before it. Null = there is none. */
export const oldestOf = (
  row: Float64Array,
  spec: SeriesSpec,
  window: WindowSpec,
  before: boolean,
): { readonly atMs: number; readonly value: number } | null => {
  const tail = at(row, window.at + TAIL)
  const seq = before && tail > at(row, spec.at + HEAD) ? tail - 1 : tail
  if (seq >= at(row, spec.at + NEXT)) return null
  return { atMs: timeAt(row, spec.at, seq), value: valueAt(row, spec.at, seq) }
}

/** The window is known for at least half of its length: a sample lies before it, or that far back in it. */
export const isCovered = (row: Float64Array, spec: SeriesSpec, window: WindowSpec, nowMs: number): boolean => {
  const tail = at(row, window.at + TAIL)
  return tail > at(row, spec.at + HEAD) || timeAt(row, spec.at, tail) <= nowMs - window.ms / 2
}

export const runCount = (row: Float64Array, run: RunSpec): number => at(row, run.at + RUN_COUNT)
export const runSinceMs = (row: Float64Array, run: RunSpec): number => at(row, run.at + RUN_SINCE)

export const heldSamples = (row: Float64Array, spec: SeriesSpec): number =>
  at(row, spec.at + NEXT) - at(row, spec.at + HEAD)

/** The newest `most` samples, oldest first: what an explanation shows. */
export const newestSamples = (
  row: Float64Array,
  spec: SeriesSpec,
  most: number,
): ReadonlyArray<readonly [atMs: number, value: number]> => {
  const next = at(row, spec.at + NEXT)
  const first = Math.max(at(row, spec.at + HEAD), next - most)
  return Array.from({ length: next - first }, (_, index) => [
    timeAt(row, spec.at, first + index),
    valueAt(row, spec.at, first + index),
  ])
}
