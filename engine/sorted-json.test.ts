/** The one JSON text of a value. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { sortedJson } from "#engine/sorted-json.ts"

const shuffled = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(shuffled)
    : value !== null && typeof value === "object"
      ? Object.fromEntries(
          Object.entries(value)
            .toReversed()
            .map(([key, member]) => [key, shuffled(member)]),
        )
      : value

test("the order of members makes no other text, and the text is JSON of the same value", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = sortedJson(value)
      assert.equal(sortedJson(shuffled(value)), text)
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)))
      assert.equal(sortedJson(JSON.parse(text)), text)
    }),
  )
})

test("what JSON has no word for goes the way of JSON.stringify", () => {
  const at = new Date(1_780_000_000_000)
  const odd = { b: undefined, a: () => 1, d: [undefined, Symbol("x")], at, c: Number.NaN, n: -0 }
  assert.equal(sortedJson(odd), '{"at":"2026-05-28T20:26:40.000Z","c":null,"d":[null,null],"n":0}')
  assert.deepEqual(JSON.parse(sortedJson(odd)), JSON.parse(JSON.stringify(odd)))
  assert.equal(sortedJson(undefined), "null")
  assert.equal(sortedJson({ 10: 1, 9: 2 }), '{"10":1,"9":2}')
})
