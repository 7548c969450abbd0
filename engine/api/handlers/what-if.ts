/** Questions about the whole network. What computes them is engine/whatif; here callers become questions. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "#engine/api/contract.ts"
import type { ApiDeps } from "#engine/api/deps.ts"
import { unavailable } from "#engine/api/handlers/request.ts"
import { page, PAGE_DEFAULT, readCursor } from "#engine/api/lists.ts"
import type { Unavailable } from "#engine/api/ports.ts"
import { BadQuery, Refused } from "#engine/api/problems.ts"
import { Caller } from "#engine/api/signed-in.ts"
import type { WhatIfRefused } from "#engine/whatif/what-if-api.ts"
import type { TenantId } from "#protocol/id.ts"

const PATHS_DEFAULT = 3
const RANKED_DEFAULT = 50
const DRIFT_DEFAULT = 200

export const whatIf = (deps: ApiDeps) => {
  const away = unavailable(deps)
  /** Every answer speaks of the whole network. */
  const asked = <A>(question: (tenant: TenantId) => Effect.Effect<A, WhatIfRefused | Unavailable>) =>
    Effect.flatMap(Caller, ({ principal }) =>
      principal.sites === null
        ? question(principal.tenant).pipe(
            Effect.catchTag("Unavailable", away),
            Effect.catchTag("WhatIfRefused", ({ detail }) => Effect.fail(new Refused({ detail }))),
          )
        : Effect.fail(new Refused({ detail: "this asks about the whole network, and you see some sites only" })),
    )
  const engine = deps.whatIf

  return HttpApiBuilder.group(Api, "whatIf", (handlers) =>
    handlers
      .handle("ask", ({ payload }) =>
        asked((tenant) => engine.ask(tenant, payload.faults, payload.atMs ?? null, payload.routesOf ?? null)),
      )
      .handle("nextFailures", ({ query }) =>
        asked((tenant) =>
          engine.nextFailures(tenant, query.limit ?? RANKED_DEFAULT, query.kind ?? null, query.atMs ?? null),
        ),
      )
      .handle("singlePoints", ({ query }) =>
        Effect.gen(function* () {
          const after = readCursor(query.cursor)
          if (after === null) return yield* new BadQuery({ detail: "`cursor` is not one that this list gave out" })
          const { atMs, seq, points, assumptions } = yield* asked((tenant) =>
            engine.singlePoints(tenant, query.atMs ?? null),
          )
          const wanted = query.q?.toLowerCase()
          const found = page(
            points,
            ({ device }) => device.name,
            after,
            query.limit ?? PAGE_DEFAULT,
            (point) => {
              if (query.lostNow !== undefined && point.lostNow !== (query.lostNow === "true")) return null
              if (query.site !== undefined && point.site.id !== query.site) return null
              return wanted === undefined || point.device.name.toLowerCase().includes(wanted) ? point : null
            },
          )
          const lostNow = points.filter((point) => point.lostNow).length
          return { atMs, seq, ...found, total: points.length, lostNow, assumptions }
        }),
      )
      .handle("paths", ({ query }) =>
        asked((tenant) => engine.paths(tenant, query.from, query.to, query.k ?? PATHS_DEFAULT, query.atMs ?? null)),
      )
      .handle("blindSpots", ({ query }) => asked((tenant) => engine.blindSpots(tenant, query.atMs ?? null)))
      .handle("drift", ({ query }) =>
        asked((tenant) => engine.drift(tenant, query.limit ?? DRIFT_DEFAULT, query.kind ?? null, query.atMs ?? null)),
      ),
  )
}
