/** The tenant's matrix of roles and permissions. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "#engine/api/contract.ts"
import type { ApiDeps } from "#engine/api/deps.ts"
import { setHeader, unavailable } from "#engine/api/handlers/request.ts"
import { Caller } from "#engine/api/signed-in.ts"
import { roleEtag, type Role } from "#engine/people/roles.ts"
import { PERMISSIONS } from "#protocol/permission.ts"

export const roles = (deps: ApiDeps) => {
  const away = unavailable(deps)
  return HttpApiBuilder.group(Api, "roles", (handlers) =>
    handlers
      .handle("list", () =>
        Effect.flatMap(Caller, (by) => deps.people.roles.list(by)).pipe(
          Effect.catchTag("Unavailable", away),
          Effect.map((items) => ({ permissions: PERMISSIONS, items })),
        ),
      )
      .handle("get", ({ params }) =>
        Effect.flatMap(Caller, (by) => deps.people.roles.get(by, params.name)).pipe(
          Effect.catchTag("Unavailable", away),
          Effect.flatMap(tagged),
        ),
      )
      .handle("put", ({ params, payload, headers }) =>
        Effect.flatMap(Caller, (by) => deps.people.roles.put(by, params.name, payload, headers["if-match"])).pipe(
          Effect.catchTag("Unavailable", away),
          Effect.flatMap(tagged),
        ),
      )
      .handle("remove", ({ params }) =>
        Effect.flatMap(Caller, (by) => deps.people.roles.remove(by, params.name)).pipe(
          Effect.catchTag("Unavailable", away),
        ),
      ),
  )
}

const tagged = (role: Role) => Effect.as(setHeader("etag", roleEtag(role)), role)
