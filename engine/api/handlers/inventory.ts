/** Changing what the tenant declares. What each edit does stands in engine/inventory-api; here requests become edits. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "#engine/api/contract.ts"
import type { ApiDeps } from "#engine/api/deps.ts"
import { etagOf } from "#engine/api/etag.ts"
import { overQuota } from "#engine/api/handlers/over-quota.ts"
import { setHeader, unavailable } from "#engine/api/handlers/request.ts"
import { requestHash, withIdempotency } from "#engine/api/idempotency.ts"
import { Changed, Conflict, ImportInvalid, NotFound, Refused } from "#engine/api/problems.ts"
import { Caller } from "#engine/api/signed-in.ts"
import { parseCsv } from "#engine/import/csv.ts"
import { parseGraphml } from "#engine/import/graphml.ts"
import { parseImport, type ParsedImport } from "#engine/import/parse.ts"
import type { EditRefused } from "#engine/inventory-api/edit-refused.ts"
import type { EditError, Editor } from "#engine/inventory-api/inventory-api.ts"

export const inventory = (deps: ApiDeps) => {
  const store = deps.inventory
  /** Runs an edit as the caller. `whys` = the refusals that the endpoint declares; any other is a defect. */
  const as = <A, W extends Why>(whys: readonly W[], edit: (who: Editor) => Effect.Effect<A, EditError>) =>
    Effect.flatMap(Caller, (caller) =>
      edit(editorOf(caller)).pipe(
        Effect.catchTag("Unavailable", unavailable(deps)),
        Effect.catchTag("QuotaPassed", overQuota),
        Effect.catchTag("EditRefused", (error) => problemOf(whys, error)),
      ),
    )
  /** Done once per Idempotency-Key. */
  const once = <A, E extends { readonly _tag: string }, R>(
    operation: string,
    key: string | undefined,
    given: unknown,
    effect: Effect.Effect<A, E, R>,
  ) => Effect.flatMap(Caller, (caller) => withIdempotency(deps, caller, key, requestHash(operation, given), effect))

  return HttpApiBuilder.group(Api, "inventory", (handlers) =>
    handlers
      .handle("site", ({ params }) =>
        Effect.flatMap(
          as(["notFound"], (who) => store.site(who, params.id)),
          tagged,
        ),
      )
      .handle("putSite", ({ params, headers, payload }) =>
        Effect.flatMap(
          as(["refused", "changed"], (who) => store.putSite(who, params.id, payload, headers["if-match"])),
          tagged,
        ),
      )
      .handle("removeSite", ({ params }) =>
        Effect.asVoid(as(["notFound", "conflict"], (who) => store.removeSite(who, params.id))),
      )
      .handle("declaredDevice", ({ params }) =>
        Effect.flatMap(
          as(["notFound"], (who) => store.device(who, params.id)),
          tagged,
        ),
      )
      .handle("createDevice", ({ headers, payload }) =>
        Effect.flatMap(
          once(
            "createDevice",
            headers["idempotency-key"],
            payload,
            as(["refused", "conflict"], (who) => store.createDevice(who, payload)),
          ),
          tagged,
        ),
      )
      .handle("updateDevice", ({ params, headers, payload }) =>
        Effect.flatMap(
          as(["notFound", "refused", "conflict", "changed"], (who) =>
            store.updateDevice(who, params.id, payload, headers["if-match"]),
          ),
          tagged,
        ),
      )
      .handle("removeDevice", ({ params }) =>
        Effect.asVoid(as(["notFound"], (who) => store.removeDevice(who, params.id))),
      )
      .handle("putCredential", ({ params, payload }) =>
        Effect.asVoid(as(["notFound", "refused"], (who) => store.putCredential(who, params.id, params.kind, payload))),
      )
      .handle("removeCredential", ({ params }) =>
        Effect.asVoid(as(["notFound"], (who) => store.removeCredential(who, params.id, params.kind))),
      )
      .handle("createLink", ({ headers, payload }) =>
        Effect.flatMap(
          once(
            "createLink",
            headers["idempotency-key"],
            payload,
            as(["refused", "conflict"], (who) => store.createLink(who, payload)),
          ),
          tagged,
        ),
      )
      .handle("updateLink", ({ params, headers, payload }) =>
        Effect.flatMap(
          as(["notFound", "refused", "changed"], (who) =>
            store.updateLink(who, params.id, payload.capacityBps, headers["if-match"]),
          ),
          tagged,
        ),
      )
      .handle("removeLink", ({ params }) => Effect.asVoid(as(["notFound"], (who) => store.removeLink(who, params.id))))
      .handle("import", ({ query, headers, payload }) => {
        const mode = { dryRun: query.dryRun === "true", replace: query.replace === "true" }
        const effect = Effect.gen(function* () {
          const { principal } = yield* Caller
          const wrong = store.wrongAddress(principal.tenant)
          const isCsv = (query.format ?? "json") === "csv"
          const sites = isCsv ? yield* as(["refused"], store.sites) : new Map()
          const parse = query.format === "graphml" ? parseGraphml : parseImport
          const parsed = isCsv ? parseCsv(payload.document, sites, wrong) : parse(payload.document, wrong)
          if (!parsed.ok) return yield* invalid(parsed)
          const { report, preview } = yield* as(["refused"], (who) => store.import(who, parsed.document, mode))
          return { ...report, dryRun: mode.dryRun, preview }
        })
        return once("import", headers["idempotency-key"], [query, payload], effect)
      })
      .handle("export", () => Effect.map(as([], store.export), (document) => ({ document }))),
  )
}

export const editorOf = ({ principal, actor }: (typeof Caller)["Service"]): Editor => ({
  tenant: principal.tenant,
  by: actor,
  sites: principal.sites,
  mayCredentials: principal.permissions.has("credentials.manage"),
})

/** A single thing with its ETag, for whoever changes it carefully. */
export const tagged = <A>(body: A) => Effect.as(setHeader("etag", etagOf(body)), body)

export type Why = EditRefused["why"]
type ProblemOf<W extends Why> = ReturnType<(typeof PROBLEM)[W]>
export const problemOf = <W extends Why>(
  whys: readonly W[],
  error: EditRefused,
): Effect.Effect<never, ProblemOf<W>> => {
  const why = whys.find((one) => one === error.why)
  return why === undefined ? Effect.die(error) : Effect.fail(PROBLEM[why](error.detail) as ProblemOf<W>)
}
const PROBLEM = {
  notFound: () => new NotFound({}),
  refused: (detail: string) => new Refused({ detail }),
  conflict: (detail: string) => new Conflict({ detail }),
  changed: () => new Changed({}),
}

const invalid = ({ errors, total }: Extract<ParsedImport, { ok: false }>) =>
  new ImportInvalid({
    errors: errors.slice(0, MISTAKES_TOLD).map(({ line, path, message }) => ({ line, path, message })),
    total,
  })
/** Of a document; the total is told besides. */
const MISTAKES_TOLD = 100
