/** registry.ts: the text that Prometheus reads, and that no label can break a line. */
import assert from "node:assert/strict"
import { test } from "node:test"
import * as Effect from "effect/Effect"
import fc from "fast-check"
import { processMetrics } from "#engine/metrics/process.ts"
import { makeMetrics, SERIES_MAX } from "#engine/metrics/registry.ts"

const SERIES =
  /^heliograph_[a-z0-9_]+(\{[a-z_]+="(?:[^"\\\n]|\\["\\n])*"(,[a-z_]+="(?:[^"\\\n]|\\["\\n])*")*\})? (-?\d+(\.\d+)?(e[+-]\d+)?|[+-]Inf|NaN)$/

test("[O8] counters, gauges and histograms come out in the text format", () => {
  const metrics = makeMetrics()
  const polls = metrics.counter("heliograph_polls_total", "Polls.")
  polls.add(2, { tenant: "demo", result: "ok" })
  polls.add(1, { result: "ok", tenant: "demo" })
  metrics.gauge("heliograph_inbox_depth", "Waiting.", () => 7)
  const latency = metrics.histogram("heliograph_round_seconds", "Rounds.", [0.1, 1])
  for (const value of [0.05, 0.1, 0.5, 3]) latency.observe(value)
  const lateness = [{ labels: { tenant: "demo" }, counts: [2, 0, 1], sum: 4.5 }]
  metrics.histogramFrom("heliograph_lateness_seconds", "Lateness.", [0.1, 1], () => lateness)
  const text = metrics.render()
  assert.match(
    text,
    /_bucket\{le="0.1",tenant="demo"\} 2\n.*le="1".* 2\n.*le="\+Inf".* 3\n.*_sum\{tenant="demo"\} 4.5\n.*_count\{tenant="demo"\} 3/,
  )
  assert.match(text, /^# TYPE heliograph_polls_total counter\nheliograph_polls_total\{result="ok",tenant="demo"\} 3$/m)
  assert.match(text, /^heliograph_inbox_depth 7$/m)
  assert.match(text, /_bucket\{le="0.1"\} 2\n.*_bucket\{le="1"\} 3\n.*_bucket\{le="\+Inf"\} 4\n.*_sum 3.65\n.*_count 4/)
  for (const line of text.trimEnd().split("\n")) if (!line.startsWith("#")) assert.match(line, SERIES)
})

test("a label value cannot forge a line", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (value) => {
      const metrics = makeMetrics()
      metrics.counter("heliograph_x_total", "X.").add(1, { word: value })
      const lines = metrics
        .render()
        .split("\n")
        .filter((line) => line.startsWith("heliograph_x_total"))
      assert.equal(lines.length, 1)
      assert.match(lines[0]!, SERIES)
    }),
  )
})

test("a counter's label sets are bounded, and the overflow is still counted", () => {
  const metrics = makeMetrics()
  const counter = metrics.counter("heliograph_x_total", "X.")
  for (let index = 0; index < SERIES_MAX + 50; index++) counter.add(1, { key: String(index) })
  const lines = metrics
    .render()
    .split("\n")
    .filter((line) => line.startsWith("heliograph_x_total{"))
  assert.equal(lines.length, SERIES_MAX + 1)
  assert.ok(lines.includes('heliograph_x_total{other="true"} 50'))
})

test("a reader that throws loses its own metric only", () => {
  const metrics = makeMetrics()
  metrics.gauge("heliograph_bad", "Bad.", () => {
    throw new Error("away")
  })
  metrics.gauge("heliograph_good", "Good.", () => 1)
  assert.match(metrics.render(), /heliograph_good 1/)
  assert.match(metrics.render(), /heliograph_metric_read_failures_total 1/)
})

test("a name is declared once", () => {
  const metrics = makeMetrics()
  metrics.gauge("heliograph_a", "A.", () => 1)
  assert.throws(() => metrics.counter("heliograph_a", "A."), /twice/)
})

test("[O8] the process reports memory, loop delay and garbage collection, and stops with its scope", async () => {
  const metrics = makeMetrics()
  await Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        yield* processMetrics(metrics, "1.2.3")
        const text = metrics.render()
        assert.match(text, /heliograph_build_info\{node="v\d+[^"]*",version="1.2.3"\} 1/)
        const rss = Number(/^heliograph_process_resident_memory_bytes (\d+)$/m.exec(text)?.[1])
        assert.ok(rss > 1e7)
        assert.match(text, /heliograph_event_loop_delay_seconds\{quantile="0.99"\} \d/)
        assert.match(text, /heliograph_gc_seconds_total/)
        for (const line of text.trimEnd().split("\n")) if (!line.startsWith("#")) assert.match(line, SERIES)
      }),
    ),
  )
})
