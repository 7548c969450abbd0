/** One device under judgement by one rule, for tests of what its decisions leave behind. Seconds count from a fixed start. */
import type { EntityKey } from "#protocol/id.ts"
import { metricId, type MetricName } from "#protocol/metric.ts"
import { checkRule, subjectKind } from "#twin/alert/check.ts"
import { evaluate, type JudgementInput } from "#twin/alert/evaluate.ts"
import { makeRuleSet, type DevicePlan, type JudgedRule } from "#twin/alert/plan.ts"
import type { Receipt } from "#twin/alert/receipt.ts"
import { sealed } from "#twin/alert/receipt.ts"
import { newDeviceState, type DeviceState } from "#twin/alert/state.ts"

const START_MS = 1_700_000_000_000
const FACTS = { device: "d1", name: "r1", site: "sao-1", roles: ["core"], tags: ["gold"] } as const

export const judgedRule = (json: unknown): JudgedRule => {
  const checked = checkRule(json)
  if (!checked.ok) throw new Error(JSON.stringify(checked.mistakes))
  return { rule: checked.rule, version: checked.version, kind: subjectKind(checked.rule) }
}

export class OneDevice {
  readonly #plan: DevicePlan
  #state: DeviceState
  #timerMs: number | null = null
  readonly receipts: Receipt[] = []

  constructor(condition: unknown, more: object = {}) {
    const annotations = { summary_template: "{{value}}", runbook_url: "https://example.net/runbook" }
    const base = {
      id: "any",
      rule_schema_version: "1",
      name: "any",
      severity: "warn",
      cooldown_seconds: 0,
      annotations,
    }
    this.#plan = makeRuleSet([judgedRule({ ...base, condition, ...more })]).planFor(FACTS)
    this.#state = newDeviceState(this.#plan, FACTS, START_MS)
  }

  /** At `second`, of `late` seconds before. */
  sample(second: number, metric: MetricName, value: number, late = 0): void {
    const atMs = START_MS + second * 1_000
    while (this.#timerMs !== null && this.#timerMs < atMs) this.#take({ kind: "tick", atMs: this.#timerMs })
    this.#take({
      kind: "samples",
      atMs,
      entities: ["" as EntityKey],
      entity: Uint16Array.of(0),
      metric: Uint16Array.of(metricId(metric)),
      value: Float64Array.of(value),
      ...(late === 0 ? {} : { times: Float64Array.of(atMs - late * 1_000) }),
    })
  }

  #take(input: JudgementInput): void {
    const judged = evaluate(this.#plan, this.#state, input)
    this.#state = judged.state
    this.#timerMs = judged.timerMs
    this.receipts.push(...judged.verdicts.map(({ receipt }) => sealed(receipt)))
  }
}
