/** What is known of the network now: read from the caller's own twin. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "#engine/api/contract.ts"
import type { ApiDeps } from "#engine/api/deps.ts"
import { tenantBody } from "#engine/api/handlers/request.ts"
import { devicePage, linkPage, readCursor, sitePage } from "#engine/api/lists.ts"
import { BadQuery, NotFound } from "#engine/api/problems.ts"
import { Caller } from "#engine/api/signed-in.ts"
import type { LiveTwin } from "#engine/tenant/live-twin.ts"

export const network = (deps: ApiDeps) =>
  HttpApiBuilder.group(Api, "network", (handlers) =>
    handlers
      .handle("devices", ({ query }) => withCursor(query.cursor, (twin, after) => devicePage(twin, query, after)))
      .handle("links", ({ query }) => withCursor(query.cursor, (twin, after) => linkPage(twin, query, after)))
      .handle("sites", ({ query }) => withCursor(query.cursor, (twin, after) => sitePage(twin, query, after)))
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

const withCursor = <A>(cursor: string | undefined, read: (twin: LiveTwin, after: string | undefined) => A) =>
  Effect.flatMap(Caller, ({ twin }) => {
    const after = readCursor(cursor)
    return after === null
      ? Effect.fail(new BadQuery({ detail: "`cursor` is not one that this API gave out" }))
      : Effect.succeed(read(twin, after))
  })
