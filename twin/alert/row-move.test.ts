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
import type { SeriesSpec } from "#twin/alert/series-layout.ts"
import { newRow, readied } from "#twin/alert/series-layout.ts"
import {
  countOf,
  increaseOf,
  newestSamples,
  runCount,
  runSinceMs,
  sumOf,
  tallyOf,
  transitionsOf,
} from "#twin/alert/series-read.ts"
import { expire, push, UNREADY } from "#twin/alert/series.ts"

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

const taken = (row: Float64Array, plan: KindPlan, spec: SeriesSpec, atMs: number, value: number): Float64Array => {
  if (push(row, plan.series, spec, atMs, value, atMs) !== UNREADY) return row
  const ready = readied(row, plan.series, spec, atMs, value)
  assert.notEqual(push(ready, plan.series, spec, atMs, value, atMs), UNREADY)
  return ready
}

const filled = (plan: KindPlan, samples: ReadonlyArray<readonly [MetricSpec: number, atMs: number, value: number]>) => {
  let row = newRow(plan.series)
  for (const [metric, atMs, value] of samples) {
    const series = plan.series[plan.seriesOf[metric] as number]
    if (series !== undefined) row = taken(row, plan, series, atMs, value)
  }
  return row
}

/** Everything that a condition can read of a series. */
const known = (row: Float64Array, spec: SeriesSpec, nowMs: number): unknown => {
  expire(row, spec, nowMs)
  return [
    newestSamples(row, spec, 1),
    spec.windows.map((window) => [
      newestSamples(row, spec, countOf(row, spec, window)),
      window.sum >= 0 ? sumOf(row, spec, window) : null,
      window.transitions >= 0 ? transitionsOf(row, spec, window) : null,
      window.increase >= 0 ? increaseOf(row, spec, window) : null,
      window.tallies.map(({ at, over }) => [over, tallyOf(row, spec, at)]),
    ]),
    spec.runs.map((run) =>
      runCount(row, spec, run) === 0 ? 0 : [runCount(row, spec, run), runSinceMs(row, spec, run)],
    ),
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
    for (let n = 0; n < 5; n++) own = taken(own, plan, spec, atMs + n * 10 + value * 100_000, value)
  assert.ok(newestSamples(own, spec, 99).length > 0)
}
