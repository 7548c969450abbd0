/**
 * Is the audit what was written? The chain is recomputed from its first row, page by page, in constant memory, and
 * compared with the anchors that stand outside the database: an edited, missing, inserted or moved row breaks the chain
 * at its place; a tail that was cut off, or a chain that was computed anew as a whole, contradicts an anchor.
 */
import * as Effect from "effect/Effect"
import { chainedOf, COLUMNS, GENESIS, hashOf, type Chained, type Row } from "#engine/audit/entry.ts"
import { anchorBytes, type Anchor } from "#engine/signing/anchor-file.ts"
import { verifySignature } from "#engine/signing/signer.ts"
import type { DbError, DbShape, Tx } from "#engine/storage/db.ts"
import type { TenantId } from "#protocol/id.ts"

export interface Verdict {
  /** Rows that were read and fit. */
  readonly rows: number
  readonly intact: boolean
  /** The first row that does not fit, or that is missing; null when none, or when it is no single row's fault. */
  readonly brokenAtSeq: number | null
  /** In words for the operator; null = intact. */
  readonly problem: string | null
  readonly head: { readonly seq: number; readonly hash: string } | null
  /** Anchors that were compared and fit. */
  readonly anchors: number
}

/** Anchors of this tenant, and the public keys that may have signed them. */
export interface Outside {
  readonly anchors: readonly Anchor[]
  readonly publicKeys: ReadonlyMap<string, string>
}

/** Rows of one query: a few MB at the usual size of a row. */
const PAGE_ROWS = 2_000

/** As the tenant itself. Rows that are written meanwhile are verified up to the last page that was there. */
export const verifyAudit = (
  db: DbShape,
  tenant: TenantId,
  outside: Outside,
  pageRows = PAGE_ROWS,
): Effect.Effect<Verdict, DbError> =>
  db.tenant(tenant)(async (tx) => {
    const walk = startWalk(tenant, outside)
    // The next page is on its way while this one is hashed.
    let page = readPage(tx, tenant, 0, pageRows)
    for (;;) {
      const rows = await page
      const last = rows.at(-1)
      const more = last !== undefined && rows.length === pageRows
      if (more) page = readPage(tx, tenant, last.seq, pageRows)
      const broken = rows.some((row) => !walk.next(row))
      if (broken && more) await page
      if (broken || !more) return walk.end()
    }
  })

/** Rows after `afterSeq`, ascending. */
export const readPage = async (
  tx: Tx,
  tenant: TenantId,
  afterSeq: number,
  limit: number,
  toSeq: number = Number.MAX_SAFE_INTEGER,
): Promise<readonly Chained[]> => {
  const { rows } = await tx.query<Row & Record<string, unknown>>(
    `select ${COLUMNS} from audit_entry where tenant_id = $1 and seq > $2 and seq <= $4 order by seq limit $3`,
    [tenant, afterSeq, limit, toSeq],
  )
  return rows.map(chainedOf)
}

export interface Walk {
  /** False when this row does not fit: what follows is not looked at. */
  readonly next: (row: Chained) => boolean
  readonly end: () => Verdict
}

/** Pure but for its memory of the last row: the same for rows of the database and of an export. */
export const startWalk = (
  tenant: TenantId,
  outside: Outside,
  start: { readonly afterSeq: number; readonly hash: string } = { afterSeq: 0, hash: GENESIS },
): Walk => {
  const expected = anchorsBySeq(outside.anchors)
  const forged = outside.anchors.find((anchor) => !isSigned(anchor, outside.publicKeys))
  let [seq, hash] = [start.afterSeq, start.hash]
  let broken: { readonly seq: number; readonly problem: string } | null = null
  let compared = 0
  const judge = (row: Chained): string | null => {
    if (row.seq !== seq + 1) return missing(seq + 1, row.seq - 1)
    if (row.previous !== hash) return `row ${row.seq} does not follow row ${seq}: one of them was replaced`
    if (hashOf(tenant, row.previous, row) !== row.hash) return `row ${row.seq} was changed after it was written`
    for (const anchor of expected.get(row.seq) ?? []) {
      if (anchor.hash !== row.hash) return `row ${row.seq} is not the row that was anchored ${when(anchor)}. ${WHY}`
      compared += 1
    }
    return null
  }
  return {
    next: (row) => {
      const problem = judge(row)
      if (problem === null) {
        seq = row.seq
        hash = row.hash
        return true
      }
      broken = { seq: Math.min(row.seq, seq + 1), problem }
      return false
    },
    end: () => {
      const beyond = broken === null ? latest(outside.anchors, seq) : undefined
      if (beyond !== undefined)
        broken = {
          seq: seq + 1,
          problem: `the audit ends at row ${seq}, but row ${beyond.seq} was anchored ${when(beyond)}. ${WHY}`,
        }
      const head = seq === 0 ? null : { seq, hash }
      const problem = broken?.problem ?? (forged === undefined ? null : alteredAnchor(forged))
      return {
        rows: seq - start.afterSeq,
        intact: problem === null,
        brokenAtSeq: broken?.seq ?? null,
        problem,
        head,
        anchors: compared,
      }
    },
  }
}

const WHY =
  "Either rows were removed or rewritten since, or this database was restored from a backup that is older than the anchor"

const missing = (from: number, to: number): string =>
  to <= from ? `row ${from} is missing` : `rows ${from} to ${to} are missing`

const when = ({ atMs }: Anchor): string => `at ${new Date(atMs).toISOString()}`

const alteredAnchor = (anchor: Anchor): string =>
  `the anchor of row ${anchor.seq} (${when(anchor)}) is not signed by a key of this engine (${anchor.keyId}): ` +
  "audit-anchors.jsonl was altered, or signing.pub is not the one that belongs to it"

const anchorsBySeq = (anchors: readonly Anchor[]): ReadonlyMap<number, readonly Anchor[]> => {
  const bySeq = new Map<number, Anchor[]>()
  for (const anchor of anchors) bySeq.set(anchor.seq, [...(bySeq.get(anchor.seq) ?? []), anchor])
  return bySeq
}

/** The anchor of the highest row beyond `seq`. */
const latest = (anchors: readonly Anchor[], seq: number): Anchor | undefined =>
  anchors.reduce<Anchor | undefined>(
    (found, anchor) => (anchor.seq > seq && (found === undefined || anchor.seq > found.seq) ? anchor : found),
    undefined,
  )

const isSigned = (anchor: Anchor, publicKeys: ReadonlyMap<string, string>): boolean => {
  const key = publicKeys.get(anchor.keyId)
  return key !== undefined && verifySignature(key, anchorBytes(anchor), anchor.signature)
}
