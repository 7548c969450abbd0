/** From when on a tenant's past can be replayed: its first input as long as it is kept, else the oldest snapshot. */
import type * as Effect from "effect/Effect"
import type { DbError, DbShape } from "#engine/storage/db.ts"
import type { TenantId } from "#protocol/id.ts"

/** Unix ms; null = there is nothing to replay yet. */
export const oldestMoment = (db: DbShape, tenant: TenantId): Effect.Effect<number | null, DbError> =>
  db.tenant(tenant)(async (tx) => {
    const { rows } = await tx.query<{ oldest: number | null }>(OLDEST, [tenant])
    return rows[0]?.oldest ?? null
  })

/**
 * While the journal has its very first input, a replay begins with nothing, also before the first snapshot. `at_ms` of a
 * journal row is that of its newest input: a second late at most, and never too early.
 */
const OLDEST = `
  select coalesce(
    (select at_ms from journal where tenant_id = $1 and seq = 1),
    (select at_ms from snapshot where tenant_id = $1 order by seq limit 1)
  )::float8 as oldest`
