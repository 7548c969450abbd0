/** [I1] Users' regular expressions: bounded before they run, linear while they run, and they mean what RegExp means. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { DEVICE_ENTITY } from "#protocol/id.ts"
import { checkRule } from "#twin/alert/check.ts"
import { evaluate } from "#twin/alert/evaluate.ts"
import { patternMatches, TEXT_MAX } from "#twin/alert/pattern.ts"
import { PROGRAM_MAX, REGEX_MAX, regexFinds, regexMistake } from "#twin/alert/regex.ts"
import { Bench, rule, T0 } from "#twin/alert/rule.fixture.ts"

/** Patterns that a backtracking engine needs 2^n or n^2 steps for. */
const NASTY = [
  "(a*)*b",
  "(a+)+$b",
  "(a|a)*b",
  "(a|aa)+b",
  "(.*a){12}b",
  "(x+x+)+y",
  "^(([a-z])+.)+[A-Z]([a-z])+$",
  "a?".repeat(30) + "a".repeat(30) + "b",
]
const LINE = 65_536

/** How many characters of any text are read while something runs: the steps of an engine that does not go back. */
const readsOf = (run: () => void): number => {
  const { charCodeAt, codePointAt } = String.prototype
  let reads = 0
  const counted = (read: (this: string, at: number) => unknown) =>
    function (this: string, at: number): unknown {
      reads++
      return read.call(this, at)
    }
  Object.assign(String.prototype, { charCodeAt: counted(charCodeAt), codePointAt: counted(codePointAt) })
  try {
    run()
  } finally {
    Object.assign(String.prototype, { charCodeAt, codePointAt })
  }
  return reads
}

describe("regular expressions of rules", () => {
  test("[I1] what kills a backtracking engine reads each character of 64 KB a few times at most", () => {
    for (const source of NASTY) {
      assert.equal(regexMistake(source), null, source)
      for (const unit of ["a", "x", "az"]) {
        const line = unit.repeat(LINE / unit.length)
        regexFinds(source, "warm")
        const reads = readsOf(() => assert.equal(regexFinds(source, line), false, source))
        assert.ok(reads <= 4 * LINE, `${source} on ${unit}: ${reads} reads`)
      }
    }
  })

  test("[I1] any small expression on any line: reads grow with the line and not beyond", () => {
    const atom = fc.constantFrom(
      "a",
      "b",
      ".",
      "[ab]",
      "a*",
      "b+",
      "(a|b)*",
      "(a*)*",
      "(ab?)+",
      "^",
      "$",
      "\\b",
      "a{2,5}",
    )
    const source = fc.array(atom, { minLength: 1, maxLength: 8 }).map((atoms) => atoms.join(""))
    const line = fc.tuple(fc.constantFrom("a", "ab", "aab", "b", "a b"), fc.integer({ min: 0, max: 3000 }))
    fc.assert(
      fc.property(source, line, (expression, [unit, times]) => {
        const text = unit.repeat(times)
        regexFinds(expression, "")
        assert.ok(readsOf(() => void regexFinds(expression, text)) <= 6 * text.length + 64)
      }),
      { numRuns: 300 },
    )
  })

  test("[I1] they mean what JavaScript's mean, where both have the syntax", () => {
    const atom = fc.constantFrom(
      "a",
      "b",
      ".",
      "[ab]",
      "[^a]",
      "a*",
      "b+",
      "(a|b)",
      "(?:ab)?",
      "^",
      "$",
      "\\b",
      "a{1,2}",
      "|",
    )
    const source = fc.array(atom, { minLength: 1, maxLength: 6 }).map((atoms) => atoms.join(""))
    const text = fc.string({ unit: fc.constantFrom("a", "b", " "), maxLength: 10 })
    fc.assert(
      fc.property(source, text, (expression, line) => {
        if (regexMistake(expression) !== null) return
        let theirs: RegExp
        try {
          theirs = new RegExp(expression, "u")
        } catch {
          return
        }
        assert.equal(regexFinds(expression, line), theirs.test(line), `/${expression}/ on "${line}"`)
      }),
      { numRuns: 1500 },
    )
  })

  test("[I1] too long, too big and mistaken expressions are refused in words, before they are compiled", () => {
    assert.match(regexMistake("a".repeat(REGEX_MAX + 1)) ?? "", /at most 200/)
    for (const big of [
      "a{999}".repeat(33),
      "\\pL{1000}".repeat(20),
      "((a{10}){10}){20}",
      "([a)]{500}){3}",
      "(".repeat(50) + "a{900}b{200}",
      "[]x]{600}[^]y]{600}",
    ])
      assert.match(regexMistake(big) ?? "", new RegExp(`at most ${PROGRAM_MAX}`), big)
    for (const wrong of ["(", "a)", "[", "*", "(?=a)", "(?<!a)b", "\\1", "x{3,1}"])
      assert.match(regexMistake(wrong) ?? "", /no regular expression of RE2/, wrong)
    const fine = [
      "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
      "^(\\d{1,3}\\.){3}\\d{1,3}$",
      "(?i)link down",
      "\\pL{100}",
      "([0-9A-F]{2}:){5}",
    ]
    for (const source of fine) assert.equal(regexMistake(source), null, source)
    assert.equal(regexFinds("(", "("), false, "a mistaken one matches nothing")
  })

  test("[I1] more expressions than are remembered still answer right", () => {
    for (let n = 0; n < 1200; n++) assert.equal(regexFinds(`^n${n % 600}$`, `n${n % 600}`), true)
    assert.equal(regexFinds("^n1$", "n2"), false)
  })
})

const ruleWith = (match: unknown): unknown => ({
  id: "mine",
  rule_schema_version: "1",
  name: "Mine",
  enabled: true,
  severity: "warn",
  scope: {},
  condition: { type: "event", event_type: "auth.failed", match, lookback_seconds: 60 },
  annotations: { summary_template: "x", runbook_url: "https://example.net/x" },
})

describe("in a rule", () => {
  test("[I1] a mistake in one names its path", () => {
    const mistakes = (match: unknown) => {
      const checked = checkRule(ruleWith(match))
      return checked.ok ? [] : checked.mistakes.map(({ path }) => path)
    }
    assert.deepEqual(mistakes({ raw: { re2: "user (root|admin)" }, old: "*x*" }), [])
    assert.deepEqual(mistakes({ raw: { re2: "(" } }), ["condition.match.raw.re2"])
    assert.deepEqual(mistakes({ new: { re2: "a{999}{9}" } }), ["condition.match.new.re2"])
    assert.deepEqual(mistakes({ new: { re2: "" } }), ["condition.match.new.re2"])
    assert.deepEqual(mistakes({ new: {} }), ["condition.match.new.re2"])
    assert.deepEqual(mistakes({ old: { re2: "a", flags: "i" } }), ["condition.match.old.flags"])
    assert.deepEqual(mistakes({ old: 7 }), ["condition.match.old"])
  })

  test("[I1] an event fires it if the expression is found in the text, a glob if it covers the text", () => {
    const fires = (match: unknown, raw: string): boolean => {
      const bench = new Bench([rule("mine", { type: "event", event_type: "auth.failed", match, lookback_seconds: 60 })])
      const atMs = T0 + 1_000
      const { plan, state } = bench
      const event = { kind: "event", atMs, happenedMs: atMs, entity: DEVICE_ENTITY, type: "auth.failed" } as const
      const { verdicts } = evaluate(plan, state, { ...event, old: null, new: null, raw })
      return verdicts.some(({ to }) => to === "firing")
    }
    assert.equal(
      fires({ raw: { re2: "user (root|admin) from 10\\." } }, "login failure for user admin from 10.0.0.7"),
      true,
    )
    assert.equal(
      fires({ raw: { re2: "user (root|admin) from 10\\." } }, "login failure for user bob from 10.0.0.7"),
      false,
    )
    assert.equal(fires({ raw: { re2: "^user" } }, "login failure for user admin"), false)
    assert.equal(fires({ raw: "user*" }, "login failure for user admin"), false)
    assert.equal(fires({ raw: "*USER admin" }, "login failure for user admin"), true)
  })

  test("[I1] what lies beyond the characters that are looked at is not found, as with a glob", () => {
    assert.equal(patternMatches({ re2: "b$" }, "a".repeat(TEXT_MAX) + "b"), false)
    assert.equal(patternMatches({ re2: "b$" }, "a".repeat(TEXT_MAX - 1) + "b"), true)
  })
})
