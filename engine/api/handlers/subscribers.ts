/** Reveals over the port engine/privacy/reveal.ts. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "#engine/api/contract.ts"
import type { ApiDeps } from "#engine/api/deps.ts"
import { unavailable } from "#engine/api/handlers/request.ts"
import { NotFound, Refused } from "#engine/api/problems.ts"
import { Caller } from "#engine/api/signed-in.ts"

export const subscribers = (deps: ApiDeps) =>
  HttpApiBuilder.group(Api, "subscribers", (handlers) =>
    handlers.handle("reveal", ({ payload }) =>
      Effect.gen(function* () {
        const { principal, actor } = yield* Caller
        const reason = payload.reason.trim()
        if (reason === "") return yield* new Refused({ detail: "say why: the reason stands in the audit" })
        return yield* deps.subscribers.reveal(principal.tenant, actor, { pseudonym: payload.pseudonym, reason }).pipe(
          Effect.catchTag("Unavailable", unavailable(deps)),
          Effect.catchTag("NobodyKnown", () => new NotFound({})),
          Effect.catchTag("RevealedTooOften", ({ message }) => new Refused({ detail: message })),
        )
      }),
    ),
  )
