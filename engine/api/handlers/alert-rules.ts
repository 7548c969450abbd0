/** The tenant's alert rules. What each act does stands in engine/rules/. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "#engine/api/contract.ts"
import type { ApiDeps } from "#engine/api/deps.ts"
import { etagOf } from "#engine/api/etag.ts"
import { setHeader } from "#engine/api/handlers/request.ts"
import { page, PAGE_DEFAULT, readCursor } from "#engine/api/lists.ts"
import { BadQuery, NotFound, Refused } from "#engine/api/problems.ts"
import type { Rule } from "#protocol/rule.ts"
import { checkRule } from "#twin/alert/check.ts"
import { PACKS } from "#twin/alert/packs/registry.ts"

const NOT_STORED = "rules of a tenant's own are not stored yet"

export const alertRules = (_deps: ApiDeps) =>
  HttpApiBuilder.group(Api, "alertRules", (handlers) =>
    handlers
      .handle("list", ({ query }) => {
        const after = readCursor(query.cursor)
        if (after === null) return Effect.fail(new BadQuery({ detail: "`cursor` is not one that this list gave out" }))
        const wanted = query.q?.toLowerCase()
        return Effect.succeed(
          page(
            SHIPPED,
            ({ rule }) => rule.id,
            after,
            query.limit ?? PAGE_DEFAULT,
            (row) => {
              if (query.enabled !== undefined && row.rule.enabled !== (query.enabled === "true")) return null
              const text = `${row.rule.id} ${row.rule.name}`.toLowerCase()
              return wanted === undefined || text.includes(wanted) ? bodyOf(row) : null
            },
          ),
        )
      })
      .handle("packs", () =>
        Effect.succeed({
          items: PACKS.map(({ id, name, rules }) => ({ id, name, rules: rules.map(({ rule }) => rule.id) })),
        }),
      )
      .handle("export", ({ query }) =>
        Effect.succeed({ rules: query.all === "true" ? SHIPPED.map(({ rule }) => jsonOf(rule)) : [] }),
      )
      .handle("get", ({ params }) => {
        const row = SHIPPED.find(({ rule }) => rule.id === params.id)
        if (row === undefined) return Effect.fail(new NotFound({}))
        return Effect.as(setHeader("etag", etagOf(row.rule)), bodyOf(row))
      })
      .handle("put", () => Effect.fail(new Refused({ detail: NOT_STORED })))
      .handle("remove", ({ params }) =>
        SHIPPED.some(({ rule }) => rule.id === params.id)
          ? Effect.fail(new Refused({ detail: "a shipped rule cannot be removed: switch it off" }))
          : Effect.fail(new NotFound({})),
      )
      .handle("check", ({ payload }) => {
        const checked = checkRule(payload.rule)
        return Effect.succeed(
          checked.ok
            ? { mistakes: [], version: checked.version }
            : { mistakes: checked.mistakes.map(({ path, message }) => ({ path, problem: message })), version: null },
        )
      })
      .handle("import", () => Effect.fail(new Refused({ detail: NOT_STORED })))
      .handle("dryRun", () => Effect.fail(new Refused({ detail: NOT_STORED }))),
  )

interface Shipped {
  readonly rule: Rule
  readonly version: string
  readonly origin: string
}
const SHIPPED: readonly Shipped[] = PACKS.flatMap(({ id, rules }) =>
  rules.flatMap(({ rule }) => {
    const checked = checkRule(rule)
    return checked.ok ? [{ rule, version: checked.version, origin: `pack:${id}` }] : []
  }),
).toSorted((a, b) => (a.rule.id < b.rule.id ? -1 : 1))

const jsonOf = (rule: Rule): Readonly<Record<string, unknown>> => ({ ...rule })
const bodyOf = ({ rule, version, origin }: Shipped) => ({
  rule: jsonOf(rule),
  version,
  origin,
  updatedAtMs: null,
  updatedBy: null,
  pending: 0,
  firing: 0,
})
