/** Quantiles of a Prometheus histogram over a stretch of time, from two scrapes of its cumulative buckets. */

export interface HistogramQuantile {
  /** The upper bound of the bucket that holds the quantile: certain. Infinity above the last bound, NaN when empty. */
  readonly atMost: number
  /** Estimated as Prometheus does, linearly within the bucket; the last bound when it lies above. */
  readonly estimate: number
}

/** In the histogram's own unit. All label sets of `name` count together. */
export const histogramQuantile = (
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
  name: string,
  q: number,
): HistogramQuantile => {
  const now = cumulative(after, name)
  const then = new Map(cumulative(before, name))
  const buckets = now.map(([bound, count]) => [bound, count - (then.get(bound) ?? 0)] as const)
  const rank = q * (buckets.at(-1)?.[1] ?? 0)
  if (rank === 0) return { atMost: Number.NaN, estimate: Number.NaN }
  let [lower, below] = [0, 0]
  for (const [bound, count] of buckets) {
    if (count >= rank) {
      if (bound === Number.POSITIVE_INFINITY) return { atMost: bound, estimate: lower }
      return { atMost: bound, estimate: lower + ((bound - lower) * (rank - below)) / (count - below) }
    }
    ;[lower, below] = [bound, count]
  }
  return { atMost: Number.POSITIVE_INFINITY, estimate: lower }
}

/** Upper bound and observations at or below it, ascending. */
const cumulative = (metrics: ReadonlyMap<string, number>, name: string): ReadonlyArray<readonly [number, number]> => {
  const buckets = new Map<number, number>()
  for (const [key, count] of metrics) {
    const le = key.startsWith(`${name}_bucket{`) ? /[{,]le="([^"]+)"/.exec(key)?.[1] : undefined
    if (le === undefined) continue
    const bound = le === "+Inf" ? Number.POSITIVE_INFINITY : Number(le)
    buckets.set(bound, (buckets.get(bound) ?? 0) + count)
  }
  return [...buckets].toSorted(([a], [b]) => a - b)
}
