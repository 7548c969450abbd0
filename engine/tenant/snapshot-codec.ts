/**
 * Bytes of a twin's snapshot. A tenant of 10,000 routers packs to tens of megabytes, and packing it at once would hold
 * the event loop for a long moment: the long lists are packed in slices, with room for everyone else in between. The
 * states are immutable, so the twin may go on while its snapshot is being packed.
 */
import * as Data from "effect/Data"
import { packStored, unpackStored } from "#protocol/codec.ts"
import type { TwinSnapshot } from "#twin/snapshot.ts"

export const SNAPSHOT_FORMAT = 1
/** Work between two pauses. */
const SLICE_MS = 8
/** Elements packed between two looks at the clock. */
const ELEMENTS_PER_PART = 128

/** The bytes are not a snapshot that this build can read. The journal can rebuild the twin. */
export class SnapshotUnreadable extends Data.TaggedError("SnapshotUnreadable")<{ readonly detail: string }> {
  override get message(): string {
    return this.detail
  }
}

/** Lets the event loop turn once. */
export type Breathe = () => Promise<void>
const breatheOnce: Breathe = () => new Promise((resolve) => void setImmediate(resolve))

/** The lists that are packed in parts, as paths. The order is part of the format. */
const LISTS: ReadonlyArray<readonly [string] | readonly [string, string]> = [
  ["inventory", "sites"],
  ["inventory", "devices"],
  ["inventory", "links"],
  ["states", "routers"],
  ["states", "links"],
  ["timers"],
  ["recent"],
]

type Plain = Record<string, unknown>

/** Format: version byte, then parts, each a u32 (LE) length and packed bytes. Part 0 is everything but the lists. */
export const encodeSnapshot = async (snapshot: TwinSnapshot, breathe: Breathe = breatheOnce): Promise<Uint8Array> => {
  const pause = pacer(breathe)
  const lists = LISTS.map((path) => listAt(snapshot as unknown as Plain, path))
  const head = packStored([withoutLists(snapshot as unknown as Plain), lists.map((items) => items.length)])
  const parts: Uint8Array[] = [head]
  for (const items of lists)
    for (let from = 0; from < items.length; from += ELEMENTS_PER_PART) {
      // A copy: the packer's result shares a pool with what it packs next.
      parts.push(packStored(items.slice(from, from + ELEMENTS_PER_PART)).slice())
      await pause()
    }
  return joined(parts)
}

/** The inverse of encodeSnapshot, for restoreTwin. Rejects with SnapshotUnreadable and nothing else. */
export const decodeSnapshot = async (blob: Uint8Array, breathe: Breathe = breatheOnce): Promise<unknown> => {
  if (blob[0] !== SNAPSHOT_FORMAT)
    throw new SnapshotUnreadable({
      detail: `snapshot format ${blob[0] ?? "none"}: this build reads ${SNAPSHOT_FORMAT}`,
    })
  try {
    return await unpacked(blob, pacer(breathe))
  } catch {
    throw new SnapshotUnreadable({ detail: "the bytes of the snapshot are damaged" })
  }
}

const unpacked = async (blob: Uint8Array, pause: () => Promise<void>): Promise<unknown> => {
  const parts = split(blob)
  const [snapshot, lengths] = unpackStored(parts[0] as Uint8Array) as [Plain, number[]]
  let next = 1
  for (const [index, path] of LISTS.entries()) {
    const items = listAt(snapshot, path)
    while (items.length < (lengths[index] as number)) {
      for (const item of unpackStored(parts[next++] as Uint8Array) as unknown[]) items.push(item)
      await pause()
    }
  }
  if (next !== parts.length) throw new RangeError("parts are left over")
  return snapshot
}

/** Breathes when SLICE_MS have been used up. */
const pacer = (breathe: Breathe): (() => Promise<void>) => {
  let sinceMs = performance.now()
  return async () => {
    if (performance.now() - sinceMs < SLICE_MS) return
    await breathe()
    sinceMs = performance.now()
  }
}

const listAt = (snapshot: Plain, [outer, inner]: readonly [string] | readonly [string, string]): unknown[] =>
  (inner === undefined ? snapshot[outer] : (snapshot[outer] as Plain)[inner]) as unknown[]

const withoutLists = (snapshot: Plain): Plain => {
  const copy: Plain = { ...snapshot }
  for (const [outer, inner] of LISTS) {
    if (inner === undefined) copy[outer] = []
    else copy[outer] = { ...(copy[outer] as Plain), [inner]: [] }
  }
  return copy
}

const joined = (parts: readonly Uint8Array[]): Uint8Array => {
  const bytes = new Uint8Array(1 + parts.reduce((sum, part) => sum + 4 + part.length, 0))
  const view = new DataView(bytes.buffer)
  bytes[0] = SNAPSHOT_FORMAT
  let at = 1
  for (const part of parts) {
    view.setUint32(at, part.length, true)
    bytes.set(part, at + 4)
    at += 4 + part.length
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
