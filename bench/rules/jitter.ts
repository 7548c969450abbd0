/**
 * The jitter fixture: a level that crosses a threshold a hundred times by a hair. A naive rule alerts a hundred times; a
 * rule with a window and a recover condition must stay silent, and one that really goes up and down may say so once.
 */
import { interfaceKey } from "#protocol/id.ts"
import { metricId } from "#protocol/metric.ts"
import { evaluate } from "#twin/alert/evaluate.ts"
import type { JudgedRule } from "#twin/alert/plan.ts"
import { makeRuleSet } from "#twin/alert/plan.ts"
import type { DeviceFacts } from "#twin/alert/scope.ts"
import { newDeviceState } from "#twin/alert/state.ts"
import { checkedRules, METRIC, START_MS, STEP_MS } from "#bench/rules/workload.ts"

const LIMIT = 80
const CROSSINGS = 100

const ruleOf = (id: string, more: object): JudgedRule =>
  checkedRules([
    {
      id,
      rule_schema_version: "1",
      name: id,
      severity: "warn",
      annotations: { summary_template: "{{value}}", runbook_url: "docs/runbooks/bench.md" },
      ...more,
    },
  ])[0] as JudgedRule
const over = (aggregation: string, operator: string, threshold_num: number, lookback_seconds: number): unknown => ({
  type: "threshold",
  metric: METRIC,
  operator,
  threshold_num,
  aggregation,
  lookback_seconds,
})

export interface Jitter {
  /** Times that `value > threshold` began. */
  readonly naive: number
  /** Times that our rule for it began to fire. */
  readonly fired: number
  /** Notices of a rule that has neither window nor recover condition, on the same level: once firing, once flapping. */
  readonly bareNotices: number
}

export const jitter = (): Jitter => {
  const levels = Array.from({ length: 2 * CROSSINGS + 1 }, (_, n) => (n % 2 === 0 ? LIMIT - 0.4 : LIMIT + 0.4))
  const naive = levels.filter((level, n) => level > LIMIT && (levels[n - 1] ?? 0) <= LIMIT).length
  const ours = ruleOf("ours", { condition: over("avg", ">", LIMIT, 600), recover: over("avg", "<", LIMIT - 5, 600) })
  const bare = ruleOf("bare", { condition: over("last", ">", LIMIT, 600), cooldown_seconds: 0 })
  const facts: DeviceFacts = { device: "d", name: "r", site: "s", roles: [], tags: [] }
  const plan = makeRuleSet([ours, bare]).planFor(facts)
  let state = newDeviceState(plan, facts, START_MS)
  let fired = 0
  let bareNotices = 0
  for (const [n, level] of levels.entries()) {
    const judged = evaluate(plan, state, {
      kind: "samples",
      atMs: START_MS + n * STEP_MS,
      entities: [interfaceKey("ether1")],
      entity: Uint16Array.of(0),
      metric: Uint16Array.of(metricId(METRIC)),
      value: Float64Array.of(level),
    })
    state = judged.state
    for (const { rule, from, to, notice } of judged.verdicts) {
      if (rule === "ours" && to === "firing" && from !== "recovering") fired++
      if (rule === "bare" && notice !== null) bareNotices++
    }
  }
  return { naive, fired, bareNotices }
}
