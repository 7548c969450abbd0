/** Quantiles of small samples, nearest rank (no interpolation: every printed figure was really measured). */

/** The q-quantile (0..1); NaN for an empty sample. */
export const quantile = (values: readonly number[], q: number): number => {
  if (values.length === 0) return Number.NaN
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))] as number
}

/** Rounded to `digits` decimals, for printing. */
export const round = (value: number, digits = 1): number => {
  const factor = 10 ** digits
  return Math.round(value * factor) / factor
}

/** How many times as much; null = nothing to compare with, or the shorter run took less than a tick of its clock. */
export const ratio = (theirs: number | null, ours: number | null): number | null =>
  theirs === null || ours === null || ours === 0 ? null : round(theirs / ours)
