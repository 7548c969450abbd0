/** The builder loses nothing: whatever JSON goes in comes out, and every edit says what it changes and keeps the rest. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import {
  added,
  buildCondition,
  composed,
  CONDITION_FIELDS,
  CONDITION_TYPES,
  freshCondition,
  parseCondition,
  replaced,
  retyped,
  unwrapped,
  valueOf,
  withField,
  withLimit,
  without,
} from "#client/state/condition-form.ts"
import type { KnownForm } from "#client/state/condition-form.ts"
import { METRICS } from "#protocol/metric.ts"
import { AGGREGATIONS, OPERATORS, RULE_EVENTS } from "#protocol/rule.ts"

const metric = fc.constantFrom(...METRICS.map(({ name }) => name))
const operator = fc.constantFrom(...OPERATORS)
const number = fc.double({ noNaN: true, noDefaultInfinity: true })
const seconds = fc.integer({ min: 1, max: 86_400 })
const optional = { requiredKeys: ["type"] as ["type"] }
const leaf = fc.oneof(
  fc.record(
    {
      type: fc.constant("threshold"),
      metric,
      operator,
      threshold_num: number,
      aggregation: fc.constantFrom(...AGGREGATIONS),
      lookback_seconds: seconds,
    },
    optional,
  ),
  fc.record({ type: fc.constant("threshold"), threshold_ref: fc.record({ metric, factor: number }), metric }, optional),
  fc.record(
    { type: fc.constant("state_not_in"), metric, good_values: fc.array(fc.oneof(fc.string(), number, fc.boolean())) },
    optional,
  ),
  fc.record({ type: fc.constant("consecutive"), metric, operator, threshold_num: number, count: seconds }, optional),
  fc.record({ type: fc.constant("rate_of_change"), metric, operator, relative: fc.boolean() }, optional),
  fc.record({ type: fc.constant("baseline"), metric, operator, factor: number, offset_seconds: seconds }, optional),
  fc.record({ type: fc.constant("flap"), metric, transitions: seconds, lookback_seconds: seconds }, optional),
  fc.record({ type: fc.constant("absent"), metric, seconds }, optional),
  fc.record(
    {
      type: fc.constant("event"),
      event_type: fc.constantFrom(...RULE_EVENTS),
      match: fc.record({ old: fc.string(), raw: fc.string() }),
    },
    optional,
  ),
)
const { condition: drawn } = fc.letrec<{ condition: unknown }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 5, depthSize: "small" },
    leaf,
    fc.record({
      type: fc.constant("composite"),
      op: fc.constantFrom("and", "or", "not"),
      conditions: fc.array(fc.oneof(tie("condition"), fc.jsonValue()), { maxLength: 4 }),
    }),
    fc.record({
      conditions: fc.array(tie("condition"), { maxLength: 3 }),
      type: fc.constant("composite"),
      note: fc.string(),
    }),
  ),
}))
/** As JSON.parse gives it. */
const condition = drawn.map((json) => JSON.parse(JSON.stringify(json)) as unknown)
/** Text, so that the order of keys counts too. */
const same = (a: unknown, b: unknown) => assert.equal(JSON.stringify(a), JSON.stringify(b))

test("[I1] build(parse(json)) = json, key for key, for every kind of condition nested in any way", () => {
  fc.assert(
    fc.property(condition, (json) => {
      const form = parseCondition(json)
      assert.equal(form.kind, "known")
      same(buildCondition(form), json)
      assert.deepEqual(buildCondition(form), json)
    }),
    { numRuns: 500 },
  )
})

test("[I1] what is no condition is kept as it is", () => {
  fc.assert(fc.property(fc.jsonValue(), (json) => same(buildCondition(parseCondition(json)), json)))
  for (const odd of [null, [], "threshold", { type: "toString" }, { type: "unheard" }, { type: ["threshold"] }])
    assert.equal(parseCondition(odd).kind, "other")
  const proto = JSON.parse('{"type":"flap","__proto__":{"x":1}}') as unknown
  same(buildCondition(parseCondition(proto)), proto)
})

test("[I1] a field that is set is set, and nothing else changes", () => {
  fc.assert(
    fc.property(
      condition,
      fc.constantFrom("metric", "operator", "lookback_seconds", "new"),
      fc.jsonValue(),
      (json, key, value) => {
        const form = parseCondition(json) as KnownForm
        const expected = { ...(json as object), [key]: value }
        assert.deepEqual(buildCondition(withField(form, key, value)), expected)
        const { [key]: _gone, ...rest } = json as Record<string, unknown>
        assert.deepEqual(buildCondition(withField(form, key, undefined)), rest)
      },
    ),
  )
})

test("[I1] a threshold is a number or another metric, never both", () => {
  const form = freshCondition("threshold")
  const ref = { metric: "device.mem_total_bytes", factor: 0.9 }
  const other = withLimit(form, ref)
  assert.deepEqual([valueOf(other, "threshold_num"), valueOf(other, "threshold_ref")], [undefined, ref])
  const back = withLimit(other, 12)
  same(buildCondition(back), { ...(buildCondition(form) as object), threshold_num: 12 })
  const none = buildCondition(withLimit(other, undefined)) as object
  assert.ok(!("threshold_num" in none) && !("threshold_ref" in none))
})

test("[I1] another kind keeps what both ask for and asks for nothing else", () => {
  for (const from of CONDITION_TYPES) {
    for (const to of CONDITION_TYPES) {
      const next = retyped(freshCondition(from), to) as KnownForm
      assert.equal(next.type, to, `${from} -> ${to}`)
      if (to === "composite" || from === "composite") continue
      const keys = next.fields.map(([key]) => key).filter((key) => key !== "type")
      const wanted = CONDITION_FIELDS[to].filter((field) => field.optional !== true).map(({ key }) => key)
      assert.deepEqual([...keys].sort(), [...wanted].sort(), `${from} -> ${to}`)
    }
  }
  const kept = retyped(withField(freshCondition("threshold"), "metric", "probe.ping.rtt_ms"), "absent") as KnownForm
  assert.equal(valueOf(kept, "metric"), "probe.ping.rtt_ms")
})

test("[I1] a condition goes into a composite and comes out of it unchanged", () => {
  const one = freshCondition("flap")
  const both = retyped(one, "composite") as KnownForm
  same(buildCondition(both), { type: "composite", op: "and", conditions: [buildCondition(one)] })
  assert.equal(unwrapped(both), one)
  assert.equal(unwrapped(composed([one], "not")).kind, "known", "not of one is not that one")
  assert.notEqual(unwrapped(composed([one], "not")), one)
  const two = added(both, freshCondition("absent"))
  assert.equal(unwrapped(two), two, "two are not taken apart")
  assert.equal(retyped(two, "absent"), two.inner?.[1], "the first of the wanted kind stays")
  same(buildCondition(without(replaced(two, 1, one), 0)), {
    type: "composite",
    op: "and",
    conditions: [buildCondition(one)],
  })
  const bare = parseCondition({ type: "composite", op: "or" }) as KnownForm
  same(buildCondition(added(bare, one)), { type: "composite", op: "or", conditions: [buildCondition(one)] })
})
