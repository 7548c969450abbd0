/** What is known of the network now: read from the caller's own twin. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "#engine/api/contract.ts"
import type { ApiDeps } from "#engine/api/deps.ts"
import { tenantBody } from "#engine/api/handlers/request.ts"
import { adjacencyPage, interfacePage } from "#engine/api/device-lists.ts"
import { placeFilter } from "#engine/api/place-filter.ts"
import type { PlaceFilter, PlaceQuery } from "#engine/api/place-filter.ts"
import { probePage } from "#engine/api/probe-rows.ts"
import { topologyPage } from "#engine/api/topology-page.ts"
import { METRICS } from "#protocol/metric.ts"
import { deviceNames, devicePage, linkPage, readCursor, sitePage } from "#engine/api/lists.ts"
import { BadQuery, NotFound } from "#engine/api/problems.ts"
import { Caller } from "#engine/api/signed-in.ts"
import type { LiveTwin } from "#engine/tenant/live-twin.ts"

export const network = (deps: ApiDeps) =>
  HttpApiBuilder.group(Api, "network", (handlers) =>
    handlers
      .handle("devices", ({ query }) =>
        placed(query, (more) =>
          withCursor(query.cursor, (twin, after) => devicePage(twin, { ...query, ...more }, after)),
        ),
      )
      .handle("links", ({ query }) => withCursor(query.cursor, (twin, after) => linkPage(twin, query, after)))
      .handle("sites", ({ query }) =>
        placed(query, (more) =>
          withCursor(query.cursor, (twin, after) => sitePage(twin, { ...query, ...more }, after)),
        ),
      )
      .handle("device", ({ params }) =>
        Effect.flatMap(Caller, ({ twin }) => {
          const view = twin.view({ kind: "device", id: params.id })
          return view?.kind === "device" ? Effect.succeed(view) : Effect.fail(new NotFound({}))
        }),
      )
      .handle("link", ({ params }) =>
        Effect.flatMap(Caller, ({ twin }) => {
          const view = twin.view({ kind: "link", id: params.id })
          return view?.kind === "link" ? Effect.succeed(view) : Effect.fail(new NotFound({}))
        }),
      )
      .handle("deviceInterfaces", ({ params, query }) =>
        Effect.gen(function* () {
          const { twin } = yield* Caller
          if (!deviceNames(twin.inventory()).has(params.id)) return yield* new NotFound({})
          return yield* withCursor(query.cursor, (seen, after) =>
            interfacePage(seen, { ...query, device: params.id }, after),
          )
        }),
      )
      .handle("interfaces", ({ query }) => withCursor(query.cursor, (twin, after) => interfacePage(twin, query, after)))
      .handle("adjacencies", ({ query }) =>
        withCursor(query.cursor, (twin, after) => adjacencyPage(twin, query, after)),
      )
      .handle("topology", ({ query }) => withCursor(query.cursor, (twin, after) => topologyPage(twin, query, after)))
      .handle("probes", ({ query }) =>
        withCursor(query.cursor, (twin, after) => probePage(twin, deps.probePlans.of(twin.tenant.id), query, after)),
      )
      .handle("metrics", ({ query }) =>
        Effect.succeed({
          items: METRIC_ROWS.filter((row) => query.entity === undefined || row.entity === query.entity),
          next: null,
        }),
      )
      .handle("status", () =>
        Effect.map(Caller, ({ twin }) => ({
          version: deps.version,
          uptimeS: Math.floor(process.uptime()),
          atMs: deps.nowMs(),
          tenant: tenantBody(twin),
          epoch: twin.epoch(),
          seq: twin.seq(),
          counts: twin.counts(),
        })),
      ),
  )

/** `read` answers null for a cursor of another list. */
const placed = <A, R>(
  query: PlaceQuery,
  read: (more: { readonly where?: PlaceFilter }) => Effect.Effect<A, BadQuery, R>,
): Effect.Effect<A, BadQuery, R> => {
  const where = placeFilter(query)
  return typeof where === "string" ? Effect.fail(new BadQuery({ detail: where })) : read(where)
}

const withCursor = <A>(cursor: string | undefined, read: (twin: LiveTwin, after: string | undefined) => A | null) =>
  Effect.flatMap(Caller, ({ twin }) => {
    const after = readCursor(cursor)
    const found = after === null ? null : read(twin, after)
    return found === null
      ? Effect.fail(new BadQuery({ detail: "`cursor` is not one that this list gave out" }))
      : Effect.succeed(found)
  })

const METRIC_ROWS = METRICS.map(({ name, unit, kind, entity, derived, states }) => ({
  name,
  unit,
  kind,
  entity,
  derived: derived === true,
  states: states ?? null,
}))
