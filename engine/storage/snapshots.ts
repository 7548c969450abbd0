/**
 * The tenant's snapshots: the newest and the one before it (should the newest be unreadable, the journal is kept back to
 * the older one). A writer that was fenced off writes nothing.
 */
import * as Effect from "effect/Effect"
import type { TenantId } from "#protocol/id.ts"
import type { DbShape } from "#engine/storage/db.ts"
import { Fenced, type Lease } from "#engine/storage/lease.ts"
import type { SnapshotPort, StoredSnapshot } from "#engine/tenant/ports.ts"

const KEEP = 2

export interface SnapshotStore extends SnapshotPort {
  /** Of the oldest snapshot that is kept: the journal up to here may go. 0 = there is none. */
  readonly coveredSeq: () => Promise<number>
}

export const openSnapshots = (db: DbShape, tenant: TenantId, lease: Lease): SnapshotStore => ({
  load: () => Effect.runPromise(db.tenant(tenant)((tx) => tx.query<SnapshotRow>(LOAD, [tenant]))).then(newest),
  save: (seq, atMs, blob) =>
    Effect.runPromise(
      db.ingest(tenant)<void, Fenced>(async (tx) => {
        const { rows } = await tx.query<{ epoch: number | null }>(SAVE, [tenant, seq, lease.epoch, atMs, blob])
        if (rows[0]?.epoch !== lease.epoch) throw new Fenced({ ours: lease.epoch, theirs: rows[0]?.epoch ?? null })
        await tx.query(FORGET, [tenant, KEEP])
      }),
    ),
  coveredSeq: () =>
    Effect.runPromise(
      db.tenant(tenant)((tx) =>
        tx.query<{ seq: number | null }>("select min(seq)::float8 as seq from snapshot where tenant_id = $1", [tenant]),
      ),
    ).then(({ rows }) => rows[0]?.seq ?? 0),
})

interface SnapshotRow {
  readonly seq: number
  readonly at_ms: number
  readonly data: Buffer
}
const newest = ({ rows }: { readonly rows: readonly SnapshotRow[] }): StoredSnapshot | null => {
  const row = rows[0]
  return row === undefined ? null : { seq: row.seq, atMs: row.at_ms, blob: row.data }
}

const LOAD =
  "select seq::float8 as seq, at_ms::float8 as at_ms, data from snapshot where tenant_id = $1 order by seq desc limit 1"
const SAVE = `
  with lease as (select epoch from tenant_lease where tenant_id = $1 for share),
  saved as (
    insert into snapshot (tenant_id, seq, epoch, at_ms, data)
    select $1, $2::bigint, $3::bigint, $4, $5 from lease
    where epoch = $3 and not exists (select 1 from snapshot where tenant_id = $1 and seq > $2)
    on conflict do nothing
  )
  select epoch::float8 as epoch from lease`
const FORGET = `
  delete from snapshot where tenant_id = $1
    and seq < (select min(seq) from (select seq from snapshot where tenant_id = $1 order by seq desc limit $2) newest)`
