/** Entity tags: equal for equal values, and If-Match as RFC 9110 has it. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { etagOf, fitsIfMatch } from "#engine/api/etag.ts"
import { sortedJson } from "#engine/sorted-json.ts"

const reversed = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(reversed)
    : value !== null && typeof value === "object"
      ? Object.fromEntries(
          Object.entries(value)
            .toReversed()
            .map(([key, it]) => [key, reversed(it)]),
        )
      : value

test("the order of members makes no other tag, a changed value does", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      assert.equal(etagOf(a), etagOf(reversed(a)))
      assert.equal(etagOf(a) === etagOf(b), sortedJson(a) === sortedJson(b))
      assert.match(etagOf(a), /^"[A-Za-z0-9_-]{22}"$/)
    }),
  )
})

test("If-Match: one of a list, `*` for what exists, never a weak tag, never what is not there", () => {
  const etag = etagOf({ name: "core1" })
  assert.ok(fitsIfMatch(undefined, etag))
  assert.ok(fitsIfMatch(undefined, null))
  assert.ok(fitsIfMatch(etag, etag))
  assert.ok(fitsIfMatch(` "other" , ${etag} `, etag))
  assert.ok(fitsIfMatch("*", etag))
  assert.ok(!fitsIfMatch("*", null))
  assert.ok(!fitsIfMatch(etag, null))
  assert.ok(!fitsIfMatch(`W/${etag}`, etag))
  assert.ok(!fitsIfMatch("", etag))
  assert.ok(!fitsIfMatch(etag.slice(1, -1), etag))
})
