/**
 * Who may come in, put together: the one door with its resolvers of cookies and of bearer tokens, people, programs and the
 * OpenID issuer. They share one gate, so that no way in is a way around another's limits.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { makeDoors } from "#engine/access/doors.ts"
import type { ApiDeps } from "#engine/api/deps.ts"
import type { Config } from "#engine/config.ts"
import { isHttps } from "#engine/http/origin.ts"
import type { Log } from "#engine/log.ts"
import type { MetricsRegistry } from "#engine/metrics/registry.ts"
import { makeOidc, type Oidc } from "#engine/oidc/oidc.ts"
import { oidcSettings } from "#engine/oidc/settings.ts"
import type { PeopleEnvironment } from "#engine/people/environment.ts"
import { makePeople } from "#engine/people/people.ts"
import { composeResolve, cookieResolve } from "#engine/people/resolve.ts"
import { authenticate } from "#engine/people/sign-in.ts"
import { endFamiliesOf } from "#engine/programs/families.ts"
import type { AdmitKey } from "#engine/programs/keys.ts"
import { makeLastUsed, runLastUsed } from "#engine/programs/last-used.ts"
import { makePrograms } from "#engine/programs/programs.ts"
import { bearerResolve } from "#engine/programs/resolve.ts"
import type { DbShape } from "#engine/storage/db.ts"
import type { Vault } from "#engine/storage/vault.ts"

export interface IdentityOptions extends Pick<PeopleEnvironment, "isSuspended" | "admitUser" | "sessionHoursOf"> {
  readonly db: DbShape
  readonly vault: Vault
  readonly metrics: MetricsRegistry
  readonly log: Log
  readonly config: Config
  /** This engine ends TLS itself. */
  readonly tls: boolean
  /** Before one more API key. */
  readonly admitKey: AdmitKey
  readonly nowMs: () => number
}

export interface Identity {
  /** What the API needs of it. */
  readonly api: Pick<ApiDeps, "doors" | "accounts" | "people" | "programs" | "oidcName">
  /** Null = people sign in by password. */
  readonly oidc: Oidc | null
}

/** When a key was last used is written down until the scope closes. */
export const openIdentity = (options: IdentityOptions): Effect.Effect<Identity, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { db, vault, metrics, log, config, tls, admitKey, isSuspended, admitUser, sessionHoursOf, nowMs } = options
    const lastUsed = makeLastUsed(db)
    yield* runLastUsed(lastUsed, log)
    const doors = makeDoors(
      composeResolve({
        cookie: cookieResolve(db, nowMs, isSuspended),
        bearer: bearerResolve({ db, lastUsed, isSuspended, nowMs }),
      }),
      nowMs,
    )
    const issuer = oidcSettings(config)
    const oidcName = issuer?.name ?? null
    const { accounts, people, environment } = makePeople({
      db,
      vault,
      doors,
      metrics,
      log,
      nowMs,
      sessionHours: config.sessionHours,
      ...(sessionHoursOf === undefined ? {} : { sessionHoursOf }),
      oidcName,
      isSuspended,
      admitUser,
      endPrograms: endFamiliesOf,
    })
    const programs = makePrograms({
      db,
      doors,
      log,
      admitKey,
      authenticate: (attempt, issue) => authenticate(environment, attempt, issue),
      oidcName,
      nowMs,
    })
    const { publicUrl } = config
    const https = isHttps({ publicUrl, tls })
    const oidc = issuer === null ? null : makeOidc({ settings: issuer, people: environment, log, publicUrl, https })
    return { api: { doors, accounts, people, programs, oidcName }, oidc }
  })
