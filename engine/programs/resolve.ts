/**
 * Whose API key or access token this is, for the one door (engine/access/doors.ts). A key may do what its scope says and
 * its owner may do now; an access token, what its user may do now. Nothing is remembered here: the door remembers for a
 * second, so a revoked key or a disabled person is refused within that second even when another engine did it.
 */
import * as Effect from "effect/Effect"
import type { Resolve } from "#engine/access/doors.ts"
import type { Principal } from "#engine/access/principal.ts"
import { away } from "#engine/people/away.ts"
import { readHolder, type Holder } from "#engine/people/holder.ts"
import type { IsSuspended } from "#engine/people/resolve.ts"
import type { LastUsed } from "#engine/programs/last-used.ts"
import type { DbShape, Tx } from "#engine/storage/db.ts"
import { readTenantToken, type TenantToken } from "#engine/storage/tenant-token.ts"
import type { TenantId } from "#protocol/id.ts"

export interface BearerDeps {
  readonly db: DbShape
  readonly lastUsed: LastUsed
  readonly isSuspended: IsSuspended
  readonly nowMs: () => number
}

/** Null for a cookie: that is another resolver's. */
export const bearerResolve =
  (deps: BearerDeps): Resolve =>
  (presented) => {
    if (presented.kind !== "bearer") return Effect.succeed(null)
    const key = readTenantToken("hgk_", presented.token)
    if (key !== null) return find(deps, key, keyPrincipal)
    const access = readTenantToken("hga_", presented.token)
    return access === null ? Effect.succeed(null) : find(deps, access, tokenPrincipal)
  }

type Find = (tx: Tx, token: TenantToken, nowMs: number) => Promise<Principal | null>

const find = ({ db, lastUsed, isSuspended, nowMs }: BearerDeps, token: TenantToken, principalIn: Find) => {
  if (isSuspended(token.tenant)) return Effect.succeed(null)
  const now = nowMs()
  return db
    .tenant(token.tenant)((tx) => principalIn(tx, token, now))
    .pipe(
      Effect.tap((principal) =>
        Effect.sync(() => {
          if (principal?.credential.kind === "apiKey") lastUsed.note(token.tenant, principal.credential.id, now)
        }),
      ),
      Effect.mapError(away),
    )
}

/** A key without an end is asked for anew like any other; this only has to be later than every clock. */
const NEVER_MS = 253_402_300_799_999

const keyPrincipal: Find = async (tx, { tenant, sha256 }, nowMs) => {
  const { rows } = await tx.query<KeyRow>(
    `select key_id, owner_id, scope, expires_ms::float8 as expires_ms from api_key
     where tenant_id = $1 and key_sha256 = $2 and (expires_ms is null or expires_ms > $3)`,
    [tenant, sha256, nowMs],
  )
  const [row] = rows
  const owner = row === undefined ? null : await readHolder(tx, tenant, row.owner_id)
  if (row === undefined || owner === null) return null
  return {
    ...personOf(tenant, owner),
    permissions: new Set([...owner.permissions].filter((permission) => row.scope.includes(permission))),
    credential: { kind: "apiKey", id: row.key_id, expiresAtMs: row.expires_ms ?? NEVER_MS },
    // Only somebody with their second factor could make it; it is a credential of its own since.
    secondFactor: "ok",
  }
}
interface KeyRow {
  readonly key_id: string
  readonly owner_id: string
  readonly scope: readonly string[]
  readonly expires_ms: number | null
}

const tokenPrincipal: Find = async (tx, { tenant, sha256 }, nowMs) => {
  const { rows } = await tx.query<TokenRow>(
    `select f.family_id, f.user_id, t.expires_ms::float8 as expires_ms
     from access_token t join token_family f on f.tenant_id = t.tenant_id and f.family_id = t.family_id
     where t.tenant_id = $1 and t.token_sha256 = $2 and t.expires_ms > $3`,
    [tenant, sha256, nowMs],
  )
  const [row] = rows
  const user = row === undefined ? null : await readHolder(tx, tenant, row.user_id)
  if (row === undefined || user === null) return null
  const { enabled, required } = user.secondFactor
  return {
    ...personOf(tenant, user),
    permissions: user.permissions,
    credential: { kind: "accessToken", id: row.family_id, expiresAtMs: row.expires_ms },
    secondFactor: required && !enabled ? "enrol" : "ok",
  }
}
interface TokenRow {
  readonly family_id: string
  readonly user_id: string
  readonly expires_ms: number
}

const personOf = (tenant: TenantId, { userId, userName, roles, sites }: Holder) => ({
  userId,
  userName,
  tenant,
  roles,
  sites,
  grant: null,
})
