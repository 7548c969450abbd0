/**
 * A signed copy of a part of the audit: JSON lines, a header and then the entries, ascending and without a gap, each with
 * its links, so that an auditor can verify chain and signature with nothing but this file and our public key (check.ts).
 * The signature is Ed25519 over the SHA-256 of all bytes and stands beside the file, not in it.
 */
import { createHash } from "node:crypto"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { recordAct, type Actor } from "#engine/audit/act.ts"
import type { Chained } from "#engine/audit/entry.ts"
import { readPage } from "#engine/audit/verify.ts"
import type { Signature, Signer } from "#engine/signing/signer.ts"
import type { DbError, DbShape, Tx } from "#engine/storage/db.ts"
import type { TenantId } from "#protocol/id.ts"

export interface ExportRange {
  readonly fromMs: number | null
  readonly toMs: number | null
}

export interface ExportHeader extends ExportRange {
  readonly heliograph: "audit export"
  readonly version: 1
  readonly tenant: string
  readonly madeAtMs: number
  /** Null = no row lies in the range. */
  readonly firstSeq: number | null
  readonly lastSeq: number | null
  /** Hash of the row before the first one, hex. */
  readonly previous: string
  readonly keyId: string
}

export interface Exported extends Signature {
  readonly rows: number
  readonly bytes: number
  /** Hex. */
  readonly sha256: string
}

/** The copy would be larger than it may be. Nothing is recorded: no copy was given. */
export class ExportTooLarge extends Data.TaggedError("ExportTooLarge")<{
  readonly bytesMax: number
  readonly bytes: number
}> {
  override get message(): string {
    return `the export is larger than ${this.bytesMax} bytes: ask for a shorter time`
  }
}

const PAGE_ROWS = 1_000

/**
 * Writes header and entries, then records the act; all in one transaction, so that there is no copy without its row.
 * `write` gets whole lines. From the first row in the range to the last one, so that clocks that went back leave no gap.
 */
export const exportAudit = (
  db: DbShape,
  signer: Signer,
  tenant: TenantId,
  actor: Actor,
  options: ExportRange & { readonly bytesMax: number; readonly nowMs: number; readonly write: (text: string) => void },
): Effect.Effect<Exported, DbError | ExportTooLarge> =>
  db.tenant(tenant)<Exported, ExportTooLarge>(async (tx) => {
    const { fromMs, toMs, bytesMax, nowMs } = options
    const digest = createHash("sha256")
    let [bytes, rows] = [0, 0]
    const put = (line: string): void => {
      bytes += Buffer.byteLength(line)
      if (bytes > bytesMax) throw new ExportTooLarge({ bytesMax, bytes })
      digest.update(line)
      options.write(line)
    }
    const range = await seqRange(tx, tenant, options)
    const first = range === null ? [] : await readPage(tx, tenant, range.firstSeq - 1, 1)
    const previous = first[0]?.previous ?? ""
    const empty = { firstSeq: null, lastSeq: null }
    const header: ExportHeader = {
      heliograph: "audit export",
      version: 1,
      tenant,
      fromMs,
      toMs,
      madeAtMs: nowMs,
      ...(range ?? empty),
      previous,
      keyId: signer.keyId,
    }
    put(`${JSON.stringify(header)}\n`)
    let after = (range?.firstSeq ?? 1) - 1
    const lastSeq = range?.lastSeq ?? 0
    while (after < lastSeq) {
      const page = await readPage(tx, tenant, after, PAGE_ROWS, lastSeq)
      if (page.length === 0) break
      for (const row of page) put(`${lineOf(row)}\n`)
      rows += page.length
      after = page.at(-1)!.seq
    }
    const sha256 = digest.digest()
    const signature = signer.sign(sha256)
    const hex = sha256.toString("hex")
    await recordAct(tx, tenant, actor, {
      action: "audit.export",
      object: { kind: "audit", id: tenant, name: "audit" },
      before: null,
      after: { fromMs, toMs, rows, bytes, sha256: hex, keyId: signature.keyId },
    })
    return { ...signature, rows, bytes, sha256: hex }
  })

const seqRange = async (
  tx: Tx,
  tenant: TenantId,
  { fromMs, toMs }: ExportRange,
): Promise<{ readonly firstSeq: number; readonly lastSeq: number } | null> => {
  const { rows } = await tx.query<{ first: string | null; last: string | null }>(
    `select min(seq) as first, max(seq) as last from audit_entry
     where tenant_id = $1 and ($2::bigint is null or at_ms >= $2) and ($3::bigint is null or at_ms <= $3)`,
    [tenant, fromMs, toMs],
  )
  const { first, last } = rows[0]!
  return first === null || last === null ? null : { firstSeq: Number(first), lastSeq: Number(last) }
}

/** `before` and `after` stand in it as the texts that were hashed; parsed, and written by sortedJson, they are again. */
const lineOf = ({ before, after, previous, hash, ...rest }: Chained): string =>
  `${JSON.stringify(rest).slice(0, -1)},"before":${before ?? "null"},"after":${after ?? "null"},` +
  `"previous":"${previous}","hash":"${hash}"}`
