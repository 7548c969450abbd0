/** Incidents of the caller's tenant, cut to the places that the caller sees. What each act does stands in twin/incident/. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "#engine/api/contract.ts"
import type { ApiDeps } from "#engine/api/deps.ts"
import { unavailable } from "#engine/api/handlers/request.ts"
import { readCursor } from "#engine/api/lists.ts"
import { Unavailable } from "#engine/api/ports.ts"
import { BadQuery, NotFound } from "#engine/api/problems.ts"
import { Caller } from "#engine/api/signed-in.ts"
import { countIncidents, incidentPage } from "#engine/incidents/incident-list.ts"
import { postmortemOf } from "#engine/incidents/postmortem.ts"
import { cutToPlaces, placesOf } from "#engine/incidents/seen.ts"
import type { IncidentView } from "#protocol/incident.ts"
import type { IncidentAct } from "#twin/incident/act.ts"

/** Of an acknowledgement that names no time. */
const ACK_MINUTES = 240
const MINUTE_MS = 60_000

export const incidents = (deps: ApiDeps) => {
  const away = unavailable(deps)
  const book = Effect.flatMap(Caller, ({ principal }) => {
    const found = deps.incidents.of(principal.tenant)
    return found === null ? away(new Unavailable({ detail: "the twin is being rebuilt" })) : Effect.succeed(found)
  })
  /** Cut for whoever is bound to sites. */
  const asSeen = (views: readonly IncidentView[]) =>
    Effect.map(Caller, ({ principal, twin }) => {
      if (principal.sites === null) return views
      const places = placesOf(twin.inventory())
      return views.flatMap((view) => cutToPlaces(view, places) ?? [])
    })
  const seen = Effect.flatMap(book, (it) => asSeen(it.list()))
  const one = (id: string) =>
    Effect.flatMap(seen, (views) => {
      const found = views.find((view) => view.id === id)
      return found === undefined ? Effect.fail(new NotFound({})) : Effect.succeed(found)
    })
  /** Does it, and answers with what it made of the incident. */
  const done = (id: string, act: IncidentAct) =>
    Effect.gen(function* () {
      const incident = yield* one(id)
      const { actor, principal } = yield* Caller
      yield* deps.incidents
        .act(yield* book, principal.tenant, actor, incident, act)
        .pipe(Effect.catchTag("Unavailable", away))
      return yield* one(id)
    })

  return HttpApiBuilder.group(Api, "incidents", (handlers) =>
    handlers
      .handle("list", ({ query }) =>
        Effect.gen(function* () {
          const after = readCursor(query.cursor)
          const { actor } = yield* Caller
          const all = yield* seen
          const page = after === null ? null : incidentPage(all, query, actor.name, after)
          if (page === null) return yield* new BadQuery({ detail: "`cursor` is not one that this list gave out" })
          return { ...page, counts: countIncidents(all, actor.name) }
        }),
      )
      .handle("get", ({ params }) => one(params.id))
      .handle("acknowledge", ({ params, payload }) =>
        done(params.id, { act: "ack", untilMs: deps.nowMs() + (payload.minutes ?? ACK_MINUTES) * MINUTE_MS }),
      )
      .handle("withdraw", ({ params }) => Effect.asVoid(done(params.id, { act: "unack" })))
      .handle("assign", ({ params, payload }) => done(params.id, { act: "assign", user: payload.user }))
      .handle("note", ({ params, payload }) => done(params.id, { act: "note", text: payload.text }))
      .handle("escalate", ({ params, payload }) => done(params.id, { act: "escalate", note: payload.note }))
      .handle("close", ({ params, payload }) => done(params.id, { act: "close", note: payload.note }))
      .handle("confirm", ({ params, payload }) => done(params.id, { act: "confirm", ...payload }))
      .handle("postmortem", ({ params, query }) =>
        Effect.map(one(params.id), (view) => postmortemOf(view, query.format ?? "markdown")),
      ),
  )
}
