/** The rows of a tenant's own and changed rules, and the lock by which changes of them take turns. */
import type { Tx } from "#engine/storage/db.ts"
import { ruleSetOf, type RuleSet, type StoredRule } from "#engine/rules/rule-set.ts"
import type { TenantId } from "#protocol/id.ts"
import type { Rule } from "#protocol/rule.ts"

/** Until the transaction ends, nobody else changes this tenant's rules. */
export const takeRulesTurn = async (tx: Tx, tenant: TenantId): Promise<void> => {
  await tx.query("select pg_advisory_xact_lock(hashtextextended('alert rules ' || $1, 0))", [tenant])
}

export const readRuleSet = async (tx: Tx, tenant: TenantId): Promise<RuleSet> => {
  const { rows } = await tx.query<RuleRow>(
    `select rule_id, rule, updated_ms::float8 as updated_ms, updated_by from alert_rule where tenant_id = $1
     order by rule_id`,
    [tenant],
  )
  return ruleSetOf(
    rows.map((row): StoredRule => ({
      id: row.rule_id,
      rule: row.rule,
      updatedAtMs: row.updated_ms,
      updatedBy: row.updated_by,
    })),
  )
}

interface RuleRow {
  readonly rule_id: string
  readonly rule: unknown
  readonly updated_ms: number
  readonly updated_by: string
}

export const writeRule = async (tx: Tx, tenant: TenantId, rule: Rule, nowMs: number, by: string): Promise<void> => {
  await tx.query(
    `insert into alert_rule (tenant_id, rule_id, rule, updated_ms, updated_by) values ($1, $2, $3, $4, $5)
     on conflict (tenant_id, rule_id) do update
       set rule = excluded.rule, updated_ms = excluded.updated_ms, updated_by = excluded.updated_by`,
    [tenant, rule.id, JSON.stringify(rule), nowMs, by],
  )
}

export const deleteRules = async (tx: Tx, tenant: TenantId, ids: readonly string[]): Promise<void> => {
  if (ids.length === 0) return
  await tx.query("delete from alert_rule where tenant_id = $1 and rule_id = any($2)", [tenant, ids])
}
