/** Maintenance windows, changes and mutes. What each act does stands in engine/maintenance/. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "#engine/api/contract.ts"
import type { ApiDeps } from "#engine/api/deps.ts"
import { setHeader, unavailable } from "#engine/api/handlers/request.ts"
import { requestHash, withIdempotency } from "#engine/api/idempotency.ts"
import { page, PAGE_DEFAULT, readCursor } from "#engine/api/lists.ts"
import { BadQuery, NotFound } from "#engine/api/problems.ts"
import { Caller } from "#engine/api/signed-in.ts"
import { windowEtag, type Planner } from "#engine/maintenance/maintenance-api.ts"
import { plannedTimes, silentTimes, type StoredWindow } from "#engine/maintenance/silences.ts"
import { isOver } from "#engine/maintenance/window-check.ts"

const DAY_MS = 86_400_000
/** Where the next occurrence is looked for: a window of the 29th of February is further away at times. */
const NEXT_MS = 400 * DAY_MS
/** Longest stretch of a calendar, and its occurrences. */
const CALENDAR_MS = 400 * DAY_MS
const CALENDAR_MAX = 1_000

export const maintenance = (deps: ApiDeps) => {
  const away = unavailable(deps)
  const store = deps.maintenance
  const seen = Effect.flatMap(planner, (who) => store.read(who).pipe(Effect.catchTag("Unavailable", away)))
  const rowOf = (stored: StoredWindow) => {
    const nowMs = deps.nowMs()
    const [next] = plannedTimes(stored, nowMs, nowMs + NEXT_MS, 1)
    return {
      window: stored.window,
      active: silentTimes(stored, nowMs, nowMs + 1, 1).length > 0,
      next: next === undefined ? null : { fromMs: next[0], toMs: next[1] },
      updatedAtMs: stored.updatedAtMs,
      updatedBy: stored.updatedBy,
    }
  }
  const tagged = (stored: StoredWindow) => Effect.as(setHeader("etag", windowEtag(stored)), rowOf(stored))

  return HttpApiBuilder.group(Api, "maintenance", (handlers) =>
    handlers
      .handle("list", ({ query }) =>
        Effect.gen(function* () {
          const after = readCursor(query.cursor)
          if (after === null) return yield* new BadQuery({ detail: "`cursor` is not one that this list gave out" })
          const wanted = query.q?.toLowerCase()
          const nowMs = deps.nowMs()
          const all = yield* seen
          // `page` goes up, the list goes down: ids are turned round to be its keys.
          return page(
            all,
            ({ window }) => turned(window.id),
            after,
            query.limit ?? PAGE_DEFAULT,
            (stored) => {
              const { window } = stored
              if (query.kind !== undefined && window.kind !== query.kind) return null
              if (query.when !== undefined && isOver(stored, nowMs) !== (query.when === "over")) return null
              const text = `${window.title} ${window.note}`.toLowerCase()
              return wanted === undefined || text.includes(wanted) ? rowOf(stored) : null
            },
          )
        }),
      )
      .handle("calendar", ({ query: { from, to } }) =>
        Effect.gen(function* () {
          if (to <= from) return yield* new BadQuery({ detail: "`to` must be after `from`" })
          if (to - from > CALENDAR_MS) return yield* new BadQuery({ detail: "a calendar shows at most 400 days" })
          const all = yield* seen
          return calendarOf(all, from, to)
        }),
      )
      .handle("get", ({ params }) =>
        Effect.flatMap(seen, (all) => {
          const found = all.find(({ window }) => window.id === params.id)
          return found === undefined ? Effect.fail(new NotFound({})) : tagged(found)
        }),
      )
      .handle("create", ({ headers, payload }) =>
        Effect.gen(function* () {
          const caller = yield* Caller
          const who = yield* planner
          const made = store.create(who, payload).pipe(Effect.catchTag("Unavailable", away))
          const hash = requestHash("maintenance.create", payload)
          return yield* tagged(yield* withIdempotency(deps, caller, headers["idempotency-key"], hash, made))
        }),
      )
      .handle("put", ({ params, headers, payload }) =>
        Effect.flatMap(planner, (who) => store.put(who, params.id, payload, headers["if-match"])).pipe(
          Effect.catchTag("Unavailable", away),
          Effect.flatMap(tagged),
        ),
      )
      .handle("remove", ({ params, headers }) =>
        Effect.flatMap(planner, (who) => store.remove(who, params.id, headers["if-match"])).pipe(
          Effect.catchTag("Unavailable", away),
        ),
      )
      .handle("state", ({ params, payload }) =>
        Effect.flatMap(planner, (who) => store.setState(who, params.id, payload.state)).pipe(
          Effect.catchTag("Unavailable", away),
          Effect.flatMap(tagged),
        ),
      )
      .handle("end", ({ params }) =>
        Effect.flatMap(planner, (who) => store.end(who, params.id)).pipe(
          Effect.catchTag("Unavailable", away),
          Effect.flatMap(tagged),
        ),
      ),
  )
}

export const planner: Effect.Effect<Planner, never, Caller> = Effect.map(Caller, ({ principal, actor, twin }) => ({
  tenant: principal.tenant,
  by: actor,
  sites: principal.sites,
  // The twin of whoever is bound to sites is cut to them.
  devices: () => new Set<string>(twin.inventory().devices.map(({ id }) => id)),
}))

const turned = (id: string): string =>
  id.replaceAll(/[0-9a-f]/g, (digit) => (15 - Number.parseInt(digit, 16)).toString(16))

const calendarOf = (all: readonly StoredWindow[], fromMs: number, toMs: number) => {
  const found = all
    .flatMap((stored) =>
      plannedTimes(stored, fromMs, toMs, CALENDAR_MAX + 1).map(([from, to]) => ({
        window: stored.window.id,
        fromMs: from,
        toMs: to,
      })),
    )
    .toSorted((a, b) => a.fromMs - b.fromMs || (a.window < b.window ? -1 : 1))
  const items = found.slice(0, CALENDAR_MAX)
  const named = new Set(items.map(({ window }) => window))
  return {
    items,
    windows: all.filter(({ window }) => named.has(window.id)).map(({ window }) => window),
    truncated: found.length > items.length,
  }
}
