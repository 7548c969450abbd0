/** What was: stored series and events. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "#engine/api/contract.ts"
import type { ApiDeps } from "#engine/api/deps.ts"
import { unavailable } from "#engine/api/handlers/request.ts"
import { deviceNames, PAGE_DEFAULT, readCursor } from "#engine/api/lists.ts"
import { BadQuery, NotFound } from "#engine/api/problems.ts"
import { Caller } from "#engine/api/signed-in.ts"
import type { LiveTwin } from "#engine/tenant/live-twin.ts"
import { metricByName } from "#protocol/metric.ts"

const HISTORY_DEFAULT_MS = 3_600_000
const HISTORY_POINTS = 600

export const past = (deps: ApiDeps) =>
  HttpApiBuilder.group(Api, "past", (handlers) =>
    handlers
      .handle("history", ({ query }) =>
        Effect.gen(function* () {
          const { twin } = yield* Caller
          const toMs = query.to ?? deps.nowMs()
          const fromMs = query.from ?? toMs - HISTORY_DEFAULT_MS
          if (fromMs >= toMs) return yield* new BadQuery({ detail: "`from` must be before `to`" })
          if (metricByName(query.metric) === null)
            return yield* new BadQuery({ detail: "`metric` is not in the registry" })
          if (!deviceNames(twin.inventory()).has(query.device)) return yield* new NotFound({})
          const asked = { device: query.device, entity: query.entity ?? "", metric: query.metric }
          const series = yield* deps.history
            .read(twin.tenant.id, { ...asked, fromMs, toMs, pointsMax: query.points ?? HISTORY_POINTS })
            .pipe(Effect.catchTag("Unavailable", unavailable(deps)))
          if (series === null) return yield* new NotFound({})
          return { ...asked, ...series }
        }),
      )
      .handle("events", ({ query }) =>
        Effect.gen(function* () {
          const { twin, principal } = yield* Caller
          const before = readCursor(query.cursor)
          if (before === null) return yield* new BadQuery({ detail: "`cursor` is not one that this API gave out" })
          const limit = query.limit ?? PAGE_DEFAULT
          const items = yield* deps.events
            .page(twin.tenant.id, {
              subject: query.subject ?? null,
              subjects: principal.sites === null ? null : subjectsOf(twin),
              type: query.type ?? null,
              fromMs: query.from ?? null,
              toMs: query.to ?? null,
              before: before ?? null,
              limit,
            })
            .pipe(Effect.catchTag("Unavailable", unavailable(deps)))
          const last = items.at(-1)
          return {
            items,
            next: last === undefined || items.length < limit ? null : Buffer.from(last.id).toString("base64url"),
          }
        }),
      ),
  )

/** What a caller of some sites may see events of: their twin is cut down to these sites already. */
const subjectsOf = (twin: LiveTwin): readonly string[] => {
  const { devices, links } = twin.inventory()
  return [...devices, ...links].map((one) => one.id)
}
