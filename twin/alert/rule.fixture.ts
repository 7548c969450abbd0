/** Rules and a device for the tests of judgement: short to write, checked like an operator's own. */
import type { EntityKey } from "#protocol/id.ts"
import { metricId } from "#protocol/metric.ts"
import type { MetricName } from "#protocol/metric.ts"
import { checkRule, subjectKind } from "#twin/alert/check.ts"
import { evaluate } from "#twin/alert/evaluate.ts"
import type { JudgementInput } from "#twin/alert/evaluate.ts"
import type { Hand } from "#twin/alert/hand.ts"
import type { DevicePlan, JudgedRule } from "#twin/alert/plan.ts"
import { makeRuleSet } from "#twin/alert/plan.ts"
import type { DeviceFacts } from "#twin/alert/scope.ts"
import type { DeviceState } from "#twin/alert/state.ts"
import { newDeviceState } from "#twin/alert/state.ts"
import type { Verdict } from "#twin/alert/verdict.ts"

export const T0 = 1_700_000_000_000
export const FACTS: DeviceFacts = { device: "d1", name: "r1", site: "sao-1", roles: ["core"], tags: ["gold"] }

/** JSON of a rule with everything that is not the matter at hand filled in. */
export const text = (id: string, condition: unknown, more: object = {}): Record<string, unknown> => ({
  id,
  rule_schema_version: "1",
  name: id,
  severity: "warn",
  condition,
  cooldown_seconds: 0,
  annotations: { summary_template: "{{entity}} of {{device}}: {{value}}", runbook_url: "docs/runbooks/test.md" },
  ...more,
})

export const rule = (id: string, condition: unknown, more: object = {}): JudgedRule => {
  const checked = checkRule(text(id, condition, more))
  if (!checked.ok) throw new Error(JSON.stringify(checked.mistakes))
  return { rule: checked.rule, version: checked.version, kind: subjectKind(checked.rule) }
}

export const over = (
  metric: MetricName,
  threshold_num: number,
  lookback_seconds = 60,
  aggregation = "last",
  operator = ">",
): unknown => ({ type: "threshold", metric, operator, threshold_num, aggregation, lookback_seconds })

/** A device under judgement. Seconds count from T0. */
export class Bench {
  readonly rules: readonly JudgedRule[]
  plan: DevicePlan
  state: DeviceState
  readonly all: Verdict[] = []
  timerMs: number | null = null
  readonly hand: Hand | null

  constructor(rules: readonly JudgedRule[], facts: DeviceFacts = FACTS, hand: Hand | null = null) {
    this.rules = rules
    this.plan = makeRuleSet(rules).planFor(facts)
    this.state = newDeviceState(this.plan, facts, T0)
    this.hand = hand
  }

  take(input: JudgementInput): readonly Verdict[] {
    const judged = evaluate(this.plan, this.state, input, this.hand)
    this.state = judged.state
    this.timerMs = judged.timerMs
    this.all.push(...judged.verdicts)
    return judged.verdicts
  }

  sample(second: number, metric: MetricName, value: number, entity = ""): readonly Verdict[] {
    return this.take({
      kind: "samples",
      atMs: T0 + second * 1000,
      entities: [entity as EntityKey],
      entity: Uint16Array.of(0),
      metric: Uint16Array.of(metricId(metric)),
      value: Float64Array.of(value),
    })
  }

  /** One that comes at `second` and is of `of`. */
  late(second: number, of: number, metric: MetricName, value: number, entity = ""): readonly Verdict[] {
    return this.take({
      kind: "samples",
      atMs: T0 + second * 1000,
      entities: [entity as EntityKey],
      entity: Uint16Array.of(0),
      metric: Uint16Array.of(metricId(metric)),
      value: Float64Array.of(value),
      times: Float64Array.of(T0 + of * 1000),
    })
  }

  tick(second: number): readonly Verdict[] {
    return this.take({ kind: "tick", atMs: T0 + second * 1000 })
  }

  /** Wakes it as often as it wants, up to a time. */
  wakeUntil(second: number): readonly Verdict[] {
    const from = this.all.length
    while (this.timerMs !== null && this.timerMs <= T0 + second * 1000) this.take({ kind: "tick", atMs: this.timerMs })
    return this.all.slice(from)
  }

  /** `10 cpu ok>firing firing` of each verdict. */
  get lines(): readonly string[] {
    return this.all.map(line)
  }
  get notices(): readonly string[] {
    return this.all.filter(({ notice }) => notice !== null).map(({ atMs, notice }) => `${(atMs - T0) / 1000} ${notice}`)
  }
}

export const line = ({ atMs, rule: id, from, to, notice }: Verdict): string =>
  `${(atMs - T0) / 1000} ${id} ${from}>${to} ${notice ?? "-"}`
