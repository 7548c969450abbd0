/** The tenants of this system, read and made by the engine role: no tenant may know of another. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { tenantId, type TenantId } from "#protocol/id.ts"
import type { Tier } from "#protocol/quota.ts"
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
  /** Default `large`: an engine for one tenant limits nobody. */
  readonly tier?: Tier
}

/** A tenant as the platform sees it. */
export interface TenantRecord extends TenantInfo {
  readonly tier: Tier
  readonly suspended: boolean
  readonly createdMs: number
}

export const createTenant = (db: DbShape, tenant: NewTenant): Effect.Effect<TenantRecord, TenantRefused | DbError> => {
  const { slug, demo, tier = "large" } = tenant
  const name = pgText(tenant.name, 200)
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(slug)) {
    const message = `tenant slug ${JSON.stringify(slug)}: use a-z, 0-9 and -, at most 63, not opening with -`
    return Effect.fail(new TenantRefused({ slug, message }))
  }
  return db.engine<TenantRecord, TenantRefused>(async (tx) => {
    const { rows } = await tx.query<TenantRow>(
      `insert into tenant (tenant_id, slug, name, demo, created_ms, tier) values ($1, $2, $3, $4, $5, $6)
       on conflict (slug) do nothing returning ${COLUMNS}`,
      [uuidv7(), slug, name, demo, Date.now(), tier],
    )
    if (rows[0] === undefined) throw new TenantRefused({ slug, message: `a tenant ${slug} exists already` })
    return recordOf(rows[0])
  })
}

/** By slug, ascending. */
export const listTenants = (db: DbShape): Effect.Effect<readonly TenantRecord[], DbError> =>
  db.engine(async (tx) => {
    const { rows } = await tx.query<TenantRow>(`select ${COLUMNS} from tenant order by slug`)
    return rows.map(recordOf)
  })

/** Null = there is none. */
export const findTenant = (db: DbShape, slug: string): Effect.Effect<TenantRecord | null, DbError> =>
  db.engine(async (tx) => {
    const { rows } = await tx.query<TenantRow>(`select ${COLUMNS} from tenant where slug = $1`, [pgText(slug, 200)])
    return rows[0] === undefined ? null : recordOf(rows[0])
  })

export type TenantChange = Partial<Pick<TenantRecord, "name" | "tier" | "suspended">>

/** Null = there is none any more. */
export const changeTenant = (
  db: DbShape,
  tenant: TenantId,
  change: TenantChange,
): Effect.Effect<TenantRecord | null, DbError> =>
  db.engine(async (tx) => {
    const { rows } = await tx.query<TenantRow>(
      `update tenant set name = coalesce($2, name), tier = coalesce($3, tier), suspended = coalesce($4, suspended)
       where tenant_id = $1 returning ${COLUMNS}`,
      [
        tenant,
        change.name === undefined ? null : pgText(change.name, 200),
        change.tier ?? null,
        change.suspended ?? null,
      ],
    )
    return rows[0] === undefined ? null : recordOf(rows[0])
  })

const COLUMNS = "tenant_id, slug, name, demo, tier, suspended, created_ms::float8 as created_ms"

interface TenantRow {
  readonly tenant_id: string
  readonly slug: string
  readonly name: string
  readonly demo: boolean
  readonly tier: Tier
  readonly suspended: boolean
  readonly created_ms: number
}
const recordOf = (row: TenantRow): TenantRecord => ({
  id: tenantId(row.tenant_id),
  slug: row.slug,
  name: row.name,
  demo: row.demo,
  tier: row.tier,
  suspended: row.suspended,
  createdMs: row.created_ms,
})
