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

export const DEVICE_LAYOUT = layoutOf("device")

export const emptyTable = (rows: number, width: number): ValueTable => ({
  rows,
  value: new Float64Array(rows * width).fill(Number.NaN),
  atMs: new Float64Array(rows * width),
  origin: new Uint8Array(rows * width),
})

/** The same values with `rows` rows (more than before); new rows are unmeasured. Always a copy. */
export const grownTable = (table: ValueTable, rows: number, width: number): ValueTable => ({
  rows,
  value: grownF64(table.value, rows * width),
  atMs: grownF64(table.atMs, rows * width, 0),
  origin: grownU8(table.origin, rows * width),
})

/** A copy, longer by elements of `fill`. */
export const grownF64 = (array: Float64Array, length: number, fill: number = Number.NaN): Float64Array => {
  // The usual case, and the hot one: slice copies without zeroing first.
  if (length === array.length) return array.slice()
  const copy = new Float64Array(length)
  copy.set(array)
  if (fill !== 0 && length > array.length) copy.fill(fill, array.length)
  return copy
}

export const grownU8 = (array: Uint8Array, length: number): Uint8Array => {
  if (length === array.length) return array.slice()
  const copy = new Uint8Array(length)
  copy.set(array)
  return copy
}

/** Only the given rows, in the given order. */
export const pickedTable = (table: ValueTable, rows: readonly number[], width: number): ValueTable => ({
  rows: rows.length,
  value: pickedF64(table.value, rows, width),
  atMs: pickedF64(table.atMs, rows, width),
  origin: pickedU8(table.origin, rows, width),
})

export const pickedF64 = (array: Float64Array, rows: readonly number[], width: number): Float64Array => {
  const picked = new Float64Array(rows.length * width)
  for (const [to, from] of rows.entries()) picked.set(array.subarray(from * width, (from + 1) * width), to * width)
  return picked
}

export const pickedU8 = (array: Uint8Array, rows: readonly number[], width: number): Uint8Array => {
  const picked = new Uint8Array(rows.length * width)
  for (const [to, from] of rows.entries()) picked.set(array.subarray(from * width, (from + 1) * width), to * width)
  return picked
}

/** Values kept under other columns (an older or newer build's `ids`), in this build's. A metric unknown here is dropped. */
export const relaidTable = (table: ValueTable, ids: readonly number[], layout: Layout): ValueTable => {
  const next = emptyTable(table.rows, layout.width)
  for (const [from, id] of ids.entries()) {
    const to = layout.columnOf[id] ?? -1
    if (to < 0) continue
    for (let row = 0; row < table.rows; row++) {
      next.value[row * layout.width + to] = table.value[row * ids.length + from] as number
      next.atMs[row * layout.width + to] = table.atMs[row * ids.length + from] as number
      next.origin[row * layout.width + to] = table.origin[row * ids.length + from] as number
    }
  }
  return next
}
