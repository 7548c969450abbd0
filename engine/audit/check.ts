/**
 * Verifies an export without the engine, the database or the network: that the signature holds for these very bytes,
 * that no entry was altered, dropped or moved, and that the file is what its header says. For auditors.
 */
import { createHash } from "node:crypto"
import { sortedJson } from "#engine/sorted-json.ts"
import type { Chained } from "#engine/audit/entry.ts"
import type { ExportHeader } from "#engine/audit/export.ts"
import { startWalk, type Walk } from "#engine/audit/verify.ts"
import { verifySignature, type Signature } from "#engine/signing/signer.ts"
import { tenantId } from "#protocol/id.ts"

export interface Checked {
  /** Null = everything holds. In words. */
  readonly problem: string | null
  readonly rows: number
  readonly header: ExportHeader | null
}

/** A line holds two sides of 64 KiB at most, and escapes. */
const LINE_BYTES_MAX = 1 << 20

/** `chunks` are the file's bytes, however they are cut: what is signed is every one of them. */
export const checkExport = async (
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  signature: Signature,
  publicKeys: ReadonlyMap<string, string>,
): Promise<Checked> => {
  const digest = createHash("sha256")
  const reading = startReading()
  let rest = Buffer.alloc(0)
  for await (const chunk of chunks) {
    digest.update(chunk)
    const bytes = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk])
    let from = 0
    for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, from)) {
      reading.line(bytes.toString("utf8", from, end))
      from = end + 1
    }
    rest = bytes.subarray(from)
    if (rest.length > LINE_BYTES_MAX) {
      reading.fail("a line is longer than any entry")
      rest = Buffer.alloc(0)
    }
  }
  if (rest.length > 0) reading.fail("the last line has no end")
  const { problem, rows, header } = reading.end()
  return { problem: signatureProblem(digest.digest(), signature, publicKeys) ?? problem, rows, header }
}

const LF = 0x0a

/** The first problem stays; what follows it is only counted into the signature. */
const startReading = () => {
  let header: ExportHeader | null = null
  let walk: Walk | null = null
  let [rows, number] = [0, 0]
  let problem: string | null = null
  const entryAt = (text: string): string | null => {
    const entry = readEntry(text)
    if (entry === null) return `line ${number} is not an entry of an audit export`
    if (walk?.next(entry) === false) return `line ${number}: ${walk.end().problem}`
    rows += 1
    return null
  }
  return {
    line: (text: string): void => {
      number += 1
      if (problem !== null) return
      if (number > 1) {
        problem = entryAt(text)
        return
      }
      header = readHeader(text)
      if (header === null) problem = "line 1 is not the header of an audit export"
      else walk = walkOf(header)
    },
    fail: (why: string): void => {
      problem ??= why
    },
    end: (): Checked => ({ problem: problem ?? tooFew(header, rows), rows, header }),
  }
}

const signatureProblem = (
  sha256: Buffer,
  { signature, keyId }: Signature,
  publicKeys: ReadonlyMap<string, string>,
): string | null => {
  const key = publicKeys.get(keyId)
  if (key === undefined) return `it names the key ${keyId}, which is none of the given public keys`
  return verifySignature(key, sha256, signature) ? null : `the signature of key ${keyId} does not hold for this file`
}

const tooFew = (header: ExportHeader | null, rows: number): string | null => {
  if (header === null) return "the file is empty"
  const { firstSeq, lastSeq } = header
  const promised = firstSeq === null || lastSeq === null ? 0 : lastSeq - firstSeq + 1
  return rows === promised ? null : `the header promises ${promised} entries, and there are ${rows}`
}

const walkOf = ({ tenant, firstSeq, previous }: ExportHeader): Walk =>
  startWalk(tenantId(tenant), { anchors: [], publicKeys: new Map() }, { afterSeq: (firstSeq ?? 1) - 1, hash: previous })

const readHeader = (line: string): ExportHeader | null => {
  const header = parse(line) as Partial<ExportHeader> | null
  return header?.heliograph === "audit export" && header.version === 1 && typeof header.previous === "string"
    ? (header as ExportHeader)
    : null
}

/** Null when it lacks what the walk needs; wrong values are the walk's to find. */
const readEntry = (line: string): Chained | null => {
  const entry = parse(line) as Record<string, unknown> | null
  if (typeof entry?.["previous"] !== "string" || typeof entry["hash"] !== "string") return null
  if (typeof entry["actor"] !== "object" || entry["actor"] === null) return null
  if (typeof entry["object"] !== "object" || entry["object"] === null) return null
  try {
    return {
      ...(entry as unknown as Chained),
      before: entry["before"] === null ? null : sortedJson(entry["before"]),
      after: entry["after"] === null ? null : sortedJson(entry["after"]),
    }
  } catch {
    return null
  }
}

const parse = (line: string): object | null => {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === "object" ? value : null
  } catch {
    return null
  }
}
