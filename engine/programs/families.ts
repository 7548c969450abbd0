/**
 * Access and refresh tokens of one sign-in of a program: a family. The refresh token changes at every use and the family
 * ends 30 days after it opened, however often it is refreshed (ASVS 10.4.8). A refresh token that comes a second time was
 * stolen from one side or the other: the whole family ends (RFC 9700 s4.14.2, ASVS 10.4.5).
 *
 * There is no grace: of two refreshes with one token, whatever their distance, the first gets new tokens and the second
 * ends the family, so a program refreshes from one place at a time. One row per family is all that is kept of its past:
 * every refresh token carries the family's own half, and whoever has that half without the present other half has an old
 * token.
 */
import type * as Effect from "effect/Effect"
import { recordAct, type Actor } from "#engine/audit/act.ts"
import type { DbError, DbShape, Tx } from "#engine/storage/db.ts"
import { newTenantToken, readTenantToken, sha256 } from "#engine/storage/tenant-token.ts"
import { uuidv7 } from "#engine/storage/uuidv7.ts"
import type { TenantId } from "#protocol/id.ts"

export const ACCESS_MS = 5 * 60_000
export const FAMILY_MS = 30 * 86_400_000
/** Of one user; the oldest makes room. */
export const FAMILIES_MAX = 50
/** Access tokens of one family that work at once: the new one, and the one that requests under way still carry. */
const ACCESS_MAX = 2

export interface Tokens {
  readonly accessToken: string
  readonly expiresInS: number
  readonly refreshToken: string
  readonly refreshExpiresInS: number
}
export interface TokenUser {
  readonly id: string
  readonly name: string
  readonly tenant: TenantId
}

/**
 * In the transaction in which this user was verified: signs a program in as them. `action` stands in the audit, as the one
 * act of that transaction.
 */
export const openFamily = async (
  tx: Tx,
  user: TokenUser,
  source: string | null,
  action: "token.create" | "session.break-glass",
  nowMs: number,
): Promise<Tokens> => {
  const refreshToken = newTenantToken("hgr_", user.tenant)
  const familyId = uuidv7(nowMs)
  const expiresMs = nowMs + FAMILY_MS
  await makeRoom(tx, user, nowMs)
  await tx.query(
    `insert into token_family (tenant_id, family_id, user_id, family_sha256, refresh_sha256, created_ms, expires_ms)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [user.tenant, familyId, user.id, familyHash(refreshToken), sha256(refreshToken), nowMs, expiresMs],
  )
  const tokens = await tokensOf(tx, user.tenant, { familyId, expiresMs, refreshToken }, nowMs)
  await recordAct(tx, user.tenant, actorOf(user, source), {
    action,
    object: { kind: "tokenFamily", id: familyId, name: user.name },
    before: null,
    after: { userId: user.id, expiresMs },
  })
  return tokens
}

const actorOf = (user: TokenUser, source: string | null): Actor => ({
  kind: "user",
  id: user.id,
  name: user.name,
  source,
})

export type Refreshed =
  | { readonly kind: "refreshed"; readonly tokens: Tokens }
  /** Unknown, expired, revoked, or its user is disabled. */
  | { readonly kind: "refused" }
  /** The family is ended; `familyId` is what its streams are closed by. */
  | { readonly kind: "reused"; readonly familyId: string; readonly user: TokenUser }

export const refreshFamily = (
  db: DbShape,
  refreshToken: string,
  source: string | null,
  nowMs: number,
): Effect.Effect<Refreshed, DbError> | null => {
  const known = readTenantToken("hgr_", refreshToken)
  if (known === null) return null
  const { tenant } = known
  return db.tenant(tenant)(async (tx): Promise<Refreshed> => {
    // The row's lock makes two refreshes take turns: the second reads what the first has written.
    const family = await lockFamily(tx, tenant, familyHash(refreshToken))
    if (family === null) return { kind: "refused" }
    const { familyId, user } = family
    if (!family.refreshSha256.equals(known.sha256)) {
      await endFamily(tx, tenant, familyId)
      await recordAct(
        tx,
        tenant,
        { kind: "system", id: "", name: "refresh token reuse", source },
        {
          action: "token.reuse",
          object: { kind: "tokenFamily", id: familyId, name: user.name },
          before: { userId: user.id, expiresMs: family.expiresMs },
          after: null,
        },
      )
      return { kind: "reused", familyId, user }
    }
    if (family.disabled || family.expiresMs <= nowMs) return { kind: "refused" }
    const next = successorOf(refreshToken, tenant)
    await tx.query("update token_family set refresh_sha256 = $3 where tenant_id = $1 and family_id = $2", [
      tenant,
      familyId,
      sha256(next),
    ])
    const { expiresMs } = family
    const tokens = await tokensOf(tx, tenant, { familyId, expiresMs, refreshToken: next }, nowMs)
    await recordAct(tx, tenant, actorOf(user, source), {
      action: "token.refresh",
      object: { kind: "tokenFamily", id: familyId, name: user.name },
      before: null,
      after: { userId: user.id, expiresMs },
    })
    return { kind: "refreshed", tokens }
  })
}

/**
 * Ends the family of a refresh token, be it the present one or an old one (RFC 7009). Null = there is none, which is no
 * mistake of the program.
 */
export const revokeFamily = (
  db: DbShape,
  refreshToken: string,
  source: string | null,
): Effect.Effect<{ readonly familyId: string; readonly user: TokenUser } | null, DbError> | null => {
  const known = readTenantToken("hgr_", refreshToken)
  if (known === null) return null
  const { tenant } = known
  return db.tenant(tenant)(async (tx) => {
    const family = await lockFamily(tx, tenant, familyHash(refreshToken))
    if (family === null) return null
    const { familyId, user } = family
    await endFamily(tx, tenant, familyId)
    await recordAct(tx, tenant, actorOf(user, source), {
      action: "token.revoke",
      object: { kind: "tokenFamily", id: familyId, name: user.name },
      before: { userId: user.id, expiresMs: family.expiresMs },
      after: null,
    })
    return { familyId, user }
  })
}

/** Within another act (signing a user out, a new password, offboarding): ends all families of this user. */
export const endFamiliesOf = async (tx: Tx, tenant: TenantId, userId: string): Promise<void> => {
  await tx.query("delete from token_family where tenant_id = $1 and user_id = $2", [tenant, userId])
}

/** The family goes with its tokens (on delete cascade). */
const endFamily = (tx: Tx, tenant: TenantId, familyId: string) =>
  tx.query("delete from token_family where tenant_id = $1 and family_id = $2", [tenant, familyId])

const makeRoom = (tx: Tx, user: TokenUser, nowMs: number) =>
  tx.query(
    `delete from token_family where tenant_id = $1 and user_id = $2 and (expires_ms <= $3 or family_id in (
       select family_id from token_family where tenant_id = $1 and user_id = $2
       order by created_ms desc, family_id desc offset $4))`,
    [user.tenant, user.id, nowMs, FAMILIES_MAX - 1],
  )

/** The first 21 characters of the random part (126 bits) are the family's, the other 22 (130 bits) this one token's. */
const FAMILY_LENGTH = 21
const familyStart = (token: string): number => token.indexOf(".") + 1
const familyText = (token: string): string => token.slice(familyStart(token), familyStart(token) + FAMILY_LENGTH)
const familyHash = (token: string): Buffer => sha256(familyText(token))
const successorOf = (token: string, tenant: TenantId): string => {
  const fresh = newTenantToken("hgr_", tenant)
  const start = familyStart(fresh)
  return fresh.slice(0, start) + familyText(token) + fresh.slice(start + FAMILY_LENGTH)
}

interface Family {
  readonly familyId: string
  readonly user: TokenUser
  readonly disabled: boolean
  readonly refreshSha256: Buffer
  readonly expiresMs: number
}
const lockFamily = async (tx: Tx, tenant: TenantId, familySha256: Buffer): Promise<Family | null> => {
  const { rows } = await tx.query<FamilyRow>(
    `select f.family_id, f.refresh_sha256, f.expires_ms::float8 as expires_ms, u.user_id, u.name, u.disabled
     from token_family f join app_user u on u.tenant_id = f.tenant_id and u.user_id = f.user_id
     where f.tenant_id = $1 and f.family_sha256 = $2 for update of f`,
    [tenant, familySha256],
  )
  const row = rows[0]
  if (row === undefined) return null
  const { family_id: familyId, refresh_sha256: refreshSha256, expires_ms: expiresMs, disabled } = row
  return { familyId, refreshSha256, expiresMs, disabled, user: { id: row.user_id, name: row.name, tenant } }
}
interface FamilyRow {
  readonly family_id: string
  readonly refresh_sha256: Buffer
  readonly expires_ms: number
  readonly user_id: string
  readonly name: string
  readonly disabled: boolean
}

/** A new access token; those that have expired, and all but the newest before it, go. */
const tokensOf = async (
  tx: Tx,
  tenant: TenantId,
  family: { readonly familyId: string; readonly expiresMs: number; readonly refreshToken: string },
  nowMs: number,
): Promise<Tokens> => {
  const accessToken = newTenantToken("hga_", tenant)
  const accessExpiresMs = Math.min(nowMs + ACCESS_MS, family.expiresMs)
  await tx.query(
    `delete from access_token where tenant_id = $1 and family_id = $2 and (expires_ms <= $3 or token_sha256 in (
       select token_sha256 from access_token where tenant_id = $1 and family_id = $2
       order by expires_ms desc, token_sha256 offset $4))`,
    [tenant, family.familyId, nowMs, ACCESS_MAX - 1],
  )
  await tx.query("insert into access_token (tenant_id, token_sha256, family_id, expires_ms) values ($1, $2, $3, $4)", [
    tenant,
    sha256(accessToken),
    family.familyId,
    accessExpiresMs,
  ])
  return {
    accessToken,
    expiresInS: Math.floor((accessExpiresMs - nowMs) / 1000),
    refreshToken: family.refreshToken,
    refreshExpiresInS: Math.floor((family.expiresMs - nowMs) / 1000),
  }
}
