/**
 * `max_storage_gb`: how many bytes a tenant's history takes, measured once an hour. Who is over it keeps less: its
 * retention of samples and events shrinks, oldest first, until the rest fits, and grows back slowly when there is room. It is
 * told like every breach; nothing that is newer is ever refused for it.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Log } from "#engine/log.ts"
import type { Quotas } from "#engine/quota/quotas.ts"
import type { DbError, DbShape } from "#engine/storage/db.ts"
import type { TenantId } from "#protocol/id.ts"

export interface StorageUse {
  /** Of the tenant's chosen retention, 0.02 to 1. */
  readonly share: (tenant: TenantId) => number
  /** Measures now; bytes. */
  readonly measure: (tenant: TenantId) => Effect.Effect<number, DbError>
}

export interface StorageUseOptions {
  readonly db: DbShape
  readonly quotas: Quotas
  readonly tenants: () => readonly TenantId[]
  readonly log: Log
  readonly everyMs?: number
}

const EVERY_MS = 3_600_000
const GB = 1e9
/** However much there is, this share of the retention stays. */
const SHARE_MIN = 0.02
/** Aims below the limit, so that the next hour does not breach it again. */
const AIM = 0.9
/** Below this share of the limit the retention grows back. */
const ROOM = 0.7
const GROWTH = 1.25

/** Measures until the scope closes. */
export const measureStorage = (options: StorageUseOptions): Effect.Effect<StorageUse, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { db, quotas, log } = options
    const shares = new Map<TenantId, number>()
    const used = new Map<TenantId, number>()
    const measure = (tenant: TenantId): Effect.Effect<number, DbError> =>
      Effect.map(bytesOf(db, tenant), (bytes) => {
        if (!used.has(tenant)) quotas.gauge(tenant, "max_storage_gb", () => (used.get(tenant) ?? 0) / GB)
        used.set(tenant, bytes)
        const limit = quotas.limit(tenant, "max_storage_gb") * GB
        shares.set(tenant, nextShare(shares.get(tenant) ?? 1, bytes, limit))
        if (bytes > limit) quotas.exceeded(tenant, "max_storage_gb")
        return bytes
      })
    const round = Effect.gen(function* () {
      for (const tenant of options.tenants())
        yield* measure(tenant).pipe(
          Effect.catch((error) =>
            Effect.sync(() => log.debug("a tenant's storage was not measured", { cause: error })),
          ),
        )
    })
    yield* Effect.forkScoped(Effect.forever(Effect.andThen(round, Effect.sleep(options.everyMs ?? EVERY_MS))))
    return { share: (tenant) => shares.get(tenant) ?? 1, measure }
  })

/** Pure: the share of the retention after this measurement. */
export const nextShare = (share: number, bytes: number, limit: number): number => {
  if (bytes > limit) return Math.max(SHARE_MIN, share * (bytes === 0 ? 1 : (limit * AIM) / bytes))
  return bytes < limit * ROOM ? Math.min(1, share * GROWTH) : share
}

/** What a row costs beside its bytes: header, key, index entries. */
const ROW_BYTES = 150

/** pg_column_size reads a stored value's size without reading the value. */
const bytesOf = (db: DbShape, tenant: TenantId): Effect.Effect<number, DbError> =>
  db.tenant(tenant)(async (tx) => {
    const { rows } = await tx.query<{ bytes: number }>(
      `select (
         (select coalesce(sum(pg_column_size(data) + ${ROW_BYTES}), 0) from chunk where tenant_id = $1)
         + (select coalesce(sum(pg_column_size(data) + coalesce(pg_column_size(sketch), 0) + ${ROW_BYTES}), 0)
            from rollup where tenant_id = $1)
         + (select coalesce(sum(pg_column_size(data) + ${ROW_BYTES}), 0) from journal where tenant_id = $1)
         + (select coalesce(sum(pg_column_size(data) + ${ROW_BYTES}), 0) from snapshot where tenant_id = $1)
         + (select coalesce(sum(pg_column_size(raw) + ${ROW_BYTES * 2}), 0) from event where tenant_id = $1)
         + (select coalesce(sum(pg_column_size(body) + pg_column_size(line) + pg_column_size(words) + ${ROW_BYTES * 3}), 0)
            from incident where tenant_id = $1)
       )::float8 as bytes`,
      [tenant],
    )
    return rows[0]?.bytes ?? 0
  })
