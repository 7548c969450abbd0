/**
 * A row of samples and windows from the layout of one plan to that of another. What both lay out alike is copied as it
 * stands, cell by cell; a series with other windows is filled anew from the samples that are still held. Which series is
 * which is worked out once for each pair of plans, because after an edited rule thousands of rows move the same way.
 */
import type { KindPlan } from "#twin/alert/plan.ts"
import type { SeriesSpec } from "#twin/alert/series.ts"
import {
  CAPACITY,
  DATA,
  HEADER_CELLS,
  listsOf,
  newestSamples,
  newRow,
  push,
  RUN_CELLS,
  SAMPLES_MAX,
  VALUES,
  WINDOW_CELLS,
} from "#twin/alert/series.ts"

interface SeriesMove {
  readonly to: SeriesSpec
  readonly from: SeriesSpec
  /** Every cell means the same. */
  readonly alike: boolean
}

/** The row itself when nothing moves: whoever writes to it copies it first. */
export const movedRow = (from: KindPlan, to: KindPlan, old: Float64Array, nowMs: number): Float64Array => {
  if (from.rowKey === to.rowKey) return old
  const moves = movesOf(from, to)
  let length = to.cells
  for (const move of moves) length += roomFor(move, old)
  const row = new Float64Array(length)
  row.set(newRow(to.series, to.cells))
  let data = to.cells
  for (const move of moves) {
    if (move.alike) copy(move, old, row, data)
    else fill(move, old, row, data, nowMs)
    data += roomFor(move, old)
  }
  return row
}

const capacityOf = (row: Float64Array, spec: SeriesSpec): number => row[spec.at + CAPACITY] as number
const isFlat = (row: Float64Array, spec: SeriesSpec): boolean => row[spec.at + VALUES] === 0

/** Cells of the rings: as many places as before, in the lists that the new layout asks for. */
const roomFor = ({ from, to }: SeriesMove, old: Float64Array): number =>
  capacityOf(old, from) * (listsOf(to) + (isFlat(old, from) ? 0 : 1))

const copy = (move: SeriesMove, old: Float64Array, row: Float64Array, data: number): void => {
  const { from, to } = move
  row.set(old.subarray(from.at, from.at + cellsOf(from)), to.at)
  const begin = old[from.at + DATA] as number
  row.set(old.subarray(begin, begin + roomFor(move, old)), data)
  place(move, old, row, data)
}

const fill = (move: SeriesMove, old: Float64Array, row: Float64Array, data: number, nowMs: number): void => {
  const { from, to } = move
  place(move, old, row, data)
  for (const [atMs, value] of newestSamples(old, from, SAMPLES_MAX)) push(row, to, atMs, value, nowMs)
  moveBuckets(from, to, old, row)
}

const place = ({ from, to }: SeriesMove, old: Float64Array, row: Float64Array, data: number): void => {
  const capacity = capacityOf(old, from)
  row[to.at + CAPACITY] = capacity
  row[to.at + DATA] = data
  row[to.at + VALUES] = isFlat(old, from) ? 0 : data + capacity * listsOf(to)
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

/** What a series asks for, wherever it lies. */
const shapeOf = ({ windows, runs, buckets, ...rest }: SeriesSpec): string =>
  JSON.stringify([
    { ...rest, at: 0 },
    windows.map((window) => ({ ...window, at: 0 })),
    runs.map(({ key, keep }) => [key, keep]),
    buckets.map(({ widthMs, count }) => [widthMs, count]),
  ])

/** Header, windows, runs and buckets lie one after the other (plan.ts). */
const cellsOf = ({ windows, runs, buckets }: SeriesSpec): number =>
  HEADER_CELLS +
  WINDOW_CELLS * windows.length +
  RUN_CELLS * runs.length +
  4 * buckets.reduce((sum, { count }) => sum + count, 0)
