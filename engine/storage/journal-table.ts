/** The SQL of the journal: fenced, idempotent inserts, ordered reads, and retention from the front only. */
import * as Effect from "effect/Effect"
import type { TenantId } from "#protocol/id.ts"
import { DbError, type DbShape } from "#engine/storage/db.ts"
import type { JournalRow } from "#engine/storage/journal-row.ts"
import { Fenced } from "#engine/storage/lease.ts"

/** Rows deleted per transaction. */
const PRUNE_BATCH = 500
/** Bytes of packed rows that one page of a read holds. */
const PAGE_BYTES = 4 << 20
const PAGE_ROWS = 512

const INSERT = `
  with lease as (select epoch from tenant_lease where tenant_id = $1 for share),
  written as (
    insert into journal (tenant_id, seq, count, epoch, at_ms, data)
    select $1, r.seq, r.count, $2::bigint, r.at_ms, substring($3::bytea from r.start for r.length)
    from lease, unnest($4::bigint[], $5::int[], $6::bigint[], $7::int[], $8::int[]) as r(seq, count, at_ms, start, length)
    where lease.epoch = $2
    on conflict do nothing
    returning 1
  )
  select (select epoch from lease)::float8 as epoch, (select count(*) from written)::int as written`

/**
 * Writes rows of one epoch in one commit. Sending rows that are there already is not an error (a retry whose first attempt
 * had succeeded); other rows in their place are: two writers had the same epoch, which must not be.
 */
export const insertRows = (
  db: DbShape,
  tenant: TenantId,
  epoch: number,
  rows: readonly JournalRow[],
): Effect.Effect<void, Fenced | DbError> =>
  db.ingest(tenant)<void, Fenced>(async (tx) => {
    const starts: number[] = []
    let end = 1
    for (const row of rows) {
      starts.push(end)
      end += row.data.length
    }
    const result = await tx.query<{ epoch: number | null; written: number }>(INSERT, [
      tenant,
      epoch,
      // One parameter for all rows: an array of bytea would travel as hexadecimal text.
      Buffer.concat(rows.map((row) => row.data)),
      rows.map((row) => row.seq),
      rows.map((row) => row.count),
      rows.map((row) => row.atMs),
      starts,
      rows.map((row) => row.data.length),
    ])
    const answer = result.rows[0]
    if (answer?.epoch !== epoch) throw new Fenced({ ours: epoch, theirs: answer?.epoch ?? null })
    if (answer.written === rows.length) return
    const { rows: stored } = await tx.query<{ seq: number; count: number; epoch: number }>(
      "select seq::float8 as seq, count, epoch::float8 as epoch from journal where tenant_id = $1 and seq = any($2::bigint[])",
      [tenant, rows.map((row) => row.seq)],
    )
    const bySeq = new Map(stored.map((row) => [row.seq, row]))
    for (const row of rows) {
      const it = bySeq.get(row.seq)
      if (it?.count !== row.count || it.epoch !== epoch) throw new Fenced({ ours: epoch, theirs: it?.epoch ?? null })
    }
  })

/**
 * The same for rows out of a spool, of which any may be there since long: under another key once the compactor made many
 * rows one, or deleted by retention. What ends at or before the journal's end was written by us, in order.
 */
export const insertMissing: typeof insertRows = (db, tenant, epoch, rows) =>
  Effect.flatMap(lastSeq(db, tenant), (last) => {
    const missing = rows.filter((row) => row.seq + row.count - 1 > last)
    return missing.length === 0 ? Effect.void : insertRows(db, tenant, epoch, missing)
  })

/** Of the newest input in the table; 0 = none. */
export const lastSeq = (db: DbShape, tenant: TenantId): Effect.Effect<number, DbError> =>
  db.ingest(tenant)(async (tx) => {
    const { rows } = await tx.query<{ last: number }>(
      "select (seq + count - 1)::float8 as last from journal where tenant_id = $1 order by seq desc limit 1",
      [tenant],
    )
    return rows[0]?.last ?? 0
  })

/** First seq of the first row at the journal's end that reaches to `sinceMs` or later; one past the last when none does. */
export const seqSince = (db: DbShape, tenant: TenantId, sinceMs: number): Effect.Effect<number, DbError> =>
  db.tenant(tenant)(async (tx) => {
    // Backwards from the end: what is asked for is recent, and the journal is long.
    const { rows } = await tx.query<{ next: number }>(
      "select (seq + count)::float8 as next from journal where tenant_id = $1 and at_ms < $2 order by seq desc limit 1",
      [tenant, Math.trunc(sinceMs)],
    )
    return rows[0]?.next ?? 1
  })

export interface PackedRow {
  readonly seq: number
  readonly count: number
  readonly data: Buffer
}

/** The rows that hold `from` and what follows, a few megabytes at most; [] = there is nothing. */
export const readPage = (db: DbShape, tenant: TenantId, from: number): Effect.Effect<readonly PackedRow[], DbError> =>
  db.tenant(tenant)(async (tx) => {
    // One statement, so one moment: the compactor may swap many rows for one between two of them.
    const page = await tx.query<PackedRow>(
      `select seq::float8 as seq, count, data from (
         select seq, count, data, octet_length(data) as bytes, sum(octet_length(data)) over (order by seq) as total
         from (
           select seq, count, data from journal
           where tenant_id = $1
             and seq >= coalesce((select max(seq) from journal where tenant_id = $1 and seq <= $2 and seq + count > $2), $2)
           order by seq limit ${PAGE_ROWS}
         ) line
       ) summed
       where total <= ${PAGE_BYTES} or total = bytes
       order by seq`,
      [tenant, from],
    )
    return page.rows
  })

/**
 * Deletes rows from the front, as far as they are older than `beforeMs` and end before `keepFromSeq`, in small
 * transactions. Returns how many.
 */
export const pruneRows = (
  db: DbShape,
  tenant: TenantId,
  beforeMs: number,
  keepFromSeq: number,
): Effect.Effect<number, DbError> =>
  Effect.gen(function* () {
    for (let total = 0; ;) {
      const deleted = yield* db.ingest(tenant)(async (tx) => {
        const { rowCount } = await tx.query(
          `delete from journal where tenant_id = $1 and seq in (
             select seq from (
               select seq, count, at_ms from journal where tenant_id = $1 order by seq limit ${PRUNE_BATCH}
             ) front
             where seq + count <= $2
               and seq < coalesce(
                 (select seq from journal where tenant_id = $1 and at_ms >= $3 order by seq limit 1), $2))`,
          [tenant, keepFromSeq, Math.trunc(beforeMs)],
        )
        return rowCount
      })
      total += deleted
      if (deleted < PRUNE_BATCH) return total
    }
  })
