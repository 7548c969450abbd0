/**
 * When each API key was last used, without a write in any request: uses are noted in memory and written together once a
 * minute, so a key costs at most one write a minute however busy it is. What was noted and not yet written is lost when
 * the process is killed; a plain stop writes it.
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { Log } from "#engine/log.ts"
import type { DbError, DbShape } from "#engine/storage/db.ts"
import type { TenantId } from "#protocol/id.ts"

export interface LastUsed {
  readonly note: (tenant: TenantId, keyId: string, atMs: number) => void
  /** Writes what was noted; on a failure it stays noted for the next time. */
  readonly flush: Effect.Effect<void, DbError>
}

const WRITE_EVERY = "60 seconds"
/** Keys noted between two writes; further ones are not noted until the next write has made room. */
const NOTED_MAX = 10_000

export const makeLastUsed = (db: DbShape): LastUsed => {
  let noted = new Map<string, { readonly tenant: TenantId; readonly keyId: string; readonly atMs: number }>()
  const note: LastUsed["note"] = (tenant, keyId, atMs) => {
    const name = `${tenant} ${keyId}`
    const before = noted.get(name)
    if (before === undefined ? noted.size < NOTED_MAX : before.atMs < atMs) noted.set(name, { tenant, keyId, atMs })
  }
  const flush = Effect.suspend(() => {
    const writing = noted
    noted = new Map()
    return Effect.forEach(
      Map.groupBy(writing.values(), ({ tenant }) => tenant),
      ([tenant, uses]) => {
        const values = [tenant, uses.map(({ keyId }) => keyId), uses.map(({ atMs }) => atMs)]
        return db
          .tenant(tenant)((tx) => tx.query(WRITE, values))
          .pipe(Effect.tapError(() => Effect.sync(() => uses.forEach((use) => note(use.tenant, use.keyId, use.atMs)))))
      },
    ).pipe(Effect.asVoid)
  })
  return { note, flush }
}

const WRITE = `
  update api_key k set last_used_ms = greatest(k.last_used_ms, n.at_ms)
  from unnest($2::uuid[], $3::bigint[]) n(key_id, at_ms) where k.tenant_id = $1 and k.key_id = n.key_id`

/** Writes every minute until the scope closes, and then once more. */
export const runLastUsed = (lastUsed: LastUsed, log: Log): Effect.Effect<void, never, Scope.Scope> => {
  const write = lastUsed.flush.pipe(
    Effect.catch((error) =>
      Effect.sync(() => log.warn("when API keys were last used could not be written yet", { cause: error.message })),
    ),
  )
  return Effect.gen(function* () {
    yield* Effect.addFinalizer(() => write)
    yield* Effect.forkScoped(Effect.repeat(Effect.delay(write, WRITE_EVERY), Schedule.forever))
  })
}
