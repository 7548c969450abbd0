/** A rule as JSON: places in it, mistakes at their places, drafts of it. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import {
  indexed,
  mistakesAt,
  mistakesIn,
  newRule,
  pathText,
  rulesIn,
  scopeList,
  valueAt,
  variantOf,
  withScope,
  withValue,
  worstSeverity,
} from "#client/state/rule-doc.ts"
import { draftOf, drafts, formed, isChanged, setDraft, typed } from "#client/state/rule-drafts.ts"
import { linesOf, textOf } from "#client/state/rule-text.ts"

const key = fc.constantFrom("a", "b", "c", "by_role")
const path = fc.array(key, { minLength: 1, maxLength: 4 })

test("[I1] what is put at a path is found there, and what is not on the way stays", () => {
  fc.assert(
    fc.property(fc.dictionary(key, fc.jsonValue()), path, fc.integer(), (given, at, value) => {
      const json = JSON.parse(JSON.stringify(given)) as Record<string, unknown>
      const next = withValue(json, at, value) as Record<string, unknown>
      assert.equal(valueAt(next, at), value)
      for (const other of Object.keys(json)) if (other !== at[0]) assert.deepEqual(next[other], json[other])
      assert.deepEqual(json, JSON.parse(JSON.stringify(given)), "the old one is not touched")
      const gone = withValue(next, at, undefined)
      assert.equal(valueAt(gone, at), undefined)
    }),
  )
  assert.deepEqual(withValue([{ sev: "warn" }, { sev: "info" }], [1, "sev"], "critical"), [
    { sev: "warn" },
    { sev: "critical" },
  ])
  assert.equal(valueAt({}, ["toString"]), undefined, "what every object inherits is not in the JSON")
})

test("[I1] a path reads as the engine writes it, and finds its line", () => {
  assert.equal(pathText(["condition", "conditions", 1, "metric"]), "condition.conditions[1].metric")
  assert.equal(pathText([]), "")
  const mistakes = [
    { path: "severity[0].sev", problem: "must be one of" },
    { path: "", problem: "all of it" },
  ]
  assert.deepEqual(mistakesAt(mistakes, ["severity", 0, "sev"]), ["must be one of"])
  assert.deepEqual(mistakesAt(mistakes, []), ["all of it"])
  assert.deepEqual(mistakesIn({ mistakes: [...mistakes, { path: 3 }, null] }), mistakes)
  assert.deepEqual(mistakesIn({ mistakes: "no" }), [])
  const json = { severity: [{ sev: "x" }] }
  for (const where of [["severity"], ["severity", 0], ["severity", 0, "sev"]])
    assert.ok(linesOf(textOf(json)).has(pathText(where)))
})

test("[I1] a comparison of two rules names the place inside a list", () => {
  assert.deepEqual(indexed({ a: [{ b: 1 }, { b: [2, 3] }], c: ["x"] }), {
    a: { "[0]": { b: 1 }, "[1]": { b: [2, 3] } },
    c: ["x"],
  })
})

test("[I2] an empty list of a scope is taken away: it would match nothing", () => {
  const scope = withScope({}, "by_tags", ["gold"])
  assert.deepEqual(scope, { by_tags: ["gold"] })
  assert.deepEqual(withScope(scope, "by_tags", []), {})
  assert.deepEqual(scopeList({ by_tags: ["a", 3] }, "by_tags"), ["a"])
  assert.deepEqual(scopeList(null, "by_tags"), [])
})

test("[I1] what is imported: one rule, a list, an export; anything else is none", () => {
  const one = { id: "a" }
  assert.deepEqual(rulesIn(one), [one])
  assert.deepEqual(rulesIn([one, one]), [one, one])
  assert.deepEqual(rulesIn({ rules: [one] }), [one])
  for (const bad of [null, 3, [], [1], "x", { rules: [] }]) assert.equal(rulesIn(bad), null)
})

test("[I2] a variant keeps the name and takes a free id", () => {
  const rule = newRule("cpu", "CPU")
  assert.deepEqual(variantOf(rule, new Set(["cpu", "cpu-2"])), withValue(rule, ["id"], "cpu-3"))
  const long = valueAt(variantOf(newRule("x".repeat(64), "n"), new Set()), ["id"])
  assert.equal(String(long).length, 62)
})

test("[I3] a rule's mark is the worst that it can say", () => {
  assert.equal(worstSeverity({ severity: "info" }), "info")
  assert.equal(worstSeverity({ severity: { by_role: { core: "critical", default: "info" } } }), "critical")
  const when = { type: "absent", metric: "device.up", seconds: 3 } as const
  assert.equal(
    worstSeverity({
      severity: [
        { when, sev: "info" },
        { when, sev: "warn" },
      ],
    }),
    "warn",
  )
})

test("[I1] form and text are one: each edit of one is the other; a broken text keeps the last form", () => {
  const stored = { id: "a", name: "A" }
  const draft = draftOf(stored, '"1"', stored)
  assert.equal(isChanged(draft), false)
  const named = formed(draft, { ...stored, name: "B" })
  assert.equal(named.text, textOf({ id: "a", name: "B" }))
  assert.deepEqual([named.etag, isChanged(named)], ['"1"', true])
  const broken = typed(named, `${named.text}x`)
  assert.equal(broken.read.ok, false)
  assert.deepEqual(broken.json, { id: "a", name: "B" })
  const whole = typed(broken, textOf(stored))
  assert.deepEqual([whole.json, isChanged(whole)], [stored, false])
  fc.assert(
    fc.property(fc.jsonValue(), (json) => {
      const plain = JSON.parse(JSON.stringify(json)) as unknown
      assert.deepEqual(typed(draft, formed(draft, plain).text).json, plain)
    }),
  )
})

test("drafts are kept by rule, and the oldest of too many leaves", () => {
  const draft = draftOf({}, null)
  for (let nth = 0; nth < 40; nth++) setDraft(`r${nth}`, draft)
  assert.equal(drafts.value.size, 30)
  assert.ok(!drafts.value.has("r9") && drafts.value.has("r10") && drafts.value.has("r39"))
  setDraft("r39", null)
  assert.ok(!drafts.value.has("r39"))
})
