/** json.ts against JSON.parse: the same values, the same refusals, and a place for everything. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { isProblem, JSON_DEPTH_MAX, parseJson, positionsOf } from "#engine/import/json.ts"
import type { JsonNode } from "#engine/import/json.ts"

const plain = (node: JsonNode): unknown => {
  switch (node.type) {
    case "object":
      return Object.fromEntries([...node.members].map(([key, member]) => [key, plain(member.node)]))
    case "array":
      return node.items.map(plain)
    case "null":
      return null
    default:
      return node.value
  }
}

test("any JSON text reads as JSON.parse reads it", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(undefined, 2, "\t"), (value, indent) => {
      const text = JSON.stringify(value, null, indent)
      const node = parseJson(text)
      assert.ok(!isProblem(node), JSON.stringify(node))
      assert.equal(JSON.stringify(plain(node)), JSON.stringify(JSON.parse(text)))
    }),
  )
})

test("a damaged text is refused exactly when JSON.parse refuses it, or for duplicate keys, depth and size", () => {
  const texts = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.stringify(value))
  fc.assert(
    fc.property(texts, fc.nat(), fc.constantFrom("", ",", "}", '"', "0", "\\", "\n", "x", "-"), (text, at, insert) => {
      const place = at % (text.length + 1)
      const damaged = text.slice(0, place) + insert + text.slice(place + 1)
      const node = parseJson(damaged)
      let good = true
      try {
        JSON.parse(damaged)
      } catch {
        good = false
      }
      if (isProblem(node) && /twice|deeper|too big/.test(node.message)) return
      assert.equal(!isProblem(node), good, damaged)
      if (isProblem(node)) assert.ok(node.at >= 0 && node.at <= damaged.length)
    }),
    { numRuns: 500 },
  )
})

test("depth, duplicate keys and numbers out of range stop the reading at their place", () => {
  const deep = parseJson("[".repeat(200_000))
  assert.ok(isProblem(deep) && deep.at === JSON_DEPTH_MAX + 1)
  const twice = parseJson('{"a": 1, "a": 2}')
  assert.ok(isProblem(twice) && twice.at === 9)
  const huge = parseJson("[1e999]")
  assert.ok(isProblem(huge) && huge.at === 1)
})

test("__proto__ is an ordinary key", () => {
  const node = parseJson('{"__proto__": {"polluted": true}}')
  assert.ok(!isProblem(node) && node.type === "object")
  assert.equal(node.members.get("__proto__")?.node.type, "object")
  assert.equal(({} as Record<string, unknown>)["polluted"], undefined)
})

test("positions count lines and characters from 1", () => {
  const at = positionsOf('{\n  "é😀": x\n}')
  assert.deepEqual(at(0), { line: 1, column: 1 })
  assert.deepEqual(at('{\n  "é😀": '.length), { line: 2, column: 9 })
  assert.deepEqual(at('{\n  "é😀": x\n'.length), { line: 3, column: 1 })
})
