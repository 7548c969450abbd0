/**
 * API keys (PRODUCT.md S3): made by a person for a program, shown once, kept as a hash. A key's scope is part of what its
 * maker might do when it was made; what it may do at a use is its scope cut by what its owner may do then (resolve.ts).
 * Revoking deletes the row: the audit keeps that it was.
 */
import type * as Effect from "effect/Effect"
import { QuotaExceeded } from "#engine/api/problems.ts"
import { recordAct, type Actor } from "#engine/audit/act.ts"
import type { DbError, DbShape, Tx } from "#engine/storage/db.ts"
import { pgText } from "#engine/storage/pg-text.ts"
import { newTenantToken, sha256 } from "#engine/storage/tenant-token.ts"
import { uuidv7 } from "#engine/storage/uuidv7.ts"
import type { TenantId } from "#protocol/id.ts"
import { isPermission, PERMISSIONS, type Permission } from "#protocol/permission.ts"

export interface ApiKey {
  readonly id: string
  readonly name: string
  readonly prefix: string
  /** In the order of PERMISSIONS. */
  readonly scope: readonly Permission[]
  readonly owner: { readonly id: string; readonly name: string }
  readonly createdMs: number
  readonly expiresMs: number | null
  readonly lastUsedMs: number | null
}

export interface NewKey {
  readonly ownerId: string
  readonly name: string
  /** The caller of this has checked that the maker holds all of it. */
  readonly scope: readonly Permission[]
  readonly expiresMs: number | null
}

/** Before one more key; rejects with QuotaExceeded. The keys of the tenant are locked meanwhile. */
export type AdmitKey = (tx: Tx, tenant: TenantId) => Promise<void>

/** Whether this tenant may have `wanted` keys in all: null = yes (engine/quota/quotas.ts, `refusal` of max_api_keys). */
export type KeysRefusal = (tenant: TenantId, wanted: number) => { readonly limit: number } | null

/** Expired keys do not count. */
export const keysWithin =
  (refusal: KeysRefusal, nowMs: () => number): AdmitKey =>
  async (tx, tenant) => {
    const { rows } = await tx.query<{ n: number }>(
      "select count(*)::int as n from api_key where tenant_id = $1 and (expires_ms is null or expires_ms > $2)",
      [tenant, nowMs()],
    )
    const used = rows[0]?.n ?? 0
    const refused = refusal(tenant, used + 1)
    if (refused !== null)
      throw new QuotaExceeded({ quota: "max_api_keys", limit: refused.limit, used, retryAfterS: null })
  }

/** Where no quotas are kept. */
export const keysUpTo = (limit: number, nowMs: () => number): AdmitKey =>
  keysWithin((_, wanted) => (wanted > limit ? { limit } : null), nowMs)

/** The secret is given out this once. The owner must be a user of this tenant. */
export const createKey = (
  db: DbShape,
  tenant: TenantId,
  actor: Actor,
  wanted: NewKey,
  admit: AdmitKey,
  nowMs: number,
): Effect.Effect<{ readonly key: ApiKey; readonly secret: string }, QuotaExceeded | DbError> =>
  db.tenant(tenant)<{ readonly key: ApiKey; readonly secret: string }, QuotaExceeded>(async (tx) => {
    // Makers of one tenant take turns, so that two of them cannot both be the last one within the limit.
    await tx.query("select pg_advisory_xact_lock(hashtextextended('api keys ' || $1, 0))", [tenant])
    await admit(tx, tenant)
    const secret = newTenantToken("hgk_", tenant)
    const [id, name, prefix] = [uuidv7(nowMs), pgText(wanted.name, 200), prefixOf(secret)]
    const scope = PERMISSIONS.filter((permission) => wanted.scope.includes(permission))
    await tx.query(
      `insert into api_key (tenant_id, key_id, owner_id, name, prefix, key_sha256, scope, created_ms, expires_ms)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [tenant, id, wanted.ownerId, name, prefix, sha256(secret), scope, nowMs, wanted.expiresMs],
    )
    const owner = await tx.query<{ name: string }>("select name from app_user where tenant_id = $1 and user_id = $2", [
      tenant,
      wanted.ownerId,
    ])
    await recordAct(tx, tenant, actor, {
      action: "key.create",
      object: { kind: "key", id, name },
      before: null,
      after: { name, prefix, scope, ownerId: wanted.ownerId, expiresMs: wanted.expiresMs },
    })
    const key: ApiKey = {
      id,
      name,
      prefix,
      scope,
      owner: { id: wanted.ownerId, name: owner.rows[0]?.name ?? "" },
      createdMs: nowMs,
      expiresMs: wanted.expiresMs,
      lastUsedMs: null,
    }
    return { key, secret }
  })

/** Newest first (ids are uuidv7), behind the key `after`. Expired ones are listed until they are revoked. */
export const listKeys = (
  db: DbShape,
  tenant: TenantId,
  page: { readonly limit: number; readonly after: string | null },
): Effect.Effect<readonly ApiKey[], DbError> =>
  db.tenant(tenant)(async (tx) => {
    const { rows } = await tx.query<KeyRow>(
      `select ${COLUMNS} from api_key k join app_user u on u.tenant_id = k.tenant_id and u.user_id = k.owner_id
       where k.tenant_id = $1 and ($2::uuid is null or k.key_id < $2) order by k.key_id desc limit $3`,
      [tenant, page.after, page.limit],
    )
    return rows.map(keyOf)
  })

/** False = this tenant has no such key. */
export const revokeKey = (db: DbShape, tenant: TenantId, actor: Actor, id: string): Effect.Effect<boolean, DbError> =>
  db.tenant(tenant)(async (tx) => {
    const { rows } = await tx.query<KeyRow>(
      `delete from api_key k using app_user u
       where k.tenant_id = $1 and k.key_id = $2 and u.tenant_id = k.tenant_id and u.user_id = k.owner_id
       returning ${COLUMNS}`,
      [tenant, id],
    )
    if (rows[0] === undefined) return false
    const { name, prefix, scope, owner, expiresMs } = keyOf(rows[0])
    await recordAct(tx, tenant, actor, {
      action: "key.revoke",
      object: { kind: "key", id, name },
      before: { name, prefix, scope, ownerId: owner.id, expiresMs },
      after: null,
    })
    return true
  })

/** Of the random part in a key's prefix: 36 of its 256 bits, enough to tell a tenant's keys apart. */
const PREFIX_RANDOM = 6
/** The opening of a key, as it is shown in lists. */
export const prefixOf = (secret: string): string => secret.slice(0, secret.indexOf(".") + 1 + PREFIX_RANDOM)

const COLUMNS = `k.key_id, k.name, k.prefix, k.scope, k.owner_id, u.name as owner_name,
  k.created_ms::float8 as created_ms, k.expires_ms::float8 as expires_ms, k.last_used_ms::float8 as last_used_ms`

interface KeyRow {
  readonly key_id: string
  readonly name: string
  readonly prefix: string
  readonly scope: readonly string[]
  readonly owner_id: string
  readonly owner_name: string
  readonly created_ms: number
  readonly expires_ms: number | null
  readonly last_used_ms: number | null
}
const keyOf = (row: KeyRow): ApiKey => ({
  id: row.key_id,
  name: row.name,
  prefix: row.prefix,
  scope: row.scope.filter(isPermission),
  owner: { id: row.owner_id, name: row.owner_name },
  createdMs: row.created_ms,
  expiresMs: row.expires_ms,
  lastUsedMs: row.last_used_ms,
})
