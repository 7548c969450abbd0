/**
 * All samples that one collector took of one device over one window, packed column-wise and without loss: times and
 * journal positions once for all metrics, then one column per series (entity and metric). A directory lets a reader take
 * one series and skip the rest. Measured on synthetic RouterOS-like data: about 2 bytes per sample.
 *
 * Layout, version 1: version; polls; times and positions (first, then delta of delta); entity names; series; per series:
 * entity, metric, samples, [presence bits when not in every poll], payload length; then the payloads (column.ts).
 */
import { ByteReader, ByteWriter } from "#engine/storage/bits.ts"
import { readColumn, writeColumn } from "#engine/storage/column.ts"
import type { EntityKey } from "#protocol/id.ts"
import type { PollInput } from "#twin/input.ts"

const VERSION = 1
/** More in one chunk is damage. */
const POLLS_MAX = 100_000
const SERIES_MAX = 1_000_000

/** The polls of one window, in the order of the journal. */
export interface Window {
  readonly seq: number[]
  readonly atMs: number[]
  readonly series: Map<EntityKey, Map<number, WindowSeries>>
  samples: number
}
export interface WindowSeries {
  readonly value: number[]
  /** Index of the poll of each value, ascending; null = value i is of poll i (the usual case, at half the memory). */
  poll: number[] | null
}

/** One series of a chunk or window. */
export interface Series {
  readonly atMs: Float64Array
  readonly value: Float64Array
}

export const emptyWindow = (): Window => ({ seq: [], atMs: [], series: new Map(), samples: 0 })

/** Adds one poll; of a metric that is named twice for one entity the last value counts. */
export const addPoll = (window: Window, seq: number, poll: PollInput): void => {
  const index = window.seq.length
  window.seq.push(seq)
  window.atMs.push(poll.atMs)
  for (let row = 0; row < poll.value.length; row++) {
    const entity = poll.entities[poll.entity[row]!]
    if (entity === undefined) continue
    if (addValue(seriesOf(window, entity, poll.metric[row]!), index, poll.value[row]!)) window.samples++
  }
}

/** The window's series, a new one when it has none. */
export const seriesOf = (window: Window, entity: EntityKey, metric: number): WindowSeries => {
  let metrics = window.series.get(entity)
  if (metrics === undefined) window.series.set(entity, (metrics = new Map()))
  let series = metrics.get(metric)
  if (series === undefined) metrics.set(metric, (series = { value: [], poll: null }))
  return series
}

/** False = it replaced a value of the same poll. */
export const addValue = (series: WindowSeries, index: number, value: number): boolean => {
  const length = series.value.length
  const last = series.poll === null ? length - 1 : series.poll[length - 1]!
  if (last === index) {
    series.value[length - 1] = value
    return false
  }
  if (series.poll === null && length !== index) series.poll = series.value.map((_, i) => i)
  series.poll?.push(index)
  series.value.push(value)
  return true
}

/** Samples of one series that is still in memory; null = the window has none. */
export const windowSeries = (window: Window, entity: EntityKey, metric: number): Series | null => {
  const series = window.series.get(entity)?.get(metric)
  if (series === undefined) return null
  const { poll, value } = series
  return {
    atMs: Float64Array.from(value, (_, i) => window.atMs[poll === null ? i : poll[i]!]!),
    value: Float64Array.from(value),
  }
}

export const encodeChunk = (window: Window): Buffer => {
  const out = new ByteWriter()
  const payloads = new ByteWriter()
  const polls = window.seq.length
  out.byte(VERSION)
  out.varint(polls)
  writeSteps(out, window.atMs)
  writeSteps(out, window.seq)
  const entities = [...window.series].filter(([, metrics]) => metrics.size > 0)
  out.varint(entities.length)
  for (const [entity] of entities) out.text(entity)
  out.varint(entities.reduce((sum, [, metrics]) => sum + metrics.size, 0))
  for (const [index, [, metrics]] of entities.entries()) {
    for (const [metric, { value, poll }] of metrics) {
      const start = payloads.length
      writeColumn(payloads, Float64Array.from(value))
      out.varint(index)
      out.varint(metric)
      out.varint(value.length)
      if (value.length < polls) out.bytes(presenceBits(poll ?? value.map((_, i) => i), polls))
      out.varint(payloads.length - start)
    }
  }
  out.bytes(payloads.finish())
  return out.finish()
}

export interface Chunk {
  readonly seq: readonly number[]
  readonly atMs: readonly number[]
  readonly series: readonly SeriesEntry[]
}
export interface SeriesEntry {
  readonly entity: EntityKey
  readonly metric: number
  /** Null = in every poll. */
  readonly poll: readonly number[] | null
  /** Unpacks the values; one per poll that has the series. */
  readonly values: () => Float64Array
}

/** Reads the directory; payloads are unpacked when asked for. Throws a RangeError for damaged bytes. */
export const openChunk = (bytes: Uint8Array): Chunk => {
  const input = new ByteReader(bytes)
  const version = input.byte()
  if (version !== VERSION) throw new RangeError(`chunk version ${version}: this build reads ${VERSION}`)
  const polls = limited(input.varint(), POLLS_MAX, "polls")
  const atMs = readSteps(input, polls)
  const seq = readSteps(input, polls)
  const entities = Array.from({ length: limited(input.varint(), SERIES_MAX, "entities") }, () => input.text())
  const directory = Array.from({ length: limited(input.varint(), SERIES_MAX, "series") }, () => {
    const entity = entities[input.varint()]
    if (entity === undefined) throw new RangeError("a series names no entity")
    const metric = input.varint()
    const count = limited(input.varint(), polls, "samples")
    const poll = count < polls ? presentPolls(input.bytes(Math.ceil(polls / 8)), count) : null
    return { entity: entity as EntityKey, metric, count, poll, length: input.varint() }
  })
  let start = input.offset
  const series = directory.map(({ entity, metric, count, poll, length }): SeriesEntry => {
    const from = start
    start += length
    return { entity, metric, poll, values: () => readColumn(new ByteReader(bytes, from, from + length), count) }
  })
  if (start !== bytes.length) throw new RangeError("the payloads are not as long as the directory says")
  return { seq, atMs, series }
}

/** Samples of one series; null = the chunk has none. */
export const chunkSeries = (chunk: Chunk, entity: EntityKey, metric: number): Series | null => {
  const entry = chunk.series.find((it) => it.metric === metric && it.entity === entity)
  if (entry === undefined) return null
  const { poll } = entry
  return {
    atMs: poll === null ? Float64Array.from(chunk.atMs) : Float64Array.from(poll, (index) => chunk.atMs[index]!),
    value: entry.values(),
  }
}

const limited = (value: number, most: number, what: string): number => {
  if (value > most) throw new RangeError(`${value} ${what} in one chunk`)
  return value
}

const writeSteps = (out: ByteWriter, values: readonly number[]): void => {
  let previous = 0
  let step = 0
  for (const value of values) {
    out.zigzag(value - previous - step)
    step = value - previous
    previous = value
  }
}
const readSteps = (input: ByteReader, count: number): readonly number[] => {
  const values: number[] = []
  let previous = 0
  let step = 0
  for (let i = 0; i < count; i++) {
    step += input.zigzag()
    previous += step
    values.push(previous)
  }
  return values
}

const presenceBits = (present: readonly number[], polls: number): Uint8Array => {
  const bits = new Uint8Array(Math.ceil(polls / 8))
  for (const index of present) bits[index >> 3]! |= 1 << (index & 7)
  return bits
}
const presentPolls = (bits: Uint8Array, count: number): readonly number[] => {
  const present: number[] = []
  for (let index = 0; index < bits.length * 8; index++) if (bits[index >> 3]! & (1 << (index & 7))) present.push(index)
  if (present.length !== count) throw new RangeError("presence bits and sample count disagree")
  return present
}
