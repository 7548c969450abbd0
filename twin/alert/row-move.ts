/**
 * A row of samples and windows from the layout of one plan to that of another. What both lay out alike is copied as it
 * stands, cell by cell; a series with other windows counts them anew over the samples that are still held. Which series is
 * which is worked out once for each pair of plans, because after an edited rule thousands of rows move the same way.
 */
import { addBucket } from "#twin/alert/baseline-buckets.ts"
import type { KindPlan } from "#twin/alert/plan.ts"
import type { SeriesSpec } from "#twin/alert/series-layout.ts"
import {
  blockOf,
  BUCKET_CELLS,
  clearBuckets,
  CLOCK,
  CLOCK_CELLS,
  END,
  HEADER_CELLS,
  LOST,
  newRow,
  NEXT,
  PLACES,
  SAMPLES_MAX,
  VALUES,
} from "#twin/alert/series-layout.ts"
import { newestSamples } from "#twin/alert/series-read.ts"
import { rebuild } from "#twin/alert/series.ts"

interface SeriesMove {
  readonly to: SeriesSpec
  readonly from: SeriesSpec
  /** Every cell means the same. */
  readonly alike: boolean
}

/** The row itself when nothing moves: whoever writes to it copies it first. */
export const movedRow = (from: KindPlan, to: KindPlan, old: Float64Array, nowMs: number): Float64Array => {
  if (from.rowKey === to.rowKey) return old
  const moves = movesOf(from, to).filter((move) => blockOf(old, move.from) > 0)
  if (moves.length === 0) return newRow(to.series)
  const cell = (move: SeriesMove, at: number): number => old[blockOf(old, move.from) + at] as number
  const placesOf = (move: SeriesMove): number => old[cell(move, CLOCK) + PLACES] as number
  const clocks = new Map<number, number>()
  let length = to.series.length
  for (const move of moves) length += move.to.cells
  for (const move of moves) {
    const clock = cell(move, CLOCK)
    if (clocks.has(clock)) continue
    clocks.set(clock, length)
    length += CLOCK_CELLS + placesOf(move)
  }
  const valuesFrom = length
  for (const move of moves) if (cell(move, VALUES) > 0) length += placesOf(move)
  const row = new Float64Array(length)
  for (const [was, is] of clocks) {
    row.set(old.subarray(was, was + CLOCK_CELLS + (old[was + PLACES] as number)), is)
    row[is + END] = 0
  }
  let block = to.series.length
  let values = valuesFrom
  for (const move of moves) {
    const clock = clocks.get(cell(move, CLOCK)) as number
    row[move.to.index] = block
    const was = blockOf(old, move.from)
    row.set(old.subarray(was, was + (move.alike ? move.to.cells : HEADER_CELLS)), block)
    row[block + CLOCK] = clock
    row[clock + END] = Math.max(row[clock + END] as number, cell(move, NEXT))
    if (cell(move, VALUES) > 0) {
      row.set(old.subarray(cell(move, VALUES), cell(move, VALUES) + placesOf(move)), values)
      row[block + VALUES] = values
      values += placesOf(move)
    }
    block += move.to.cells
  }
  for (const move of moves) if (!move.alike) recount(move, old, row, nowMs)
  return row
}

/** Other windows over the same samples: what the former ones let go cannot come back. */
const recount = ({ from, to }: SeriesMove, old: Float64Array, row: Float64Array, nowMs: number): void => {
  const block = blockOf(row, to)
  clearBuckets(row, to)
  for (const [atMs, value] of to.buckets.length === 0 ? [] : newestSamples(row, to, SAMPLES_MAX))
    for (const bucket of to.buckets) addBucket(row, block, bucket, atMs, value)
  moveBuckets(from, to, old, row)
  row[block + LOST] = 0
  rebuild(row, to, nowMs)
}

/** A baseline of the same width goes on; its buckets hold more than samples do. */
const moveBuckets = (from: SeriesSpec, to: SeriesSpec, old: Float64Array, row: Float64Array): void => {
  for (const bucket of to.buckets) {
    const before = from.buckets.find(({ widthMs }) => widthMs === bucket.widthMs)
    if (before === undefined) continue
    for (let b = 0; b < before.count; b++) {
      const source = blockOf(old, from) + before.at + BUCKET_CELLS * b
      const id = old[source] as number
      const cell = blockOf(row, to) + bucket.at + BUCKET_CELLS * (id % bucket.count)
      if (id < 0 || (row[cell] as number) > id) continue
      row.set(old.subarray(source, source + BUCKET_CELLS), cell)
    }
  }
}

// -- which series is which -----------------------------------------------------------------------------------------------

const knownMoves = new WeakMap<KindPlan, WeakMap<KindPlan, readonly SeriesMove[]>>()

const movesOf = (from: KindPlan, to: KindPlan): readonly SeriesMove[] => {
  const known = knownMoves.get(from) ?? new WeakMap<KindPlan, readonly SeriesMove[]>()
  knownMoves.set(from, known)
  const held = known.get(to)
  if (held !== undefined) return held
  const moves = to.series.flatMap((series) => {
    const before = from.series.find(({ metric }) => metric === series.metric)
    return before === undefined ? [] : [{ to: series, from: before, alike: shapeOf(before) === shapeOf(series) }]
  })
  known.set(to, moves)
  return moves
}

/** What a series asks for, and where it lies in its block, wherever that is. */
const shapeOf = ({ windows, runs, buckets, cells, keep, spanMs }: SeriesSpec): string =>
  JSON.stringify([cells, keep, spanMs, windows, runs.map(({ key, ...run }) => [key, run.keep, run.at]), buckets])
