/**
 * What a replay reads: snapshots to begin with, the journal, and the marks that it proves itself by. Read only, beside the
 * engine that writes them: a replay takes no lease and never disturbs the tenant.
 */
import * as Effect from "effect/Effect"
import type { DbError, DbShape } from "#engine/storage/db.ts"
import { readJournal } from "#engine/storage/journal.ts"
import { loadCheckpoint, loadSnapshotAt, readMarks, type StateMark } from "#engine/storage/snapshots.ts"
import * as codec from "#engine/tenant/journal-codec.ts"
import type { StoredSnapshot } from "#engine/tenant/ports.ts"
import type { TenantId } from "#protocol/id.ts"
import type { Sequenced } from "#twin/input.ts"

export interface ReplaySource {
  /** The newest snapshot at or before a time; null = begin with the first input; else the oldest that is kept. */
  readonly checkpoint: (atMs: number) => Promise<StoredSnapshot | null>
  readonly snapshotAt: (seq: number) => Promise<StoredSnapshot | null>
  /** Ascending; `limit` at most. */
  readonly marks: (afterSeq: number, toMs: number, limit: number) => Promise<readonly StateMark[]>
  /** Ascending without gaps. Rejects with JournalGap or JournalUnreadable. */
  readonly readFrom: (seq: number) => AsyncIterable<readonly Sequenced[]>
}

export const storedSource = (db: DbShape, tenant: TenantId): ReplaySource => {
  const run = <A>(effect: Effect.Effect<A, DbError>): Promise<A> => Effect.runPromise(effect)
  return {
    checkpoint: (atMs) => run(loadCheckpoint(db, tenant, atMs)),
    snapshotAt: (seq) => run(loadSnapshotAt(db, tenant, seq)),
    marks: (afterSeq, toMs, limit) => run(readMarks(db, tenant, afterSeq, toMs, limit)),
    readFrom: (seq) => readJournal({ db, tenant, codec }, seq),
  }
}
