/**
 * Verifies an export without the engine, the database or the network: that the signature holds for these very bytes,
 * that no entry was altered, dropped or moved, and that the file is what its header says. For auditors.
 */
import { createHash } from "node:crypto"
import { sortedJson } from "#engine/audit/canonical.ts"
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

/** `lines` without their ends, every line of the file ended by one line feed. */
export const checkExport = async (
  lines: AsyncIterable<string> | Iterable<string>,
  signature: Signature,
  publicKeys: ReadonlyMap<string, string>,
): Promise<Checked> => {
  const digest = createHash("sha256")
  let header: ExportHeader | null = null
  let walk: Walk | null = null
  let [rows, number] = [0, 0]
  let problem: string | null = null
  for await (const line of lines) {
    number += 1
    digest.update(`${line}\n`)
    if (problem !== null) continue
    if (number === 1) {
      header = readHeader(line)
      if (header === null) problem = "line 1 is not the header of an audit export"
      else walk = walkOf(header)
      continue
    }
    const entry = readEntry(line)
    if (entry === null) problem = `line ${number} is not an entry of an audit export`
    else if (walk?.next(entry) === false) problem = `line ${number}: ${walk.end().problem}`
    else rows += 1
  }
  return {
    problem: signatureProblem(digest.digest(), signature, publicKeys) ?? problem ?? tooFew(header, rows),
    rows,
    header,
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
