/** What fires now and why: read from the judgement of the caller's tenant, cut to the devices that the caller sees. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "#engine/api/contract.ts"
import type { ApiDeps } from "#engine/api/deps.ts"
import { planner } from "#engine/api/handlers/maintenance.ts"
import { unavailable } from "#engine/api/handlers/request.ts"
import { deviceNames, readCursor } from "#engine/api/lists.ts"
import { Unavailable } from "#engine/api/ports.ts"
import { BadQuery, NotFound, Refused } from "#engine/api/problems.ts"
import { Caller } from "#engine/api/signed-in.ts"
import { alertPage, countAlerts } from "#engine/rules/alert-list.ts"
import type { Judgement } from "#engine/tenant/live-twin.ts"
import { ENGINE_DEVICE } from "#twin/self/self.ts"
import { alertNameOf, type AlertName, type AlertView } from "#protocol/alert.ts"

/** Of an acknowledgement that names no time. */
const ACK_MINUTES = 240
const MINUTE_MS = 60_000

/** The engine itself is of no site: whoever is bound to some does not see it. */
const seesDevice = ({ principal, twin }: Caller["Service"]): ((device: string) => boolean) => {
  const devices = deviceNames(twin.inventory())
  return (device) => devices.has(device) || (device === ENGINE_DEVICE && principal.sites === null)
}

export const alerts = (deps: ApiDeps) => {
  const away = unavailable(deps)
  const judgement = Effect.flatMap(Caller, ({ principal }) => {
    const found = deps.judgements.of(principal.tenant)
    return found === null ? away(new Unavailable({ detail: "the twin is being rebuilt" })) : Effect.succeed(found)
  })
  const seen = Effect.gen(function* () {
    const isSeen = seesDevice(yield* Caller)
    return (yield* judgement).alerts().filter(({ device }) => isSeen(device))
  })
  /** What the id names, if the caller sees its device. */
  const named = (id: string): Effect.Effect<AlertName, NotFound, Caller> =>
    Effect.flatMap(Caller, (caller) => {
      const name = alertNameOf(id)
      return name !== null && seesDevice(caller)(name.device) ? Effect.succeed(name) : Effect.fail(new NotFound({}))
    })
  /** The judgement's answer about what the id names; NotFound when the device, or the rule, is not. */
  const explained = (id: string) =>
    Effect.gen(function* () {
      const name = yield* named(id)
      const found = (yield* judgement).explain(name)
      return found === null ? yield* new NotFound({}) : found
    })
  const lit = (judged: Judgement, id: string): Effect.Effect<AlertView, Refused> => {
    const found = judged.alerts().find((alert) => alert.id === id)
    return found === undefined
      ? Effect.fail(new Refused({ detail: "it does not fire any more" }))
      : Effect.succeed(found)
  }
  const acknowledged = (id: string, untilMs: number | null) =>
    Effect.gen(function* () {
      const name = yield* named(id)
      const judged = yield* judgement
      const { actor, twin } = yield* Caller
      yield* deps.alerts
        .acknowledge(judged, twin.tenant.id, actor, name, untilMs)
        .pipe(Effect.catchTag("Unavailable", away))
      return judged
    })

  return HttpApiBuilder.group(Api, "alerts", (handlers) =>
    handlers
      .handle("list", ({ query }) =>
        Effect.gen(function* () {
          const after = readCursor(query.cursor)
          const all = yield* seen
          const page = after === null ? null : alertPage(all, query, after)
          if (page === null) return yield* new BadQuery({ detail: "`cursor` is not one that this list gave out" })
          return { ...page, counts: countAlerts(all) }
        }),
      )
      .handle("get", ({ params }) =>
        Effect.flatMap(seen, (all) => {
          const found = all.find(({ id }) => id === params.id)
          return found === undefined ? Effect.fail(new NotFound({})) : Effect.succeed(found)
        }),
      )
      .handle("explain", ({ params }) =>
        Effect.map(explained(params.id), (it) =>
          it.found ? { explanation: it.explanation, reason: null } : { explanation: null, reason: it.reason },
        ),
      )
      .handle("receipt", ({ params }) =>
        Effect.gen(function* () {
          const receipt = (yield* judgement).receipt(yield* named(params.id))
          return receipt === null ? yield* new NotFound({}) : { ...receipt }
        }),
      )
      .handle("acknowledge", ({ params, payload }) => {
        const untilMs = deps.nowMs() + (payload.minutes ?? ACK_MINUTES) * MINUTE_MS
        return Effect.flatMap(acknowledged(params.id, untilMs), (judged) => lit(judged, params.id))
      })
      .handle("withdraw", ({ params }) => Effect.asVoid(acknowledged(params.id, null)))
      .handle("mute", ({ params, payload }) =>
        Effect.gen(function* () {
          const name = yield* named(params.id)
          const { window } = yield* deps.maintenance
            .mute(yield* planner, name, payload.minutes, payload.note)
            .pipe(Effect.catchTag("Unavailable", away))
          return { window: window.id, untilMs: window.startsAtMs + window.durationSeconds * 1_000 }
        }),
      )
      .handle("unmute", ({ params }) =>
        Effect.gen(function* () {
          const name = yield* named(params.id)
          yield* deps.maintenance.unmute(yield* planner, name).pipe(Effect.catchTag("Unavailable", away))
        }),
      ),
  )
}
