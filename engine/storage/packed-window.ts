/**
 * The polls of one device and collector while their window is open, as bytes: a poll is written as what it changes of the
 * one before it. A fleet of 10,000 routers has a million open series; as one object each they were most of the heap and
 * the garbage collector's work. Unpacking gives exactly the Window that addPoll would have made.
 *
 * A poll in the bytes: two bits per row (same, whole-number step, float32, float64), then what the rows need, in order.
 */
import { unzigzag, zigzag } from "#engine/storage/bits.ts"
import { addValue, emptyWindow, seriesOf, type Window, type WindowSeries } from "#engine/storage/chunk.ts"
import type { EntityKey } from "#protocol/id.ts"
import type { PollInput } from "#twin/input.ts"

/** What each row of a poll is of: usually the same, poll after poll and window after window. */
export interface Shape {
  readonly entities: readonly EntityKey[]
  readonly entity: Uint16Array
  readonly metric: Uint16Array
  /** Different series among the rows. */
  readonly samples: number
}

/** Polls of one shape, one after the other. */
interface Stretch {
  readonly shape: Shape
  polls: number
}

/** Which series somebody wants of a window. */
export type Wanted = (entity: EntityKey, metric: number) => boolean

const SAME = 0
const STEP = 1
const SINGLE = 2
const DOUBLE = 3
/** Of a row at most, without its two bits. */
const ROW_BYTES_MAX = 8
const FIRST_CAPACITY = 512
/** A step and what it leads to are exact. */
const STEP_MAX = 2 ** 50

/** A window as plain data, for another thread. */
export interface PackedParts {
  readonly seq: readonly number[]
  readonly atMs: readonly number[]
  readonly samples: number
  readonly stretches: ReadonlyArray<{ readonly shape: Shape; readonly polls: number }>
  readonly bytes: Uint8Array
}

export class PackedWindow {
  readonly seq: number[] = []
  readonly atMs: number[] = []
  /** As Window.samples. */
  samples = 0
  readonly #stretches: Stretch[] = []
  #bytes: Uint8Array
  #length = 0
  /** Values of the newest poll: not written by anybody. */
  #newest: Float64Array | null = null

  constructor(capacity: number = FIRST_CAPACITY) {
    this.#bytes = new Uint8Array(capacity)
  }

  static of({ seq, atMs, samples, stretches, bytes }: PackedParts): PackedWindow {
    const window = new PackedWindow(0)
    window.seq.push(...seq)
    window.atMs.push(...atMs)
    window.samples = samples
    for (const { shape, polls } of stretches) window.#stretches.push({ shape, polls })
    window.#bytes = bytes
    window.#length = bytes.length
    return window
  }

  parts(): PackedParts {
    const { seq, atMs, samples } = this
    return { seq, atMs, samples, stretches: this.#stretches, bytes: this.#bytes.slice(0, this.#length) }
  }

  /** `like`: the shape that the poll has most likely, to be shared. Gives the shape that it has. */
  add(seq: number, poll: PollInput, like: Shape | null = null): Shape {
    let stretch = this.#stretches.at(-1)
    if (stretch === undefined || this.#newest === null || !hasShape(poll, stretch.shape)) {
      stretch = { shape: like !== null && hasShape(poll, like) ? like : shapeOf(poll), polls: 0 }
      this.#stretches.push(stretch)
      this.#newest = null
    }
    this.seq.push(seq)
    this.atMs.push(poll.atMs)
    this.samples += stretch.shape.samples
    stretch.polls++
    const rows = stretch.shape.metric.length
    const values = poll.value.length === rows ? poll.value : poll.value.subarray(0, rows)
    this.#append(packed(this.#newest, values))
    this.#newest = values
    return stretch.shape
  }

  /** Nothing more is expected: keeps no more memory than it needs. */
  trim(): void {
    this.#newest = null
    if (this.#length < this.#bytes.length) this.#bytes = this.#bytes.slice(0, this.#length)
  }

  /** Bytes that it holds in memory, without shapes. */
  get heldBytes(): number {
    return this.#bytes.length
  }

  /** Its series that are wanted, or all, as addPoll would have made them. */
  unpack(wanted: Wanted | null = null): Window {
    const window = emptyWindow()
    const input: Place = { bytes: this.#bytes, view: viewOf(this.#bytes), at: 0 }
    for (const { shape, polls } of this.#stretches) {
      const targets = targetsOf(window, shape, wanted)
      const row = new Float64Array(shape.metric.length)
      for (let poll = 0; poll < polls; poll++) {
        unpackPoll(input, row)
        const index = window.seq.length
        window.seq.push(this.seq[index]!)
        window.atMs.push(this.atMs[index]!)
        for (const [at, series] of targets) if (addValue(series, index, row[at]!)) window.samples++
      }
    }
    return window
  }

  #append(bytes: Uint8Array): void {
    const length = this.#length + bytes.length
    if (length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(length, this.#bytes.length * 2))
      larger.set(this.#bytes.subarray(0, this.#length))
      this.#bytes = larger
    }
    this.#bytes.set(bytes, this.#length)
    this.#length = length
  }
}

// -- shapes ----------------------------------------------------------------------------------------------------------

const rowsOf = ({ entity, metric, value }: PollInput): number => Math.min(value.length, entity.length, metric.length)

const shapeOf = (poll: PollInput): Shape => {
  const { entities, entity, metric } = poll
  const rows = rowsOf(poll)
  const series = new Set<string>()
  for (let row = 0; row < rows; row++)
    if (entity[row]! < entities.length) series.add(`${entities[entity[row]!]!} ${metric[row]!}`)
  return { entities, entity: entity.slice(0, rows), metric: metric.slice(0, rows), samples: series.size }
}

const hasShape = (poll: PollInput, shape: Shape): boolean => {
  const { entities, entity, metric } = poll
  const rows = rowsOf(poll)
  if (rows !== shape.metric.length) return false
  if (entities.length !== shape.entities.length) return false
  for (let row = 0; row < rows; row++)
    if (entity[row] !== shape.entity[row] || metric[row] !== shape.metric[row]) return false
  return entities.every((key, index) => key === shape.entities[index])
}

/** The rows that are wanted, and the series of the window that each belongs to. */
const targetsOf = (
  window: Window,
  { entities, entity, metric }: Shape,
  wanted: Wanted | null,
): ReadonlyArray<readonly [row: number, series: WindowSeries]> => {
  const targets: Array<readonly [number, WindowSeries]> = []
  for (let row = 0; row < metric.length; row++) {
    const key = entities[entity[row]!]
    if (key === undefined || wanted?.(key, metric[row]!) === false) continue
    targets.push([row, seriesOf(window, key, metric[row]!)])
  }
  return targets
}

// -- bytes -----------------------------------------------------------------------------------------------------------

/** Polls are packed one at a time: one piece of memory is enough for all windows. It grows to the largest poll. */
let scratch = new Uint8Array(16_384)
let scratchView = new DataView(scratch.buffer)

/** Holds until the next call. `before` null = the first poll of its stretch. */
const packed = (before: Float64Array | null, values: Float64Array): Uint8Array => {
  const rows = values.length
  const headBytes = (rows + 3) >> 2
  if (scratch.length < headBytes + rows * ROW_BYTES_MAX) {
    scratch = new Uint8Array(headBytes + rows * ROW_BYTES_MAX)
    scratchView = new DataView(scratch.buffer)
  }
  scratch.fill(0, 0, headBytes)
  let end = headBytes
  for (let row = 0; row < rows; row++) {
    const old = before === null ? 0 : before[row]!
    const value = values[row]!
    if (Object.is(value, old)) continue
    let way = DOUBLE
    const step = value - old
    if (isWhole(value) && isWhole(old) && Math.abs(step) < STEP_MAX) {
      way = STEP
      end = writeVarint(end, zigzag(step))
    } else if (Object.is(Math.fround(value), value)) {
      way = SINGLE
      scratchView.setFloat32(end, value)
      end += 4
    } else {
      scratchView.setFloat64(end, value)
      end += 8
    }
    scratch[row >> 2]! |= way << ((row & 3) << 1)
  }
  return scratch.subarray(0, end)
}

const isWhole = (value: number): boolean => Number.isSafeInteger(value) && !Object.is(value, -0)

const writeVarint = (at: number, value: number): number => {
  let end = at
  let rest = value
  for (; rest > 0x7fff_ffff; rest = Math.floor(rest / 0x80)) scratch[end++] = (rest % 0x80) | 0x80
  for (; rest > 0x7f; rest >>>= 7) scratch[end++] = (rest & 0x7f) | 0x80
  scratch[end++] = rest
  return end
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength)

interface Place {
  readonly bytes: Uint8Array
  readonly view: DataView
  at: number
}

/** Makes `row` the next poll; it holds the one before, or zeros. */
const unpackPoll = (input: Place, row: Float64Array): void => {
  const head = input.at
  input.at += (row.length + 3) >> 2
  for (let i = 0; i < row.length; i++) {
    const way = (input.bytes[head + (i >> 2)]! >> ((i & 3) << 1)) & 3
    if (way === SAME) continue
    if (way === STEP) row[i] = row[i]! + unzigzag(readVarint(input))
    else if (way === SINGLE) {
      row[i] = input.view.getFloat32(input.at)
      input.at += 4
    } else {
      row[i] = input.view.getFloat64(input.at)
      input.at += 8
    }
  }
}

const readVarint = (input: Place): number => {
  let value = 0
  for (let scale = 1; ; scale *= 0x80) {
    const byte = input.bytes[input.at++]!
    value += (byte & 0x7f) * scale
    if (byte < 0x80) return value
  }
}
