/**
 * What the API offers to programs, put together over storage: API keys, and tokens by a person's password. After every
 * revocation the door forgets at once and closes the streams (engine/access/doors.ts).
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type { Doors } from "#engine/access/doors.ts"
import type { Principal } from "#engine/access/principal.ts"
import type { SignInAttempt, Unavailable } from "#engine/api/ports.ts"
import type { QuotaExceeded } from "#engine/api/problems.ts"
import type { Actor } from "#engine/audit/act.ts"
import type { Log } from "#engine/log.ts"
import { away } from "#engine/people/away.ts"
import type { GateRefusal } from "#engine/people/gate.ts"
import { openFamily, refreshFamily, revokeFamily, type Tokens } from "#engine/programs/families.ts"
import { createKey, listKeys, revokeKey, type AdmitKey, type ApiKey } from "#engine/programs/keys.ts"
import { admitPassword } from "#engine/oidc/break-glass.ts"
import type { DbShape, Tx } from "#engine/storage/db.ts"
import type { User } from "#engine/storage/users.ts"
import type { TenantId } from "#protocol/id.ts"
import type { Permission } from "#protocol/permission.ts"

/** A key would do what its maker may not do; `missing` names the first such permission. */
export class ScopeTooWide extends Data.TaggedError("ScopeTooWide")<{ readonly missing: Permission }> {}
/** The caller cannot own a key here; `message` says why. */
export class NoKeyOwner extends Data.TaggedError("NoKeyOwner")<{ readonly message: string }> {}

export interface WantedKey {
  readonly name: string
  readonly scope: readonly Permission[]
  /** Null = until it is revoked. */
  readonly days: number | null
}

export interface Programs {
  /** Newest first; `after` is the id of the last key of the page before. */
  readonly keys: (
    tenant: TenantId,
    page: { readonly limit: number; readonly after: string | null },
  ) => Effect.Effect<readonly ApiKey[], Unavailable>
  readonly createKey: (
    principal: Principal,
    actor: Actor,
    wanted: WantedKey,
  ) => Effect.Effect<
    { readonly key: ApiKey; readonly secret: string },
    ScopeTooWide | NoKeyOwner | QuotaExceeded | Unavailable
  >
  /** False = no such key in this tenant. */
  readonly revokeKey: (tenant: TenantId, actor: Actor, id: string) => Effect.Effect<boolean, Unavailable>
  readonly signIn: (attempt: SignInAttempt) => Effect.Effect<Tokens, GateRefusal | Unavailable>
  /** Null = refused; a reused token has ended its family by then. */
  readonly refresh: (refreshToken: string, source: string | null) => Effect.Effect<Tokens | null, Unavailable>
  readonly revoke: (refreshToken: string, source: string | null) => Effect.Effect<void, Unavailable>
}

export interface ProgramsDeps {
  readonly db: DbShape
  readonly doors: Pick<Doors, "forget">
  readonly log: Log
  readonly admitKey: AdmitKey
  readonly authenticate: Authenticate
  /** How the issuer is called where people sign in by OIDC; null = they sign in by password. */
  readonly oidcName: string | null
  readonly nowMs: () => number
}

/** Runs `issue` in the transaction in which the attempt proved to be right (engine/people/sign-in.ts). */
export type Authenticate = <A>(
  attempt: SignInAttempt,
  issue: (tx: Tx, user: User) => Promise<A>,
) => Effect.Effect<A, GateRefusal | Unavailable>

const DAY_MS = 86_400_000

export const makePrograms = (deps: ProgramsDeps): Programs => ({
  keys: (tenant, page) => listKeys(deps.db, tenant, page).pipe(Effect.mapError(away)),
  createKey: (principal, actor, wanted) => makeKey(deps, principal, actor, wanted),
  revokeKey: (tenant, actor, id) =>
    UUID.test(id)
      ? revokeKey(deps.db, tenant, actor, id).pipe(
          Effect.tap((revoked) => Effect.sync(() => revoked && deps.doors.forget({ tenant, credentialId: id }))),
          Effect.mapError(away),
        )
      : Effect.succeed(false),
  signIn: (attempt) =>
    deps.authenticate(attempt, async (tx, user) => {
      const way = admitPassword(deps.oidcName, user.roles)
      const action = way === "breakGlass" ? "session.break-glass" : "token.create"
      return openFamily(tx, user, attempt.source, action, deps.nowMs())
    }),
  refresh: (refreshToken, source) => refresh(deps, refreshToken, source),
  revoke: (refreshToken, source) =>
    (revokeFamily(deps.db, refreshToken, source) ?? Effect.succeed(null)).pipe(
      Effect.map((ended) => {
        if (ended !== null) deps.doors.forget({ tenant: ended.user.tenant, credentialId: ended.familyId })
      }),
      Effect.mapError(away),
    ),
})

const makeKey = ({ db, admitKey, nowMs }: ProgramsDeps, principal: Principal, actor: Actor, wanted: WantedKey) =>
  Effect.gen(function* () {
    if (principal.grant !== null)
      return yield* new NoKeyOwner({ message: "a key needs an owner of this tenant: a grant cannot make one" })
    const missing = wanted.scope.find((permission) => !principal.permissions.has(permission))
    if (missing !== undefined) return yield* new ScopeTooWide({ missing })
    const now = nowMs()
    const expiresMs = wanted.days === null ? null : Math.floor(now + wanted.days * DAY_MS)
    const { name, scope } = wanted
    return yield* createKey(
      db,
      principal.tenant,
      actor,
      { ownerId: principal.userId, name, scope, expiresMs },
      admitKey,
      now,
    ).pipe(
      Effect.mapError((error) =>
        error._tag === "DbError" && error.code === FOREIGN_KEY
          ? new NoKeyOwner({ message: "your account was removed" })
          : away(error),
      ),
    )
  })

const refresh = ({ db, doors, log, nowMs }: ProgramsDeps, refreshToken: string, source: string | null) =>
  (refreshFamily(db, refreshToken, source, nowMs()) ?? Effect.succeed({ kind: "refused" } as const)).pipe(
    Effect.map((outcome) => {
      if (outcome.kind === "refreshed") return outcome.tokens
      if (outcome.kind === "reused") {
        doors.forget({ tenant: outcome.user.tenant, credentialId: outcome.familyId })
        log.warn("a refresh token was used twice: all tokens of that sign-in are ended", {
          user: outcome.user.name,
          family: outcome.familyId,
          source,
        })
      }
      return null
    }),
    Effect.mapError(away),
  )

const FOREIGN_KEY = "23503"
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
