/**
 * `audit-anchors.jsonl` in the data directory: where each tenant's audit stood, hour by hour, outside the database. A
 * chain whose tail was cut off is whole in itself; only a line here can tell that it was longer. Lines are signed
 * (engine/audit/anchors.ts); this file only reads and appends them, durably.
 */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"

export interface Anchor {
  readonly tenant: string
  readonly seq: number
  /** Of the row `seq`, hex. */
  readonly hash: string
  readonly atMs: number
  readonly keyId: string
  readonly signature: string
}

export interface Anchors {
  /** In the order in which they were written. */
  readonly anchors: readonly Anchor[]
  /** Whole lines that are no anchor; the last line without an end was cut by a crash and is not counted. */
  readonly unreadable: number
}

const FILE = "audit-anchors.jsonl"
export const anchorPath = (dataDir: string): string => join(dataDir, FILE)

/** What an anchor's signature is over. */
export const anchorBytes = ({ tenant, seq, hash, atMs }: Omit<Anchor, "keyId" | "signature">): Uint8Array =>
  Buffer.from(JSON.stringify(["heliograph audit anchor 1", tenant, seq, hash, atMs]))

export const readAnchors = (dataDir: string): Anchors => {
  const file = anchorPath(dataDir)
  if (!existsSync(file)) return { anchors: [], unreadable: 0 }
  const lines = readFileSync(file, "utf8").split("\n")
  // After the last line's end stands nothing, or what a crash left of a line.
  lines.pop()
  const parsed = lines.map(parseAnchor)
  const anchors = parsed.filter((anchor) => anchor !== null)
  return { anchors, unreadable: parsed.length - anchors.length }
}

/** Past this the file is thinned: about 250,000 anchors. */
const FILE_BYTES_MAX = 64 * 1024 * 1024

/** On disk when it returns. Ends a line that a crash has cut, so that the next one is read. */
export const appendAnchors = (dataDir: string, anchors: readonly Anchor[], bytesMax = FILE_BYTES_MAX): void => {
  if (anchors.length === 0) return
  const file = anchorPath(dataDir)
  const cut = existsSync(file) && !endsWithNewline(file)
  writeDurable(file, "a", (cut ? "\n" : "") + linesOf(anchors))
  if (statSync(file).size > bytesMax) thin(dataDir, file)
}

/** Of each tenant the newest anchor stays, and of the older ones every second. */
const thin = (dataDir: string, file: string): void => {
  const newer = new Map<string, number>()
  const kept = readAnchors(dataDir)
    .anchors.toReversed()
    .filter(({ tenant }) => {
      const index = newer.get(tenant) ?? 0
      newer.set(tenant, index + 1)
      return index % 2 === 0
    })
  writeDurable(`${file}.new`, "w", linesOf(kept.reverse()))
  renameSync(`${file}.new`, file)
}

/** A tenant that left for good leaves no trace here. */
export const removeAnchorsOf = (dataDir: string, tenant: string): void => {
  const file = anchorPath(dataDir)
  if (!existsSync(file)) return
  const { anchors } = readAnchors(dataDir)
  const kept = anchors.filter((anchor) => anchor.tenant !== tenant)
  if (kept.length === anchors.length) return
  writeDurable(`${file}.new`, "w", linesOf(kept))
  renameSync(`${file}.new`, file)
}

const linesOf = (anchors: readonly Anchor[]): string => anchors.map((anchor) => `${JSON.stringify(anchor)}\n`).join("")

const writeDurable = (file: string, flags: "a" | "w", text: string): void => {
  const handle = openSync(file, flags, 0o600)
  try {
    writeFileSync(handle, text)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

const endsWithNewline = (file: string): boolean => {
  const bytes = readFileSync(file)
  return bytes.length === 0 || bytes.at(-1) === 0x0a
}

/** Null when the line is not of this form. */
const parseAnchor = (line: string): Anchor | null => {
  try {
    const { tenant, seq, hash, atMs, keyId, signature } = JSON.parse(line) as Record<string, unknown>
    if (typeof tenant !== "string" || typeof hash !== "string" || !/^[0-9a-f]{64}$/.test(hash)) return null
    if (!Number.isSafeInteger(seq) || (seq as number) < 1 || !Number.isSafeInteger(atMs)) return null
    if (typeof keyId !== "string" || typeof signature !== "string") return null
    return { tenant, seq: seq as number, hash, atMs: atMs as number, keyId, signature }
  } catch {
    return null
  }
}
