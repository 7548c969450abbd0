/**
 * Where the samples of an entity and the windows over them lie: one Float64Array per entity, its row. First a directory, a
 * cell for each series that some rule reads, 0 until its first sample: what a router never reports takes no more than that.
 * Then each series' block (header, windows, runs, buckets), and clocks: the times of samples, held once for all series that
 * are measured at the same instants. Values lie beside their clock, place by place; a series whose samples are all equal
 * (errors: none; state: up) holds its value once. Copying a row copies everything it knows.
 */

/** Samples that a series holds at most; a window that would need more covers the newest ones. */
export const SAMPLES_MAX = 8192

/** How many samples of a window are greater than a number: enough to compare its maximum, minimum or p95 with it. */
export interface TallySpec {
  readonly at: number
  readonly over: number
}

/** All `at` count from the start of the series' block. */
export interface WindowSpec {
  /** The number of samples inside: they are the newest of the series. */
  readonly at: number
  readonly ms: number
  /** Two cells, whole and parts; -1 = nobody asks. */
  readonly sum: number
  /** Changes from one sample to the next; -1 = nobody asks. */
  readonly transitions: number
  /** Sum of a counter's increments, two cells; -1 = nobody asks. */
  readonly increase: number
  readonly tallies: readonly TallySpec[]
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
  /** 4 cells a bucket: id, sum (whole and parts), count. */
  readonly at: number
  readonly widthMs: number
  readonly count: number
}

export interface SeriesSpec {
  readonly metric: number
  readonly counter: boolean
  /** Its cell in the directory. */
  readonly index: number
  /** Of its block. */
  readonly cells: number
  readonly windows: readonly WindowSpec[]
  readonly runs: readonly RunSpec[]
  readonly buckets: readonly BucketSpec[]
  /** Newest samples that stay however old they are, >= 1. */
  readonly keep: number
  /** Longest window, ms: later samples than this are too late to matter. */
  readonly spanMs: number
}

/** Header of a block. */
export const CLOCK = 0
/** Number, among those of its clock, of the sample after the newest. */
export const NEXT = 1
export const HELD = 2
/** 1 = older samples were let go. */
export const LOST = 3
/** Start of its values; 0 = flat: every sample that is held has the value of CONSTANT. */
export const VALUES = 4
export const CONSTANT = 5
export const HEADER_CELLS = 6
export const SUM_CELLS = 2
export const RUN_CELLS = 2
export const BUCKET_CELLS = 4

/** Header of a clock: the number of its first place, the number after its newest instant, how many places it has. */
export const FIRST = 0
export const END = 1
export const PLACES = 2
export const CLOCK_CELLS = 3

/** A row without samples. */
export const newRow = (specs: readonly SeriesSpec[]): Float64Array => new Float64Array(specs.length)

const at = (row: Float64Array, index: number): number => row[index] as number
/** Start of the series' block; 0 = it never had a sample. */
export const blockOf = (row: Float64Array, spec: SeriesSpec): number => at(row, spec.index)

const headOf = (row: Float64Array, o: number): number => at(row, o + NEXT) - at(row, o + HELD)
const timeIn = (row: Float64Array, clock: number, seq: number): number =>
  at(row, clock + CLOCK_CELLS + seq - at(row, clock + FIRST))

/** True when the series shares its clock. */
export const isShared = (row: Float64Array, specs: readonly SeriesSpec[], spec: SeriesSpec): boolean => {
  const clock = at(row, blockOf(row, spec) + CLOCK)
  return specs.some(
    (other) => other !== spec && blockOf(row, other) > 0 && at(row, blockOf(row, other) + CLOCK) === clock,
  )
}

const staysFlat = (row: Float64Array, o: number, value: number): boolean =>
  at(row, o + VALUES) === 0 && (at(row, o + HELD) === 0 || Object.is(at(row, o + CONSTANT), value))

/**
 * The row with room for one more sample of this series, of this time and value: the row itself when its places only had to
 * move up, else a wider one. Everything else stays as it was. Called when `push` asked for it.
 */
export const readied = (
  row: Float64Array,
  specs: readonly SeriesSpec[],
  spec: SeriesSpec,
  atMs: number,
  value: number,
): Float64Array => {
  const o = blockOf(row, spec)
  if (o === 0) return relaid(row, specs, { spec, clock: clockAt(row, specs, spec, atMs), flat: true })
  const clock = at(row, o + CLOCK)
  const next = at(row, o + NEXT)
  const flat = staysFlat(row, o, value)
  const isLate = at(row, o + HELD) > 0 && atMs <= timeIn(row, clock, next - 1)
  const inStep = isLate
    ? !isShared(row, specs, spec)
    : next === at(row, clock + END) || (next === at(row, clock + END) - 1 && timeIn(row, clock, next) === atMs)
  if (!inStep) return relaid(row, specs, { spec, clock: isLate ? OWN : clockAt(row, specs, spec, atMs), flat })
  const stays = flat || at(row, o + VALUES) > 0
  if (stays && slid(row, specs, clock)) return row
  return relaid(row, specs, { spec, clock, flat })
}

/** A clock of its own. */
const OWN = -1

/** A clock whose newest instant is this one, and on which everything that the series holds lies too; else one of its own. */
const clockAt = (row: Float64Array, specs: readonly SeriesSpec[], spec: SeriesSpec, atMs: number): number => {
  const o = blockOf(row, spec)
  const held = o === 0 ? 0 : at(row, o + HELD)
  for (const other of specs) {
    const block = blockOf(row, other)
    if (block === 0 || other === spec) continue
    const clock = at(row, block + CLOCK)
    const last = at(row, clock + END) - 1
    if (timeIn(row, clock, last) !== atMs || last - at(row, clock + FIRST) < held) continue
    let same = 0
    while (
      same < held &&
      timeIn(row, clock, last - 1 - same) === timeIn(row, at(row, o + CLOCK), at(row, o + NEXT) - 1 - same)
    )
      same++
    if (same === held) return clock
  }
  return OWN
}

/** Moves what is still held to a clock's first places, when that frees enough of them. */
const slid = (row: Float64Array, specs: readonly SeriesSpec[], clock: number): boolean => {
  const first = at(row, clock + FIRST)
  const end = at(row, clock + END)
  const places = at(row, clock + PLACES)
  const users = specs.filter((spec) => blockOf(row, spec) > 0 && at(row, blockOf(row, spec) + CLOCK) === clock)
  const head = users.reduce((least, spec) => Math.min(least, headOf(row, blockOf(row, spec))), end)
  if (head - first < Math.max(1, places >> 3)) return false
  const begin = clock + CLOCK_CELLS
  row.copyWithin(begin, begin + head - first, begin + end - first)
  for (const spec of users) {
    const values = at(row, blockOf(row, spec) + VALUES)
    if (values > 0) row.copyWithin(values, values + head - first, values + end - first)
  }
  row[clock + FIRST] = head
  return true
}

interface Wish {
  readonly spec: SeriesSpec
  /** The clock that it shall have: an old one's place, or OWN. */
  readonly clock: number
  readonly flat: boolean
}
interface ClockPlan {
  /** Where its times come from; 0 = nowhere. */
  readonly from: number
  first: number
  end: number
  places: number
  /** Numbers of the series that came from elsewhere are moved by so much. */
  to: number
}

/** A new row: the same series, one of them with another clock, with values, or for the first time. */
const relaid = (row: Float64Array, specs: readonly SeriesSpec[], wish: Wish): Float64Array => {
  const open = specs.filter((spec) => spec === wish.spec || blockOf(row, spec) > 0)
  const clocks = new Map<number, ClockPlan>()
  for (const spec of open) {
    const o = blockOf(row, spec)
    const name = spec === wish.spec ? wish.clock : at(row, o + CLOCK)
    const next = nextOn(row, spec, name)
    const head = next - (o === 0 ? 0 : at(row, o + HELD))
    const known = clocks.get(name)
    if (known === undefined)
      clocks.set(name, {
        from: name === OWN ? (o === 0 ? 0 : at(row, o + CLOCK)) : name,
        first: head,
        end: next,
        places: 0,
        to: 0,
      })
    else {
      known.first = Math.min(known.first, head)
      known.end = Math.max(known.end, next)
    }
  }
  // What joins a clock takes its newest instant next: it must stay.
  const joined = clocks.get(wish.clock) as ClockPlan
  if (wish.clock !== OWN) joined.end = Math.max(joined.end, at(row, wish.clock + END))
  const isFlat = (spec: SeriesSpec): boolean =>
    spec === wish.spec ? wish.flat : at(row, blockOf(row, spec) + VALUES) === 0
  let length = specs.length
  for (const spec of open) length += spec.cells
  for (const [name, clock] of clocks) {
    clock.places = placesFor(clock.end - clock.first, name === OWN ? 0 : at(row, name + PLACES))
    clock.to = length
    length += CLOCK_CELLS + clock.places
  }
  const clockNameOf = (spec: SeriesSpec): number =>
    spec === wish.spec ? wish.clock : at(row, blockOf(row, spec) + CLOCK)
  for (const spec of open) if (!isFlat(spec)) length += (clocks.get(clockNameOf(spec)) as ClockPlan).places
  const wide = new Float64Array(length)
  for (const clock of clocks.values()) copyClock(row, wide, clock)
  let free = specs.length
  for (const spec of open) {
    wide[spec.index] = free
    free += spec.cells
  }
  for (const clock of clocks.values()) free = Math.max(free, clock.to + CLOCK_CELLS + clock.places)
  for (const spec of open) {
    const clock = clocks.get(clockNameOf(spec)) as ClockPlan
    const values = isFlat(spec) ? 0 : free
    copyBlock(row, wide, spec, clock, values, clockNameOf(spec))
    if (values > 0) free += clock.places
  }
  return wide
}

/** The number of the series' next sample on a clock: its own numbering, or that of the clock that it joins. */
const nextOn = (row: Float64Array, spec: SeriesSpec, name: number): number => {
  const o = blockOf(row, spec)
  if (o > 0 && (name === OWN || at(row, o + CLOCK) === name)) return at(row, o + NEXT)
  return name === OWN ? 0 : at(row, name + END) - 1
}

/** A little more than is held, so that rows grow seldom and waste little. */
const placesFor = (held: number, before: number): number =>
  before - held >= Math.max(1, before >> 3) && before < 4 * held + 8 ? before : held + Math.max(4, held >> 2)

const copyClock = (row: Float64Array, wide: Float64Array, { from, first, end, places, to }: ClockPlan): void => {
  wide[to + FIRST] = first
  wide[to + END] = end
  wide[to + PLACES] = places
  for (let seq = first; seq < end; seq++) wide[to + CLOCK_CELLS + seq - first] = timeIn(row, from, seq)
}

const copyBlock = (
  row: Float64Array,
  wide: Float64Array,
  spec: SeriesSpec,
  clock: ClockPlan,
  values: number,
  name: number,
): void => {
  const old = blockOf(row, spec)
  const o = blockOf(wide, spec)
  const next = nextOn(row, spec, name)
  if (old > 0) wide.set(row.subarray(old, old + spec.cells), o)
  else clearBuckets(wide, spec)
  wide[o + CLOCK] = clock.to
  wide[o + NEXT] = next
  wide[o + VALUES] = values
  if (values === 0 || old === 0) return
  const was = at(row, old + NEXT)
  const source = at(row, old + VALUES)
  const begin = at(row, at(row, old + CLOCK) + FIRST)
  for (let n = 1; n <= at(row, old + HELD); n++)
    wide[values + next - n - clock.first] = source === 0 ? at(row, old + CONSTANT) : at(row, source + was - n - begin)
}

export const clearBuckets = (row: Float64Array, spec: SeriesSpec): void => {
  for (const bucket of spec.buckets)
    for (let b = 0; b < bucket.count; b++) row[blockOf(row, spec) + bucket.at + BUCKET_CELLS * b] = -1
}
