/**
 * A series cut to a range and to the number of points that a chart can show: as measured while it fits, else minimum,
 * average and maximum per bucket. Where nobody measured, there is a null between the neighbours, so that a chart does not
 * draw a line through it.
 */
import type { Series } from "#engine/storage/chunk.ts"
import { P95 } from "#engine/storage/rollup.ts"
import { rankOf } from "#engine/storage/sketch.ts"

/** Column-wise, ascending in time. */
export interface Points {
  /** 0 = every point is one sample, as measured; else atMs is the start of each bucket. */
  readonly bucketMs: number
  readonly atMs: readonly number[]
  readonly min: ReadonlyArray<number | null>
  readonly avg: ReadonlyArray<number | null>
  readonly max: ReadonlyArray<number | null>
  /** Only where it was asked for. 95th percentile, nearest rank. */
  readonly p95?: ReadonlyArray<number | null>
}

/** A pause of more than this many of the surrounding intervals is a gap. */
const GAP_INTERVALS = 3

/** `series` ascends in time; NaN = it is known that nothing is known. At most `maxPoints` (>= 1) points come back. */
export const downsample = (
  series: Series,
  fromMs: number,
  toMs: number,
  maxPoints: number,
  withP95: boolean = false,
): Points => {
  const samples = withGaps(cut(series, fromMs, toMs))
  const points =
    samples.atMs.length <= maxPoints ? asMeasured(samples) : bucketed(samples, fromMs, toMs, maxPoints, withP95)
  return withP95 && points.bucketMs === 0 ? { ...points, p95: points.max } : points
}

const cut = (series: Series, fromMs: number, toMs: number): Series => {
  let start = 0
  let end = series.atMs.length
  while (start < end && series.atMs[start]! < fromMs) start++
  while (end > start && series.atMs[end - 1]! > toMs) end--
  return { atMs: series.atMs.subarray(start, end), value: series.value.subarray(start, end) }
}

interface Samples {
  readonly atMs: readonly number[]
  /** NaN = gap. */
  readonly value: readonly number[]
}

/** A NaN in the middle of each pause that is long for its surroundings; of several NaN in a row one is enough. */
const withGaps = (series: Series): Samples => {
  const atMs: number[] = []
  const value: number[] = []
  const add = (time: number, it: number): void => {
    if (Number.isNaN(it) && Number.isNaN(value.at(-1) ?? 0)) return
    atMs.push(time)
    value.push(it)
  }
  for (let i = 0; i < series.atMs.length; i++) {
    if (i > 0 && isGap(series.atMs, i)) add(Math.round((series.atMs[i - 1]! + series.atMs[i]!) / 2), Number.NaN)
    add(series.atMs[i]!, series.value[i]!)
  }
  return { atMs, value }
}

/** Compares with the median of the five pauses around it: neither an outage nor a new polling interval moves that. */
export const isGap = (atMs: Float64Array, index: number): boolean => {
  const pauses: number[] = []
  for (let i = Math.max(1, index - 2); i <= Math.min(atMs.length - 1, index + 2); i++)
    pauses.push(atMs[i]! - atMs[i - 1]!)
  if (pauses.length < 3) return false
  pauses.sort((a, b) => a - b)
  return atMs[index]! - atMs[index - 1]! > GAP_INTERVALS * pauses[pauses.length >> 1]!
}

const asMeasured = ({ atMs, value }: Samples): Points => {
  const column = value.map((it) => (Number.isNaN(it) ? null : it))
  return { bucketMs: 0, atMs, min: column, avg: column, max: column }
}

const bucketed = (samples: Samples, fromMs: number, toMs: number, maxPoints: number, withP95: boolean): Points => {
  const bucketMs = Math.max(1, Math.ceil((toMs - fromMs + 1) / maxPoints))
  const atMs: number[] = []
  const min: Array<number | null> = []
  const avg: Array<number | null> = []
  const max: Array<number | null> = []
  const p95: Array<number | null> = []
  for (let i = 0; i < samples.atMs.length;) {
    const bucket = Math.floor((samples.atMs[i]! - fromMs) / bucketMs)
    let [count, sum, least, most] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    const start = i
    for (; i < samples.atMs.length && Math.floor((samples.atMs[i]! - fromMs) / bucketMs) === bucket; i++) {
      const value = samples.value[i]!
      if (Number.isNaN(value)) continue
      count++
      sum += value
      least = Math.min(least, value)
      most = Math.max(most, value)
    }
    atMs.push(fromMs + bucket * bucketMs)
    min.push(count === 0 ? null : least)
    avg.push(count === 0 ? null : sum / count)
    max.push(count === 0 ? null : most)
    if (withP95) p95.push(p95Of(samples.value.slice(start, i)))
  }
  return withP95 ? { bucketMs, atMs, min, avg, max, p95 } : { bucketMs, atMs, min, avg, max }
}

const p95Of = (values: readonly number[]): number | null => {
  const known = values.filter((it) => !Number.isNaN(it)).toSorted((a, b) => a - b)
  return known[rankOf(P95, known.length) - 1] ?? null
}
