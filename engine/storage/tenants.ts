/** The tenants of this system, read and made by the engine role: no tenant may know of another. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { tenantId } from "#protocol/id.ts"
import type { DbError, DbShape } from "#engine/storage/db.ts"
import { pgText } from "#engine/storage/pg-text.ts"
import { uuidv7 } from "#engine/storage/uuidv7.ts"
import type { TenantInfo } from "#engine/tenant/live-twin.ts"

/** The slug is taken, or not of the form that a URL can carry. */
export class TenantRefused extends Data.TaggedError("TenantRefused")<{
  readonly slug: string
  readonly message: string
}> {}

export interface NewTenant {
  /** a-z, 0-9 and -, at most 63 characters, not opening with -. */
  readonly slug: string
  readonly name: string
  readonly demo: boolean
}

export const createTenant = (db: DbShape, tenant: NewTenant): Effect.Effect<TenantInfo, TenantRefused | DbError> => {
  const { slug, demo } = tenant
  const name = pgText(tenant.name, 200)
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(slug)) {
    const message = `tenant slug ${JSON.stringify(slug)}: use a-z, 0-9 and -, at most 63, not opening with -`
    return Effect.fail(new TenantRefused({ slug, message }))
  }
  return db.engine<TenantInfo, TenantRefused>(async (tx) => {
    const { rows } = await tx.query<TenantRow>(
      `insert into tenant (tenant_id, slug, name, demo, created_ms) values ($1, $2, $3, $4, $5)
       on conflict (slug) do nothing returning tenant_id, slug, name, demo`,
      [uuidv7(), slug, name, demo, Date.now()],
    )
    if (rows[0] === undefined) throw new TenantRefused({ slug, message: `a tenant ${slug} exists already` })
    return infoOf(rows[0])
  })
}

/** By slug, ascending. */
export const listTenants = (db: DbShape): Effect.Effect<readonly TenantInfo[], DbError> =>
  db.engine(async (tx) => {
    const { rows } = await tx.query<TenantRow>("select tenant_id, slug, name, demo from tenant order by slug")
    return rows.map(infoOf)
  })

/** Null = there is none. */
export const findTenant = (db: DbShape, slug: string): Effect.Effect<TenantInfo | null, DbError> =>
  db.engine(async (tx) => {
    const { rows } = await tx.query<TenantRow>("select tenant_id, slug, name, demo from tenant where slug = $1", [
      pgText(slug, 200),
    ])
    return rows[0] === undefined ? null : infoOf(rows[0])
  })

interface TenantRow {
  readonly tenant_id: string
  readonly slug: string
  readonly name: string
  readonly demo: boolean
}
const infoOf = (row: TenantRow): TenantInfo => ({
  id: tenantId(row.tenant_id),
  slug: row.slug,
  name: row.name,
  demo: row.demo,
})
