/**
 * The tenant's rules as people and programs change them: one transaction per act with its entry in the audit, then the
 * twin follows. Most rules speak of the whole network: whoever is bound to sites reads them all, and changes only those whose
 * scope names nothing but these sites (by_site_ids), before the change and after it.
 */
import * as Effect from "effect/Effect"
import { etagOf, fitsIfMatch } from "#engine/api/etag.ts"
import type { Unavailable } from "#engine/api/ports.ts"
import { Changed, NotFound, Refused, RuleInvalid } from "#engine/api/problems.ts"
import { away } from "#engine/people/away.ts"
import { recordAct, type Actor, type Json } from "#engine/audit/act.ts"
import type { QuotaPassed, Quotas } from "#engine/quota/quotas.ts"
import { checkedRules, planRemoval, planRules, type RulePlan } from "#engine/rules/rule-plan.ts"
import type { DryRun } from "#engine/rules/dry-run.ts"
import type { DryRuns } from "#engine/rules/dry-runs.ts"
import { deleteRules, readRuleSet, takeRulesTurn, writeRule } from "#engine/rules/rule-rows.ts"
import type { RuleEntry, RuleSet } from "#engine/rules/rule-set.ts"
import type { DbError, DbShape, Tx } from "#engine/storage/db.ts"
import type { TenantInfo } from "#engine/tenant/live-twin.ts"
import type { TenantId } from "#protocol/id.ts"
import { RULES_MAX } from "#twin/alert/plan.ts"

/** Who changes. */
export interface RuleEditor {
  readonly tenant: TenantId
  readonly by: Actor
  /** Only these sites; null = all. */
  readonly sites: readonly string[] | null
}

export interface RuleImport {
  readonly mode: "merge" | "replace"
  readonly rules: readonly unknown[]
  readonly dryRun: boolean
}
export type RuleImportReport = Omit<RulePlan, "write" | "drop">

export interface TryOut {
  /** They replace the tenant's of the same id, or join them. */
  readonly rules: readonly unknown[]
  /** Judge by these alone. */
  readonly only: boolean
  readonly fromMs: number
  readonly toMs: number
  /** Tell of these only; null = of all. */
  readonly devices: readonly string[] | null
}

export interface RulesApi {
  readonly read: (tenant: TenantId) => Effect.Effect<RuleSet, Unavailable>
  readonly put: (
    who: RuleEditor,
    id: string,
    json: unknown,
    ifMatch: string | undefined,
  ) => Effect.Effect<RuleEntry, RuleInvalid | Refused | Changed | QuotaPassed | Unavailable>
  readonly remove: (
    who: RuleEditor,
    id: string,
    ifMatch: string | undefined,
  ) => Effect.Effect<void, NotFound | Refused | Changed | Unavailable>
  readonly import: (
    who: RuleEditor,
    given: RuleImport,
  ) => Effect.Effect<RuleImportReport, RuleInvalid | Refused | QuotaPassed | Unavailable>
  /** What would have fired. */
  readonly tryOut: (tenant: TenantInfo, given: TryOut) => Effect.Effect<DryRun, RuleInvalid | Refused | Unavailable>
}

export interface RulesApiOptions {
  readonly db: DbShape
  readonly quotas: Pick<Quotas, "refusal">
  readonly dryRuns: DryRuns
  /** Lets the tenant's twin judge by what stands there now. */
  readonly follow: (tenant: TenantId) => Effect.Effect<void>
  readonly nowMs: () => number
}

/** Of what a writer can change. */
export const ruleEtag = ({ rule }: Pick<RuleEntry, "rule">): string => etagOf(rule)

const NOT_OF_SITES =
  "this is of the whole network: whoever is bound to sites changes rules whose scope.by_site_ids names only these"

/**
 * A variant of a rule of everybody under the same name is fine: it outweighs that one at its own sites only. The rule of the
 * same id is not: it would be taken from all others.
 */
const mayChange = ({ sites }: RuleEditor, ...rules: ReadonlyArray<Pick<RuleEntry, "rule"> | null>): void => {
  if (sites === null) return
  const isOwn = ({ rule }: Pick<RuleEntry, "rule">): boolean =>
    rule.scope.by_site_ids?.every((site) => sites.includes(site)) ?? false
  if (!rules.every((one) => one === null || isOwn(one))) throw new Refused({ detail: NOT_OF_SITES })
}

export const makeRulesApi = ({ db, quotas, dryRuns, follow, nowMs }: RulesApiOptions): RulesApi => {
  const changing = <A, E>(
    who: RuleEditor,
    body: (tx: Tx, stored: RuleSet) => Promise<A>,
  ): Effect.Effect<A, E | Refused | DbError> =>
    db
      .tenant(who.tenant)<A, E | Refused>(async (tx) => {
        await takeRulesTurn(tx, who.tenant)
        return body(tx, await readRuleSet(tx, who.tenant))
      })
      .pipe(
        // Nobody who goes away leaves a twin behind that judges by other rules than are stored.
        Effect.tap(() => follow(who.tenant)),
        Effect.uninterruptible,
      )
  const read = (tenant: TenantId): Effect.Effect<RuleSet, Unavailable> =>
    db
      .tenant(tenant)((tx) => readRuleSet(tx, tenant))
      .pipe(Effect.mapError(away))
  const store = async (tx: Tx, { tenant, by }: RuleEditor, plan: RulePlan): Promise<void> => {
    await deleteRules(tx, tenant, plan.drop)
    for (const rule of plan.write) await writeRule(tx, tenant, rule, nowMs(), by.name)
  }
  const quotaOf = (tenant: TenantId) => (name: "max_rules" | "max_rule_window_s", wanted: number) =>
    quotas.refusal(tenant, name, wanted)

  return {
    read,

    put: (who, id, json, ifMatch) =>
      changing<RuleEntry, RuleInvalid | Changed | QuotaPassed>(who, async (tx, stored) => {
        const rules = checkedRules([json], () => "")
        const wanted = rules[0]!
        if (wanted.rule.id !== id)
          throw new RuleInvalid({
            mistakes: [{ path: "id", problem: `must be ${JSON.stringify(id)}, as in the address` }],
          })
        const before = entryOf(stored, id)
        mayChange(who, wanted, before)
        if (!fitsIfMatch(ifMatch, before === null ? null : ruleEtag(before))) throw new Changed({})
        const plan = planRules(stored, rules, false, quotaOf(who.tenant))
        if (plan.unchanged === 1 && before !== null) return before
        await store(tx, who, plan)
        const action = before === null ? "rule.create" : "rule.update"
        await recordAct(tx, who.tenant, who.by, {
          action,
          object: { kind: "rule", id, name: wanted.rule.name },
          before: before === null ? null : asJson(before.rule),
          after: asJson(wanted.rule),
        })
        return entryOf(await readRuleSet(tx, who.tenant), id)!
      }).pipe(Effect.mapError(away)),

    remove: (who, id, ifMatch) =>
      changing<void, NotFound | Refused | Changed>(who, async (tx, stored) => {
        const before = entryOf(stored, id)
        if (before === null) throw new NotFound({})
        mayChange(who, before)
        // As shipped again is everybody's again.
        if (before.origin !== "own" && who.sites !== null) throw new Refused({ detail: NOT_OF_SITES })
        planRemoval(before)
        if (!fitsIfMatch(ifMatch, ruleEtag(before))) throw new Changed({})
        await deleteRules(tx, who.tenant, [id])
        const after = entryOf(await readRuleSet(tx, who.tenant), id)
        await recordAct(tx, who.tenant, who.by, {
          action: "rule.delete",
          object: { kind: "rule", id, name: before.rule.name },
          before: asJson(before.rule),
          after: after === null ? null : asJson(after.rule),
        })
      }).pipe(Effect.mapError(away)),

    import: (who, { mode, rules: given, dryRun }) =>
      changing<RuleImportReport, RuleInvalid | QuotaPassed>(who, async (tx, stored) => {
        const rules = checkedRules(given, (index) => `rules[${index}]`)
        // To replace is to take away what others wrote.
        if (mode === "replace" && who.sites !== null) throw new Refused({ detail: NOT_OF_SITES })
        mayChange(who, ...rules, ...rules.map(({ rule }) => entryOf(stored, rule.id)))
        const plan = planRules(stored, rules, mode === "replace", quotaOf(who.tenant))
        const { write, drop, ...report } = plan
        if (dryRun || write.length + drop.length === 0) return report
        await store(tx, who, plan)
        await recordAct(tx, who.tenant, who.by, {
          action: "rule.import",
          object: { kind: "rule", id: mode, name: `${given.length} rules` },
          before: null,
          after: { mode, ...bounded(report) },
        })
        return report
      }).pipe(Effect.mapError(away)),

    tryOut: (tenant, { rules: given, only, fromMs, toMs, devices }) =>
      Effect.gen(function* () {
        const wanted = yield* Effect.try({
          try: () => checkedRules(given, (index) => `rules[${index}]`).map(({ rule }) => rule),
          catch: (cause) => cause as RuleInvalid,
        })
        const named = new Set(wanted.map(({ id }) => id))
        const others = only ? [] : (yield* read(tenant.id)).entries.map(({ rule }) => rule)
        const rules = [...wanted, ...others.filter(({ id }) => !named.has(id))]
        if (rules.length > RULES_MAX)
          return yield* new Refused({ detail: `${rules.length} rules; a twin judges by ${RULES_MAX} at most` })
        return yield* dryRuns.run(tenant, { rules, fromMs, toMs, devices })
      }),
  }
}

const entryOf = ({ entries }: RuleSet, id: string): RuleEntry | null =>
  entries.find(({ rule }) => rule.id === id) ?? null

const asJson = (rule: RuleEntry["rule"]): Json => ({ ...rule })

/** Ids that one entry of the audit names of each kind; it counts the rest. */
const NAMED_MAX = 50
const bounded = ({ added, changed, removed, unchanged }: RuleImportReport): Json => {
  const named = (ids: readonly string[]): Json => ({ count: ids.length, ids: ids.slice(0, NAMED_MAX) })
  return { added: named(added), changed: named(changed), removed: named(removed), unchanged }
}
