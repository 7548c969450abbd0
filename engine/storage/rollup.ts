/**
 * What is kept of a series when its single samples are too many or gone: per bucket of 1 and 5 minutes, 1 and 24 hours, 7
 * and 30 days the number of samples, minimum, maximum, sum and the 95th percentile. Pure: buckets from samples, larger buckets
 * from smaller ones. Buckets lie on multiples of their length since 1970, in UTC.
 */
import { metricId, METRICS, type Metric } from "#protocol/metric.ts"
import type { Series } from "#engine/storage/chunk.ts"
import { addTo, clamp, keyOf, mergeInto, quantileOf, rankOf, valueOf, type Sketch } from "#engine/storage/sketch.ts"

export const MINUTE_MS = 60_000
export const HOUR_MS = 3_600_000
export const DAY_MS = 86_400_000

export interface Resolution {
  readonly ms: number
  /** Buckets in one row. */
  readonly perRow: number
  /** Its buckets keep the whole sketch, from which larger ones are made; the others only the 95th percentile. */
  readonly sketched: boolean
}
const resolution = (ms: number, perRow: number, sketched: boolean): Resolution => ({ ms, perRow, sketched })
export const ONE_MINUTE = resolution(MINUTE_MS, 60, false)
export const FIVE_MINUTES = resolution(5 * MINUTE_MS, 12, false)
export const ONE_HOUR = resolution(HOUR_MS, 1, true)
export const ONE_DAY = resolution(DAY_MS, 1, true)
export const SEVEN_DAYS = resolution(7 * DAY_MS, 1, true)
export const THIRTY_DAYS = resolution(30 * DAY_MS, 1, true)
/** Fine to coarse. */
export const RESOLUTIONS = [ONE_MINUTE, FIVE_MINUTES, ONE_HOUR, ONE_DAY, SEVEN_DAYS, THIRTY_DAYS] as const

/** Tell what a number is of and never change by themselves: their average says nothing. */
const IDENTIFIERS: ReadonlySet<number> = new Set([
  metricId("interface.if_index"),
  metricId("interface.counter_bits"),
  metricId("interface.counter_discontinuity_seconds"),
])

/** Counters are rolled up as the rates that are derived from them; a counter's own average says nothing either. */
export const isRolledUp = (metric: Metric): boolean => metric.kind !== "counter" && !IDENTIFIERS.has(metric.id)
export const ROLLED_UP: readonly Metric[] = METRICS.filter(isRolledUp)

/** Consecutive buckets of one series; one without samples has count 0 and NaN elsewhere. */
export interface Buckets {
  readonly count: Float64Array
  readonly min: Float64Array
  readonly max: Float64Array
  readonly sum: Float64Array
  /** Of buckets without a sketch, within 1 %. */
  readonly p95: Float64Array | null
  readonly sketch: readonly Sketch[] | null
}

export const emptyBuckets = (buckets: number, sketched: boolean): Buckets => ({
  count: new Float64Array(buckets),
  min: new Float64Array(buckets).fill(Number.NaN),
  max: new Float64Array(buckets).fill(Number.NaN),
  sum: new Float64Array(buckets).fill(Number.NaN),
  p95: sketched ? null : new Float64Array(buckets).fill(Number.NaN),
  sketch: sketched ? Array.from({ length: buckets }, (): Sketch => new Map()) : null,
})

/** Of the samples in [fromMs, fromMs + buckets * ms); null = there are none. NaN samples are no samples. */
export const bucketsOf = (series: Series, fromMs: number, { ms, perRow, sketched }: Resolution): Buckets | null => {
  const out = emptyBuckets(perRow, sketched)
  const { atMs, value } = series
  let any = false
  for (let i = lowerBound(atMs, fromMs); i < atMs.length;) {
    const bucket = Math.floor((atMs[i]! - fromMs) / ms)
    if (bucket >= perRow) break
    const endMs = fromMs + (bucket + 1) * ms
    const start = i
    while (i < atMs.length && atMs[i]! < endMs) i++
    any = fill(out, bucket, value, start, i) || any
  }
  return any ? out : null
}

const fill = (out: Buckets, bucket: number, value: Float64Array, start: number, end: number): boolean => {
  let [count, sum, min, max] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (let i = start; i < end; i++) {
    const it = value[i]!
    if (Number.isNaN(it)) continue
    count++
    sum += it
    if (it < min) min = it
    if (it > max) max = it
  }
  if (count === 0) return false
  out.count[bucket] = count
  out.sum[bucket] = sum
  out.min[bucket] = min
  out.max[bucket] = max
  if (out.p95 !== null) out.p95[bucket] = p95Of(value.subarray(start, end), count, max)
  if (out.sketch !== null) sketchOf(out.sketch[bucket]!, value, start, end, min === max ? count : 0)
  return true
}

const sketchOf = (sketch: Sketch, value: Float64Array, start: number, end: number, same: number): void => {
  let [last, key] = [Number.NaN, 0]
  for (let i = start; i < end; i++) {
    const it = value[i]!
    if (Number.isNaN(it)) continue
    // Most series stand still: the logarithm is asked for only when the value changed.
    if (it !== last) key = keyOf((last = it))
    if (same > 0) return addTo(sketch, key, same)
    addTo(sketch, key, 1)
  }
}

export const P95 = 0.95

const p95Of = (values: Float64Array, count: number, max: number): number => {
  const rank = rankOf(P95, count)
  if (rank === count) return max
  return values.filter((it) => !Number.isNaN(it)).toSorted()[rank - 1]!
}

/** How many bins a percentile lies below the maximum: what is stored of it. */
export const binsBelow = (p95: number, max: number): number => keyOf(max) - keyOf(p95)
export const p95From = (below: number, { count, min, max }: { count: number; min: number; max: number }): number =>
  rankOf(P95, count) === count ? max : clamp(valueOf(keyOf(max) - below), min, max)

/** One bucket on its own: what charts and larger buckets are made of. */
export interface Bucket {
  count: number
  sum: number
  min: number
  max: number
  sketch: Sketch | null
}

export const bucketAt = (buckets: Buckets, i: number): Bucket => ({
  count: buckets.count[i]!,
  sum: buckets.sum[i]!,
  min: buckets.min[i]!,
  max: buckets.max[i]!,
  sketch: buckets.sketch?.[i] ?? null,
})

/** Adds `other` to `into`, which may be empty. Both with a sketch or none. */
export const addBucket = (into: Bucket, other: Bucket): void => {
  if (other.count === 0) return
  into.sum = into.count === 0 ? other.sum : into.sum + other.sum
  into.min = into.count === 0 ? other.min : Math.min(into.min, other.min)
  into.max = into.count === 0 ? other.max : Math.max(into.max, other.max)
  into.count += other.count
  if (into.sketch !== null && other.sketch !== null) mergeInto(into.sketch, other.sketch)
}

export const emptyBucket = (sketched: boolean): Bucket => ({
  count: 0,
  sum: 0,
  min: Number.NaN,
  max: Number.NaN,
  sketch: sketched ? new Map() : null,
})

/** A row of one bucket. */
export const alone = (bucket: Bucket): Buckets => ({
  count: Float64Array.of(bucket.count),
  sum: Float64Array.of(bucket.sum),
  min: Float64Array.of(bucket.min),
  max: Float64Array.of(bucket.max),
  p95: null,
  sketch: [bucket.sketch ?? new Map()],
})

export const p95Bucket = ({ sketch, min, max }: Bucket): number =>
  sketch === null ? Number.NaN : quantileOf(sketch, P95, min, max)

export const floorTo = (ms: number, step: number): number => Math.floor(ms / step) * step

/** Index of the first time that is not before `ms`. */
export const lowerBound = (atMs: Float64Array, ms: number): number => {
  let [low, high] = [0, atMs.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (atMs[middle]! < ms) low = middle + 1
    else high = middle
  }
  return low
}
