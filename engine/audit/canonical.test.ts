/** [S6] The one text of an act: whatever an act holds, it is bounded, PostgreSQL takes it, and it is the same every time. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { canonicalJson, CUT, SIDE_BYTES_MAX } from "#engine/audit/canonical.ts"
import { sortedJson } from "#engine/sorted-json.ts"

/** JSON's values and those that a careless act could hold. */
const anything = fc.anything({
  withDate: true,
  withBigInt: true,
  withNullPrototype: true,
  withUnicodeString: false,
  maxDepth: 5,
  key: fc.oneof(
    fc.string(),
    fc.constantFrom("__proto__", "constructor", "toString", "\u0000", "\ud800", CUT, "10", "2"),
  ),
  values: [
    fc.string({ unit: "binary" }),
    fc.constantFrom(-0, 1e21, 1e-7, Number.MAX_VALUE, Number.MIN_VALUE, NaN, Infinity, undefined, "\ud83d", "\u0000"),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
  ],
})

test("[S6] what is written is JSON that PostgreSQL stores, and writing it again changes nothing", () => {
  fc.assert(
    fc.property(anything, (value) => {
      const text = canonicalJson(value)
      assert.equal(sortedJson(JSON.parse(text)), text)
      const storable = (word: string): boolean => word.isWellFormed() && !word.includes("\u0000")
      JSON.parse(text, (key, member: unknown) => {
        assert.ok(storable(key) && (typeof member !== "string" || storable(member)), "PostgreSQL would refuse it")
        return member
      })
      assert.ok(Buffer.byteLength(text) <= SIDE_BYTES_MAX)
    }),
    { numRuns: 500 },
  )
})

test("[S6] the order in which members were given does not count", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (members) => {
      const turned = Object.fromEntries(Object.entries(members).reverse())
      assert.equal(canonicalJson(turned), canonicalJson(members))
    }),
  )
})

test("[S6] members called __proto__, and numbers at the edges, are kept as they are", () => {
  const hostile: unknown = JSON.parse('{"__proto__":{"admin":true},"b":1e21,"a":-0,"10":1,"9":2}')
  assert.equal(canonicalJson(hostile), '{"10":1,"9":2,"__proto__":{"admin":true},"a":0,"b":1e+21}')
})

test("[S6] too much is cut, and says so where it was cut", () => {
  const long = canonicalJson({ text: "x".repeat(1_000_000), after: 1 })
  assert.ok(Buffer.byteLength(long) < 10_000)
  assert.ok((JSON.parse(long) as { text: string }).text.endsWith(CUT))
  const list = JSON.parse(canonicalJson(Array.from({ length: 100_000 }, (_, index) => index))) as unknown[]
  assert.match(String(list.at(-1)), /^\[cut\] \d+ more$/)
  assert.equal(Number(/\d+/.exec(String(list.at(-1)))![0]) + list.length - 1, 100_000)
  const wide = canonicalJson(Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`k${index}`, "v"])))
  assert.match(wide, /"\[cut\]":"\d+ more"/)
  assert.ok(Buffer.byteLength(wide) > SIDE_BYTES_MAX / 2)
})

test("[S6] the limit holds for deep, wide, cyclic and escaped values alike", () => {
  const cyclic: Record<string, unknown> = { name: "x".repeat(100) }
  cyclic["left"] = cyclic
  cyclic["right"] = cyclic
  let deep: unknown = "bottom"
  for (let depth = 0; depth < 50_000; depth++) deep = depth % 2 === 0 ? [deep] : { deep }
  const controls = Array.from({ length: 40 }, () => "\u0001".repeat(8_000))
  for (const value of [cyclic, deep, controls, { a: controls, b: controls }, "\u{1F600}".repeat(100_000)]) {
    const text = canonicalJson(value)
    assert.ok(Buffer.byteLength(text) <= SIDE_BYTES_MAX, String(Buffer.byteLength(text)))
    assert.equal(sortedJson(JSON.parse(text)), text)
  }
})

test("[S6] a member that is called like our mark cannot pass for one", () => {
  assert.equal(canonicalJson({ [CUT]: "5 more" }), `{"[cut]'":"5 more"}`)
})
