/** The longest that any tenant keeps its rows: a partition holds rows of all of them, and is dropped when the last needs none. */
import * as Effect from "effect/Effect"
import type { DbShape } from "#engine/storage/db.ts"
import { listTenants } from "#engine/storage/tenants.ts"
import type { Standings } from "#engine/tenancy/standings.ts"
import { CHUNKS_LONGER_MS } from "#engine/upkeep.ts"

/**
 * Suspended tenants count too, and what each chose is read anew: one whose settings are not known here might keep its rows
 * for longer. Null while they cannot be read. ms
 */
export const longestKept = (db: DbShape, standings: Pick<Standings, "load" | "retentionMs">) =>
  Effect.gen(function* () {
    const longest = { samples: 0, events: 0 }
    for (const tenant of yield* listTenants(db)) {
      yield* standings.load(tenant)
      const { samples, events, journal } = standings.retentionMs(tenant.id)
      // A replay needs the chunks of its journal.
      longest.samples = Math.max(longest.samples, samples, journal + CHUNKS_LONGER_MS)
      longest.events = Math.max(longest.events, events)
    }
    return longest
  }).pipe(Effect.orElseSucceed(() => null))
