/**
 * Forgetting on purpose: the journal's front, old chunks, old events, each by its own age and in small transactions. The
 * journal goes only as far as snapshots cover it and history has sealed it, so that no age setting can lose state.
 */
import * as Effect from "effect/Effect"
import type { TenantId } from "#protocol/id.ts"
import type { DbError, DbShape } from "#engine/storage/db.ts"
import { pruneEvents } from "#engine/storage/events.ts"
import { pruneChunks } from "#engine/storage/history-table.ts"
import type { History } from "#engine/storage/history.ts"
import type { Journal } from "#engine/storage/journal.ts"
import type { SnapshotStore } from "#engine/storage/snapshots.ts"

export interface RetentionOptions {
  readonly db: DbShape
  readonly tenant: TenantId
  readonly journal: Pick<Journal, "prune">
  readonly snapshots: Pick<SnapshotStore, "coveredSeq">
  readonly history: Pick<History, "neededSeq">
  readonly nowMs: number
  /** Ages beyond which rows go. ms */
  readonly journalMs: number
  readonly historyMs: number
  readonly eventsMs: number
}

/** Rows deleted. */
export interface Pruned {
  readonly journal: number
  readonly chunks: number
  readonly events: number
}

export const prune = (options: RetentionOptions): Effect.Effect<Pruned, DbError> =>
  Effect.gen(function* () {
    const { db, tenant, nowMs } = options
    const covered = yield* ask(() => options.snapshots.coveredSeq())
    const keepFrom = Math.min(covered + 1, options.history.neededSeq() ?? Number.MAX_SAFE_INTEGER)
    const journal = yield* ask(() => options.journal.prune(nowMs - options.journalMs, keepFrom))
    const chunks = yield* pruneChunks(db, tenant, nowMs - options.historyMs)
    const events = yield* pruneEvents(db, tenant, nowMs - options.eventsMs)
    return { journal, chunks, events }
  })

/** The ports speak in promises; what they reject with is the DbError of the transaction inside. */
const ask = <A>(run: () => Promise<A>): Effect.Effect<A, DbError> =>
  Effect.tryPromise({ try: run, catch: (error) => error as DbError })
