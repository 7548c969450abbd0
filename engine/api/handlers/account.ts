/** The caller's own password, second factor and sessions. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as Redacted from "effect/Redacted"
import { Api } from "#engine/api/contract.ts"
import type { ApiDeps } from "#engine/api/deps.ts"
import { sayWhenToComeBack, setSessionCookie, unavailable } from "#engine/api/handlers/request.ts"
import { Forbidden } from "#engine/api/problems.ts"
import { Caller } from "#engine/api/signed-in.ts"

/** An API key does what its scope says, and no scope reaches its owner's own sign-in. */
const person = Effect.flatMap(Caller, (by) =>
  by.principal.credential.kind === "apiKey"
    ? Effect.fail(new Forbidden({ detail: "an API key cannot act on its owner's account" }))
    : Effect.succeed(by),
)

export const account = (deps: ApiDeps) => {
  const away = unavailable(deps)
  return HttpApiBuilder.group(Api, "account", (handlers) =>
    handlers
      .handle("password", ({ payload }) =>
        Effect.gen(function* () {
          const by = yield* person
          const opened = yield* deps.people.account
            .changePassword(by, Redacted.make(payload.password), Redacted.make(payload.newPassword))
            .pipe(sayWhenToComeBack, Effect.catchTag("Unavailable", away))
          if (opened !== null) yield* setSessionCookie(opened, deps)
        }),
      )
      .handle("beginTotp", ({ payload }) =>
        Effect.flatMap(person, (by) => deps.people.account.beginTotp(by, Redacted.make(payload.password))).pipe(
          sayWhenToComeBack,
          Effect.catchTag("Unavailable", away),
        ),
      )
      .handle("confirmTotp", ({ payload }) =>
        Effect.gen(function* () {
          const by = yield* person
          const { recoveryCodes, session } = yield* deps.people.account
            .confirmTotp(by, payload.code)
            .pipe(sayWhenToComeBack, Effect.catchTag("Unavailable", away))
          if (session !== null) yield* setSessionCookie(session, deps)
          return { recoveryCodes }
        }),
      )
      .handle("removeTotp", ({ payload }) =>
        Effect.flatMap(person, (by) =>
          deps.people.account.removeTotp(by, Redacted.make(payload.password), payload.code),
        ).pipe(sayWhenToComeBack, Effect.catchTag("Unavailable", away)),
      )
      .handle("sessions", () =>
        Effect.gen(function* () {
          const by = yield* person
          const open = yield* deps.people.account.sessions(by).pipe(Effect.catchTag("Unavailable", away))
          return {
            items: open.map(({ id, createdMs, expiresAtMs, source }) => ({
              id,
              createdMs,
              expiresMs: expiresAtMs,
              source,
              current: id === by.principal.credential.id,
            })),
          }
        }),
      )
      .handle("endSession", ({ params }) =>
        Effect.flatMap(person, (by) => deps.people.account.endSession(by, params.id)).pipe(
          Effect.catchTag("Unavailable", away),
        ),
      ),
  )
}
