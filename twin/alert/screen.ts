/**
 * A screen is something cheap that must be so before a condition can be true ("no sample of the window is above 99, so its
 * maximum is not"). After a sample each rule of a quiet entity is only screened, a few nanoseconds each; whoever passes is
 * judged in full. A screen never lets a true condition go by, and it may let through what is not true; what it screens out
 * is not true, and time alone cannot make it so sooner than the entity is woken anyway.
 */
import type { Operator } from "#protocol/rule.ts"
import type { SeriesRef, TallyRef, WindowRef } from "#twin/alert/condition.ts"
import { CLOCK, CONSTANT, FIRST, HELD, NEXT, VALUES } from "#twin/alert/series-layout.ts"
import type { SeriesSpec } from "#twin/alert/series-layout.ts"
import { p95Rank } from "#twin/alert/series-read.ts"
import { expire, PARTS } from "#twin/alert/series.ts"

const CELL_AT_LEAST = 0
const CELL_AT_MOST = 1
const CELL_IS_COUNT = 2
const CELL_BELOW_COUNT = 3
const P95_OVER = 4
const P95_NOT_OVER = 5
const SUM_AT_LEAST = 6
const SUM_AT_MOST = 7
const MEAN_AT_LEAST = 8
const MEAN_AT_MOST = 9
const NEWEST_AT_LEAST = 10
const NEWEST_AT_MOST = 11
const GROWN_AT_LEAST = 12

export interface Screen {
  readonly code: number
  readonly onDevice: boolean
  readonly series: SeriesSpec
  /** Cells of the series' block; `count` = the window's, where one is asked. */
  readonly cell: () => number
  readonly count: () => number
  readonly limit: number
}

/** A screen whose cells have their places; plan.ts gives them theirs after all rules are compiled. */
export interface PlacedScreen {
  readonly code: number
  readonly onDevice: boolean
  readonly series: SeriesSpec
  readonly cell: number
  readonly count: number
  readonly limit: number
}

export const placed = ({ code, onDevice, series, cell, count, limit }: Screen): PlacedScreen => ({
  code,
  onDevice,
  series,
  cell: cell(),
  count: count(),
  limit,
})

const NOWHERE = (): number => 0
const screen = (
  code: number,
  { onDevice, series }: SeriesRef,
  limit: number,
  cell: () => number,
  count: () => number = NOWHERE,
): Screen => ({ code, onDevice, series, cell, count, limit })

/** Rounding may make a quotient pass that a product does not: a hair's breadth more is let through. */
const HAIR = 1e-12
const below = (limit: number): number => limit - Math.abs(limit) * HAIR
const above = (limit: number): number => limit + Math.abs(limit) * HAIR

const isOver = (operator: Operator): boolean => operator === ">" || operator === ">="
const isUnder = (operator: Operator): boolean => operator === "<" || operator === "<="

export const meanScreen = (ref: WindowRef, operator: Operator, limit: number): Screen | null =>
  isOver(operator)
    ? screen(
        MEAN_AT_LEAST,
        ref,
        below(limit),
        () => ref.window.sum,
        () => ref.window.at,
      )
    : isUnder(operator)
      ? screen(
          MEAN_AT_MOST,
          ref,
          above(limit),
          () => ref.window.sum,
          () => ref.window.at,
        )
      : null
/** `cell`: of the whole part; the fraction is beside it. */
export const sumScreen = (ref: SeriesRef, cell: () => number, operator: Operator, limit: number): Screen | null =>
  isOver(operator)
    ? screen(SUM_AT_LEAST, ref, below(limit), cell)
    : isUnder(operator)
      ? screen(SUM_AT_MOST, ref, above(limit), cell)
      : null
export const newestScreen = (ref: SeriesRef, operator: Operator, limit: number): Screen | null =>
  isOver(operator)
    ? screen(NEWEST_AT_LEAST, ref, limit, NOWHERE)
    : isUnder(operator)
      ? screen(NEWEST_AT_MOST, ref, limit, NOWHERE)
      : null
export const atLeastScreen = (ref: SeriesRef, cell: () => number, limit: number): Screen =>
  screen(CELL_AT_LEAST, ref, limit, cell)
/** The newest sample has moved from the window's first by at least `limit` of that one's size. */
export const grownScreen = (ref: WindowRef, operator: Operator, limit: number): Screen | null =>
  isOver(operator) ? screen(GROWN_AT_LEAST, ref, below(limit) - HAIR, NOWHERE, () => ref.window.at) : null

/** Whether some, no, all or not all samples of a window are greater than the tally's number. */
export const tallyScreen = (ref: TallyRef, which: "some" | "none" | "all" | "not all" | "p95" | "not p95"): Screen => {
  const cell = (): number => ref.tally.at
  const count = (): number => ref.window.at
  switch (which) {
    case "some":
      return screen(CELL_AT_LEAST, ref, 1, cell)
    case "none":
      return screen(CELL_AT_MOST, ref, 0, cell)
    case "all":
      return screen(CELL_IS_COUNT, ref, 0, cell, count)
    case "not all":
      return screen(CELL_BELOW_COUNT, ref, 0, cell, count)
    case "p95":
      return screen(P95_OVER, ref, 0, cell, count)
    case "not p95":
      return screen(P95_NOT_OVER, ref, 0, cell, count)
  }
}

/**
 * False = some condition behind these screens is not true now. `touched` has just taken a sample, so its windows are up to
 * date; those of any other series are let go first.
 */
export const passes = (
  screens: readonly PlacedScreen[],
  subject: Float64Array,
  device: Float64Array,
  touched: SeriesSpec,
  nowMs: number,
): boolean => {
  for (let s = 0; s < screens.length; s++) {
    const one = screens[s] as PlacedScreen
    const row = one.onDevice ? device : subject
    if (one.series !== touched) expire(row, one.series, nowMs)
    const o = row[one.series.index] as number
    if (o === 0 || !holdsIn(row, o, one)) return false
  }
  return true
}

const holdsIn = (row: Float64Array, o: number, { code, cell, count, limit }: PlacedScreen): boolean => {
  switch (code) {
    case CELL_AT_LEAST:
      return (row[o + cell] as number) >= limit
    case CELL_AT_MOST:
      return (row[o + cell] as number) <= limit
    case CELL_IS_COUNT:
      return row[o + cell] === row[o + count]
    case CELL_BELOW_COUNT:
      return (row[o + cell] as number) < (row[o + count] as number)
    case P95_OVER:
      return (row[o + cell] as number) > 0 && p95IsOver(row[o + cell] as number, row[o + count] as number)
    case P95_NOT_OVER:
      return !p95IsOver(row[o + cell] as number, row[o + count] as number)
    case SUM_AT_LEAST:
      return (row[o + cell] as number) + (row[o + cell + 1] as number) / PARTS >= limit
    case SUM_AT_MOST:
      return (row[o + cell] as number) + (row[o + cell + 1] as number) / PARTS <= limit
    case MEAN_AT_LEAST:
      return (row[o + cell] as number) + (row[o + cell + 1] as number) / PARTS >= limit * (row[o + count] as number)
    case MEAN_AT_MOST:
      return (row[o + cell] as number) + (row[o + cell + 1] as number) / PARTS <= limit * (row[o + count] as number)
    case NEWEST_AT_LEAST:
      return valueBack(row, o, 0) >= limit
    case NEWEST_AT_MOST:
      return valueBack(row, o, 0) <= limit
    default: {
      const inside = row[o + count] as number
      const from = valueBack(row, o, inside < (row[o + HELD] as number) ? inside : inside - 1)
      return inside > 0 && valueBack(row, o, 0) - from >= limit * Math.abs(from)
    }
  }
}

const valueBack = (row: Float64Array, o: number, back: number): number => {
  const values = row[o + VALUES] as number
  if (values === 0) return row[o + CONSTANT] as number
  return row[
    values + (row[o + NEXT] as number) - 1 - back - (row[(row[o + CLOCK] as number) + FIRST] as number)
  ] as number
}

/** `over` of `count` samples are greater than a number: is the p95, by nearest rank? */
export const p95IsOver = (over: number, count: number): boolean => over > count - p95Rank(count)
