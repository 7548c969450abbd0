/** Text and paths of the rule editor: our reading breaks exactly where JSON does, and a path is found on its line. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { lineOf, linesOf, readRuleText, textOf } from "#client/state/rule-text.ts"

test("[I1] every JSON is read, and its text is read back the same", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (json) =>
      assert.deepEqual(readRuleText(textOf(json)), { ok: true, json: JSON.parse(textOf(json)) as unknown }),
    ),
  )
})

test("[I1] where text breaks is said by line and column", () => {
  const broken = (text: string) => {
    const read = readRuleText(text)
    assert.ok(!read.ok, text)
    return [read.line, read.column]
  }
  assert.deepEqual(broken(""), [1, 1])
  assert.deepEqual(broken('{\n  "a": 1,\n  "b" 2\n}'), [3, 7])
  assert.deepEqual(broken('{\n  "a": [1, 2,]\n}'), [2, 14])
  assert.deepEqual(broken('{"a": 1} x'), [1, 10])
  assert.deepEqual(broken('{"a": 01}'), [1, 8])
  assert.deepEqual(broken('["tab\there"]'), [1, 2])
  assert.deepEqual(broken("[".repeat(5_000)), [1, 203], "depth is bounded")
})

test("[I1] our scan and JSON.parse agree on what is JSON", () => {
  fc.assert(
    fc.property(
      fc.jsonValue(),
      fc.nat(),
      fc.constantFrom("", "{", "}", "]", ",", ":", '"', "1", "e", "\\"),
      (json, at, junk) => {
        const text = textOf(json)
        const cut = at % (text.length + 1)
        const bent = `${text.slice(0, cut)}${junk}${text.slice(cut + 1)}`
        const read = readRuleText(bent)
        if (read.ok) return
        const lines = bent.split("\n")
        assert.ok(read.line >= 1 && read.line <= lines.length, `line ${read.line} of ${lines.length}`)
        assert.ok(
          read.column >= 1 && read.column <= (lines[read.line - 1] ?? "").length + 1,
          JSON.stringify([bent, read]),
        )
      },
    ),
  )
})

test("[I1] a mistake's path is found on the line of its key, a missing one on that of what lacks it", () => {
  const text = textOf({
    id: "x",
    condition: { type: "composite", conditions: [{ type: "flap" }, { type: "absent", metric: "y" }] },
  })
  const lines = linesOf(text)
  const line = (path: string) => (text.split("\n")[lineOf(lines, path) - 1] ?? "").trim()
  assert.equal(line("id"), '"id": "x",')
  assert.equal(line("condition.conditions[1].metric"), '"metric": "y"')
  assert.equal(line("condition.conditions[0].transitions"), "{")
  assert.equal(line("annotations.runbook_url"), "{")
  assert.equal(lineOf(lines, "condition.conditions[0].transitions"), 6)
  assert.equal(lineOf(lines, ""), 1)
})
