/**
 * Sessions of the browser: an opaque random token in the cookie, its SHA-256 here. Reading the table gives nobody a
 * session. Deleting the row ends it at once. A cookie names no tenant, so it is looked up as the engine role.
 */
import { createHash, randomBytes } from "node:crypto"
import type * as Effect from "effect/Effect"
import { tenantId } from "#protocol/id.ts"
import type { DbError, DbShape } from "#engine/storage/db.ts"
import type { User } from "#engine/storage/users.ts"
import type { UserRole } from "#protocol/permission.ts"

export interface Session {
  /** Names the session without being of use to a thief: half of the token's hash. */
  readonly id: string
  readonly user: User
  readonly expiresAtMs: number
}

/** 32 random bytes, base64url: 43 characters. */
const TOKEN = /^[A-Za-z0-9_-]{43}$/

/** The token is given out this once. Expired sessions of the tenant are swept on the way. */
export const createSession = (
  db: DbShape,
  user: User,
  nowMs: number,
  expiresAtMs: number,
): Effect.Effect<{ readonly token: string; readonly session: Session }, DbError> =>
  db.tenant(user.tenant)(async (tx) => {
    const token = randomBytes(32).toString("base64url")
    await tx.query("delete from session where tenant_id = $1 and expires_ms <= $2", [user.tenant, nowMs])
    await tx.query(
      "insert into session (tenant_id, token_sha256, user_id, created_ms, expires_ms) values ($1, $2, $3, $4, $5)",
      [user.tenant, hashOf(token), user.id, nowMs, expiresAtMs],
    )
    return { token, session: { id: idOf(token), user, expiresAtMs } }
  })

/** Null = no such session, expired, or the user is disabled. */
export const findSession = (db: DbShape, token: string, nowMs: number): Effect.Effect<Session | null, DbError> =>
  db.engine(async (tx) => {
    if (!TOKEN.test(token)) return null
    const { rows } = await tx.query<SessionRow>(
      `select s.expires_ms::float8 as expires_ms, u.user_id, u.tenant_id, u.name, u.role
       from session s join app_user u using (tenant_id, user_id)
       where s.token_sha256 = $1 and s.expires_ms > $2 and not u.disabled`,
      [hashOf(token), nowMs],
    )
    const row = rows[0]
    if (row === undefined) return null
    const user = { id: row.user_id, tenant: tenantId(row.tenant_id), name: row.name, role: row.role as UserRole }
    return { id: idOf(token), user, expiresAtMs: row.expires_ms }
  })

/** Signing out; nothing happens when there is no such session. */
export const deleteSession = (db: DbShape, token: string): Effect.Effect<void, DbError> =>
  db.engine(async (tx) => {
    if (TOKEN.test(token)) await tx.query("delete from session where token_sha256 = $1", [hashOf(token)])
  })

interface SessionRow {
  readonly expires_ms: number
  readonly user_id: string
  readonly tenant_id: string
  readonly name: string
  readonly role: string
}

const hashOf = (token: string): Buffer => createHash("sha256").update(token).digest()
const idOf = (token: string): string => hashOf(token).toString("hex", 0, 16)
