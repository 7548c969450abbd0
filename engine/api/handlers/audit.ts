/** The record of every act, over the port engine/audit/audit.ts. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "#engine/api/contract.ts"
import type { ApiDeps } from "#engine/api/deps.ts"
import { unavailable } from "#engine/api/handlers/request.ts"
import { PAGE_DEFAULT, readCursor } from "#engine/api/lists.ts"
import { BadQuery, QuotaExceeded } from "#engine/api/problems.ts"
import { Caller } from "#engine/api/signed-in.ts"

export const audit = (deps: ApiDeps) =>
  HttpApiBuilder.group(Api, "audit", (handlers) =>
    handlers
      .handle("list", ({ query }) =>
        Effect.gen(function* () {
          const { principal } = yield* Caller
          const cursor = readCursor(query.cursor)
          if (cursor === null || (cursor !== undefined && !/^[1-9]\d{0,14}$/.test(cursor)))
            return yield* new BadQuery({ detail: "`cursor` is not one that this API gave out" })
          yield* ordered(query.from, query.to)
          const limit = query.limit ?? PAGE_DEFAULT
          const items = yield* deps.audit
            .page(principal.tenant, {
              actor: query.actor ?? null,
              action: query.action ?? null,
              object: query.object ?? null,
              fromMs: query.from ?? null,
              toMs: query.to ?? null,
              beforeSeq: cursor === undefined ? null : Number(cursor),
              limit,
            })
            .pipe(Effect.catchTag("Unavailable", unavailable(deps)))
          const last = items.at(-1)
          const next =
            last === undefined || items.length < limit ? null : Buffer.from(String(last.seq)).toString("base64url")
          return { items, next }
        }),
      )
      .handle("verify", () =>
        Effect.gen(function* () {
          const { principal } = yield* Caller
          const verdict = yield* deps.audit
            .verify(principal.tenant)
            .pipe(Effect.catchTag("Unavailable", unavailable(deps)))
          const { rows, intact, brokenAtSeq, problem, head } = verdict
          return { rows, intact, brokenAtSeq, problem, head }
        }),
      )
      .handle("export", ({ payload }) =>
        Effect.gen(function* () {
          const { principal, actor } = yield* Caller
          yield* ordered(payload.fromMs, payload.toMs)
          const range = { fromMs: payload.fromMs ?? null, toMs: payload.toMs ?? null }
          const { lines, rows, signature, keyId } = yield* deps.audit.export(principal.tenant, actor, range).pipe(
            Effect.catchTag("Unavailable", unavailable(deps)),
            Effect.catchTag(
              "ExportTooLarge",
              ({ bytesMax, bytes, message }) =>
                new QuotaExceeded({
                  quota: "max_export_bytes",
                  limit: bytesMax,
                  used: bytes,
                  retryAfterS: null,
                  detail: message,
                }),
            ),
          )
          return { lines, rows, signature, keyId }
        }),
      ),
  )

const ordered = (from: number | undefined, to: number | undefined) =>
  from !== undefined && to !== undefined && from > to
    ? new BadQuery({ detail: "the range ends before it begins" })
    : Effect.void
