/** What was: stored series and events. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "#engine/api/contract.ts"
import type { ApiDeps } from "#engine/api/deps.ts"
import { unavailable } from "#engine/api/handlers/request.ts"
import { deviceNames, PAGE_DEFAULT, readCursor } from "#engine/api/lists.ts"
import { BadQuery, NotFound } from "#engine/api/problems.ts"
import { Caller } from "#engine/api/signed-in.ts"
import { placesOf } from "#engine/incidents/seen.ts"
import type { LiveTwin } from "#engine/tenant/live-twin.ts"
import type { IncidentView } from "#protocol/incident.ts"
import { metricByName } from "#protocol/metric.ts"
import { incidentOf } from "#protocol/view.ts"
import type { EventView } from "#protocol/view.ts"

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
          const { sites } = principal
          const held = sites === null ? [] : incidentsHeld(deps, twin)
          const before = readCursor(query.cursor)
          if (before === null) return yield* new BadQuery({ detail: "`cursor` is not one that this API gave out" })
          const limit = query.limit ?? PAGE_DEFAULT
          const found = yield* deps.events
            .page(twin.tenant.id, {
              subject: query.subject ?? null,
              subjects: sites === null ? null : subjectsOf(twin),
              incidents: sites === null ? null : { held: held.map(({ id }) => id), sites },
              type: query.type ?? null,
              fromMs: query.from ?? null,
              toMs: query.to ?? null,
              before: before ?? null,
              limit,
            })
            .pipe(Effect.catchTag("Unavailable", unavailable(deps)))
          const items =
            sites === null
              ? found
              : yield* seenEvents(deps, twin, sites, held, found).pipe(
                  Effect.catchTag("Unavailable", unavailable(deps)),
                )
          const last = found.at(-1)
          return {
            items,
            next: last === undefined || found.length < limit ? null : Buffer.from(last.id).toString("base64url"),
          }
        }),
      ),
  )

/** Of the twin, as the caller sees them. */
const incidentsHeld = (deps: ApiDeps, twin: LiveTwin): readonly IncidentView[] =>
  (deps.incidents.of(twin.tenant.id)?.list() ?? []).flatMap(({ id }) => twin.incident?.(id) ?? [])

/** As the stream tells them: an incident that does not touch their sites is not there, and its title names nothing else. */
const seenEvents = (
  deps: ApiDeps,
  twin: LiveTwin,
  sites: readonly string[],
  held: readonly IncidentView[],
  found: readonly EventView[],
) =>
  Effect.gen(function* () {
    const titles = new Map(held.map(({ id, title }) => [id, title]))
    const unknown = new Set(found.flatMap((event) => incidentOf(event) ?? []).filter((id) => !titles.has(id)))
    const bound = { sites, places: placesOf(twin.inventory()) }
    const over = yield* deps.incidents.past.titles(twin.tenant.id, [...unknown], bound)
    return found.flatMap((event): readonly EventView[] => {
      const id = incidentOf(event)
      if (id === null) return [event]
      const title = titles.get(id) ?? over.get(id)
      return title === undefined ? [] : [{ ...event, raw: title }]
    })
  })

/** What a caller of some sites may see events of: their twin is cut down to these sites already. */
const subjectsOf = (twin: LiveTwin): readonly string[] => {
  const { devices, links } = twin.inventory()
  return [...devices, ...links].map((one) => one.id)
}
