/** What fires now and why: read from the caller's own judgement. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "#engine/api/contract.ts"
import type { ApiDeps } from "#engine/api/deps.ts"
import { readCursor } from "#engine/api/lists.ts"
import { BadQuery, NotFound } from "#engine/api/problems.ts"

export const alerts = (_deps: ApiDeps) =>
  HttpApiBuilder.group(Api, "alerts", (handlers) =>
    handlers
      .handle("list", ({ query }) =>
        readCursor(query.cursor) === null
          ? Effect.fail(new BadQuery({ detail: "`cursor` is not one that this list gave out" }))
          : Effect.succeed({ items: [], next: null, counts: NO_ALERTS }),
      )
      .handle("get", () => Effect.fail(new NotFound({})))
      .handle("explain", () => Effect.fail(new NotFound({})))
      .handle("receipt", () => Effect.fail(new NotFound({})))
      .handle("acknowledge", () => Effect.fail(new NotFound({})))
      .handle("withdraw", () => Effect.fail(new NotFound({})))
      .handle("mute", () => Effect.fail(new NotFound({})))
      .handle("unmute", () => Effect.fail(new NotFound({}))),
  )

const NO_ALERTS = { pending: 0, firing: 0, critical: 0, warn: 0, info: 0, acknowledged: 0, heldBack: 0 }
