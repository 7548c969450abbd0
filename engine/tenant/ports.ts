/**
 * What a tenant's runtime needs from storage, and nothing more. engine/storage implements these over PostgreSQL;
 * memory-ports.ts does so in memory. The bytes of a snapshot are opaque to storage; a journal batch is packed by
 * journal-codec.ts. Both ports belong to one tenant: nothing in them can name another.
 */
import type { Sequenced } from "#twin/input.ts"

export interface JournalPort {
  /**
   * Resolves when the batch is durable (committed, or fsynced in the local spool while the database is away).
   * Batches arrive in the order of seq, without gaps, one call at a time. A rejection is final: this engine no longer
   * owns the tenant (fenced), or nothing can be stored any more; the runtime stops itself then. What is slow or away
   * for a while must be retried inside.
   */
  readonly append: (batch: readonly Sequenced[]) => Promise<void>
  /** Everything durable with seq >= `seq`, ascending, in batches of a few thousand at most. */
  readonly readFrom: (seq: number) => AsyncIterable<readonly Sequenced[]>
  /** Of the newest durable input; 0 = none. */
  readonly lastSeq: () => Promise<number>
}

export interface StoredSnapshot {
  /** Last input that the snapshot contains. */
  readonly seq: number
  readonly atMs: number
  readonly blob: Uint8Array
}

export interface SnapshotPort {
  /** The newest one; null = none yet. */
  readonly load: () => Promise<StoredSnapshot | null>
  /**
   * Called only when the journal is durable up to `seq`. A rejection costs nothing but a longer replay. `stateHash` is
   * TwinHash.all (state-hash.ts) of what the blob holds.
   */
  readonly save: (seq: number, atMs: number, blob: Uint8Array, stateHash: string) => Promise<void>
}
