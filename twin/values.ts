/**
 * The newest values of many entities of one kind, as columns: row = entity, column = metric of that kind.
 * A poll touches hundreds of values; three flat typed arrays per kind cost one copy each where objects would cost a
 * thousand allocations. Which column holds which metric follows protocol/metric.ts and is written into snapshots.
 */
import type { EntityKind } from "#protocol/id.ts"
import { METRICS } from "#protocol/metric.ts"
import type { Metric } from "#protocol/metric.ts"

export interface ValueTable {
  readonly rows: number
  /** rows x width, row after row; NaN = nobody measured it. */
  readonly value: Float64Array
  /** Time of the evidence, ms; 0 = never. */
  readonly atMs: Float64Array
  /** packOrigin. */
  readonly origin: Uint8Array
}

/** Columns of one kind of entity. */
export interface Layout {
  readonly width: number
  /** Metric of each column. */
  readonly metrics: readonly Metric[]
  /** Column of a metric id; -1 = this kind does not keep it. */
  readonly columnOf: Int16Array
}

const METRIC_ID_END = 1 + METRICS.reduce((most, metric) => Math.max(most, metric.id), 0)

/** Columns for all metrics of `kind` that are levels (not counters) and not in `except`. */
export const layoutOf = (kind: EntityKind, except: readonly number[] = []): Layout => {
  const metrics = METRICS.filter((m) => m.entity === kind && m.kind !== "counter" && !except.includes(m.id))
  const columnOf = new Int16Array(METRIC_ID_END).fill(-1)
  for (const [column, metric] of metrics.entries()) columnOf[metric.id] = column
  return { width: metrics.length, metrics, columnOf }
}

export const emptyTable = (rows: number, width: number): ValueTable => ({
  rows,
  value: new Float64Array(rows * width).fill(Number.NaN),
  atMs: new Float64Array(rows * width),
  origin: new Uint8Array(rows * width),
})
