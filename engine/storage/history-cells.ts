/** The buckets of one chart, into which rollups and single samples of one source are put. */
import type { Series } from "#engine/storage/chunk.ts"
import { isGap, type Points } from "#engine/storage/downsample.ts"
import {
  addBucket,
  bucketAt,
  emptyBucket,
  floorTo,
  HOUR_MS,
  p95Bucket,
  type Bucket,
  type Buckets,
  type Resolution,
} from "#engine/storage/rollup.ts"
import { keyOf } from "#engine/storage/sketch.ts"

export interface Grid {
  readonly resolution: Resolution
  /** Length of a chart's bucket: a multiple of the resolution. Buckets lie on multiples of it since 1970. */
  readonly bucketMs: number
}

/** The shortest buckets of which the range has at most `pointsMax`. */
export const gridOf = (resolution: Resolution, fromMs: number, toMs: number, pointsMax: number): Grid => {
  const buckets = (bucketMs: number): number => Math.floor(toMs / bucketMs) - Math.floor(fromMs / bucketMs) + 1
  let bucketMs = Math.ceil((toMs - fromMs) / pointsMax / resolution.ms) * resolution.ms
  while (buckets(bucketMs) > pointsMax && bucketMs <= toMs) bucketMs += resolution.ms
  return { resolution, bucketMs }
}

interface Cell {
  bucket: Bucket
  /** Of a bucket that keeps no sketch. */
  p95: number | null
}

export class Cells {
  readonly grid: Grid
  /** Covered by rollups and what was added after them: [beginMs, endMs). */
  beginMs = Number.POSITIVE_INFINITY
  endMs = 0
  samples = 0
  /** Kept by the resolution's own buckets, so that an hour can be taken out again. */
  readonly #parts = new Map<number, { readonly ms: number; readonly bucket: Bucket; readonly p95: number | null }>()
  readonly #raw: Series[] = []

  constructor(grid: Grid) {
    this.grid = grid
  }

  get rolledMs(): number {
    return this.endMs
  }

  /** `buckets` undefined = the row has nothing of this series, which is known then. */
  addBucket(atMs: number, ms: number, buckets: Buckets | undefined, index: number): void {
    this.beginMs = Math.min(this.beginMs, atMs)
    this.endMs = Math.max(this.endMs, atMs + ms)
    if (buckets === undefined || buckets.count[index] === 0) return
    const p95 = buckets.p95 === null || Number.isNaN(buckets.p95[index]!) ? null : buckets.p95[index]!
    this.#parts.set(atMs, { ms, bucket: bucketAt(buckets, index), p95 })
    this.samples += buckets.count[index]!
  }

  /** Removes the buckets of these hours; gives back the hours. */
  dropHours(hours: ReadonlySet<number>): readonly number[] {
    for (const [atMs, { bucket }] of this.#parts) {
      if (!hours.has(floorTo(atMs, HOUR_MS))) continue
      this.#parts.delete(atMs)
      this.samples -= bucket.count
    }
    return [...hours]
  }

  /** A part of `ms` between begin and end has no bucket at all. */
  hasHoles(ms: number): boolean {
    const seen = new Set([...this.#parts.keys()].map((atMs) => floorTo(atMs, ms)))
    for (let at = floorTo(this.beginMs, ms); at < this.endMs; at += ms) if (!seen.has(at)) return true
    return false
  }

  addSamples(series: Series): void {
    this.#raw.push(series)
    for (const value of series.value) if (!Number.isNaN(value)) this.samples++
  }

  points(withP95: boolean): Points {
    const { bucketMs } = this.grid
    const cells = this.#cells(withP95)
    const starts = Float64Array.from([...cells.keys()].toSorted((a, b) => a - b))
    const atMs: number[] = []
    const [min, avg, max, p95]: Array<Array<number | null>> = [[], [], [], []]
    for (const [i, start] of starts.entries()) {
      if (i > 0 && isGap(starts, i)) {
        atMs.push(starts[i - 1]! + bucketMs)
        for (const column of [min, avg, max, p95]) column!.push(null)
      }
      const { bucket, p95: kept } = cells.get(start)!
      atMs.push(start)
      min!.push(bucket.min)
      avg!.push(bucket.sum / bucket.count)
      max!.push(bucket.max)
      p95!.push(kept ?? p95Bucket(bucket))
    }
    const columns = { bucketMs, atMs, min: min!, avg: avg!, max: max! }
    return withP95 ? { ...columns, p95: p95! } : columns
  }

  #cells(withP95: boolean): Map<number, Cell> {
    const cells = new Map<number, Cell>()
    const cellAt = (atMs: number): Cell => {
      const start = floorTo(atMs, this.grid.bucketMs)
      let cell = cells.get(start)
      if (cell === undefined) cells.set(start, (cell = { bucket: emptyBucket(withP95), p95: null }))
      return cell
    }
    for (const [atMs, { bucket, p95 }] of this.#parts) {
      const cell = cellAt(atMs)
      addBucket(cell.bucket, bucket)
      cell.p95 = p95
    }
    for (const { atMs, value } of this.#raw) {
      for (let i = 0; i < atMs.length; i++) {
        const it = value[i]!
        if (Number.isNaN(it)) continue
        const sketch = withP95 ? new Map([[keyOf(it), 1]]) : null
        addBucket(cellAt(atMs[i]!).bucket, { count: 1, sum: it, min: it, max: it, sketch })
      }
    }
    return cells
  }
}
