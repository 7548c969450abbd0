/** Signing in and out. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as Redacted from "effect/Redacted"
import { Api } from "#engine/api/contract.ts"
import type { ApiDeps } from "#engine/api/deps.ts"
import { isHttps, nodeRequest, presented, setHeader, tenantBody, unavailable } from "#engine/api/handlers/request.ts"
import { makeLoginGuard } from "#engine/api/login-guard.ts"
import { NotFound, TooManyAttempts, WrongCredentials } from "#engine/api/problems.ts"
import { Caller } from "#engine/api/signed-in.ts"
import { sessionCookie } from "#engine/http/cookie.ts"
import { sourceAddress } from "#engine/http/origin.ts"

export const signIn = (deps: ApiDeps) => {
  const guard = makeLoginGuard()
  return HttpApiBuilder.group(Api, "signIn", (handlers) =>
    handlers
      .handle("ways", () => Effect.succeed({ password: true, oidc: null }))
      .handle("acceptInvitation", () => Effect.fail(new NotFound({})))
      .handle("create", ({ payload, request }) =>
        Effect.gen(function* () {
          const source = sourceAddress(nodeRequest(request), deps.publicUrl)
          const admitted = guard.admit(source, payload.user, performance.now())
          if (!admitted.ok) {
            const retryAfterS = Math.ceil(admitted.retryAfterMs / 1000)
            yield* setHeader("retry-after", String(retryAfterS))
            return yield* new TooManyAttempts({ retryAfterS })
          }
          const user = yield* deps.accounts.verifyPassword(payload.user, Redacted.make(payload.password)).pipe(
            Effect.tap((found) => Effect.sync(() => admitted.done(found === null ? "wrong" : "right"))),
            Effect.ensuring(Effect.sync(() => admitted.done("unchecked"))),
            Effect.catchTag("Unavailable", unavailable(deps)),
          )
          if (user === null) {
            deps.log.warn("sign-in refused", { user: payload.user, source })
            return yield* new WrongCredentials({})
          }
          const opened = yield* deps.accounts
            .createSession(user, deps.nowMs() + deps.sessionHours * 3_600_000)
            .pipe(Effect.catchTag("Unavailable", unavailable(deps)))
          deps.log.info("signed in", { user: user.name, source })
          yield* setHeader("set-cookie", sessionCookie(opened.token, deps.sessionHours * 3600, isHttps(deps)))
        }),
      ),
  )
}

export const session = (deps: ApiDeps) =>
  HttpApiBuilder.group(Api, "session", (handlers) =>
    handlers
      .handle("get", () =>
        Effect.map(Caller, ({ principal, twin }) => ({
          user: { id: principal.userId, name: principal.userName },
          tenant: tenantBody(twin),
          roles: principal.roles,
          permissions: [...principal.permissions],
          sites: principal.sites,
          secondFactor: { enabled: false, required: principal.secondFactor === "enrol" },
          grant: principal.grant,
          expiresAtMs: principal.credential.expiresAtMs,
        })),
      )
      .handle("remove", ({ request }) =>
        Effect.gen(function* () {
          const { principal } = yield* Caller
          const credential = presented(request, deps)
          if (credential?.kind === "cookie")
            yield* deps.accounts.deleteSession(credential.token).pipe(Effect.catchTag("Unavailable", unavailable(deps)))
          deps.doors.forget({ credentialId: principal.credential.id })
          yield* setHeader("set-cookie", sessionCookie("", 0, isHttps(deps)))
        }),
      ),
  )
