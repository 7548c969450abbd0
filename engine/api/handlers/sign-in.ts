/** Signing in and out, and becoming a user by an invitation. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as Redacted from "effect/Redacted"
import { Api } from "#engine/api/contract.ts"
import type { ApiDeps } from "#engine/api/deps.ts"
import {
  attemptOf,
  isHttps,
  nodeRequest,
  sayWhenToComeBack,
  setHeader,
  setSessionCookie,
  tenantBody,
  unavailable,
} from "#engine/api/handlers/request.ts"
import { Caller } from "#engine/api/signed-in.ts"
import { sessionCookie } from "#engine/http/cookie.ts"
import { sourceAddress } from "#engine/http/origin.ts"

export const signIn = (deps: ApiDeps) =>
  HttpApiBuilder.group(Api, "signIn", (handlers) =>
    handlers
      .handle("ways", () =>
        Effect.succeed({ password: true, oidc: deps.oidcName === null ? null : { name: deps.oidcName } }),
      )
      .handle("create", ({ payload, request }) => {
        const source = sourceAddress(nodeRequest(request), deps.publicUrl)
        return deps.accounts.signIn(attemptOf(payload, source)).pipe(
          Effect.tapError((error) =>
            Effect.sync(() => deps.log.warn("sign-in refused", { user: payload.user, source, why: error._tag })),
          ),
          sayWhenToComeBack,
          Effect.catchTag("Unavailable", unavailable(deps)),
          Effect.tap(({ user }) => Effect.sync(() => deps.log.info("signed in", { user: user.name, source }))),
          Effect.flatMap((opened) => setSessionCookie(opened, deps)),
        )
      })
      .handle("acceptInvitation", ({ payload, request }) =>
        deps.people.invitations
          .accept({
            token: payload.token,
            name: payload.name,
            password: Redacted.make(payload.password),
            source: sourceAddress(nodeRequest(request), deps.publicUrl),
          })
          .pipe(sayWhenToComeBack, Effect.asVoid, Effect.catchTag("Unavailable", unavailable(deps))),
      ),
  )

export const session = (deps: ApiDeps) =>
  HttpApiBuilder.group(Api, "session", (handlers) =>
    handlers
      .handle("get", () =>
        Effect.gen(function* () {
          const { principal, twin } = yield* Caller
          return {
            user: { id: principal.userId, name: principal.userName },
            tenant: tenantBody(twin),
            roles: principal.roles,
            permissions: [...principal.permissions],
            sites: principal.sites,
            secondFactor: yield* deps.accounts
              .secondFactor(principal)
              .pipe(Effect.catchTag("Unavailable", unavailable(deps))),
            grant: principal.grant,
            expiresAtMs: principal.credential.expiresAtMs,
          }
        }),
      )
      .handle("remove", () =>
        Effect.gen(function* () {
          const { principal, actor } = yield* Caller
          yield* deps.accounts.signOut(principal, actor).pipe(Effect.catchTag("Unavailable", unavailable(deps)))
          deps.doors.forget({ credentialId: principal.credential.id })
          yield* setHeader("set-cookie", sessionCookie("", 0, isHttps(deps)))
        }),
      )
      .handle("leaveGrant", () =>
        Effect.flatMap(Caller, (by) => deps.tenancy.leave(by)).pipe(Effect.catchTag("Unavailable", unavailable(deps))),
      ),
  )
