import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { badgeCount } from "#client/ui/badge-count.ts"

test("[U5] a badge says a figure up to three digits, and that there are more", () => {
  assert.equal(badgeCount(1), "1")
  assert.equal(badgeCount(286), "286")
  assert.equal(badgeCount(1_000), "999+")
  fc.assert(fc.property(fc.nat(), (count) => assert.ok(badgeCount(count).length <= 4)))
})
