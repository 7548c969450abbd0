/** A tenant's users and invitations, for its administrators. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "#engine/api/contract.ts"
import type { ApiDeps } from "#engine/api/deps.ts"
import { setHeader, unavailable } from "#engine/api/handlers/request.ts"
import { requestHash, withIdempotency } from "#engine/api/idempotency.ts"
import { PAGE_DEFAULT, readCursor } from "#engine/api/lists.ts"
import { BadQuery } from "#engine/api/problems.ts"
import { Caller } from "#engine/api/signed-in.ts"
import { INVITATION_HOURS } from "#engine/people/invitations.ts"
import { userEtag } from "#engine/people/users.ts"
import { isUuid, type UserRecord } from "#engine/storage/users.ts"

export const users = (deps: ApiDeps) => {
  const away = unavailable(deps)
  return HttpApiBuilder.group(Api, "users", (handlers) =>
    handlers
      .handle("list", ({ query }) =>
        Effect.gen(function* () {
          const page = yield* pageAsked(query)
          const rows = yield* deps.people.users
            .list(yield* Caller, { ...page, limit: page.limit + 1 })
            .pipe(Effect.catchTag("Unavailable", away))
          return pageOf(rows.map(userBody), page.limit)
        }),
      )
      .handle("get", ({ params }) =>
        Effect.flatMap(Caller, (by) => deps.people.users.get(by, params.id)).pipe(
          Effect.catchTag("Unavailable", away),
          Effect.flatMap(tagged),
        ),
      )
      .handle("update", ({ params, payload, headers }) =>
        Effect.flatMap(Caller, (by) => deps.people.users.update(by, params.id, payload, headers["if-match"])).pipe(
          Effect.catchTag("Unavailable", away),
          Effect.flatMap(tagged),
        ),
      )
      .handle("remove", ({ params }) =>
        Effect.flatMap(Caller, (by) => deps.people.users.remove(by, params.id)).pipe(
          Effect.catchTag("Unavailable", away),
        ),
      )
      .handle("resetTotp", ({ params }) =>
        Effect.flatMap(Caller, (by) => deps.people.users.resetTotp(by, params.id)).pipe(
          Effect.catchTag("Unavailable", away),
        ),
      )
      .handle("signOut", ({ params }) =>
        Effect.flatMap(Caller, (by) => deps.people.users.signOut(by, params.id)).pipe(
          Effect.catchTag("Unavailable", away),
        ),
      )
      .handle("invitations", ({ query }) =>
        Effect.gen(function* () {
          const page = yield* pageAsked(query)
          const rows = yield* deps.people.invitations
            .list(yield* Caller, { ...page, limit: page.limit + 1 })
            .pipe(Effect.catchTag("Unavailable", away))
          return pageOf(rows, page.limit)
        }),
      )
      .handle("invite", ({ payload, headers }) =>
        Effect.gen(function* () {
          const by = yield* Caller
          const { note, roles, sites = null, hours = INVITATION_HOURS } = payload
          const invite = deps.people.invitations
            .invite(by, { note, roles, sites, hours })
            .pipe(Effect.catchTag("Unavailable", away))
          const request = requestHash("users.invite", payload)
          return yield* withIdempotency(deps, by, headers["idempotency-key"], request, invite)
        }),
      )
      .handle("withdraw", ({ params }) =>
        Effect.flatMap(Caller, (by) => deps.people.invitations.withdraw(by, params.id)).pipe(
          Effect.catchTag("Unavailable", away),
        ),
      ),
  )
}

/** Both lists are in the order of their ids, which is the order they were made. */
const pageAsked = (query: { readonly limit?: number; readonly cursor?: string }) => {
  const after = readCursor(query.cursor)
  return after === null || (after !== undefined && !isUuid(after))
    ? Effect.fail(new BadQuery({ detail: "`cursor` is not one that this API gave out" }))
    : Effect.succeed({ after: after ?? null, limit: query.limit ?? PAGE_DEFAULT })
}

/** `rows` is one longer than the page where more follow. */
const pageOf = <Row extends { readonly id: string }>(rows: readonly Row[], limit: number) => {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  const more = rows.length > limit && last !== undefined
  return { items, next: more ? Buffer.from(last.id).toString("base64url") : null }
}

const tagged = (user: UserRecord) => Effect.as(setHeader("etag", userEtag(user)), userBody(user))

const userBody = ({ id, name, roles, sites, disabled, secondFactor, createdMs, lastSignInMs }: UserRecord) => ({
  id,
  name,
  roles,
  sites,
  disabled,
  secondFactor,
  createdMs,
  lastSignInMs,
})
