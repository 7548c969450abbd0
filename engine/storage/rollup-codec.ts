/**
 * The rollups of some entities of one device over one row's time, packed per series. A series that stood still is its value;
 * decimal numbers stay exact; what is left are rates, of which rows of many small buckets keep single precision (2^-24, far
 * below the millisecond that times are measured in) and rows of one bucket keep the double. Sketches are a column of their
 * own, which only a reader of percentiles fetches.
 *
 * Layout, version 1: version; 1 = sketched; buckets; the distinct count columns; per entity: name, series; per series: metric, count
 * column, length * 4 + form, payload. The sketches follow in the same order, only of series that did not stand still.
 */
import { ByteReader, ByteWriter } from "#engine/storage/bits.ts"
import { readColumn, writeColumn } from "#engine/storage/column.ts"
import { binsBelow, emptyBuckets, p95From, type Buckets } from "#engine/storage/rollup.ts"
import { addTo, keyOf, mergeInto, readSketch, writeSketch, type Sketch } from "#engine/storage/sketch.ts"
import type { EntityKey } from "#protocol/id.ts"

const VERSION = 1
/** More in one row is damage. */
const BUCKETS_MAX = 1_000
const SERIES_MAX = 1_000_000

/** Forms of a series' payload. */
const STILL_WHOLE = 0
const STILL = 1
const DECIMAL = 2
const RATE = 3

export type EntityRollups = ReadonlyMap<EntityKey, ReadonlyMap<number, Buckets>>
export interface PackedRollups {
  readonly data: Buffer
  /** Null = rows of this resolution have none. */
  readonly sketch: Buffer | null
}

export const packRollups = (rollups: EntityRollups, buckets: number, sketched: boolean): PackedRollups => {
  const [body, payload, sketches, bins] = [new ByteWriter(), new ByteWriter(), new ByteWriter(), new ByteWriter()]
  const known = new Map<string, number>()
  const columns: Float64Array[] = []
  body.varint(rollups.size)
  for (const [entity, metrics] of rollups) {
    body.text(entity)
    body.varint(metrics.size)
    for (const [metric, series] of metrics) {
      const name = series.count.join(" ")
      let column = known.get(name)
      if (column === undefined) {
        known.set(name, (column = columns.length))
        columns.push(series.count)
      }
      payload.length = 0
      const form = writeSeries(payload, series)
      body.varint(metric)
      body.varint(column)
      body.varint(payload.length * 4 + form)
      body.bytes(payload.finish())
      if (series.sketch === null || isStill(form)) continue
      bins.length = 0
      for (const [i, sketch] of series.sketch.entries()) writeSketch(bins, sketch, series.min[i]!)
      sketches.varint(bins.length)
      sketches.bytes(bins.finish())
    }
  }
  const out = new ByteWriter()
  out.byte(VERSION)
  out.byte(sketched ? 1 : 0)
  out.varint(buckets)
  out.varint(columns.length)
  for (const column of columns) writeNumbers(out, column)
  out.bytes(body.finish())
  return { data: out.finish(), sketch: sketched ? sketches.finish() : null }
}

export interface OneSeries {
  readonly entity: EntityKey
  readonly metric: number
}

/**
 * Every series, or the one that is asked for. Buckets have sketches when `sketch` is given. Throws a RangeError for damaged
 * bytes.
 */
export const openRollups = (
  { data, sketch }: { readonly data: Uint8Array; readonly sketch: Uint8Array | null },
  only?: OneSeries,
): Map<EntityKey, Map<number, Buckets>> => {
  const input = new ByteReader(data)
  const sketches = sketch === null ? null : new ByteReader(sketch)
  const version = input.byte()
  if (version !== VERSION) throw new RangeError(`rollups of version ${version}: this build reads ${VERSION}`)
  const sketched = input.byte() === 1
  const buckets = limited(input.varint(), BUCKETS_MAX, "buckets")
  const columns = Array.from({ length: limited(input.varint(), SERIES_MAX, "count columns") }, () =>
    readNumbers(input, buckets),
  )
  const found = new Map<EntityKey, Map<number, Buckets>>()
  for (let left = limited(input.varint(), SERIES_MAX, "entities"); left > 0; left--) {
    const entity = input.text() as EntityKey
    for (let series = limited(input.varint(), SERIES_MAX, "series"); series > 0; series--) {
      const metric = input.varint()
      const count = columns[input.varint()]
      if (count === undefined) throw new RangeError("a rollup names no count column")
      const head = input.varint()
      const form = head % 4
      const payload = input.bytes(Math.floor(head / 4))
      const bins = sketches === null || isStill(form) ? null : sketches.bytes(sketches.varint())
      if (only !== undefined && (only.entity !== entity || only.metric !== metric)) continue
      const out = emptyBuckets(buckets, sketches !== null)
      out.count.set(count)
      readSeries(new ByteReader(payload), form, sketched, out)
      if (out.sketch !== null) fillSketches(out.sketch, out, bins === null ? null : new ByteReader(bins))
      let metrics = found.get(entity)
      if (metrics === undefined) found.set(entity, (metrics = new Map()))
      metrics.set(metric, out)
    }
  }
  return found
}

const isStill = (form: number): boolean => form === STILL || form === STILL_WHOLE

const limited = (value: number, most: number, what: string): number => {
  if (value > most) throw new RangeError(`${value} ${what} in one row of rollups`)
  return value
}

const usedOf = (count: Float64Array): readonly number[] => [...count.keys()].filter((i) => count[i]! > 0)

/** Columns hold the buckets that have samples only. */
const writeSeries = (out: ByteWriter, { count, min, max, sum, p95 }: Buckets): number => {
  const used = usedOf(count)
  const of = (map: (i: number) => number): Float64Array => Float64Array.from(used, map)
  const [least, most] = [of((i) => min[i]!), of((i) => max[i]!)]
  const still = least[0]!
  if (least.every((it) => it === still) && most.every((it) => it === still)) {
    const whole = Number.isInteger(still) && Math.abs(still) < 2 ** 50 && !Object.is(still, -0)
    if (whole) out.zigzag(still)
    else out.float64(still)
    return whole ? STILL_WHOLE : STILL
  }
  const excess = of((i) => decimalOf(sum[i]! - min[i]! * count[i]!, sum[i]!))
  const decimal = [least, most, excess].every((column) => column.every((it) => decimalOf(it, 0) === it))
  if (decimal) for (const column of [least, most, excess]) writeNumbers(out, column)
  else if (used.length === 1) for (const column of [least, most, of((i) => sum[i]!)]) out.float64(column[0]!)
  else
    writeSingles(
      out,
      least,
      of((i) => sum[i]! / count[i]!),
      most,
    )
  if (p95 !== null)
    writeNumbers(
      out,
      of((i) => binsBelow(p95[i]!, max[i]!)),
    )
  return decimal ? DECIMAL : RATE
}

const readSeries = (input: ByteReader, form: number, sketched: boolean, out: Buckets): void => {
  const { count } = out
  const used = usedOf(count)
  const put = (i: number, min: number, max: number, sum: number): void => {
    out.min[i] = min
    out.max[i] = max
    out.sum[i] = sum
    if (out.p95 !== null && isStill(form)) out.p95[i] = max
  }
  const next = (): Float64Array => readNumbers(input, used.length)
  if (isStill(form)) {
    const still = form === STILL ? input.float64() : input.zigzag()
    for (const i of used) put(i, still, still, still * count[i]!)
    return
  }
  if (form === DECIMAL) {
    const [min, max, excess] = [next(), next(), next()]
    for (const [at, i] of used.entries()) put(i, min[at]!, max[at]!, min[at]! * count[i]! + excess[at]!)
  } else if (used.length === 1) {
    const [min, max, sum] = [input.float64(), input.float64(), input.float64()]
    put(used[0]!, min, max, sum)
  } else {
    const { min, avg, max } = readSingles(input, used.length)
    for (const [at, i] of used.entries()) put(i, min[at]!, max[at]!, avg[at]! * count[i]!)
  }
  if (sketched || out.p95 === null) return
  const below = next()
  for (const [at, i] of used.entries()) {
    out.p95[i] = p95From(below[at]!, { count: count[i]!, min: out.min[i]!, max: out.max[i]! })
  }
}

const fillSketches = (into: readonly Sketch[], { count, min }: Buckets, bins: ByteReader | null): void => {
  for (const [i, sketch] of into.entries()) {
    if (bins !== null) mergeInto(sketch, readSketch(bins, min[i]!))
    else if (count[i]! > 0) addTo(sketch, keyOf(min[i]!), count[i]!)
  }
}

const SCALE = 1_000
const DECIMAL_MAX = 2 ** 40

/** The number with three decimals that this is but for the rounding of sums as large as `beside`; NaN = there is none. */
const decimalOf = (value: number, beside: number): number => {
  const rounded = Math.round(value * SCALE) / SCALE
  const near = Math.abs(rounded - value) <= 1e-12 * Math.abs(beside)
  return near && Math.abs(rounded) < DECIMAL_MAX && !Object.is(rounded, -0) ? rounded : Number.NaN
}

/** Not an encoding of column.ts: one number with three decimals at most, for the whole column. */
const SAME = 0x80

const writeNumbers = (out: ByteWriter, values: Float64Array): void => {
  const first = values[0]!
  if (values.every((it) => it === first) && decimalOf(first, 0) === first) {
    const whole = Number.isInteger(first)
    out.byte(whole ? SAME : SAME + 1)
    out.zigzag(whole ? first : Math.round(first * SCALE))
  } else writeColumn(out, values)
}

const readNumbers = (input: ByteReader, count: number): Float64Array => {
  const head = input.byte()
  if (head < SAME) {
    input.offset--
    return readColumn(input, count)
  }
  const value = input.zigzag()
  return new Float64Array(count).fill(head === SAME ? value : value / SCALE)
}

/** Neighbours of single precision as neighbouring whole numbers: the differences of near values are small. */
const single = new Float32Array(1)
const bitsOf = new Int32Array(single.buffer)
const rankOfSingle = (value: number): number => {
  single[0] = value
  return bitsOf[0]! < 0 ? -(bitsOf[0]! & 0x7fffffff) : bitsOf[0]!
}
const singleOf = (rank: number): number => {
  bitsOf[0] = rank < 0 ? -rank | 0x80000000 : rank
  return single[0]!
}

const writeSingles = (out: ByteWriter, min: Float64Array, avg: Float64Array, max: Float64Array): void => {
  const middle = avg.map(rankOfSingle)
  writeNumbers(out, middle)
  writeNumbers(
    out,
    middle.map((rank, i) => rank - rankOfSingle(min[i]!)),
  )
  writeNumbers(
    out,
    middle.map((rank, i) => rankOfSingle(max[i]!) - rank),
  )
}

const readSingles = (
  input: ByteReader,
  count: number,
): { readonly min: Float64Array; readonly avg: Float64Array; readonly max: Float64Array } => {
  const middle = readNumbers(input, count)
  const [below, above] = [readNumbers(input, count), readNumbers(input, count)]
  return {
    avg: middle.map(singleOf),
    min: middle.map((rank, i) => singleOf(rank - below[i]!)),
    max: middle.map((rank, i) => singleOf(rank + above[i]!)),
  }
}
