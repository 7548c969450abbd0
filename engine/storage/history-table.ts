/** The SQL of the history: sealed chunks in, chunks of one device and range out, and the mark that recovery starts from. */
import * as Effect from "effect/Effect"
import type { TenantId } from "#protocol/id.ts"
import type { Source } from "#protocol/view.ts"
import type { DbError, DbShape } from "#engine/storage/db.ts"
import { CHUNK_SPAN_MAX_MS, insertRollups, type RollupRow } from "#engine/storage/rollup-table.ts"

export { CHUNK_SPAN_MAX_MS }

export interface ChunkRow {
  readonly device: string
  readonly source: Source
  readonly t0: number
  readonly t1: number
  readonly seq0: number
  readonly seq1: number
  readonly polls: number
  readonly data: Buffer
}

/** Chunks in memory at once while a series is read. */
const READ_PAGE = 200
const PRUNE_BATCH = 1_000

/** Where recovery starts, stored with what makes it true. */
export interface Mark {
  /** Every poll before this input is in a chunk. */
  readonly neededSeq: number
  /** Newest poll. */
  readonly newestMs: number
}

/** Stores chunks, the rollups that they make due and the mark in one transaction. Storing them again changes nothing. */
export const insertChunks = (
  db: DbShape,
  tenant: TenantId,
  chunks: readonly ChunkRow[],
  rollups: readonly RollupRow[],
  mark: Mark,
): Effect.Effect<void, DbError> =>
  db.ingest(tenant)(async (tx) => {
    const starts: number[] = []
    let end = 1
    for (const { data } of chunks) {
      starts.push(end)
      end += data.length
    }
    if (chunks.length > 0)
      await tx.query(
        `insert into chunk (tenant_id, device_id, source, t0, t1, seq0, seq1, polls, data)
       select $1, r.device, r.source, r.t0, r.t1, r.seq0, r.seq1, r.polls, substring($2::bytea from r.start for r.length)
       from unnest($3::uuid[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::int[], $10::int[], $11::int[])
         as r(device, source, t0, t1, seq0, seq1, polls, start, length)
       on conflict do nothing`,
        [
          tenant,
          Buffer.concat(chunks.map((it) => it.data)),
          chunks.map((it) => it.device),
          chunks.map((it) => it.source),
          chunks.map((it) => it.t0),
          chunks.map((it) => it.t1),
          chunks.map((it) => it.seq0),
          chunks.map((it) => it.seq1),
          chunks.map((it) => it.polls),
          starts,
          chunks.map((it) => it.data.length),
        ],
      )
    await insertRollups(tx, tenant, rollups)
    await tx.query(
      `insert into history_mark as old (tenant_id, needed_seq, newest_ms) values ($1, $2, $3)
       on conflict (tenant_id) do update
         set needed_seq = excluded.needed_seq, newest_ms = greatest(old.newest_ms, excluded.newest_ms)`,
      [tenant, mark.neededSeq, Math.trunc(mark.newestMs)],
    )
  })

export interface SealedUntil {
  readonly device: string
  readonly source: string
  /** Journal position of its newest poll in a chunk. */
  readonly seq: number
}

/** The mark (1 when nothing was ever sealed) and, for what was sealed beyond it, how far. */
export const readMark = (
  db: DbShape,
  tenant: TenantId,
): Effect.Effect<Mark & { readonly sealed: readonly SealedUntil[] }, DbError> =>
  db.tenant(tenant)(async (tx) => {
    const mark = await tx.query<Mark>(
      `select needed_seq::float8 as "neededSeq", newest_ms::float8 as "newestMs" from history_mark where tenant_id = $1`,
      [tenant],
    )
    const { neededSeq, newestMs } = mark.rows[0] ?? { neededSeq: 1, newestMs: 0 }
    const { rows } = await tx.query<SealedUntil>(
      `select device_id as device, source, max(seq1)::float8 as seq from chunk
       where tenant_id = $1 and seq1 >= $2 group by device_id, source`,
      [tenant, neededSeq],
    )
    return { neededSeq, newestMs, sealed: rows }
  })

export type StoredChunk = Pick<ChunkRow, "source" | "seq0" | "data">

export interface ChunkRange {
  readonly device: string
  readonly fromMs: number
  readonly toMs: number
  /** Null = of all. */
  readonly source: Source | null
}

/**
 * Chunks that may hold samples of the range, in pages, oldest first; null = the tenant has no such device.
 * `take` must not keep the bytes: a month of a busy device is many megabytes.
 */
export const readChunks = (
  db: DbShape,
  tenant: TenantId,
  range: ChunkRange,
  take: (chunk: StoredChunk) => void,
): Effect.Effect<"read" | null, DbError> =>
  db.tenant(tenant)(async (tx) => {
    const { device, fromMs, toMs, source } = range
    const known = await tx.query("select 1 from device where tenant_id = $1 and device_id::text = $2", [tenant, device])
    if (known.rowCount === 0) return null
    for (let after: readonly [number, string, number] = [-1, "", 0]; ;) {
      const { rows } = await tx.query<StoredChunk & { t0: number }>(
        `select t0::float8 as t0, source, seq0::float8 as seq0, data from chunk
         where tenant_id = $1 and device_id = $2 and t0 between $3 and $4 and t1 >= $5 and (t0, source, seq0) > ($6, $7, $8)
           and ($9::text is null or source = $9)
         order by t0, source, seq0 limit ${READ_PAGE}`,
        [
          tenant,
          device,
          Math.max(0, Math.trunc(fromMs) - CHUNK_SPAN_MAX_MS),
          Math.trunc(toMs),
          Math.trunc(fromMs),
          ...after,
          source,
        ],
      )
      for (const row of rows) take(row)
      const last = rows.at(-1)
      if (last === undefined || rows.length < READ_PAGE) return "read"
      after = [last.t0, last.source, last.seq0]
    }
  })

/** Retention: deletes chunks whose last poll is older, in small transactions; returns how many. */
export const pruneChunks = (db: DbShape, tenant: TenantId, beforeMs: number): Effect.Effect<number, DbError> =>
  Effect.gen(function* () {
    for (let total = 0; ;) {
      const deleted = yield* db.ingest(tenant)(async (tx) => {
        const { rowCount } = await tx.query(
          // By key: a ctid is unique within one partition only.
          `delete from chunk where tenant_id = $1 and (device_id, t0, source, seq0) in
             (select device_id, t0, source, seq0 from chunk where tenant_id = $1 and t0 < $2 and t1 < $2 limit ${PRUNE_BATCH})`,
          [tenant, Math.trunc(beforeMs)],
        )
        return rowCount
      })
      total += deleted
      if (deleted < PRUNE_BATCH) return total
    }
  })
