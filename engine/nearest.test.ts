/** nearest.ts: a typing mistake finds its word, a stranger finds none. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { nearest } from "#engine/nearest.ts"

const WORDS = ["import", "start", "config", "audit-rls", "status"]

test("a letter lost, doubled, changed or swapped still finds the word", () => {
  for (const [typed, meant] of [
    ["imprt", "import"],
    ["statr", "start"],
    ["confug", "config"],
    ["auditrls", "audit-rls"],
    ["STATUS", "status"],
  ])
    assert.equal(nearest(typed!, WORDS), meant)
})

test("what is far suggests nothing, and long input costs nothing", () => {
  assert.equal(nearest("zebra", WORDS), null)
  assert.equal(nearest("", WORDS), null)
  assert.equal(nearest("x".repeat(1_000_000), WORDS), null)
})

test("every known word is nearest to itself", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1 }), (words) =>
      words.every((word) => nearest(word, words) === word),
    ),
  )
})
