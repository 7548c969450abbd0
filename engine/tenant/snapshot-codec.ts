/**
 * Bytes of a twin's snapshot. A tenant of 10,000 routers packs to tens of megabytes, and packing it at once would hold
 * the event loop for a long moment: the long lists are packed in slices, with room for everyone else in between. The
 * states are immutable, so the twin may go on while its snapshot is being packed. Each part is compressed (zstd): the windows
 * of judgement are most of a router, and times and equal values shrink to a tenth.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib"
import * as Data from "effect/Data"
import { nextTurn, PROCESS_TURNS } from "#engine/actors/turns.ts"
import { packStored, unpackStored } from "#protocol/codec.ts"
import type { TwinSnapshot } from "#twin/snapshot.ts"

export const SNAPSHOT_FORMAT = 2
/** Format 1: not compressed, and without the lists that judgement brought. */
const PLAIN_FORMAT = 1
/** Bytes of one part before compression; more is no snapshot of ours. */
const PART_MAX = 256 * 1_048_576
const ZSTD = {
  params: { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 },
}
/** Work between two pauses. */
const SLICE_MS = 8

/** The bytes are not a snapshot that this build can read. The journal can rebuild the twin. */
export class SnapshotUnreadable extends Data.TaggedError("SnapshotUnreadable")<{ readonly detail: string }> {
  override get message(): string {
    return this.detail
  }
}

/** Lets the event loop turn once. */
export type Breathe = () => Promise<void>
const breatheOnce: Breathe = () => nextTurn(PROCESS_TURNS)

interface ListPath {
  readonly path: readonly string[]
  /** Elements packed between two looks at the clock: about half a megabyte at most. */
  readonly perPart: number
}

/** The lists that are packed in parts. The order is part of the format. */
const PLAIN_LISTS: readonly ListPath[] = [
  { path: ["inventory", "sites"], perPart: 512 },
  { path: ["inventory", "devices"], perPart: 512 },
  { path: ["inventory", "links"], perPart: 512 },
  { path: ["states", "routers"], perPart: 8 },
  { path: ["states", "links"], perPart: 256 },
  // Each element is a chunk of many notes (twin/chunked.ts).
  { path: ["states", "tenant", "nodes", "chunks"], perPart: 8 },
  { path: ["states", "tenant", "links", "chunks"], perPart: 8 },
  { path: ["timers"], perPart: 8_192 },
  { path: ["recent"], perPart: 512 },
]
const LISTS: readonly ListPath[] = [
  ...PLAIN_LISTS,
  { path: ["states", "tenant", "alerts", "bySlot", "chunks"], perPart: 8 },
  { path: ["judging", "rules"], perPart: 256 },
  { path: ["judging", "silences"], perPart: 256 },
]

type Plain = Record<string, unknown>

const pack = (value: unknown): Uint8Array => zstdCompressSync(packStored(value), ZSTD)
const unpack = (part: Uint8Array): unknown => unpackStored(zstdDecompressSync(part, { maxOutputLength: PART_MAX }))

/** Format: version byte, then parts, each a u32 (LE) length and packed bytes. Part 0 is everything but the lists. */
export const encodeSnapshot = async (
  snapshot: TwinSnapshot,
  breathe: Breathe = breatheOnce,
  monoMs: () => number = PROCESS_TURNS.monoMs,
): Promise<Uint8Array> => {
  const pause = pacer(breathe, monoMs)
  const lists = LISTS.map((list) => listAt(snapshot as unknown as Plain, list.path))
  const lengths = lists.map((items) => items.length)
  const parts: Uint8Array[] = [pack([withoutLists(snapshot as unknown as Plain), lengths])]
  for (const [index, { perPart }] of LISTS.entries()) {
    const items = lists[index] as readonly unknown[]
    for (let from = 0; from < items.length; from += perPart) {
      parts.push(pack(items.slice(from, from + perPart)))
      await pause()
    }
  }
  return joined(parts, pause)
}

/** The inverse of encodeSnapshot, for restoreTwin. Rejects with SnapshotUnreadable and nothing else. */
export const decodeSnapshot = async (
  blob: Uint8Array,
  breathe: Breathe = breatheOnce,
  monoMs: () => number = PROCESS_TURNS.monoMs,
): Promise<unknown> => {
  if (blob[0] !== SNAPSHOT_FORMAT && blob[0] !== PLAIN_FORMAT)
    throw new SnapshotUnreadable({
      detail: `snapshot format ${blob[0] ?? "none"}: this build reads ${PLAIN_FORMAT} and ${SNAPSHOT_FORMAT}`,
    })
  try {
    const pause = pacer(breathe, monoMs)
    return await (blob[0] === PLAIN_FORMAT
      ? unpacked(blob, PLAIN_LISTS, unpackStored, pause)
      : unpacked(blob, LISTS, unpack, pause))
  } catch {
    throw new SnapshotUnreadable({ detail: "the bytes of the snapshot are damaged" })
  }
}

const unpacked = async (
  blob: Uint8Array,
  lists: readonly ListPath[],
  open: (part: Uint8Array) => unknown,
  pause: () => Promise<void>,
): Promise<unknown> => {
  const parts = split(blob)
  const [snapshot, lengths] = open(parts[0] as Uint8Array) as [Plain, number[]]
  let next = 1
  for (const [index, { path }] of lists.entries()) {
    const items = listAt(snapshot, path) as unknown[]
    while (items.length < (lengths[index] as number)) {
      for (const item of open(parts[next++] as Uint8Array) as unknown[]) items.push(item)
      await pause()
    }
  }
  if (next !== parts.length) throw new RangeError("parts are left over")
  return snapshot
}

/** Breathes when SLICE_MS have been used up. */
const pacer = (breathe: Breathe, monoMs: () => number): (() => Promise<void>) => {
  let sinceMs = monoMs()
  return async () => {
    if (monoMs() - sinceMs < SLICE_MS) return
    await breathe()
    sinceMs = monoMs()
  }
}

const listAt = (snapshot: Plain, path: readonly string[]): readonly unknown[] => {
  let value: unknown = snapshot
  for (const key of path) value = (value as Plain)[key]
  return value as readonly unknown[]
}

/** A copy in which every list of LISTS is empty; the rest is shared. */
const withoutLists = (snapshot: Plain): Plain => LISTS.reduce((copy, { path }) => emptied(copy, path), snapshot)

const emptied = (value: Plain, [key, ...rest]: readonly string[]): Plain =>
  key === undefined ? value : { ...value, [key]: rest.length === 0 ? [] : emptied(value[key] as Plain, rest) }

/** Tens of megabytes take long enough to copy that others must get a turn here too. */
const joined = async (parts: readonly Uint8Array[], pause: () => Promise<void>): Promise<Uint8Array> => {
  const bytes = Buffer.allocUnsafeSlow(1 + parts.reduce((sum, part) => sum + 4 + part.length, 0))
  let at = bytes.writeUInt8(SNAPSHOT_FORMAT)
  for (const part of parts) {
    at = bytes.writeUInt32LE(part.length, at)
    bytes.set(part, at)
    at += part.length
    await pause()
  }
  return bytes
}

const split = (blob: Uint8Array): readonly Uint8Array[] => {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength)
  const parts: Uint8Array[] = []
  let at = 1
  while (at < blob.length) {
    const length = view.getUint32(at, true)
    if (at + 4 + length > blob.length) throw new RangeError("a part is cut off")
    parts.push(blob.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  return parts
}
