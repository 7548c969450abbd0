/**
 * The tenant's snapshots: the newest and the one before it (should the newest be unreadable, the journal is kept back to
 * the older one), and checkpoints that a replay can start from: of the last hour as many as fit into so many bytes, then one
 * in ten minutes, of before the last six hours one an hour. Beside each, the hash of the live twin at that input, which is
 * kept when the snapshot itself goes. A writer that was fenced off writes nothing.
 */
import * as Effect from "effect/Effect"
import type { TenantId } from "#protocol/id.ts"
import type { DbError, DbShape } from "#engine/storage/db.ts"
import { Fenced, type Lease } from "#engine/storage/lease.ts"
import { checkpointEveryMs, FINE_CHECKPOINT_MS } from "#engine/tenant/checkpoint-pace.ts"
import type { SnapshotPort, StoredSnapshot } from "#engine/tenant/ports.ts"
import { twinBuild } from "#engine/tenant/twin-build.ts"

const KEEP = 2
/** Checkpoints of the last hour lie as near as they may (checkpoint-pace.ts); then the first of each FINE_CHECKPOINT_MS stays. */
const SMALL_THINNED_AFTER_MS = 3_600_000
/** Of older ones, the first of each hour stays: what is looked at later may take a little longer. */
export const CHECKPOINT_EVERY_MS = 3_600_000
const THINNED_AFTER_MS = 6 * CHECKPOINT_EVERY_MS

export interface SnapshotStore extends SnapshotPort {
  /** Of the oldest snapshot that is kept: the journal up to here may go. 0 = there is none. */
  readonly coveredSeq: () => Promise<number>
  /** Of the older of the two that a start may use; 0 = there is none. */
  readonly restartSeq: () => Promise<number>
  /** Retention: drops checkpoints that no replay of `beforeMs` or later starts from, and the marks before them. */
  readonly forgetBefore: (beforeMs: number) => Promise<void>
}

/** `smallBytes`, `build`: tests have smaller and other ones. */
export const openSnapshots = (
  db: DbShape,
  tenant: TenantId,
  lease: Lease,
  smallBytes?: number,
  build: string = twinBuild(),
): SnapshotStore => ({
  load: () => Effect.runPromise(db.tenant(tenant)((tx) => tx.query<SnapshotRow>(LOAD, [tenant]))).then(newest),
  save: (seq, atMs, blob, stateHash) =>
    Effect.runPromise(
      db.ingest(tenant)<void, Fenced>(async (tx) => {
        const { rows } = await tx.query<{ epoch: number | null; journal: number }>(SAVE, [
          tenant,
          seq,
          lease.epoch,
          atMs,
          blob,
          stateHash,
          slotOf(atMs, checkpointEveryMs(blob.length, smallBytes)),
          build,
        ])
        if (rows[0]?.epoch !== lease.epoch) throw new Fenced({ ours: lease.epoch, theirs: rows[0]?.epoch ?? null })
        // The rest is in the spool: durable here, but not in a backup, nor for another machine's engine.
        if (rows[0].journal < seq)
          throw new Error(`the journal in the database ends at input ${rows[0].journal}: saved once it has ${seq}`)
        await tx.query(FORGET, [tenant, KEEP])
      }),
    ),
  coveredSeq: () =>
    Effect.runPromise(
      db.tenant(tenant)((tx) =>
        tx.query<{ seq: number | null }>("select min(seq)::float8 as seq from snapshot where tenant_id = $1", [tenant]),
      ),
    ).then(({ rows }) => rows[0]?.seq ?? 0),
  restartSeq: () =>
    Effect.runPromise(db.tenant(tenant)((tx) => tx.query<{ seq: number | null }>(RESTART, [tenant, KEEP]))).then(
      ({ rows }) => rows[0]?.seq ?? 0,
    ),
  forgetBefore: (beforeMs) =>
    Effect.runPromise(
      db.ingest(tenant)(async (tx) => {
        await tx.query(FORGET_CHECKPOINTS, [tenant, Math.trunc(beforeMs)])
        await tx.query(THIN, [tenant, SMALL_THINNED_AFTER_MS, FINE_CHECKPOINT_MS])
        await tx.query(THIN, [tenant, THINNED_AFTER_MS, CHECKPOINT_EVERY_MS])
        await tx.query(FORGET_MARKS, [tenant])
      }),
    ),
})

/** Of a slot, which begins here, the first snapshot is a checkpoint. */
const slotOf = (atMs: number, everyMs: number): number => Math.floor(atMs / everyMs) * everyMs

/**
 * The newest snapshot at or before a time. Null = begin with nothing: the journal still has the first input. Else the
 * oldest snapshot, which is later than was asked for.
 */
export const loadCheckpoint = (
  db: DbShape,
  tenant: TenantId,
  atMs: number,
): Effect.Effect<StoredSnapshot | null, DbError> =>
  db.tenant(tenant)(async (tx) => {
    const before = await tx.query<SnapshotRow>(CHECKPOINT_BEFORE, [tenant, Math.trunc(atMs)])
    if (before.rows.length > 0) return newest(before)
    const whole = await tx.query("select 1 from journal where tenant_id = $1 and seq = 1", [tenant])
    return whole.rowCount > 0 ? null : newest(await tx.query<SnapshotRow>(OLDEST, [tenant]))
  })

/** The snapshot of exactly this input, if it is still kept. */
export const loadSnapshotAt = (
  db: DbShape,
  tenant: TenantId,
  seq: number,
): Effect.Effect<StoredSnapshot | null, DbError> =>
  db.tenant(tenant)(async (tx) => newest(await tx.query<SnapshotRow>(EXACT, [tenant, seq])))

export interface StateMark {
  readonly seq: number
  readonly atMs: number
  readonly stateHash: string
  /** twinBuild() of who left it; "" = of before builds said so. */
  readonly build: string
}

/** What the live twin was, at inputs after `afterSeq` up to `toMs`, ascending; at most `limit`. */
export const readMarks = (
  db: DbShape,
  tenant: TenantId,
  afterSeq: number,
  toMs: number,
  limit: number,
): Effect.Effect<readonly StateMark[], DbError> =>
  db.tenant(tenant)(async (tx) => {
    const { rows } = await tx.query<{ seq: number; at_ms: number; state_hash: string; build: string }>(
      `select seq::float8 as seq, at_ms::float8 as at_ms, state_hash, build from state_mark
       where tenant_id = $1 and seq > $2 and at_ms <= $3 order by seq limit $4`,
      [tenant, afterSeq, Math.trunc(toMs), limit],
    )
    return rows.map((row) => ({ seq: row.seq, atMs: row.at_ms, stateHash: row.state_hash, build: row.build }))
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
  journal_end as (
    select coalesce((select seq + count - 1 from journal where tenant_id = $1 order by seq desc limit 1), 0) as seq
  ),
  saved as (
    insert into snapshot (tenant_id, seq, epoch, at_ms, data, state_hash, checkpoint)
    select $1, $2::bigint, $3::bigint, $4, $5, $6,
      not exists (select 1 from snapshot where tenant_id = $1 and checkpoint and at_ms >= $7)
    from lease, journal_end
    where epoch = $3 and journal_end.seq >= $2
      and not exists (select 1 from snapshot where tenant_id = $1 and seq > $2)
    on conflict do nothing
    returning seq
  ),
  marked as (
    insert into state_mark (tenant_id, seq, at_ms, state_hash, build)
    select $1, saved.seq, $4, $6, $8 from saved
    on conflict do nothing
  )
  select epoch::float8 as epoch, journal_end.seq::float8 as journal from lease, journal_end`
const FORGET = `
  delete from snapshot where tenant_id = $1 and not checkpoint
    and seq < (select min(seq) from (select seq from snapshot where tenant_id = $1 order by seq desc limit $2) newest)`

const COLUMNS = "seq::float8 as seq, at_ms::float8 as at_ms, data"
const RESTART = `
  select min(seq)::float8 as seq from (select seq from snapshot where tenant_id = $1 order by seq desc limit $2) newest`
const CHECKPOINT_BEFORE = `
  select ${COLUMNS} from snapshot where tenant_id = $1 and at_ms <= $2 order by seq desc limit 1`
const OLDEST = `select ${COLUMNS} from snapshot where tenant_id = $1 order by seq limit 1`
const EXACT = `select ${COLUMNS} from snapshot where tenant_id = $1 and seq = $2`
const FORGET_CHECKPOINTS = `
  delete from snapshot where tenant_id = $1 and checkpoint
    and seq < (select max(seq) from snapshot where tenant_id = $1 and checkpoint and at_ms <= $2)`
const THIN = `
  delete from snapshot s where s.tenant_id = $1 and s.checkpoint
    and s.at_ms < (select max(at_ms) from snapshot where tenant_id = $1) - $2::bigint
    and exists (select 1 from snapshot earlier where earlier.tenant_id = $1 and earlier.checkpoint
      and earlier.seq < s.seq and earlier.at_ms >= s.at_ms - s.at_ms % $3::bigint)`
const FORGET_MARKS = `
  delete from state_mark where tenant_id = $1 and seq < (select min(seq) from snapshot where tenant_id = $1)`
