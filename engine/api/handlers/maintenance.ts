/** Maintenance windows, changes and mutes. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "#engine/api/contract.ts"
import type { ApiDeps } from "#engine/api/deps.ts"
import { readCursor } from "#engine/api/lists.ts"
import { BadQuery, NotFound, Refused } from "#engine/api/problems.ts"

export const maintenance = (_deps: ApiDeps) =>
  HttpApiBuilder.group(Api, "maintenance", (handlers) =>
    handlers
      .handle("list", ({ query }) =>
        readCursor(query.cursor) === null
          ? Effect.fail(new BadQuery({ detail: "`cursor` is not one that this list gave out" }))
          : Effect.succeed({ items: [], next: null }),
      )
      .handle("calendar", () => Effect.succeed({ items: [], windows: [], truncated: false }))
      .handle("get", () => Effect.fail(new NotFound({})))
      .handle("create", () => Effect.fail(new Refused({ detail: "windows are not stored yet" })))
      .handle("put", () => Effect.fail(new NotFound({})))
      .handle("remove", () => Effect.fail(new NotFound({})))
      .handle("state", () => Effect.fail(new NotFound({})))
      .handle("end", () => Effect.fail(new NotFound({}))),
  )
