/** Names in little room: never wider than it, never more than it was, and what tells neighbours apart stays. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { fitText } from "#client/ui/graph/fit-text.ts"

/** Every letter is as wide as another. */
const letters = (text: string): number => [...text].length
const fit = (text: string, width: number): string => fitText(text, width, letters)

test("[U4] what fits stands as it is; what does not is cut where it says least", () => {
  assert.equal(fit("Recife", 6), "Recife")
  assert.equal(fit("Jaboatão", 6), "Jaboa…")
  assert.equal(fit("Recife", 4), "", "so little room says nothing")
})

test("[U4] sites that differ by their last word differ in little room", () => {
  const shown = [2, 3, 4, 12].map((nth) => fit(`São Paulo ${nth}`, 7))
  assert.deepEqual(shown, ["São P…2", "São P…3", "São P…4", "São…12"])
  assert.equal(new Set(shown).size, shown.length)
  assert.equal(fit("CR1-SAO001", 6), "CR1-S…", "a long last word is cut as any other")
  assert.equal(fit("Rio de Janeiro 2", 1 + 4), "Rio…2")
})

test("[U4] never wider than its room, never letters that were not there", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), fc.integer({ min: -3, max: 80 }), (text, width) => {
      const shown = fit(text, width)
      assert.ok(letters(shown) <= Math.max(0, width))
      if (letters(text) <= width && width > 4) assert.equal(shown, text)
      const [head = "", tail = ""] = shown.split("…")
      assert.ok(shown === text || (text.startsWith(head) && text.endsWith(tail)) || text.includes("…"))
    }),
  )
})
