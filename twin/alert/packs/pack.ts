/**
 * What a rule pack is, and the few words that its rules are written with. A pack's rules are the same JSON that an operator
 * writes; each one carries a scenario that fires it and one that must not, which packs.test.ts runs.
 */
import type { MetricName } from "#protocol/metric.ts"
import type { Role } from "#protocol/role.ts"
import type { Aggregation, AlertSeverity, Condition, Operator, Rule, RuleSeverity } from "#protocol/rule.ts"
import { RULE_SCHEMA_VERSION } from "#protocol/rule.ts"

export interface PackRule {
  readonly rule: Rule
  /** Scenario text (scenario.ts) in which it fires, and one in which it must not. */
  readonly fires: string
  readonly quiet: string
}
export interface RulePack {
  readonly id: string
  readonly name: string
  readonly rules: readonly PackRule[]
}

type Optional = Partial<
  Pick<Rule, "enabled" | "scope" | "recover" | "for_seconds" | "recover_seconds" | "cooldown_seconds">
>

interface Written extends Optional {
  readonly id: string
  readonly name: string
  readonly severity: RuleSeverity
  readonly condition: Condition
  readonly summary: string
  readonly description: string
  readonly fires: string
  readonly quiet: string
}

/** The runbook of a shipped rule has the rule's name. */
export const packRule = ({
  id,
  name,
  severity,
  condition,
  summary,
  description,
  fires,
  quiet,
  ...more
}: Written): PackRule => ({
  rule: {
    id,
    rule_schema_version: RULE_SCHEMA_VERSION,
    name,
    enabled: true,
    severity,
    scope: {},
    condition,
    for_seconds: 0,
    recover_seconds: 60,
    cooldown_seconds: 300,
    ...more,
    annotations: { summary_template: summary, description, runbook_url: `docs/runbooks/${id}.md` },
  },
  fires,
  quiet,
})

/** An aggregate of the last seconds against a number. */
export const level = (
  aggregation: Aggregation,
  metric: MetricName,
  operator: Operator,
  threshold_num: number,
  lookback_seconds: number,
): Condition => ({ type: "threshold", metric, operator, threshold_num, aggregation, lookback_seconds })

export const all = (...conditions: readonly Condition[]): Condition => ({ type: "composite", op: "and", conditions })

const BACKBONE: readonly Role[] = ["core", "rr", "edge", "upstream", "bng"]
/** `worst` on what carries everybody, `otherwise` elsewhere. */
export const byRole = (worst: AlertSeverity, otherwise: AlertSeverity): RuleSeverity => ({
  by_role: { ...Object.fromEntries(BACKBONE.map((role) => [role, worst])), default: otherwise },
})
