/** [I16] Every shipped rule passes the check, has its runbook, fires in its scenario and keeps silent in the other. */
import assert from "node:assert/strict"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { resolve } from "node:path"
import { describe, test } from "node:test"
import { checkRule, subjectKind } from "#twin/alert/check.ts"
import { PACKS } from "#twin/alert/packs/registry.ts"
import type { JudgedRule } from "#twin/alert/plan.ts"
import { parseScenario, runScenario } from "#twin/alert/scenario.ts"

const root = resolve(import.meta.dirname, "../../..")
const rows = PACKS.flatMap(({ rules }) => rules)
const judged = rows.map(({ rule }): JudgedRule => {
  const checked = checkRule(rule)
  assert.ok(checked.ok, `${rule.id}: ${JSON.stringify(checked)}`)
  // Rules that ship switched off have to work as well.
  return { rule: { ...checked.rule, enabled: true }, version: checked.version, kind: subjectKind(checked.rule) }
})

describe("packs", () => {
  test("[I16] at least forty rules, no id twice, no pack twice", () => {
    assert.ok(rows.length >= 40, `${rows.length}`)
    assert.equal(new Set(rows.map(({ rule }) => rule.id)).size, rows.length)
    assert.equal(new Set(PACKS.map(({ id }) => id)).size, PACKS.length)
  })

  test("[I16] every rule has its runbook in the handbook, and every runbook its rule", () => {
    const ids = rows.map(({ rule }) => rule.id).sort()
    for (const { rule } of rows) {
      assert.equal(rule.annotations.runbook_url, `docs/runbooks/${rule.id}.md`)
      assert.ok(existsSync(resolve(root, rule.annotations.runbook_url)), rule.annotations.runbook_url)
      const text = readFileSync(resolve(root, rule.annotations.runbook_url), "utf8")
      for (const part of ["## What it means", "## What to check", "## Commands"])
        assert.ok(text.includes(part), `${rule.id} lacks ${part}`)
    }
    const files = readdirSync(resolve(root, "docs/runbooks")).filter((file) => file !== "README.md")
    assert.deepEqual(files.map((file) => file.replace(/\.md$/, "")).sort(), ids)
  })

  for (const { rule, fires, quiet } of rows) {
    test(`[I16] ${rule.id} fires in its scenario`, () => {
      const { scenario, mistakes } = parseScenario(fires)
      assert.deepEqual(mistakes, [])
      const run = runScenario(judged, scenario)
      assert.deepEqual(run.failures, [])
      const fired = run.verdicts.find(({ rule: id, to }) => id === rule.id && to === "firing")
      assert.ok(fired !== undefined, "it did not fire")
      assert.ok(!fired.summary.includes("{{") && !fired.summary.includes("unknown"), fired.summary)
    })
    test(`[I16] ${rule.id} keeps silent in the other`, () => {
      const { scenario, mistakes } = parseScenario(quiet)
      assert.deepEqual(mistakes, [])
      assert.ok(scenario.expectations.some((one) => one.kind === "never" && one.rule === rule.id))
      assert.deepEqual(runScenario(judged, scenario).failures, [])
    })
  }

  test("a share is said in per cent, without its sign", () => {
    const { fires } = rows.find(({ rule }) => rule.id === "pppoe-drop")!
    const fired = runScenario(judged, parseScenario(fires).scenario).verdicts.find(({ to }) => to === "firing")
    assert.match(fired?.summary ?? "", / lost 60 % of its PPPoE sessions/)
  })
})
