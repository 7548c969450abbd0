/** [I4] What is screened out was not true: with screens and without them judgement says the same, sample by sample. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { metricId, type MetricName } from "#protocol/metric.ts"
import type { EntityKey } from "#protocol/id.ts"
import { DEVICE_ENTITY, interfaceKey } from "#protocol/id.ts"
import { RULE_ENTITY_TYPES } from "#protocol/rule.ts"
import type { SampleInput } from "#twin/alert/evaluate.ts"
import { evaluate } from "#twin/alert/evaluate.ts"
import { newHand } from "#twin/alert/hand.ts"
import type { DevicePlan, EntityClass, KindPlan } from "#twin/alert/plan.ts"
import { makeRuleSet } from "#twin/alert/plan.ts"
import { Bench, FACTS, line, over, rule, T0 } from "#twin/alert/rule.fixture.ts"
import { p95IsOver } from "#twin/alert/screen.ts"
import { newDeviceState } from "#twin/alert/state.ts"
import { stateHash } from "#twin/hash.ts"

const UTIL = "interface.utilization_pct"
const ERRORS = "interface.rx_errors_per_s"
const CPU = "device.cpu_pct"
const UP = "interface.oper_up"

const comparison = fc.record({
  metric: fc.constantFrom(UTIL, ERRORS),
  limit: fc.constantFrom(-3, 0, 1, 5, 5.5, 7),
  seconds: fc.constantFrom(10, 30, 60),
  aggregation: fc.constantFrom("avg", "min", "max", "p95", "last", "sum", "count"),
  operator: fc.constantFrom(">", ">=", "<", "<=", "==", "!="),
})
const simple = fc.oneof(
  comparison.map(({ metric, limit, seconds, aggregation, operator }) =>
    over(metric, limit, seconds, aggregation, operator),
  ),
  fc.constantFrom<unknown>(
    over(CPU, 5, 30, "max"),
    { type: "consecutive", metric: UTIL, operator: ">=", threshold_num: 5, count: 3 },
    { type: "flap", metric: UTIL, transitions: 3, lookback_seconds: 30 },
    { type: "state_not_in", metric: UP, good_values: [true], lookback_seconds: 20 },
    { type: "rate_of_change", metric: UTIL, operator: ">", threshold_num: 1, lookback_seconds: 30, relative: true },
    { type: "rate_of_change", metric: UTIL, operator: "<=", threshold_num: 0.1, lookback_seconds: 30 },
    { type: "absent", metric: ERRORS, seconds: 40 },
  ),
)
const condition = fc.oneof(
  { weight: 3, arbitrary: simple },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom("and", "or"), simple, simple)
      .map(([op, ...conditions]) => ({ type: "composite", op, conditions })),
  },
  { weight: 1, arbitrary: simple.map((one) => ({ type: "composite", op: "not", conditions: [one] })) },
)
const someRules = fc
  .array(fc.tuple(condition, fc.constantFrom(0, 15)), { minLength: 1, maxLength: 8 })
  .map((all) =>
    all.map(([one, for_seconds], nth) =>
      rule(`r${nth}`, one, { for_seconds, scope: { by_entity_type: ["interface"] } }),
    ),
  )

/** The same plan, but nothing is known without looking. */
const unscreened = (plan: DevicePlan): DevicePlan => {
  const blind = (known: KindPlan): KindPlan => ({
    ...known,
    rules: known.rules.map((one) => ({ ...one, screens: null })),
    classOf: (key): EntityClass => {
      const found = known.classOf(key)
      const watchers = found.watchers.map(({ positions }) => ({ positions, screens: positions.map(() => null) }))
      return { ...found, watchers }
    },
  })
  const kinds = Object.fromEntries(RULE_ENTITY_TYPES.map((kind) => [kind, blind(plan.kinds[kind])]))
  return { ...plan, kinds: kinds as DevicePlan["kinds"] }
}

const KEYS: readonly EntityKey[] = [DEVICE_ENTITY, interfaceKey("a"), interfaceKey("b")]
const sample = fc.record({
  gapS: fc.constantFrom(1, 5, 5, 10, 10, 45),
  rows: fc.array(
    fc.tuple(fc.constantFrom(0, 1, 2), fc.constantFrom(UTIL, ERRORS, UP), fc.constantFrom(-4, 0, 1, 5, 6, 9)),
    {
      minLength: 1,
      maxLength: 5,
    },
  ),
})

const sayTheSame = (
  rules: Parameters<typeof makeRuleSet>[0],
  steps: ReadonlyArray<{
    readonly gapS: number
    readonly rows: ReadonlyArray<readonly [entity: number, metric: MetricName, value: number]>
  }>,
): void => {
  const plan = makeRuleSet(rules).planFor(FACTS)
  const blind = unscreened(plan)
  const hand = newHand()
  let [screened, looked] = [newDeviceState(plan, FACTS, T0), newDeviceState(blind, FACTS, T0)]
  let atMs = T0
  for (const { gapS, rows } of steps) {
    atMs += gapS * 1000
    const input: SampleInput = {
      kind: "samples",
      atMs,
      entities: KEYS,
      entity: Uint16Array.from(rows, ([entity]) => entity),
      metric: Uint16Array.from(rows, ([entity, metric]) => metricId(entity === 0 ? CPU : metric)),
      value: Float64Array.from(rows, ([, metric, value]) => (metric === UP ? Number(value > 0) : value)),
    }
    const one = evaluate(plan, screened, input, hand)
    const other = evaluate(blind, looked, input)
    assert.deepEqual(one.verdicts.map(line), other.verdicts.map(line))
    screened = one.state
    looked = other.state
  }
  assert.equal(
    stateHash(screened.entities.map(({ alerts }) => alerts)),
    stateHash(looked.entities.map(({ alerts }) => alerts)),
  )
}

test("[I4] judged with screens and without, random rules over random samples say the same", () => {
  fc.assert(fc.property(someRules, fc.array(sample, { maxLength: 40 }), sayTheSame), { numRuns: 300 })
})

test("[I4] a count for which none is enough is true of what was never sampled (seed 12)", () => {
  const OF_PORTS = { scope: { by_entity_type: ["interface"] } }
  const both = { type: "composite", op: "and", conditions: [over(CPU, 5, 30, "max"), over(UTIL, -3, 10, "count")] }
  const rules = [rule("r0", both, OF_PORTS), rule("r1", over(UTIL, -3, 10, "avg"), OF_PORTS)]
  sayTheSame(rules, [{ gapS: 1, rows: [[0, UTIL, 6]] }])
})

test("the p95 by counting is the p95 by sorting, for every size of window and every count", () => {
  for (let count = 1; count <= 200; count++)
    for (let over5 = 0; over5 <= count; over5++) {
      const sorted = Array.from({ length: count }, (_, at) => (at < count - over5 ? 1 : 9))
      assert.equal(p95IsOver(over5, count), (sorted[Math.ceil(0.95 * count) - 1] as number) > 5, `${over5} of ${count}`)
    }
})

test("[I4] what left a window since its series was last heard of holds no other series' sample back", () => {
  const quiet = over(UTIL, 5, 10, "max", "<")
  const both = { type: "composite", op: "and", conditions: [quiet, over(ERRORS, 5, 60)] }
  const bench = new Bench([rule("both", both)])
  bench.sample(0, UTIL, 9, "if:a")
  bench.sample(5, UTIL, 1, "if:a")
  bench.sample(12, ERRORS, 9, "if:a")
  assert.deepEqual(bench.lines, ["12 both ok>firing firing"])
})
