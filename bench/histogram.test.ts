import assert from "node:assert/strict"
import { test } from "node:test"
import { histogramQuantile } from "#bench/histogram.ts"

const scrape = (...counts: readonly number[]): ReadonlyMap<string, number> =>
  new Map(["0.1", "1", "+Inf"].map((le, at) => [`late_bucket{le="${le}",source="snmp"}`, counts[at] ?? 0]))

test("a quantile lies in the bucket where the observations between two scrapes put it", () => {
  const p = (q: number) => histogramQuantile(scrape(100, 100, 100), scrape(150, 190, 200), "late", q)
  assert.deepEqual(p(0.5), { atMost: 0.1, estimate: 0.1 })
  assert.deepEqual(p(0.7), { atMost: 1, estimate: 0.1 + 0.9 * (20 / 40) })
  assert.deepEqual(p(0.99), { atMost: Number.POSITIVE_INFINITY, estimate: 1 })
})

test("no observation between the scrapes: no quantile", () => {
  const { atMost, estimate } = histogramQuantile(scrape(7, 8, 9), scrape(7, 8, 9), "late", 0.99)
  assert.ok(Number.isNaN(atMost) && Number.isNaN(estimate))
})
