/**
 * What can be read of a series and its windows. Counts, sums and tallies are cells; minimum, maximum and p95 themselves are
 * looked up among the window's samples, because only an explanation, or a comparison with another metric, asks for them.
 */
import type { RunSpec, SeriesSpec, WindowSpec } from "#twin/alert/series-layout.ts"
import { blockOf, CLOCK, CLOCK_CELLS, CONSTANT, FIRST, HELD, NEXT, VALUES } from "#twin/alert/series-layout.ts"
import { PARTS } from "#twin/alert/series.ts"

const at = (row: Float64Array, index: number): number => row[index] as number

/** Time and value of a sample; `back` = 0 is the newest. Of a sample that is held. */
const timeBack = (row: Float64Array, o: number, back: number): number => {
  const clock = at(row, o + CLOCK)
  return at(row, clock + CLOCK_CELLS + at(row, o + NEXT) - 1 - back - at(row, clock + FIRST))
}
const valueBack = (row: Float64Array, o: number, back: number): number => {
  const values = at(row, o + VALUES)
  if (values === 0) return at(row, o + CONSTANT)
  return at(row, values + at(row, o + NEXT) - 1 - back - at(row, at(row, o + CLOCK) + FIRST))
}

export const heldSamples = (row: Float64Array, spec: SeriesSpec): number => {
  const o = blockOf(row, spec)
  return o === 0 ? 0 : at(row, o + HELD)
}
export const isEmpty = (row: Float64Array, spec: SeriesSpec): boolean => heldSamples(row, spec) === 0
/** Time of the newest sample; -Infinity = none. */
export const newestMs = (row: Float64Array, spec: SeriesSpec): number =>
  isEmpty(row, spec) ? Number.NEGATIVE_INFINITY : timeBack(row, blockOf(row, spec), 0)
/** NaN = none. */
export const newestValue = (row: Float64Array, spec: SeriesSpec): number =>
  isEmpty(row, spec) ? Number.NaN : valueBack(row, blockOf(row, spec), 0)

/** A cell of the series' block, 0 before its first sample. */
const cell = (row: Float64Array, spec: SeriesSpec, offset: number): number => {
  const o = blockOf(row, spec)
  return o === 0 ? 0 : at(row, o + offset)
}
const twoCells = (row: Float64Array, spec: SeriesSpec, offset: number): number =>
  cell(row, spec, offset) + cell(row, spec, offset + 1) / PARTS

export const countOf = (row: Float64Array, spec: SeriesSpec, window: WindowSpec): number => cell(row, spec, window.at)
export const sumOf = (row: Float64Array, spec: SeriesSpec, window: WindowSpec): number =>
  twoCells(row, spec, window.sum)
export const increaseOf = (row: Float64Array, spec: SeriesSpec, window: WindowSpec): number =>
  twoCells(row, spec, window.increase)
export const transitionsOf = (row: Float64Array, spec: SeriesSpec, window: WindowSpec): number =>
  cell(row, spec, window.transitions)
/** How many samples of a window are greater than the tally's number. */
export const tallyOf = (row: Float64Array, spec: SeriesSpec, tallyAt: number): number => cell(row, spec, tallyAt)
export const runCount = (row: Float64Array, spec: SeriesSpec, run: RunSpec): number => cell(row, spec, run.at)
export const runSinceMs = (row: Float64Array, spec: SeriesSpec, run: RunSpec): number => cell(row, spec, run.at + 1)

/** The next three: of a window that is not empty. O(its samples). */
export const minOf = (row: Float64Array, spec: SeriesSpec, window: WindowSpec): number => {
  const o = blockOf(row, spec)
  if (at(row, o + VALUES) === 0) return at(row, o + CONSTANT)
  let least = Number.POSITIVE_INFINITY
  for (let back = at(row, o + window.at) - 1; back >= 0; back--) {
    const value = valueBack(row, o, back)
    if (value < least) least = value
  }
  return least
}
export const maxOf = (row: Float64Array, spec: SeriesSpec, window: WindowSpec): number => {
  const o = blockOf(row, spec)
  if (at(row, o + VALUES) === 0) return at(row, o + CONSTANT)
  let most = Number.NEGATIVE_INFINITY
  for (let back = at(row, o + window.at) - 1; back >= 0; back--) {
    const value = valueBack(row, o, back)
    if (value > most) most = value
  }
  return most
}
/** Nearest rank: the value that 95 % of the samples do not exceed. */
export const p95Of = (row: Float64Array, spec: SeriesSpec, window: WindowSpec): number => {
  const o = blockOf(row, spec)
  const values = at(row, o + VALUES)
  if (values === 0) return at(row, o + CONSTANT)
  const count = at(row, o + window.at)
  const end = values + at(row, o + NEXT) - at(row, at(row, o + CLOCK) + FIRST)
  return at(row.slice(end - count, end).sort(), p95Rank(count) - 1)
}
/** Which of so many sorted values is the p95, from 1. */
export const p95Rank = (count: number): number => Math.ceil(0.95 * count)

/** Of the oldest sample inside the window, or with `before` of the one just before it. Null = there is none. */
export const oldestOf = (
  row: Float64Array,
  spec: SeriesSpec,
  window: WindowSpec,
  before: boolean,
): { readonly atMs: number; readonly value: number } | null => {
  const o = blockOf(row, spec)
  if (o === 0) return null
  const count = at(row, o + window.at)
  const back = before && count < at(row, o + HELD) ? count : count - 1
  return back < 0 ? null : { atMs: timeBack(row, o, back), value: valueBack(row, o, back) }
}

/** The window, which is not empty, is known for at least half of its length: a sample lies before it, or that far back. */
export const isCovered = (row: Float64Array, spec: SeriesSpec, window: WindowSpec, nowMs: number): boolean => {
  const o = blockOf(row, spec)
  const count = at(row, o + window.at)
  return count < at(row, o + HELD) || timeBack(row, o, count - 1) <= nowMs - window.ms / 2
}

/** The newest `most` samples, oldest first, time and value in turns. */
export const flatSamples = (row: Float64Array, spec: SeriesSpec, most: number): readonly number[] => {
  const o = blockOf(row, spec)
  const flat: number[] = []
  for (let back = Math.min(most, heldSamples(row, spec)) - 1; back >= 0; back--)
    flat.push(timeBack(row, o, back), valueBack(row, o, back))
  return flat
}

/** The newest `most` samples, oldest first: what an explanation shows. */
export const newestSamples = (
  row: Float64Array,
  spec: SeriesSpec,
  most: number,
): ReadonlyArray<readonly [atMs: number, value: number]> => {
  const o = blockOf(row, spec)
  const length = Math.min(most, heldSamples(row, spec))
  return Array.from({ length }, (_, n) => [timeBack(row, o, length - 1 - n), valueBack(row, o, length - 1 - n)])
}
