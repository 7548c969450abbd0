/**
 * People, put together: signing in and out, own accounts, users, invitations, roles. What other parts plug in (quotas,
 * programs' tokens, suspended tenants) comes as functions, so that nothing here knows about them.
 */
import * as Effect from "effect/Effect"
import type { Accounts, SignInAttempt } from "#engine/api/ports.ts"
import type { Log } from "#engine/log.ts"
import type { MetricsRegistry } from "#engine/metrics/registry.ts"
import { makeAccount, type Account } from "#engine/people/account.ts"
import type { PeopleEnvironment } from "#engine/people/environment.ts"
import { makeGate, type Gate } from "#engine/people/gate.ts"
import { makeInvitations, type Invitations } from "#engine/people/invitations.ts"
import { makeRoles, type Roles } from "#engine/people/roles.ts"
import { authenticate, openByPassword, recordGuessing, secondFactorOf, signOut } from "#engine/people/sign-in.ts"
import { makeUsers, type Users } from "#engine/people/users.ts"

/** For ApiDeps.people. */
export interface People {
  readonly account: Account
  readonly users: Users
  readonly invitations: Invitations
  readonly roles: Roles
}

export interface PeopleOptions extends Omit<PeopleEnvironment, "gate"> {
  readonly metrics: MetricsRegistry
  readonly log: Log
  /** For waiting and counting; must never go back. Absent = the process's own clock. */
  readonly monotonicMs?: () => number
}

export const makePeople = (
  options: PeopleOptions,
): { readonly accounts: Accounts; readonly people: People; readonly environment: PeopleEnvironment } => {
  const environment: PeopleEnvironment = { ...options, gate: storedGate(options) }
  return {
    environment,
    accounts: {
      signIn: (attempt: SignInAttempt) =>
        authenticate(environment, attempt, (tx, user) => openByPassword(environment, tx, user, attempt.source)),
      signOut: (principal, actor) => signOut(environment, principal, actor),
      secondFactor: (principal) => secondFactorOf(environment, principal),
    },
    people: {
      account: makeAccount(environment),
      users: makeUsers(environment),
      invitations: makeInvitations(environment),
      roles: makeRoles(environment),
    },
  }
}

/** The gate whose outcomes are a metric, and whose tenant hears of guessing. */
const storedGate = ({ db, metrics, log, monotonicMs = () => performance.now() }: PeopleOptions): Gate => {
  const checks = metrics.counter(
    "heliograph_sign_in_checks_total",
    "Passwords and codes that were given, by what came of them.",
  )
  return makeGate({
    monotonicMs,
    outcome: (outcome) => checks.add(1, { outcome }),
    slowed: (attempt) => {
      log.warn("sign-ins are slowed: too many were wrong", { user: attempt.name, source: attempt.source })
      // Beside the answer, so that its time does not tell whether there is such an account.
      Effect.runFork(
        recordGuessing(db, attempt).pipe(
          Effect.catch((error) =>
            Effect.sync(() => log.warn("guessing was not put on record", { detail: error.detail })),
          ),
        ),
      )
    },
  })
}
