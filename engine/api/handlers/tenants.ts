/** Tenants, for whoever runs the platform. What each act does stands in engine/tenancy/tenancy.ts. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "#engine/api/contract.ts"
import type { ApiDeps } from "#engine/api/deps.ts"
import { setHeader, unavailable } from "#engine/api/handlers/request.ts"
import { requestHash, withIdempotency } from "#engine/api/idempotency.ts"
import { PAGE_DEFAULT, readCursor } from "#engine/api/lists.ts"
import { BadQuery } from "#engine/api/problems.ts"
import { Caller } from "#engine/api/signed-in.ts"
import { actingAs, tenantEtag, type TenantView } from "#engine/tenancy/tenancy.ts"

/** New tenants begin small: who needs more is given more. */
const NEW_TIER = "small"

export const tenants = (deps: ApiDeps) => {
  const away = unavailable(deps)
  return HttpApiBuilder.group(Api, "tenants", (handlers) =>
    handlers
      .handle("list", ({ query }) =>
        Effect.gen(function* () {
          const after = readCursor(query.cursor)
          if (after === null) return yield* new BadQuery({ detail: "`cursor` is not one that this API gave out" })
          const limit = query.limit ?? PAGE_DEFAULT
          const rows = yield* deps.tenancy
            .list({ after: after ?? null, limit: limit + 1 })
            .pipe(Effect.catchTag("Unavailable", away))
          const items = rows.slice(0, limit)
          const last = items.at(-1)
          return {
            items: items.map(rowOf),
            next: last === undefined || rows.length <= limit ? null : Buffer.from(last.slug).toString("base64url"),
          }
        }),
      )
      .handle("get", ({ params }) =>
        deps.tenancy.get(params.slug).pipe(Effect.catchTag("Unavailable", away), Effect.flatMap(tagged)),
      )
      .handle("create", ({ payload, headers }) =>
        Effect.gen(function* () {
          const by = yield* Caller
          const { slug, name, tier = NEW_TIER } = payload
          const make = deps.tenancy.create(actingAs(by), { slug, name, tier, demo: false }).pipe(
            Effect.map(({ tenant, invitationToken }) => ({ tenant: rowOf(tenant), invitationToken })),
            Effect.catchTag("Unavailable", away),
          )
          return yield* withIdempotency(
            deps,
            by,
            headers["idempotency-key"],
            requestHash("tenants.create", payload),
            make,
          )
        }),
      )
      .handle("update", ({ params, payload, headers }) =>
        Effect.flatMap(Caller, (by) =>
          deps.tenancy.update(actingAs(by), params.slug, payload, headers["if-match"]),
        ).pipe(Effect.catchTag("Unavailable", away), Effect.flatMap(tagged)),
      )
      .handle("offboard", ({ params, payload }) =>
        Effect.flatMap(Caller, (by) => deps.tenancy.offboard(actingAs(by), params.slug, payload)).pipe(
          Effect.map((rows) => ({ rows })),
          Effect.catchTag("Unavailable", away),
        ),
      )
      .handle("enter", ({ params, payload }) =>
        Effect.flatMap(Caller, (by) => deps.tenancy.enter(by, params.slug, payload)).pipe(
          Effect.catchTag("Unavailable", away),
        ),
      )
      .handle("quotas", ({ params }) => deps.tenancy.quotas(params.slug).pipe(Effect.catchTag("Unavailable", away)))
      .handle("setQuotas", ({ params, payload }) =>
        Effect.flatMap(Caller, (by) => deps.tenancy.setQuotas(actingAs(by), params.slug, payload)).pipe(
          Effect.catchTag("Unavailable", away),
        ),
      ),
  )
}

const tagged = (tenant: TenantView) => Effect.as(setHeader("etag", tenantEtag(tenant)), rowOf(tenant))

const rowOf = (tenant: TenantView) => ({
  id: tenant.id as string,
  slug: tenant.slug,
  name: tenant.name,
  demo: tenant.demo,
  tier: tenant.tier,
  suspended: tenant.suspended,
  createdMs: tenant.createdMs,
  devices: tenant.devices,
  links: tenant.links,
  users: tenant.users,
  ownDatabase: tenant.ownDatabase,
})
