/** The API's port on people and sessions, and the resolver behind the one door, over storage. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Resolve } from "#engine/access/doors.ts"
import type { Principal } from "#engine/access/principal.ts"
import { Unavailable, type Accounts } from "#engine/api/ports.ts"
import type { DbError, DbShape } from "#engine/storage/db.ts"
import type { PasswordBusy } from "#engine/storage/password.ts"
import { createSession, deleteSession, findSession, type Session as StoredSession } from "#engine/storage/sessions.ts"
import { verifyLogin, type User as StoredUser } from "#engine/storage/users.ts"
import { permissionsOf } from "#protocol/permission.ts"

export const storedAccounts = (db: DbShape): Accounts => {
  return {
    verifyPassword: (name, password) =>
      verifyLogin(db, { name, password: Redacted.value(password), slug: null }).pipe(Effect.mapError(unavailable)),
    createSession: (user, expiresAtMs) =>
      createSession(db, user as StoredUser, Date.now(), expiresAtMs).pipe(Effect.mapError(unavailable)),
    deleteSession: (token) => deleteSession(db, token).pipe(Effect.mapError(unavailable)),
  }
}

/** Whose session cookie this is. */
export const storedResolve =
  (db: DbShape): Resolve =>
  (presented) =>
    presented.kind === "cookie"
      ? findSession(db, presented.token, Date.now()).pipe(
          Effect.map((session) => (session === null ? null : principalOf(session))),
          Effect.mapError(unavailable),
        )
      : Effect.succeed(null)

const principalOf = ({ id, user, expiresAtMs }: StoredSession): Principal => ({
  userId: user.id,
  userName: user.name,
  tenant: user.tenant,
  roles: [user.role],
  permissions: new Set(permissionsOf([user.role])),
  sites: null,
  credential: { kind: "session", id, expiresAtMs },
  secondFactor: "ok",
  grant: null,
})

const unavailable = (error: DbError | PasswordBusy): Unavailable =>
  new Unavailable({ detail: error instanceof Error ? error.message : "the database did not answer" })
