/** Joins stored history and live samples into uPlot's aligned columns. Pure. */
import type { History } from "#protocol/rest-generated.ts"
import type { LiveSample } from "#client/state/app.ts"

/** Seconds first, then one column per series. */
export type ChartData = readonly [readonly number[], ...(readonly (number | null)[])[]]

export interface SeriesInput {
  readonly history: Pick<History, "atMs" | "avg"> | null
  readonly live: readonly LiveSample[]
}

/**
 * Live samples count from where the stored ones end, so that nothing is drawn twice. A time that one series lacks is
 * `undefined` there to uPlot (drawn through), where a stored null is a hole that nobody measured.
 */
export const chartData = (series: readonly SeriesInput[], fromMs: number): ChartData => {
  const columns = series.map(({ history, live }) => {
    const points = new Map<number, number | null>()
    history?.atMs.forEach((atMs, index) => points.set(atMs, history.avg[index] ?? null))
    const end = history?.atMs.at(-1) ?? fromMs
    for (const sample of live) if (sample.atMs > end) points.set(sample.atMs, sample.value)
    return points
  })
  const times = [...new Set(columns.flatMap((points) => [...points.keys()]))].filter((at) => at >= fromMs)
  times.sort((a, b) => a - b)
  const values = columns.map((points) => times.map((at) => points.get(at) as number | null))
  return [times.map((at) => at / 1_000), ...values]
}
