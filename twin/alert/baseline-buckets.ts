/**
 * Means of stretches too long for a ring of samples ("the same hour a week ago"): event time is cut into buckets of equal
 * width, each with an exact sum and a count. A stretch is twelve buckets, so that reading one costs the same always; its
 * edges are therefore true to a twelfth of its length.
 */
import type { BucketSpec } from "#twin/alert/series-layout.ts"

export const BUCKETS_PER_STRETCH = 12
/** Buckets of one series at most: 16 KB. */
export const BUCKETS_MAX = 512
const PARTS = 1_099_511_627_776

export const bucketWidthMs = (baselineMs: number): number => Math.ceil(baselineMs / BUCKETS_PER_STRETCH)
/** The newest stretch, the way back, the old stretch, and the bucket that is being filled. */
export const bucketsFor = (baselineMs: number, offsetMs: number): number =>
  Math.round(offsetMs / bucketWidthMs(baselineMs)) + 2 * BUCKETS_PER_STRETCH + 1

/** A bucket that is gone takes no late sample. `block`: where the series' cells begin. */
export const addBucket = (row: Float64Array, block: number, spec: BucketSpec, atMs: number, value: number): void => {
  const id = Math.floor(atMs / spec.widthMs)
  const cell = block + spec.at + 4 * (id % spec.count)
  const held = row[cell] as number
  if (held > id) return
  if (held < id) {
    row[cell] = id
    row.fill(0, cell + 1, cell + 4)
  }
  const whole = Math.floor(value)
  row[cell + 1] = (row[cell + 1] as number) + whole
  row[cell + 2] = (row[cell + 2] as number) + Math.round((value - whole) * PARTS)
  row[cell + 3] = (row[cell + 3] as number) + 1
}

/** Mean of the twelve buckets that end with bucket `last`; null when fewer than half of them hold a sample, or no block is there. */
export const stretchMean = (row: Float64Array, block: number, spec: BucketSpec, last: number): number | null => {
  if (block === 0) return null
  let filled = 0
  let whole = 0
  let parts = 0
  let count = 0
  for (let id = Math.max(0, last - BUCKETS_PER_STRETCH + 1); id <= last; id++) {
    const cell = block + spec.at + 4 * (id % spec.count)
    if (row[cell] !== id) continue
    filled++
    whole += row[cell + 1] as number
    parts += row[cell + 2] as number
    count += row[cell + 3] as number
  }
  return filled * 2 < BUCKETS_PER_STRETCH ? null : (whole + parts / PARTS) / count
}
