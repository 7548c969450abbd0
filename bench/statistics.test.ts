import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { quantile, ratio, round } from "#bench/statistics.ts"

test("a quantile is one of the values, and splits them at its rank", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer(), { minLength: 1, maxLength: 200 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (values, q) => {
        const got = quantile(values, q)
        assert.ok(values.includes(got))
        assert.ok(values.filter((value) => value <= got).length >= q * values.length)
      },
    ),
  )
})

test("known quantiles", () => {
  assert.equal(quantile([5, 1, 4, 2, 3], 0.5), 3)
  assert.equal(quantile([5, 1, 4, 2, 3], 0.95), 5)
  assert.ok(Number.isNaN(quantile([], 0.5)))
  assert.equal(round(1.2345, 2), 1.23)
})

test("a ratio to nothing is none", () => {
  assert.equal(ratio(300, 2), 150)
  assert.equal(ratio(300, 0), null)
  assert.equal(ratio(null, 2), null)
  assert.equal(ratio(0, 2), 0)
})
