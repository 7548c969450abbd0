/**
 * A person's own sign-in matters: password, second factor, sessions. What changes how one signs in asks for the password
 * again (ASVS 7.5.1), because whoever finds a screen unlocked must not become its owner. A change of the factors gives the
 * session a new id and ends all others.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { OpenedSession, Unavailable } from "#engine/api/ports.ts"
import { Conflict, NotFound, Refused, type TooManyAttempts, WrongCredentials } from "#engine/api/problems.ts"
import { recordAct, type Json } from "#engine/audit/act.ts"
import { away } from "#engine/people/away.ts"
import { homeOf, type By } from "#engine/people/by.ts"
import { endEverything, type PeopleEnvironment } from "#engine/people/environment.ts"
import type { Checked } from "#engine/people/gate.ts"
import { beginFactor, checkFactor, confirmFactor, isRecoveryCode, removeFactor } from "#engine/people/second-factor.ts"
import type { Tx } from "#engine/storage/db.ts"
import { createSession, endSession, sessionsOf, type Session } from "#engine/storage/sessions.ts"
import { passwordFits, passwordHash, refuse, type User } from "#engine/storage/users.ts"

type Proven = WrongCredentials | TooManyAttempts | Unavailable

export interface Account {
  /** The new session of whoever asked by one. */
  readonly changePassword: (
    by: By,
    password: Redacted.Redacted,
    next: Redacted.Redacted,
  ) => Effect.Effect<OpenedSession | null, Refused | Proven>
  readonly beginTotp: (
    by: By,
    password: Redacted.Redacted,
  ) => Effect.Effect<{ readonly secret: string; readonly uri: string }, Conflict | Proven>
  readonly confirmTotp: (
    by: By,
    code: string,
  ) => Effect.Effect<
    { readonly recoveryCodes: readonly string[]; readonly session: OpenedSession | null },
    Conflict | Proven
  >
  readonly removeTotp: (by: By, password: Redacted.Redacted, code: string) => Effect.Effect<void, Conflict | Proven>
  readonly sessions: (by: By) => Effect.Effect<readonly Session[], Unavailable>
  readonly endSession: (by: By, id: string) => Effect.Effect<void, NotFound | Unavailable>
}

export const makeAccount = (environment: PeopleEnvironment): Account => {
  const { db, vault, doors, nowMs } = environment
  const forget = ({ principal }: By) => Effect.sync(() => doors.forget({ userId: principal.userId }))

  return {
    changePassword: (by, password, next) =>
      Effect.gen(function* () {
        const refused = refuse(by.principal.userName, Redacted.value(next))
        if (refused !== null) return yield* new Refused({ detail: refused })
        const hash = yield* passwordHash(Redacted.value(next)).pipe(Effect.mapError(away))
        return yield* proving(environment, by, password, null, async (tx, user) => {
          await tx.query("update app_user set password = $3 where tenant_id = $1 and user_id = $2", [
            user.tenant,
            user.id,
            hash,
          ])
          const session = await rotate(environment, tx, by, user)
          await audited(tx, by, user, "account.change-password", null)
          return { is: "right", value: session }
        })
      }).pipe(Effect.tap(() => forget(by))),

    beginTotp: (by, password) =>
      proving<{ readonly secret: string; readonly uri: string }, Conflict>(
        environment,
        by,
        password,
        null,
        async (tx, user) => {
          const begun = await beginFactor(tx, vault, user, nowMs())
          if (begun === null) throw new Conflict({ detail: "a second factor is in force: remove it first" })
          await audited(tx, by, user, "account.begin-totp", null)
          return { is: "right", value: begun }
        },
      ),

    confirmTotp: (by, code) =>
      proving<{ readonly recoveryCodes: readonly string[]; readonly session: OpenedSession | null }, Conflict>(
        environment,
        by,
        null,
        code,
        async (tx, user) => {
          const codes = await confirmFactor(tx, vault, user, code, nowMs())
          if (codes === "none") throw new Conflict({ detail: "nothing waits for a code: begin anew" })
          if (codes === "wrong") return { is: "wrong" }
          const session = await rotate(environment, tx, by, user)
          await audited(tx, by, user, "account.confirm-totp", { secondFactor: true })
          return { is: "right", value: { recoveryCodes: codes, session } }
        },
      ).pipe(Effect.tap(() => forget(by))),

    removeTotp: (by, password, code) =>
      proving<void, Conflict>(environment, by, password, code, async (tx, user) => {
        const factor = await checkFactor(tx, vault, user, code, nowMs())
        if (factor === "unset") throw new Conflict({ detail: "there is no second factor to remove" })
        if (factor !== "right") return { is: "wrong" }
        await removeFactor(tx, user)
        await audited(tx, by, user, "account.remove-totp", { secondFactor: false })
        return { is: "right", value: undefined }
      }).pipe(Effect.tap(() => forget(by))),

    sessions: ({ principal }) => {
      const home = homeOf(principal)
      return db
        .tenant(home)((tx) => sessionsOf(tx, home, principal.userId, nowMs()))
        .pipe(Effect.mapError(away))
    },

    endSession: ({ principal, actor }, id) => {
      const home = homeOf(principal)
      return db
        .tenant(home)<void, NotFound>(async (tx) => {
          if (!(await endSession(tx, home, principal.userId, id))) throw new NotFound({})
          await recordAct(tx, home, actor, {
            action: "session.remove",
            object: { kind: "session", id, name: principal.userName },
            before: null,
            after: null,
          })
        })
        .pipe(
          Effect.mapError(away),
          Effect.tap(() => Effect.sync(() => doors.forget({ credentialId: id }))),
        )
    },
  }
}

/** Runs `act` as the person, in one transaction, once their password (if asked for) was right; limited like a sign-in. */
const proving = <A, E = never>(
  environment: PeopleEnvironment,
  by: By,
  password: Redacted.Redacted | null,
  code: string | null,
  act: (tx: Tx, user: User) => Promise<Checked<A>>,
): Effect.Effect<A, E | Proven> => {
  const { db, gate } = environment
  const { userId, userName, roles } = by.principal
  const home = homeOf(by.principal)
  const source = by.actor.source ?? ""
  const user: User = { id: userId, name: userName, tenant: home, roles }
  const check = Effect.gen(function* () {
    const kept = yield* db
      .tenant(home)(async (tx) => {
        const { rows } = await tx.query<{ password: string }>(
          "select password from app_user where tenant_id = $1 and user_id = $2 and not disabled",
          [home, userId],
        )
        return rows[0]?.password ?? null
      })
      .pipe(Effect.mapError(away))
    if (kept === null) return { is: "wrong" } as const
    if (password !== null && !(yield* passwordFits(Redacted.value(password), kept).pipe(Effect.mapError(away))))
      return { is: "wrong" } as const
    const acting = db
      .tenant(home)<Checked<A>, E>(async (tx) => {
        const { rows } = await tx.query(
          "select 1 from app_user where tenant_id = $1 and user_id = $2 and not disabled and password = $3 for update",
          [home, userId, kept],
        )
        return rows.length === 0 ? { is: "wrong" } : act(tx, user)
      })
      .pipe(Effect.mapError((error) => away(error as never) as E | Unavailable))
    return yield* code === null || isRecoveryCode(code) ? acting : gate.code(`${home} ${userId}`, source, acting)
  })
  return gate.pass({ name: userName, source }, check).pipe(
    Effect.catchIf(
      (error) => (error as { readonly _tag?: string })._tag === "SecondFactorNeeded",
      () => Effect.fail(new WrongCredentials({})),
    ),
  ) as Effect.Effect<A, E | Proven>
}

/** Ends all that this person has open, and gives whoever asked by a session a new one until the old one's end. */
const rotate = async (
  environment: PeopleEnvironment,
  tx: Tx,
  { principal, actor }: By,
  user: User,
): Promise<OpenedSession | null> => {
  const open = await sessionsOf(tx, user.tenant, user.id, environment.nowMs())
  const mine =
    principal.credential.kind === "session" ? open.find(({ id }) => id === principal.credential.id) : undefined
  await endEverything(environment, tx, user.tenant, user.id)
  if (mine === undefined) return null
  const { token, id } = await createSession(tx, user.tenant, {
    userId: user.id,
    source: actor.source,
    nowMs: environment.nowMs(),
    expiresAtMs: mine.expiresAtMs,
  })
  return { token, id, expiresAtMs: mine.expiresAtMs, user: { id: user.id, name: user.name, tenant: user.tenant } }
}

const audited = (tx: Tx, by: By, user: User, action: string, after: Json | null) =>
  recordAct(tx, user.tenant, by.actor, {
    action,
    object: { kind: "user", id: user.id, name: user.name },
    before: null,
    after,
  })
