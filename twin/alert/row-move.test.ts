/** [I1] A row that moves to another layout knows what one that was filled there from the start knows. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { metricId } from "#protocol/metric.ts"
import type { MetricName } from "#protocol/metric.ts"
import { makeRuleSet } from "#twin/alert/plan.ts"
import type { JudgedRule, KindPlan } from "#twin/alert/plan.ts"
import { movedRow } from "#twin/alert/row-move.ts"
import { FACTS, over, rule } from "#twin/alert/rule.fixture.ts"
import type { SeriesSpec } from "#twin/alert/series.ts"
import {
  countOf,
  expire,
  increaseOf,
  lacksRoom,
  maxOf,
  minOf,
  newestSamples,
  newRow,
  p95Of,
  push,
  runCount,
  runSinceMs,
  sumOf,
  transitionsOf,
  widened,
} from "#twin/alert/series.ts"

const METRICS: readonly MetricName[] = ["device.cpu_pct", "device.temp_c", "device.voltage_v"]
const aRule = fc
  .record({
    metric: fc.constantFrom(...METRICS),
    seconds: fc.constantFrom(30, 60, 300),
    stat: fc.constantFrom("avg", "min", "max", "p95", "last", "run", "flap", "bad", "base"),
    limit: fc.constantFrom(3, 5),
  })
  .map(({ metric, seconds, stat, limit }) => {
    const id = `${metric}-${seconds}-${stat}-${limit}`
    if (stat === "run") return rule(id, { type: "consecutive", metric, operator: ">", threshold_num: limit, count: 4 })
    if (stat === "flap") return rule(id, { type: "flap", metric, transitions: 2, lookback_seconds: seconds })
    if (stat === "bad")
      return rule(id, { type: "state_not_in", metric, good_values: [limit], lookback_seconds: seconds })
    if (stat === "base")
      return rule(id, { type: "baseline", metric, operator: ">", factor: 2, baseline_seconds: 60 + seconds })
    return rule(id, over(metric, limit, seconds, stat))
  })
const someRules = fc.uniqueArray(aRule, { maxLength: 6, selector: ({ rule: { id } }) => id })
const planOf = (rules: readonly JudgedRule[]): KindPlan => makeRuleSet(rules).planFor(FACTS).kinds.device

const filled = (plan: KindPlan, samples: ReadonlyArray<readonly [MetricSpec: number, atMs: number, value: number]>) => {
  let row = newRow(plan.series, plan.cells)
  for (const [metric, atMs, value] of samples) {
    const series = plan.series[plan.seriesOf[metric] as number]
    if (series === undefined) continue
    if (lacksRoom(row, series, value)) row = widened(row, plan.series, plan.cells, series, value)
    push(row, series, atMs, value, atMs)
  }
  return row
}

/** Everything that a condition can read of a series. */
const known = (row: Float64Array, spec: SeriesSpec, nowMs: number): unknown => {
  expire(row, spec, nowMs)
  return [
    newestSamples(row, spec, 1),
    spec.windows.map((window) => {
      const count = countOf(row, spec, window)
      return [
        count,
        window.sum ? sumOf(row, window) : null,
        window.min && count > 0 ? minOf(row, spec, window) : null,
        window.max && count > 0 ? maxOf(row, spec, window) : null,
        window.sorted >= 0 && count > 0 ? p95Of(row, spec, window) : null,
        window.transitions ? transitionsOf(row, window) : null,
        window.increase ? increaseOf(row, window) : null,
      ]
    }),
    spec.runs.map((run) => (runCount(row, run) === 0 ? 0 : [runCount(row, run), runSinceMs(row, run)])),
  ]
}

test("[I1] whatever rules come in place of others, windows over what is held are those of a fresh start", () => {
  fc.assert(
    fc.property(
      someRules,
      someRules,
      fc.array(fc.tuple(fc.constantFrom(...METRICS.map(metricId)), fc.integer({ min: 1, max: 9 }), fc.nat(6)), {
        maxLength: 40,
      }),
      fc.nat(40),
      (before, after, steps, quietS) => {
        const [from, to] = [planOf(before), planOf(after)]
        let atMs = 1_000_000
        const samples = steps.map(([metric, gapS, value]) => [metric, (atMs += gapS * 1000), value] as const)
        const nowMs = atMs + quietS * 1000
        const old = filled(from, samples)
        const was = old.slice()
        let moved = movedRow(from, to, old, nowMs)
        assert.deepEqual(old, was, "the row of before is as it was")
        if (moved === old) moved = old.slice()
        for (const spec of to.series) {
          const source = from.series.find(({ metric }) => metric === spec.metric)
          // What the former rules let go cannot come back: compared is what they still held.
          const held = source === undefined ? [] : newestSamples(was, source, 9999)
          const fresh = filled(
            to,
            held.map(([time, value]) => [spec.metric, time, value]),
          )
          const [a, b] = [known(moved, spec, nowMs), known(fresh, spec, nowMs)]
          const sameRuns = source !== undefined && JSON.stringify(source.runs) === JSON.stringify(spec.runs)
          // A run may be older than what the ring holds; one that goes on knows that, a fresh start cannot.
          if (!sameRuns || held.length === samples.filter(([metric]) => metric === spec.metric).length)
            assert.deepEqual(a, b)
          // And it goes on as any other.
          push2(moved, to, spec, nowMs + 5_000)
        }
      },
    ),
    { numRuns: 1000 },
  )
})

/** A row after a move takes samples like any other. */
const push2 = (row: Float64Array, plan: KindPlan, spec: SeriesSpec, atMs: number): void => {
  let own = row
  for (const value of [3, 7, 7, 1])
    for (let n = 0; n < 5; n++) {
      if (lacksRoom(own, spec, value)) own = widened(own, plan.series, plan.cells, spec, value)
      push(own, spec, atMs + n * 10 + value * 100_000, value, atMs + n * 10 + value * 100_000)
    }
  assert.ok(newestSamples(own, spec, 99).length > 0)
}
