/** The tenant's alert rules. What each act does stands in engine/rules/. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "#engine/api/contract.ts"
import type { ApiDeps } from "#engine/api/deps.ts"
import { overQuota } from "#engine/api/handlers/over-quota.ts"
import { setHeader, unavailable } from "#engine/api/handlers/request.ts"
import { deviceNames, page, PAGE_DEFAULT, readCursor } from "#engine/api/lists.ts"
import { BadQuery, NotFound } from "#engine/api/problems.ts"
import { Caller } from "#engine/api/signed-in.ts"
import { ruleEtag, type RuleEditor } from "#engine/rules/rules-api.ts"
import { mistakesOf } from "#engine/rules/rule-plan.ts"
import type { RuleEntry } from "#engine/rules/rule-set.ts"
import type { Rule } from "#protocol/rule.ts"
import { checkRule } from "#twin/alert/check.ts"
import { PACKS } from "#twin/alert/packs/registry.ts"

export const alertRules = (deps: ApiDeps) => {
  const away = unavailable(deps)
  const store = deps.rules
  const stored = Effect.flatMap(Caller, ({ principal }) =>
    store.read(principal.tenant).pipe(Effect.catchTag("Unavailable", away)),
  )
  /** How many alerts of each rule the caller sees; none while the twin is being rebuilt. */
  const counted = Effect.map(Caller, ({ principal, twin }) => {
    const seen = deviceNames(twin.inventory())
    const counts = new Map<string, { pending: number; firing: number }>()
    for (const alert of deps.judgements.of(principal.tenant)?.alerts() ?? []) {
      if (!seen.has(alert.device)) continue
      const count = counts.get(alert.rule) ?? { pending: 0, firing: 0 }
      if (alert.state === "pending") count.pending++
      else if (alert.state !== "ok") count.firing++
      counts.set(alert.rule, count)
    }
    return (entry: RuleEntry) => ({
      ...entry,
      rule: jsonOf(entry.rule),
      ...(counts.get(entry.rule.id) ?? { pending: 0, firing: 0 }),
    })
  })
  const tagged = (entry: RuleEntry) =>
    Effect.flatMap(counted, (rowOf) => Effect.as(setHeader("etag", ruleEtag(entry)), rowOf(entry)))

  return HttpApiBuilder.group(Api, "alertRules", (handlers) =>
    handlers
      .handle("list", ({ query }) =>
        Effect.gen(function* () {
          const after = readCursor(query.cursor)
          if (after === null) return yield* new BadQuery({ detail: "`cursor` is not one that this list gave out" })
          const { entries } = yield* stored
          const rowOf = yield* counted
          const wanted = query.q?.toLowerCase()
          return page(
            entries,
            ({ rule }) => rule.id,
            after,
            query.limit ?? PAGE_DEFAULT,
            (entry) => {
              const { rule } = entry
              if (query.enabled !== undefined && rule.enabled !== (query.enabled === "true")) return null
              const text = `${rule.id} ${rule.name}`.toLowerCase()
              return wanted === undefined || text.includes(wanted) ? rowOf(entry) : null
            },
          )
        }),
      )
      .handle("packs", () => Effect.succeed(PACK_LIST))
      .handle("export", ({ query }) =>
        Effect.map(stored, ({ entries }) => ({
          rules: entries
            .filter(({ updatedAtMs }) => query.all === "true" || updatedAtMs !== null)
            .map(({ rule }) => jsonOf(rule)),
        })),
      )
      .handle("get", ({ params }) =>
        Effect.flatMap(stored, ({ entries }) => {
          const entry = entries.find(({ rule }) => rule.id === params.id)
          return entry === undefined ? Effect.fail(new NotFound({})) : tagged(entry)
        }),
      )
      .handle("put", ({ params, headers, payload }) =>
        Effect.flatMap(editor, (who) => store.put(who, params.id, payload, headers["if-match"])).pipe(
          Effect.catchTags({ Unavailable: away, QuotaPassed: overQuota }),
          Effect.flatMap(tagged),
        ),
      )
      .handle("remove", ({ params, headers }) =>
        Effect.flatMap(editor, (who) => store.remove(who, params.id, headers["if-match"])).pipe(
          Effect.catchTag("Unavailable", away),
        ),
      )
      .handle("check", ({ payload }) => {
        const mistakes = mistakesOf(payload.rule)
        const checked = checkRule(payload.rule)
        return Effect.succeed({ mistakes, version: checked.ok && mistakes.length === 0 ? checked.version : null })
      })
      .handle("import", ({ payload }) =>
        Effect.flatMap(editor, (who) => store.import(who, payload)).pipe(
          Effect.catchTags({ Unavailable: away, QuotaPassed: overQuota }),
          Effect.map((report) => ({ ...report, dryRun: payload.dryRun })),
        ),
      )
      .handle("dryRun", ({ payload }) =>
        Effect.flatMap(Caller, ({ principal, twin }) => {
          const { devices, only = false, ...rest } = payload
          // Whoever is bound to sites has a twin that is cut to them.
          const seen = principal.sites === null ? null : [...deviceNames(twin.inventory()).keys()]
          const told = devices === undefined ? seen : devices.filter((id) => seen?.includes(id) ?? true)
          return store.tryOut(twin.tenant, { ...rest, only, devices: told })
        }).pipe(Effect.catchTag("Unavailable", away)),
      ),
  )
}

const editor: Effect.Effect<RuleEditor, never, Caller> = Effect.map(Caller, ({ principal, actor }) => ({
  tenant: principal.tenant,
  by: actor,
  sites: principal.sites,
}))

const PACK_LIST = {
  items: PACKS.map(({ id, name, rules }) => ({ id, name, rules: rules.map(({ rule }) => rule.id) })),
}

const jsonOf = (rule: Rule): Readonly<Record<string, unknown>> => ({ ...rule })
