/**
 * Sessions of the browser: an opaque random token in the cookie, its SHA-256 here. Reading the table gives nobody a
 * session; deleting the row ends it at once. The token names its tenant, so everything runs as that tenant's app role.
 */
import type { Tx } from "#engine/storage/db.ts"
import { newTenantToken, sha256 } from "#engine/storage/tenant-token.ts"
import { tenantId, type TenantId } from "#protocol/id.ts"

/** One person's sessions; the oldest makes room. */
export const SESSIONS_PER_USER_MAX = 50

/** Break glass: until then the session reads this tenant instead of its own. */
export interface Grant {
  readonly id: string
  readonly tenant: TenantId
  readonly reason: string
  readonly untilMs: number
}

export interface Session {
  /** Names the session without being of use to a thief: half of the token's hash. */
  readonly id: string
  readonly userId: string
  readonly createdMs: number
  readonly expiresAtMs: number
  /** The address that signed in. */
  readonly source: string | null
  /** Also one that has ended already. */
  readonly grant: Grant | null
}

export interface NewSession {
  readonly userId: string
  readonly source: string | null
  readonly nowMs: number
  readonly expiresAtMs: number
}

/** The token is given out this once. The tenant's expired sessions are swept on the way. */
export const createSession = async (
  tx: Tx,
  tenant: TenantId,
  { userId, source, nowMs, expiresAtMs }: NewSession,
): Promise<{ readonly token: string; readonly id: string; readonly expiresAtMs: number }> => {
  const token = newTenantToken("", tenant)
  const hash = sha256(token)
  await tx.query("delete from session where tenant_id = $1 and expires_ms <= $2", [tenant, nowMs])
  await tx.query(
    `delete from session where tenant_id = $1 and token_sha256 in (
       select token_sha256 from session where tenant_id = $1 and user_id = $2 order by created_ms desc offset $3)`,
    [tenant, userId, SESSIONS_PER_USER_MAX - 1],
  )
  await tx.query(
    `insert into session (tenant_id, token_sha256, user_id, created_ms, expires_ms, source)
     values ($1, $2, $3, $4, $5, $6)`,
    [tenant, hash, userId, nowMs, expiresAtMs, source?.slice(0, 64) ?? null],
  )
  return { token, id: idOf(hash), expiresAtMs }
}

const COLUMNS = `token_sha256, user_id, created_ms::float8 as created_ms, expires_ms::float8 as expires_ms, source,
  grant_id, grant_tenant, grant_reason, grant_until_ms::float8 as grant_until_ms`

/** Null = no such session, or expired. */
export const findSession = async (
  tx: Tx,
  tenant: TenantId,
  tokenSha256: Buffer,
  nowMs: number,
): Promise<Session | null> => {
  const { rows } = await tx.query<SessionRow>(
    `select ${COLUMNS} from session where tenant_id = $1 and token_sha256 = $2 and expires_ms > $3`,
    [tenant, tokenSha256, nowMs],
  )
  return rows[0] === undefined ? null : sessionOf(rows[0])
}

/** Newest first. */
export const sessionsOf = async (
  tx: Tx,
  tenant: TenantId,
  userId: string,
  nowMs: number,
): Promise<readonly Session[]> => {
  const { rows } = await tx.query<SessionRow>(
    `select ${COLUMNS} from session where tenant_id = $1 and user_id = $2 and expires_ms > $3
     order by created_ms desc, token_sha256`,
    [tenant, userId, nowMs],
  )
  return rows.map(sessionOf)
}

/** False = this user has no such session. */
export const endSession = async (tx: Tx, tenant: TenantId, userId: string, id: string): Promise<boolean> => {
  const { rowCount } = await tx.query(`delete from session where tenant_id = $1 and user_id = $2 and ${HAS_ID}`, [
    tenant,
    userId,
    id,
  ])
  return rowCount === 1
}

export const endSessionsOf = async (tx: Tx, tenant: TenantId, userId: string): Promise<void> => {
  await tx.query("delete from session where tenant_id = $1 and user_id = $2", [tenant, userId])
}

/** Gives a session a grant, or takes it away; as the session's own tenant. False = there is no such session. */
export const setGrant = async (
  tx: Tx,
  tenant: TenantId,
  session: { readonly userId: string; readonly id: string },
  grant: Grant | null,
): Promise<boolean> => {
  const { rowCount } = await tx.query(
    `update session set grant_id = $4, grant_tenant = $5, grant_reason = $6, grant_until_ms = $7
     where tenant_id = $1 and user_id = $2 and ${HAS_ID}`,
    [
      tenant,
      session.userId,
      session.id,
      grant?.id ?? null,
      grant?.tenant ?? null,
      grant?.reason ?? null,
      grant?.untilMs ?? null,
    ],
  )
  return rowCount === 1
}

interface SessionRow {
  readonly token_sha256: Buffer
  readonly user_id: string
  readonly created_ms: number
  readonly expires_ms: number
  readonly source: string | null
  readonly grant_id: string | null
  readonly grant_tenant: string | null
  readonly grant_reason: string | null
  readonly grant_until_ms: number | null
}

const HAS_ID = "encode(substring(token_sha256 from 1 for 16), 'hex') = $3"
const idOf = (hash: Buffer): string => hash.toString("hex", 0, 16)

const sessionOf = (row: SessionRow): Session => ({
  id: idOf(row.token_sha256),
  userId: row.user_id,
  createdMs: row.created_ms,
  expiresAtMs: row.expires_ms,
  source: row.source,
  grant:
    row.grant_id === null || row.grant_tenant === null || row.grant_until_ms === null
      ? null
      : {
          id: row.grant_id,
          tenant: tenantId(row.grant_tenant),
          reason: row.grant_reason ?? "",
          untilMs: row.grant_until_ms,
        },
})
