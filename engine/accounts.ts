/** The API's port on people and sessions, over storage. Found sessions are remembered for a moment, signed-out ones never. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { Unavailable, type Accounts, type Session } from "#engine/api/ports.ts"
import type { DbError, DbShape } from "#engine/storage/db.ts"
import type { PasswordBusy } from "#engine/storage/password.ts"
import { createSession, deleteSession, findSession } from "#engine/storage/sessions.ts"
import { verifyLogin, type User as StoredUser } from "#engine/storage/users.ts"

/**
 * A page asks dozens of things in a second with one cookie; asking PostgreSQL each time would make sign-in state the
 * busiest table. A disabled user is refused after this long at the latest (PRODUCT.md S2 allows 60 s).
 */
const REMEMBER_MS = 1_000
/** Cookies remembered at once; the oldest makes room. */
const REMEMBERED_MAX = 10_000

export const storedAccounts = (db: DbShape): Accounts => {
  const remembered = new Map<string, { readonly session: Session; readonly untilMs: number }>()
  return {
    verifyPassword: (name, password) =>
      verifyLogin(db, { name, password: Redacted.value(password), slug: null }).pipe(Effect.mapError(unavailable)),
    createSession: (user, expiresAtMs) =>
      createSession(db, user as StoredUser, Date.now(), expiresAtMs).pipe(Effect.mapError(unavailable)),
    findSession: (token) =>
      Effect.suspend(() => {
        const nowMs = Date.now()
        const known = remembered.get(token)
        if (known !== undefined && known.untilMs > nowMs && known.session.expiresAtMs > nowMs) {
          return Effect.succeed<Session | null>(known.session)
        }
        remembered.delete(token)
        return findSession(db, token, nowMs).pipe(
          Effect.tap((session) =>
            Effect.sync(() => {
              if (session === null) return
              remembered.set(token, { session, untilMs: nowMs + REMEMBER_MS })
              const oldest = remembered.keys().next()
              if (remembered.size > REMEMBERED_MAX && oldest.done !== true) remembered.delete(oldest.value)
            }),
          ),
          Effect.mapError(unavailable),
        )
      }),
    deleteSession: (token) =>
      Effect.suspend(() => {
        remembered.delete(token)
        return deleteSession(db, token).pipe(Effect.mapError(unavailable))
      }),
  }
}

const unavailable = (error: DbError | PasswordBusy): Unavailable =>
  new Unavailable({ detail: error instanceof Error ? error.message : "the database did not answer" })
