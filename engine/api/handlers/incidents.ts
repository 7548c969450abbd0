/**
 * Incidents of the caller's tenant, cut to the places that the caller sees: those of the twin, and those that are over and
 * stand in the table. What each act does stands in twin/incident/ and engine/incidents/.
 */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "#engine/api/contract.ts"
import type { ApiDeps } from "#engine/api/deps.ts"
import { unavailable } from "#engine/api/handlers/request.ts"
import { PAGE_DEFAULT, readCursor, writeCursor } from "#engine/api/lists.ts"
import { Unavailable } from "#engine/api/ports.ts"
import { BadQuery, NotFound } from "#engine/api/problems.ts"
import { Caller } from "#engine/api/signed-in.ts"
import { countIncidents, incidentPage } from "#engine/incidents/incident-list.ts"
import type { Bound } from "#engine/incidents/past-incidents.ts"
import { postmortemOf } from "#engine/incidents/postmortem.ts"
import { cutToPlaces, placesOf } from "#engine/incidents/seen.ts"
import { sitesOf } from "#engine/incidents/sites-of.ts"
import { FAULT_TYPES, type FaultType, type IncidentView } from "#protocol/incident.ts"
import type { IncidentAct } from "#twin/incident/act.ts"
import type { Feedback, Learned } from "#twin/incident/feedback.ts"

/** Of an acknowledgement that names no time. */
const ACK_MINUTES = 240
const MINUTE_MS = 60_000

export const incidents = (deps: ApiDeps) => {
  const away = unavailable(deps)
  const book = Effect.flatMap(Caller, ({ principal }) => {
    const found = deps.incidents.of(principal.tenant)
    return found === null ? away(new Unavailable({ detail: "the twin is being rebuilt" })) : Effect.succeed(found)
  })
  const bound = Effect.map(Caller, ({ principal, twin }): Bound | null =>
    principal.sites === null ? null : { sites: principal.sites, places: placesOf(twin.inventory()) },
  )
  /** All that the twin holds, and what the caller sees of it. */
  const held = Effect.gen(function* () {
    const all = (yield* book).list()
    const limits = yield* bound
    return { all, seen: limits === null ? all : all.flatMap((view) => cutToPlaces(view, limits.places) ?? []) }
  })
  const one = (id: string) =>
    Effect.gen(function* () {
      const { all, seen } = yield* held
      const { principal } = yield* Caller
      const found = all.some((view) => view.id === id)
        ? seen.find((view) => view.id === id)
        : yield* deps.incidents.past.one(principal.tenant, id, yield* bound).pipe(Effect.catchTag("Unavailable", away))
      return found ?? (yield* new NotFound({}))
    })
  /** Sites that it touches, those that the caller does not see included: who else may have it. */
  const sitesTouched = (seen: IncidentView) =>
    Effect.gen(function* () {
      const { principal } = yield* Caller
      const whole = (yield* held).all.find(({ id }) => id === seen.id) ?? seen
      const inventory = deps.twins.byTenant(principal.tenant)?.inventory()
      return inventory === undefined ? [] : sitesOf(whole, inventory)
    })
  /** Does it, and answers with what it made of the incident. */
  const done = (id: string, act: IncidentAct) =>
    Effect.gen(function* () {
      const incident = yield* one(id)
      const { actor, principal } = yield* Caller
      yield* deps.incidents
        .act(yield* book, principal.tenant, actor, incident, yield* sitesTouched(incident), act)
        .pipe(Effect.catchTag("Unavailable", away))
      return yield* one(id)
    })

  return HttpApiBuilder.group(Api, "incidents", (handlers) =>
    handlers
      .handle("list", ({ query }) =>
        Effect.gen(function* () {
          const after = readCursor(query.cursor)
          const { actor, principal, twin } = yield* Caller
          const { all, seen } = yield* held
          const stored = deps.incidents.past.reader(principal.tenant, query, actor.name, all, yield* bound)
          const page =
            after === null
              ? null
              : yield* incidentPage(
                  seen,
                  query,
                  actor.name,
                  after,
                  (view) => sitesOf(view, twin.inventory()),
                  stored,
                ).pipe(Effect.catchTag("Unavailable", away))
          if (page === null) return yield* new BadQuery({ detail: "`cursor` is not one that this list gave out" })
          return { ...page, counts: countIncidents(seen, actor.name) }
        }),
      )
      .handle("feedback", ({ query: { from = null, to = null } }) =>
        Effect.gen(function* () {
          const { principal } = yield* Caller
          const limits = yield* bound
          const { all, seen } = yield* held
          const counted = seen.length === all.length ? all : all.filter(({ id }) => seen.some((view) => view.id === id))
          const table = yield* deps.incidents.past
            .calibration(principal.tenant, all, counted, { from, to }, limits)
            .pipe(Effect.catchTag("Unavailable", away))
          return { ...table, applied: true as const, ...learnedBy(limits, (yield* book).feedback()) }
        }),
      )
      .handle("unlearn", ({ params }) =>
        Effect.gen(function* () {
          const { actor, principal } = yield* Caller
          // It is the whole tenant's: whoever is bound to sites does not see it.
          const fault = FAULT_TYPES.find((one) => one === params.fault)
          if (fault === undefined || (yield* bound) !== null) return yield* new NotFound({})
          yield* deps.incidents
            .unlearn(yield* book, principal.tenant, actor, fault)
            .pipe(Effect.catchTag("Unavailable", away))
        }),
      )
      .handle("get", ({ params }) => one(params.id))
      .handle("acknowledge", ({ params, payload }) =>
        done(params.id, { act: "ack", untilMs: deps.nowMs() + (payload.minutes ?? ACK_MINUTES) * MINUTE_MS }),
      )
      .handle("withdraw", ({ params }) => Effect.asVoid(done(params.id, { act: "unack" })))
      .handle("assign", ({ params, payload }) => done(params.id, { act: "assign", user: payload.user }))
      .handle("assignees", ({ params, query }) =>
        Effect.gen(function* () {
          const after = readCursor(query.cursor)
          if (after === null) return yield* new BadQuery({ detail: "`cursor` is not one that this list gave out" })
          const { principal } = yield* Caller
          const sites = yield* sitesTouched(yield* one(params.id))
          const page = { q: query.q ?? null, after: after ?? null, limit: query.limit ?? PAGE_DEFAULT }
          const { names, next } = yield* deps.incidents
            .assignees(principal.tenant, sites, page)
            .pipe(Effect.catchTag("Unavailable", away))
          return { items: names.map((name) => ({ name })), next: next === null ? null : writeCursor(next) }
        }),
      )
      .handle("note", ({ params, payload }) => done(params.id, { act: "note", text: payload.text }))
      .handle("escalate", ({ params, payload }) => done(params.id, { act: "escalate", note: payload.note }))
      .handle("close", ({ params, payload }) => done(params.id, { act: "close", note: payload.note }))
      .handle("confirm", ({ params, payload }) => done(params.id, { act: "confirm", ...payload }))
      .handle("postmortem", ({ params, query }) =>
        Effect.map(one(params.id), (view) => postmortemOf(view, query.format ?? "markdown")),
      ),
  )
}

const pick = (fault: FaultType, { confirmations, right, shift, wanted = shift }: Learned) => ({
  fault,
  confirmations,
  right,
  shift,
  wanted,
})

/** What the whole tenant's confirmations taught is no figure of some sites. */
const learnedBy = (limits: Bound | null, { byFault, log }: Feedback) =>
  limits === null
    ? {
        shifts: FAULT_TYPES.flatMap((fault) => {
          const learned = byFault[fault]
          return learned === undefined || learned.confirmations === 0 ? [] : [pick(fault, learned)]
        }),
        log: log.toReversed(),
      }
    : { shifts: [], log: [] }
