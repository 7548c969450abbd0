/** Programs that sign in as a person: access tokens, and refresh tokens that work once. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "#engine/api/contract.ts"
import type { ApiDeps } from "#engine/api/deps.ts"
import { attemptOf, nodeRequest, sayWhenToComeBack, unavailable } from "#engine/api/handlers/request.ts"
import { WrongCredentials } from "#engine/api/problems.ts"
import { sourceAddress } from "#engine/http/origin.ts"

export const tokens = (deps: ApiDeps) =>
  HttpApiBuilder.group(Api, "tokens", (handlers) =>
    handlers
      .handle("create", ({ payload, request }) => {
        const source = sourceAddress(nodeRequest(request), deps.publicUrl)
        return deps.programs.signIn(attemptOf(payload, source)).pipe(
          sayWhenToComeBack,
          Effect.tap(() => Effect.sync(() => deps.log.info("a program signed in", { user: payload.user, source }))),
          Effect.catchTag("Unavailable", unavailable(deps)),
        )
      })
      .handle("refresh", ({ payload, request }) =>
        Effect.gen(function* () {
          const made = yield* deps.programs
            .refresh(payload.refreshToken, sourceAddress(nodeRequest(request), deps.publicUrl))
            .pipe(Effect.catchTag("Unavailable", unavailable(deps)))
          return made ?? (yield* new WrongCredentials({}))
        }),
      )
      .handle("revoke", ({ payload, request }) =>
        deps.programs
          .revoke(payload.refreshToken, sourceAddress(nodeRequest(request), deps.publicUrl))
          .pipe(Effect.catchTag("Unavailable", unavailable(deps))),
      ),
  )
