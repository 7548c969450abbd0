/**
 * Every check of a password or code goes through here: too early ones are told when to come back, what was wrong is
 * counted, and what came of it is a metric. One gate serves the sign-in of browsers, of programs and the checks of those
 * who are signed in, so that no way in is a way around another's limits.
 */
import * as Effect from "effect/Effect"
import { CODE_GUARD, makeAccountGuard, PASSWORD_GUARD } from "#engine/api/account-guard.ts"
import { makeLoginGuard, sourceKey } from "#engine/api/login-guard.ts"
import { Unavailable } from "#engine/api/ports.ts"
import { SecondFactorNeeded, TooManyAttempts, WrongCredentials } from "#engine/api/problems.ts"

export interface Attempt {
  /** The name as it was given. */
  readonly name: string
  /** The address that the attempt comes from. */
  readonly source: string
}

/** What a check found. `needed`: the password was right, the code is missing; nothing is counted. */
export type Checked<A> =
  | { readonly is: "right"; readonly value: A }
  | { readonly is: "wrong" }
  | { readonly is: "needed" }

export type GateRefusal = WrongCredentials | SecondFactorNeeded | TooManyAttempts

/** Words of the metric. `refused`: right, and still not let in (passwords are not the way in here). */
export type Outcome = "right" | "wrong" | "second_factor_needed" | "slowed" | "refused" | "unavailable"

export interface Gate {
  readonly pass: <A, E, R>(
    attempt: Attempt,
    check: Effect.Effect<Checked<A>, E, R>,
  ) => Effect.Effect<A, E | GateRefusal, R>
  /** For six digits of somebody whose password was right: wrong ones of strangers are counted for the person. */
  readonly code: <A, E, R>(
    person: string,
    source: string,
    check: Effect.Effect<Checked<A>, E, R>,
  ) => Effect.Effect<Checked<A>, E | TooManyAttempts, R>
}

export interface GateOptions {
  readonly monotonicMs: () => number
  readonly outcome: (outcome: Outcome) => void
  /** An account's guessing became so frequent that it is slowed: tell its tenant. */
  readonly slowed: (attempt: Attempt) => void
}

export const makeGate = ({ monotonicMs, outcome, slowed }: GateOptions): Gate => {
  const pairs = makeLoginGuard()
  const accounts = makeAccountGuard(PASSWORD_GUARD)
  const codes = makeAccountGuard(CODE_GUARD)
  const later = (waitMs: number): TooManyAttempts => {
    outcome("slowed")
    return new TooManyAttempts({ retryAfterS: Math.ceil(waitMs / 1000) })
  }
  return {
    pass: <A, E, R>(attempt: Attempt, check: Effect.Effect<Checked<A>, E, R>) =>
      Effect.suspend((): Effect.Effect<A, E | GateRefusal, R> => {
        const { name } = attempt
        const source = sourceKey(attempt.source)
        const admitted = pairs.admit(attempt.source, name, monotonicMs())
        if (!admitted.ok) return Effect.fail(later(admitted.retryAfterMs))
        const waitMs = accounts.wait(name, source, monotonicMs())
        if (waitMs > 0) {
          admitted.done("unchecked")
          return Effect.fail(later(waitMs))
        }
        return check.pipe(
          Effect.tapError((error) =>
            Effect.sync(() => {
              // Being slowed was counted when it was decided.
              if (!(error instanceof TooManyAttempts)) outcome(error instanceof Unavailable ? "unavailable" : "refused")
            }),
          ),
          Effect.flatMap((checked): Effect.Effect<A, GateRefusal> => {
            switch (checked.is) {
              case "right":
                admitted.done("right")
                accounts.succeeded(name, source, monotonicMs())
                outcome("right")
                return Effect.succeed(checked.value)
              case "needed":
                outcome("second_factor_needed")
                return Effect.fail(new SecondFactorNeeded({}))
              case "wrong": {
                const shut = admitted.done("wrong")
                const crowd = accounts.failed(name, source, monotonicMs())
                if (shut || crowd) slowed(attempt)
                outcome("wrong")
                return Effect.fail(new WrongCredentials({}))
              }
            }
          }),
          Effect.ensuring(Effect.sync(() => void admitted.done("unchecked"))),
        )
      }),
    code: <A, E, R>(person: string, address: string, check: Effect.Effect<Checked<A>, E, R>) =>
      Effect.suspend((): Effect.Effect<Checked<A>, E | TooManyAttempts, R> => {
        const source = sourceKey(address)
        const waitMs = codes.wait(person, source, monotonicMs())
        if (waitMs > 0) return Effect.fail(later(waitMs))
        return Effect.tap(check, ({ is }) =>
          Effect.sync(() => {
            if (is === "right") codes.succeeded(person, source, monotonicMs())
            if (is === "wrong") codes.failed(person, source, monotonicMs())
          }),
        )
      }),
  }
}
