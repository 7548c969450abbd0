/**
 * Journal and snapshots of one tenant in memory, through the same bytes that a database would keep. For tests,
 * simulations and benchmarks; `clone` is what a kill -9 leaves behind.
 */
import { decodeBatch, encodeBatch } from "#engine/tenant/journal-codec.ts"
import type { JournalPort, SnapshotPort, StoredSnapshot } from "#engine/tenant/ports.ts"

export interface MemoryPorts {
  readonly journal: JournalPort
  readonly snapshots: SnapshotPort
  readonly clone: () => MemoryPorts
  /** Stored batches, for tests that damage or count them. */
  readonly batches: Array<{ readonly first: number; readonly last: number; readonly bytes: Uint8Array }>
}

export const makeMemoryPorts = (
  batches: MemoryPorts["batches"] = [],
  saved: StoredSnapshot | null = null,
): MemoryPorts => {
  let snapshot = saved
  return {
    batches,
    clone: () => makeMemoryPorts(batches.slice(), snapshot),
    journal: {
      append: async (batch) => {
        // Durable a moment later, as with any disk: a kill in between loses it.
        const bytes = encodeBatch(batch)
        await new Promise((resolve) => void setImmediate(resolve))
        const first = batch[0]?.seq ?? 0
        const last = batches.at(-1)?.last ?? 0
        if (last !== 0 && first !== last + 1) throw new RangeError(`journal gap: ${first} after ${last}`)
        batches.push({ first, last: batch.at(-1)?.seq ?? 0, bytes })
      },
      readFrom: async function* (seq) {
        for (const stored of batches.slice())
          if (stored.last >= seq) yield decodeBatch(stored.bytes).filter((entry) => entry.seq >= seq)
      },
      lastSeq: async () => batches.at(-1)?.last ?? 0,
    },
    snapshots: {
      load: async () => snapshot,
      save: async (seq, atMs, blob) => {
        snapshot = { seq, atMs, blob }
      },
    },
  }
}
