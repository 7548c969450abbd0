/** Replays on the screen. What each does stands in engine/replay/replays.ts. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "#engine/api/contract.ts"
import type { ApiDeps } from "#engine/api/deps.ts"
import { overQuota } from "#engine/api/handlers/over-quota.ts"
import { unavailable } from "#engine/api/handlers/request.ts"
import { NotFound, Refused } from "#engine/api/problems.ts"
import { Caller } from "#engine/api/signed-in.ts"
import type { BranchAsk } from "#engine/replay/session-messages.ts"
import type { ReplayRefused } from "#engine/replay/session.ts"

export const replays = (deps: ApiDeps) => {
  const away = unavailable(deps)
  const asked = <K extends BranchAsk["kind"]>(id: string, ask: Extract<BranchAsk, { kind: K }>) =>
    Effect.flatMap(asker, (by) => deps.replays.ask(by, id, ask)).pipe(
      Effect.catchTags({ ReplayRefused: refused, Unavailable: away }),
      Effect.flatMap(found),
    )
  return HttpApiBuilder.group(Api, "replays", (handlers) =>
    handlers
      .handle("list", () =>
        Effect.gen(function* () {
          const by = yield* asker
          const firstMs = yield* deps.replays.oldestMs(by.twin.tenant.id).pipe(Effect.catchTag("Unavailable", away))
          return { firstMs, items: deps.replays.list(by) }
        }),
      )
      .handle("get", ({ params }) => Effect.flatMap(asker, (by) => found(deps.replays.get(by, params.id))))
      .handle("create", ({ payload }) =>
        Effect.gen(function* () {
          const by = yield* asker
          const nowMs = deps.nowMs()
          const { fromMs, toMs = nowMs, speed = 1 } = payload
          if (fromMs > nowMs) return yield* new Refused({ detail: "the future cannot be replayed" })
          if (fromMs > toMs) return yield* new Refused({ detail: "`fromMs` must not be after `toMs`" })
          return yield* deps.replays
            .open(by, { fromMs, toMs: Math.min(toMs, nowMs), speed })
            .pipe(Effect.catchTags({ Unavailable: away, ReplayRefused: refused, QuotaPassed: overQuota }))
        }),
      )
      .handle("update", ({ params, payload }) =>
        Effect.flatMap(asker, (by) => deps.replays.steer(by, params.id, payload)).pipe(
          Effect.catchTag("ReplayRefused", refused),
          Effect.flatMap(found),
        ),
      )
      .handle("branch", ({ params, payload }) =>
        asked(params.id, { kind: "open", alone: payload.alone ?? false }).pipe(Effect.map(({ view }) => view)),
      )
      .handle("hear", ({ params, payload }) =>
        Effect.gen(function* () {
          const { sites } = yield* asker
          const { faults = null, inputs = [] } = payload
          const { view } = yield* asked(params.id, { kind: "hear", sites, faults, inputs })
          return view
        }),
      )
      .handle("look", ({ params }) =>
        Effect.flatMap(asker, ({ sites }) => asked(params.id, { kind: "look", sites })).pipe(
          Effect.map(({ answer }) => answer),
        ),
      )
      .handle("whatIf", ({ params, payload }) =>
        Effect.gen(function* () {
          const { sites } = yield* asker
          if (sites !== null)
            return yield* new Refused({ detail: "this asks about the whole network, and you see some sites only" })
          const { faults, routesOf = null } = payload
          const { answer } = yield* asked(params.id, { kind: "whatIf", faults, routesOf })
          return answer
        }),
      )
      .handle("leave", ({ params }) => asked(params.id, { kind: "leave" }).pipe(Effect.map(({ view }) => view)))
      .handle("remove", ({ params }) =>
        Effect.flatMap(asker, (by) => deps.replays.close(by, params.id)).pipe(
          Effect.catchTag("ReplayRefused", refused),
          Effect.flatMap((closed) => (closed ? Effect.void : new NotFound({}))),
        ),
      ),
  )
}

const asker = Effect.map(Caller, ({ principal, actor, twin }) => ({ actor, twin, sites: principal.sites }))

const refused = ({ message }: ReplayRefused) => new Refused({ detail: message })

const found = <A>(it: A | null): Effect.Effect<A, NotFound> => (it === null ? new NotFound({}) : Effect.succeed(it))
