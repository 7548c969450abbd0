/**
 * What a tenant's storage needs now and then: samples leave the journal when they are in chunks, and what is older than its
 * retention goes. The order matters: checkpoints decide how far back a replay reaches, the journal is kept back to the
 * oldest of them, and chunks for as long as the journal needs their samples.
 */
import * as Effect from "effect/Effect"
import { pruneIncidents } from "#engine/incidents/stored-incidents.ts"
import type { Log } from "#engine/log.ts"
import type { DbShape } from "#engine/storage/db.ts"
import { pruneEvents } from "#engine/storage/events.ts"
import { pruneChunks } from "#engine/storage/history-table.ts"
import type { History } from "#engine/storage/history.ts"
import { compactJournal } from "#engine/storage/journal-compactor.ts"
import type { Journal } from "#engine/storage/journal.ts"
import { deleteBefore } from "#engine/storage/partitions-keeper.ts"
import { CHECKPOINT_EVERY_MS, type SnapshotStore } from "#engine/storage/snapshots.ts"
import * as codec from "#engine/tenant/journal-codec.ts"
import type { RetentionMs } from "#engine/tenancy/standings.ts"
import type { TenantId } from "#protocol/id.ts"

/** What the runtime of the moment stores into; null while it is being rebuilt. */
export interface Stores {
  readonly history: History | null
  readonly journal: Journal | null
  readonly snapshots: SnapshotStore | null
}

export interface UpkeepOptions {
  readonly db: DbShape
  readonly tenant: TenantId
  readonly stores: () => Stores
  readonly retention: () => RetentionMs
  readonly log: Log
  /** Rows of tenants are deleted at night, in local time. */
  readonly nowMs: () => number
}

const EVERY_MS = 10 * 60_000
/** Stretches of the journal that are compacted at a time: about a hundred thousand inputs. */
const STRETCHES_MAX = 25
/** A checkpoint of before the retention serves the hour after it, and a chunk may have begun before that. */
export const CHUNKS_LONGER_MS = 2 * CHECKPOINT_EVERY_MS + 3_600_000

export const upkeepForever = (options: UpkeepOptions): Effect.Effect<never> =>
  Effect.forever(
    Effect.andThen(
      Effect.sleep(EVERY_MS),
      upkeepOnce(options).pipe(
        Effect.catch((error) =>
          Effect.sync(() => options.log.warn("storage could not be tidied; tried again later", { cause: error })),
        ),
      ),
    ),
  )

export const upkeepOnce = ({ db, tenant, stores, retention, log, nowMs: clock }: UpkeepOptions) =>
  Effect.gen(function* () {
    const nowMs = clock()
    const keep = retention()
    yield* pruneEvents(db, tenant, deleteBefore(nowMs, nowMs - keep.events))
    yield* pruneIncidents(db, tenant, nowMs - keep.events)
    const { journal, snapshots, history } = stores()
    if (journal === null || snapshots === null || history === null) return
    const attempt = <A>(work: () => Promise<A>) => Effect.tryPromise({ try: work, catch: (cause) => cause })
    yield* attempt(() => snapshots.forgetBefore(nowMs - keep.journal))
    const needed = history.neededSeq() ?? Number.MAX_SAFE_INTEGER
    // Behind both snapshots that a start may use: a start never waits for chunks.
    const restart = yield* attempt(() => snapshots.restartSeq())
    const beforeSeq = Math.min(restart + 1, needed)
    const done = yield* attempt(() => compactJournal({ db, tenant, codec, beforeSeq, stretchesMax: STRETCHES_MAX }))
    if (done.rowsBefore > 0) log.debug("the journal's samples are in the chunks alone", { ...done })
    const covered = yield* attempt(() => snapshots.coveredSeq())
    yield* attempt(() => journal.prune(nowMs - keep.journal, Math.min(covered, needed)))
    yield* pruneChunks(db, tenant, deleteBefore(nowMs, nowMs - Math.max(keep.samples, keep.journal + CHUNKS_LONGER_MS)))
  })
