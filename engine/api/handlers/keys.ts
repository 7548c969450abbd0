/** API keys: list, make, revoke. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "#engine/api/contract.ts"
import type { ApiDeps } from "#engine/api/deps.ts"
import { unavailable } from "#engine/api/handlers/request.ts"
import { PAGE_DEFAULT, readCursor } from "#engine/api/lists.ts"
import { BadQuery, Forbidden, NotFound, Refused } from "#engine/api/problems.ts"
import { Caller } from "#engine/api/signed-in.ts"

export const keys = (deps: ApiDeps) =>
  HttpApiBuilder.group(Api, "keys", (handlers) =>
    handlers
      .handle("list", ({ query }) =>
        Effect.gen(function* () {
          const { principal } = yield* Caller
          const after = readCursor(query.cursor)
          if (after === null || (after !== undefined && !UUID.test(after)))
            return yield* new BadQuery({ detail: "`cursor` is not one that this API gave out" })
          const limit = query.limit ?? PAGE_DEFAULT
          const items = yield* deps.programs
            .keys(principal.tenant, { limit, after: after ?? null })
            .pipe(Effect.catchTag("Unavailable", unavailable(deps)))
          const last = items.at(-1)
          const more = last !== undefined && items.length === limit
          return { items, next: more ? Buffer.from(last.id).toString("base64url") : null }
        }),
      )
      .handle("create", ({ payload }) =>
        Effect.gen(function* () {
          const { principal, actor } = yield* Caller
          return yield* deps.programs.createKey(principal, actor, payload).pipe(
            Effect.catchTags({
              ScopeTooWide: ({ missing }) => new Forbidden({ detail: `you do not hold ${missing} yourself` }),
              NoKeyOwner: ({ message }) => new Refused({ detail: message }),
              Unavailable: unavailable(deps),
            }),
          )
        }),
      )
      .handle("revoke", ({ params }) =>
        Effect.gen(function* () {
          const { principal, actor } = yield* Caller
          const revoked = yield* deps.programs
            .revokeKey(principal.tenant, actor, params.id)
            .pipe(Effect.catchTag("Unavailable", unavailable(deps)))
          if (!revoked) return yield* new NotFound({})
        }),
      ),
  )

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
