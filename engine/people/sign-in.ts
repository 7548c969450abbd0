/**
 * Signing in by name and password, with the second factor where there is one. Whatever comes of it costs one argon2; the
 * code is taken, the session or token made and the audit written in one transaction, so that a code is never spent on
 * nothing and two sign-ins never share one.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { OpenedSession, SignInAttempt, Unavailable } from "#engine/api/ports.ts"
import type { WrongCredentials } from "#engine/api/problems.ts"
import type { Principal } from "#engine/access/principal.ts"
import { recordAct, type Actor } from "#engine/audit/act.ts"
import { admitPassword } from "#engine/oidc/break-glass.ts"
import { away } from "#engine/people/away.ts"
import { homeOf } from "#engine/people/by.ts"
import type { PeopleEnvironment } from "#engine/people/environment.ts"
import type { Attempt, Checked, GateRefusal } from "#engine/people/gate.ts"
import { readHolder } from "#engine/people/holder.ts"
import { checkFactor, isRecoveryCode } from "#engine/people/second-factor.ts"
import type { Tx } from "#engine/storage/db.ts"
import { createSession, endSession } from "#engine/storage/sessions.ts"
import { findLogin, verifyLogin, type Candidate, type User } from "#engine/storage/users.ts"
import type { TenantId } from "#protocol/id.ts"

const HOUR_MS = 3_600_000

/**
 * Runs `issue` in the transaction in which this attempt proved to be right, as that user's tenant; it makes what was asked
 * for (a session, tokens) and writes its one audit row.
 */
export const authenticate = <A>(
  environment: PeopleEnvironment,
  attempt: SignInAttempt,
  issue: (tx: Tx, user: User) => Promise<A>,
): Effect.Effect<A, GateRefusal | Unavailable> => {
  const { db, gate, isSuspended } = environment
  const check: Effect.Effect<Checked<A>, GateRefusal | Unavailable> = Effect.gen(function* () {
    const found = yield* verifyLogin(db, {
      name: attempt.name,
      password: Redacted.value(attempt.password),
      slug: attempt.tenant,
    }).pipe(Effect.mapError(away))
    if (found === null || isSuspended(found.tenant)) return { is: "wrong" } as const
    const proven = prove(environment, found, attempt, issue)
    // A recovery code cannot be guessed: it always gets its chance, also while others guess at six digits.
    const guessable = attempt.code !== null && attempt.code !== "" && !isRecoveryCode(attempt.code)
    return yield* guessable ? gate.code(`${found.tenant} ${found.id}`, attempt.source, proven) : proven
  })
  return gate.pass(attempt, check)
}

const prove = <A>(
  { db, vault, nowMs }: PeopleEnvironment,
  found: Candidate,
  attempt: SignInAttempt,
  issue: (tx: Tx, user: User) => Promise<A>,
): Effect.Effect<Checked<A>, WrongCredentials | Unavailable> =>
  db
    .tenant(found.tenant)<Checked<A>, WrongCredentials>(async (tx) => {
      // The password that was weighed is still the one in force, and the user still there.
      const { rows } = await tx.query(
        `select 1 from app_user where tenant_id = $1 and user_id = $2 and not disabled and password = $3 for update`,
        [found.tenant, found.id, found.password],
      )
      if (rows.length === 0) return { is: "wrong" }
      const factor = await checkFactor(tx, vault, found, attempt.code, nowMs())
      if (factor === "missing") return { is: "needed" }
      if (factor === "wrong") return { is: "wrong" }
      await tx.query("update app_user set last_sign_in_ms = $3 where tenant_id = $1 and user_id = $2", [
        found.tenant,
        found.id,
        nowMs(),
      ])
      return { is: "right", value: await issue(tx, found) }
    })
    .pipe(Effect.mapError(away))

export const actorAt = (user: User, source: string): Actor => ({ kind: "user", id: user.id, name: user.name, source })

/** By a right password: where people sign in by OIDC, only an administrator's way in, and called what it is. */
export const openByPassword = (environment: PeopleEnvironment, tx: Tx, user: User, source: string) =>
  admitPassword(environment.oidcName, user.roles) === "breakGlass"
    ? openSession(environment, tx, user, source, "session.break-glass")
    : openSession(environment, tx, user, source, "session.create")

/** A new session of somebody whose identity is proven, with its audit row. */
export const openSession = async (
  { nowMs, sessionHours, sessionHoursOf }: PeopleEnvironment,
  tx: Tx,
  user: User,
  source: string,
  action: "session.create" | "session.break-glass",
): Promise<OpenedSession> => {
  const now = nowMs()
  const made = await createSession(tx, user.tenant, {
    userId: user.id,
    source,
    nowMs: now,
    expiresAtMs: now + (sessionHoursOf?.(user.tenant) ?? sessionHours) * HOUR_MS,
  })
  await recordAct(tx, user.tenant, actorAt(user, source), {
    action,
    object: { kind: "session", id: made.id, name: user.name },
    before: null,
    after: { expiresAtMs: made.expiresAtMs },
  })
  return { ...made, user: { id: user.id, name: user.name, tenant: user.tenant } }
}

export const signOut = (
  { db }: PeopleEnvironment,
  principal: Principal,
  actor: Actor,
): Effect.Effect<void, Unavailable> => {
  const home = homeOf(principal)
  const { id } = principal.credential
  return db
    .tenant(home)(async (tx) => {
      // A program's credential is no session: its own routes end it.
      if (!(await endSession(tx, home, principal.userId, id))) return
      await recordAct(tx, home, actor, {
        action: "session.remove",
        object: { kind: "session", id, name: principal.userName },
        before: null,
        after: null,
      })
    })
    .pipe(Effect.mapError(away))
}

export const secondFactorOf = (
  { db }: PeopleEnvironment,
  principal: Principal,
): Effect.Effect<{ readonly enabled: boolean; readonly required: boolean }, Unavailable> => {
  const home: TenantId = homeOf(principal)
  return db
    .tenant(home)((tx) => readHolder(tx, home, principal.userId))
    .pipe(
      Effect.mapError(away),
      Effect.map((holder) => holder?.secondFactor ?? { enabled: false, required: false }),
    )
}

/** The tenant is told that somebody guesses at one of its accounts. Nothing when there is no such account. */
export const recordGuessing = (
  db: PeopleEnvironment["db"],
  attempt: Attempt & { readonly tenant?: string | null },
): Effect.Effect<void, Unavailable> =>
  Effect.gen(function* () {
    const user = yield* findLogin(db, { name: attempt.name, slug: attempt.tenant ?? null })
    if (user === null) return
    yield* db.tenant(user.tenant)((tx) =>
      recordAct(
        tx,
        user.tenant,
        { kind: "system", id: "", name: "sign-in guard", source: attempt.source },
        {
          action: "session.slow-down",
          object: { kind: "user", id: user.id, name: user.name },
          before: null,
          after: { why: "too many wrong passwords or codes" },
        },
      ),
    )
  }).pipe(Effect.mapError(away))
