/** A digest says whether two states are the same: all of their content counts, and nothing but it. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { packStored, unpackStored } from "#protocol/codec.ts"
import { digestOf, frozenDigest } from "#twin/digest.ts"

const floats = fc.float64Array({ maxLength: 40 })
const anyData = fc.letrec((tie) => ({
  data: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, false),
    fc.double(),
    fc.integer(),
    fc.string(),
    floats,
    fc.uint8Array(),
    fc.uint16Array(),
    fc.uint32Array(),
    fc.array(tie("data"), { maxLength: 5 }),
    fc.dictionary(fc.string(), tie("data"), { maxKeys: 5, noNullPrototype: true }),
  ),
})).data

describe("digest", () => {
  test("[W11] equal data, equal digests: whatever the order of keys, through a copy and through the codec", () => {
    fc.assert(
      fc.property(anyData, fc.dictionary(fc.string(), anyData, { noNullPrototype: true }), (value, object) => {
        const digest = digestOf(value)
        assert.match(digest, /^[0-9a-f]{16}$/)
        assert.equal(digestOf(structuredClone(value)), digest)
        assert.equal(digestOf(unpackStored(packStored(value))), digest)
        assert.equal(digestOf(Object.fromEntries(Object.entries(object).toReversed())), digestOf(object))
        assert.equal(digestOf({ ...object, nothing: undefined }), digestOf(object))
      }),
    )
  })

  test("different data, different digests", () => {
    const seen = new Map<string, string>()
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const canonical = JSON.stringify(sorted(value))
        const digest = digestOf(value)
        assert.equal(seen.get(digest) ?? canonical, canonical)
        seen.set(digest, canonical)
      }),
      { numRuns: 3_000 },
    )
  })

  test("kinds that look alike are not", () => {
    const plain = [null, false, true, 0, 1, "", "0", "1", [], {}, [0], [1], [[1]], [1, 1], ["1"], { a: 1 }, { a: "1" }]
    const nested = [
      { b: 1 },
      { a: { b: 1 } },
      { a: 1, b: 1 },
      { a: [1, 2] },
      { a: [2, 1] },
      [{ a: 1 }, {}],
      [{}, { a: 1 }],
    ]
    const numbers = [0.5, -0.5, 1e300, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2 ** 31, 2 ** 32]
    const floating = [
      Float64Array.of(),
      Float64Array.of(0),
      Float64Array.of(1),
      Float64Array.of(1, 1),
      Float32Array.of(1),
    ]
    const whole = [new Uint8Array(0), Uint8Array.of(1), Uint8Array.of(1, 0), Uint16Array.of(1), Uint32Array.of(1)]
    const alike = [plain, nested, numbers, [-(2 ** 31)], floating, whole].flat()
    assert.equal(new Set(alike.map(digestOf)).size, alike.length)
  })

  test("one bit of one cell counts, wherever it is, and so do two cells that changed places", () => {
    const cells = fc.float64Array({ minLength: 2, maxLength: 400, noNaN: true })
    fc.assert(
      fc.property(cells, fc.nat(), fc.nat({ max: 63 }), (list, place, bit) => {
        const digest = digestOf(list)
        const other = list.slice()
        const words = new Uint32Array(other.buffer)
        const at = 2 * (place % list.length) + (bit >> 5)
        words[at] = (words[at]! ^ (1 << (bit & 31))) >>> 0
        const same = other.every((value, i) => value === list[i] || Object.is(value, list[i]))
        assert.equal(digestOf(other) === digest, same)
        const swapped = list.slice()
        swapped[0] = list[1]!
        swapped[1] = list[0]!
        assert.equal(digestOf(swapped) === digest, list[0] === list[1])
      }),
      { numRuns: 500 },
    )
  })

  test("a row among many is not another row: no two of a hundred thousand near ones are alike", () => {
    const seen = new Set<string>()
    const row = new Float64Array(64)
    for (let i = 0; i < 100_000; i++) {
      row[i % 64] = 1_795_260_000_000 + 10_000 * i
      row[(7 * i) % 64] = i % 101
      seen.add(digestOf(row))
    }
    assert.equal(seen.size, new Set(distinctRows()).size)
  })

  test("cells that differ in one half only have all 64 bits: 32 would mistake some of 400,000", () => {
    const seen = new Set<string>()
    const texts = new Set<string>()
    let dice = 1
    const next = (): number => (dice = (Math.imul(dice, 1_664_525) + 1_013_904_223) >>> 0) >>> 12
    for (const scale of [1, Number.MIN_VALUE])
      for (let i = 0; i < 200_000; i++) {
        // Whole numbers below 2^20 fill the upper half of a cell, and so small ones as these the lower.
        const row = Float64Array.of(next() * scale, next() * scale, next() * scale)
        seen.add(digestOf(row))
        texts.add(row.join())
      }
    assert.equal(seen.size, texts.size)
  })

  test("there is one zero and one NaN, also in cells whose bits say otherwise", () => {
    const bits = (high: number, low: number): Float64Array => {
      const cell = new Float64Array(1)
      new Uint32Array(cell.buffer).set([low, high])
      return cell
    }
    const nan = digestOf(Float64Array.of(Number.NaN))
    for (const [high, low] of [
      [0xfff80000, 0],
      [0x7ff80000, 1],
      [0x7ff00000, 1],
      [0xffffffff, 0xffffffff],
    ] as const)
      assert.equal(digestOf(bits(high, low)), nan)
    assert.equal(digestOf(bits(0x80000000, 0)), digestOf(Float64Array.of(0)))
    assert.notEqual(digestOf(bits(0x80000000, 1)), digestOf(bits(0, 1)))
    assert.notEqual(digestOf(Float64Array.of(Number.POSITIVE_INFINITY)), nan)
    assert.equal(digestOf([-0, Number.NaN]), digestOf([0, Number.NaN]))
  })

  test("a part of a larger array is what it holds", () => {
    const large = Float64Array.from({ length: 20 }, (_, i) => i / 3)
    assert.equal(digestOf(large.subarray(5, 9)), digestOf(large.slice(5, 9)))
    const bytes = Uint8Array.from({ length: 20 }, (_, i) => i)
    assert.equal(digestOf(bytes.subarray(3, 7)), digestOf(bytes.slice(3, 7)))
    assert.equal(digestOf(Buffer.from(bytes)), digestOf(bytes))
  })

  test("what is not data is refused, never taken for nothing", () => {
    for (const strange of [() => 1, Symbol("s"), 1n, new Map([[1, 2]]), new Set([1]), new BigInt64Array(1)])
      assert.throws(() => digestOf([strange]), TypeError)
    assert.throws(() => digestOf(new DataView(new ArrayBuffer(1))), TypeError)
  })

  test("what is remembered is what it would be", () => {
    fc.assert(
      fc.property(fc.array(anyData), (list) => {
        const memo = new WeakMap<object, string>()
        assert.equal(frozenDigest(list, memo), digestOf(list))
        assert.equal(frozenDigest(list, memo), digestOf(list))
        assert.equal(frozenDigest(structuredClone(list), memo), digestOf(list))
      }),
    )
  })
})

/** The rows of the test above, as texts. */
function* distinctRows(): Generator<string> {
  const row = Array.from({ length: 64 }, () => 0)
  for (let i = 0; i < 100_000; i++) {
    row[i % 64] = 1_795_260_000_000 + 10_000 * i
    row[(7 * i) % 64] = i % 101
    yield row.join(" ")
  }
}

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted)
  if (Object.is(value, -0)) return 0
  if (typeof value !== "object" || value === null) return value
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => [`key ${key}`, sorted(item)])
    .concat([["object", ""]])
}
