/**
 * Old journal rows without what the chunks hold already: many appends become one row in which a poll is only its place, its
 * shape (which entities and metrics, in which order) and its texts; its values are in the chunk of its device, which keeps
 * each poll's seq. So nothing is stored twice, and a replay still reads one ordered stream. A poll that its chunk cannot give
 * back bit by bit stays whole: compact() proves each one before it lets it go.
 */
import { setImmediate as breathe } from "node:timers/promises"
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib"
import type { BatchCodec } from "#engine/storage/journal-row.ts"
import { packStored, unpackStored } from "#protocol/codec.ts"
import { deviceId, entityKey, type EntityKey, type EntityKind } from "#protocol/id.ts"
import type { Source } from "#protocol/view.ts"
import type { PollInput, Sequenced } from "#twin/input.ts"

/** First byte of a compact row's data; journal-row.ts has 0 and 1. */
export const COMPACT = 2
const VERSION = 1
const DECOMPRESSED_MAX = 512 << 20
const LEVEL = { params: { [constants.ZSTD_c_compressionLevel]: 3 } }

/** Where a poll's values are: asked for one poll, in the order of seq mostly. Null = no chunk has it. */
export type PollValues = (poll: PollPlace) => Promise<ChunkPoll | null>
export interface PollPlace {
  readonly device: string
  readonly source: Source
  readonly seq: number
  readonly atMs: number
}
/** One poll out of a chunk. */
export interface ChunkPoll {
  /** Null = the chunk has not all of them. Polls that share one shape object are the fastest. */
  readonly values: (shape: PollShape) => Float64Array | null
}
/** Which entity and metric each row of a poll is of. */
export interface PollShape {
  readonly entities: readonly EntityKey[]
  readonly entity: Uint16Array
  readonly metric: Uint16Array
}

interface Shape extends PollShape {
  readonly complete: readonly EntityKind[]
}
/** Of a compact row; position i of each list is poll i. `at` = its index in the batch. */
interface Polls {
  readonly at: number[]
  readonly device: number[]
  readonly source: number[]
  /** atMs - startedMs. */
  readonly took: number[]
  readonly shape: number[]
  /** Sparse: [poll, rows of entity, fact, text]. */
  readonly texts: Array<readonly [poll: number, rows: ReadonlyArray<readonly [string, string, string]>]>
}

/** `data` of one row for a whole batch, and how many polls it left to the chunks. */
export const encodeCompact = async (
  batch: readonly Sequenced[],
  values: PollValues,
  codec: BatchCodec,
  pause: () => Promise<void> = pacer(),
): Promise<{ readonly data: Buffer; readonly left: number }> => {
  const [devices, sources] = [new Index<string>(), new Index<string>()]
  const shapes = new Index<string>()
  const shapeRows: unknown[] = []
  const polls: Polls = { at: [], device: [], source: [], took: [], shape: [], texts: [] }
  const rest: Sequenced[] = []
  const known = new LastShapes()
  for (const [at, entry] of batch.entries()) {
    const { seq, input } = entry
    await pause()
    const form = input.kind === "poll" ? known.of(input) : null
    if (input.kind !== "poll" || form === null || !(await isInChunk(input, form, seq, values))) {
      rest.push(entry)
      continue
    }
    // A tick of the same time keeps the place.
    rest.push({ seq, input: { kind: "tick", atMs: input.atMs } })
    const number = (form.number ??= shapes.of(keyOf(form)))
    if (number === shapeRows.length) shapeRows.push([form.entities, form.entity, form.metric, form.complete])
    if (input.texts.length > 0)
      polls.texts.push([polls.at.length, input.texts.map(({ entity, fact, text }) => [entity, fact, text] as const)])
    polls.at.push(at)
    polls.device.push(devices.of(input.device))
    polls.source.push(sources.of(input.source))
    polls.took.push(input.atMs - input.startedMs)
    polls.shape.push(number)
  }
  const { at, device, source, took, shape, texts } = polls
  const columns = [at, device, source, took, shape, texts]
  const body = packStored([VERSION, codec.encodeBatch(rest), devices.all, sources.all, shapeRows, columns])
  return { data: Buffer.concat([Buffer.from([COMPACT]), zstdCompressSync(body, LEVEL)]), left: polls.at.length }
}

/** The inverse, from `fromSeq` on. Rejects with CompactDamaged when a chunk that is needed is gone. */
export const decodeCompact = async (
  data: Buffer,
  values: PollValues,
  codec: BatchCodec,
  fromSeq = 0,
  pause: () => Promise<void> = pacer(),
): Promise<readonly Sequenced[]> => {
  const body = zstdDecompressSync(data.subarray(1), { maxOutputLength: DECOMPRESSED_MAX })
  const [version, bytes, devices, sources, shapes, columns] = unpackStored(body) as [
    number,
    Uint8Array,
    string[],
    Source[],
    Array<[EntityKey[], Uint16Array, Uint16Array, EntityKind[]]>,
    [number[], number[], number[], number[], number[], Polls["texts"]],
  ]
  if (version !== VERSION)
    throw new CompactDamaged(`compact journal row of version ${String(version)}: use a newer Heliograph`)
  const batch = [...codec.decodeBatch(bytes)]
  const [at, device, source, took, shape, textRows] = columns
  const texts = new Map(textRows)
  const forms = shapes.map(([entities, entity, metric, complete]): Shape => ({
    entities: entities.map(entityKey),
    entity,
    metric,
    complete,
  }))
  for (const [i, index] of at.entries()) {
    await pause()
    const place = batch[index]
    const form = forms[shape[i]!]
    if (place === undefined || form === undefined)
      throw new CompactDamaged("a compact journal row names what it has not")
    // Its chunk may be gone, and nobody asks for it.
    if (place.seq < fromSeq) continue
    const { seq, input } = place
    const who = { device: deviceId(devices[device[i]!]!), source: sources[source[i]!]! }
    const poll = await values({ ...who, seq, atMs: input.atMs })
    const value = poll?.values(form) ?? null
    if (value === null)
      throw new CompactDamaged(`the samples of input ${seq} are gone: their chunk was deleted before the journal`)
    batch[index] = {
      seq,
      input: {
        kind: "poll",
        ...who,
        startedMs: input.atMs - took[i]!,
        atMs: input.atMs,
        ...form,
        value,
        texts: (texts.get(i) ?? []).map(([key, fact, text]) => ({
          entity: entityKey(key),
          fact: fact as PollInput["texts"][number]["fact"],
          text,
        })),
      },
    }
  }
  return fromSeq === 0 ? batch : batch.filter(({ seq }) => seq >= fromSeq)
}

export class CompactDamaged extends Error {
  override readonly name = "CompactDamaged"
}

/** Whether the chunk gives back exactly this poll. */
const isInChunk = async (input: PollInput, shape: PollShape, seq: number, values: PollValues): Promise<boolean> => {
  const poll = await values({ device: input.device, source: input.source, seq, atMs: input.atMs })
  // Also unequal where a poll names one metric twice: the chunk has only the last.
  return poll?.values(shape)?.every((value, i) => Object.is(value, input.value[i])) ?? false
}

/** A shape, with its number among those of the row once it has one. */
interface KnownShape extends Shape {
  number: number | null
}

/** The shape of each device's newest poll: nearly always that of its next one. */
class LastShapes {
  readonly #last = new Map<string, KnownShape>()

  of(input: PollInput): KnownShape {
    const key = `${input.source} ${input.device}`
    const last = this.#last.get(key)
    if (last !== undefined && isSame(last, input)) return last
    const { entities, entity, metric, complete } = input
    const shape: KnownShape = { entities, entity, metric, complete, number: null }
    this.#last.set(key, shape)
    return shape
  }
}

const isSame = (a: Shape, b: Shape): boolean =>
  equal(a.metric, b.metric) &&
  equal(a.entity, b.entity) &&
  equal(a.entities, b.entities) &&
  equal(a.complete, b.complete)

const equal = <T>(a: ArrayLike<T>, b: ArrayLike<T>): boolean => {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Work between two breaths: whoever compacts or reads shares its thread with a running twin. */
const SLICE_MS = 4
/** A pause that lets the event loop turn when a slice is used up. */
export const pacer = (): (() => Promise<void>) => {
  let sinceMs = performance.now()
  return async () => {
    if (performance.now() - sinceMs < SLICE_MS) return
    await breathe()
    sinceMs = performance.now()
  }
}

/** Two polls of one shape have one key. */
const keyOf = ({ entities, entity, metric, complete }: Shape): string =>
  JSON.stringify([entities, Array.from(entity), Array.from(metric), complete])

/** Numbers things in the order in which they are first seen. */
class Index<T> {
  readonly all: T[] = []
  readonly #numbers = new Map<T, number>()

  of(item: T): number {
    const known = this.#numbers.get(item)
    if (known !== undefined) return known
    this.#numbers.set(item, this.all.length)
    return this.all.push(item) - 1
  }
}
