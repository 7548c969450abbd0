/** The sketch keeps its promise: any quantile within 1 %, merged or not, written and read back. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { ByteReader, ByteWriter } from "#engine/storage/bits.ts"
import {
  addTo,
  keyOf,
  mergeInto,
  quantileOf,
  rankOf,
  readSketch,
  RELATIVE_ERROR,
  valueOf,
  writeSketch,
  type Sketch,
} from "#engine/storage/sketch.ts"

const value = fc.oneof(
  fc.double({ min: -1e12, max: 1e12, noNaN: true }),
  fc.integer({ min: -50, max: 50 }),
  fc.double({ min: 1e-6, max: 1, noNaN: true }),
  fc.constantFrom(0, -0, 2 ** 64, 1e-12),
)
const sketchOf = (values: readonly number[]): Sketch => {
  const sketch: Sketch = new Map()
  for (const it of values) addTo(sketch, keyOf(it), 1)
  return sketch
}

test("[W9] property: every value is within 1 % of the value of its bin, and bins ascend with the values", () => {
  fc.assert(
    fc.property(value, value, (a, b) => {
      assert.ok(Math.abs(valueOf(keyOf(a)) - a) <= RELATIVE_ERROR * Math.abs(a) * (1 + 1e-9) + 1e-9, `${a}`)
      assert.ok(a <= b ? keyOf(a) <= keyOf(b) : keyOf(a) >= keyOf(b))
    }),
    { numRuns: 2_000 },
  )
})

test("[W9] property: a quantile is within 1 % of the nearest rank of all values, and parts merge into the whole", () => {
  fc.assert(
    fc.property(
      fc.array(value, { minLength: 1, maxLength: 300 }),
      fc.nat(300),
      fc.constantFrom(0.5, 0.95, 0.99, 1),
      (values, cut, q) => {
        const sorted = values.toSorted((a, b) => a - b)
        const exact = sorted[rankOf(q, sorted.length) - 1]!
        const whole = sketchOf(values.slice(0, cut))
        mergeInto(whole, sketchOf(values.slice(cut)))
        assert.deepEqual([...whole].toSorted(), [...sketchOf(values)].toSorted())
        const got = quantileOf(whole, q, sorted[0]!, sorted.at(-1)!)
        assert.ok(Math.abs(got - exact) <= RELATIVE_ERROR * Math.abs(exact) * (1 + 1e-9) + 1e-9, `${got}, not ${exact}`)
      },
    ),
  )
})

test("property: written and read back it is the same, dense or sparse", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(value, fc.integer({ min: 1, max: 40 })), { minLength: 1, maxLength: 100 }),
      (parts) => {
        const sketch: Sketch = new Map()
        for (const [it, count] of parts) addTo(sketch, keyOf(it), count)
        const min = Math.min(...parts.map(([it]) => it))
        const out = new ByteWriter()
        writeSketch(out, sketch, min)
        const input = new ByteReader(out.finish())
        const back = readSketch(input, min)
        assert.deepEqual([...back].toSorted(), [...sketch].toSorted())
        assert.equal(input.offset, out.length)
      },
    ),
  )
})

test("near values take half a byte a bin, far ones a few bytes each", () => {
  const size = (values: readonly number[]): number => {
    const out = new ByteWriter()
    writeSketch(out, sketchOf(values), Math.min(...values))
    return out.length
  }
  assert.ok(size(Array.from({ length: 120 }, (_, i) => 1e6 * (0.8 + i / 300))) < 20)
  assert.ok(size([1, 1e3, 1e6, 1e9]) < 15)
})

test("nothing has no quantile; bad bytes are a RangeError", () => {
  assert.ok(Number.isNaN(quantileOf(new Map(), 0.95, 0, 0)))
  assert.throws(() => readSketch(new ByteReader(Buffer.from([2, 1])), 0), RangeError)
  assert.throws(() => readSketch(new ByteReader(Buffer.from([0, 9, 1])), 0), RangeError)
})
