/** [I1] A rule is checked before it is believed: every mistake has its path, and nothing unknown passes. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { checkRule, subjectKind } from "#twin/alert/check.ts"
import { CONDITION_TYPES } from "#twin/alert/conditions/registry.ts"
import { globMatches } from "#twin/alert/pattern.ts"
import { CONDITIONS_MAX, MISTAKES_MAX } from "#twin/alert/read.ts"
import { over, rule, text } from "#twin/alert/rule.fixture.ts"
import { fillTemplate, templateMistake } from "#twin/alert/template.ts"

const GOOD = text("cpu", over("device.cpu_pct", 90))

const mistakesOf = (json: unknown): readonly string[] => {
  const checked = checkRule(json)
  return checked.ok ? [] : checked.mistakes.map(({ path, message }) => `${path}: ${message}`)
}
const pathsOf = (json: unknown): readonly string[] => {
  const checked = checkRule(json)
  return checked.ok ? [] : checked.mistakes.map(({ path }) => path)
}
const withCondition = (condition: unknown): unknown => ({ ...GOOD, condition })

describe("a rule", () => {
  test("[I1] that is good becomes a Rule with its defaults and a version of its content", () => {
    const checked = checkRule(GOOD)
    assert.ok(checked.ok)
    assert.equal(checked.rule.enabled, true)
    assert.equal(checked.rule.for_seconds, 0)
    assert.equal(checked.rule.recover_seconds, 0)
    assert.match(checked.version, /^[0-9a-f]{16}$/)
    const same = checkRule(structuredClone(GOOD))
    const other = checkRule({ ...GOOD, for_seconds: 1 })
    assert.ok(same.ok && other.ok)
    assert.equal(same.version, checked.version)
    assert.notEqual(other.version, checked.version)
  })

  test("[I1] checked once more it is the same rule: what is exported can be imported", () => {
    const checked = checkRule({
      ...GOOD,
      scope: { by_roles: ["core"], by_tags: ["gold"] },
      severity: { by_role: { core: "critical", default: "warn" } },
    })
    assert.ok(checked.ok)
    assert.deepEqual(checkRule(JSON.parse(JSON.stringify(checked.rule))), checked)
  })

  for (const [what, json, path] of [
    ["is no object", 7, ""],
    ["is a list", [], ""],
    ["has another version", { ...GOOD, rule_schema_version: "2" }, "rule_schema_version"],
    ["has an unknown field", { ...GOOD, notify: 1 }, "notify"],
    ["has a bad id", { ...GOOD, id: "A b" }, "id"],
    ["has no name", { ...GOOD, name: undefined }, "name"],
    ["has an unknown severity", { ...GOOD, severity: "major" }, "severity"],
    [
      "has a severity of an unknown role",
      { ...GOOD, severity: { by_role: { core: "warn", boss: "warn" } } },
      "severity.by_role.boss",
    ],
    ["has a tier without a condition", { ...GOOD, severity: [{ sev: "warn" }] }, "severity[0].when"],
    ["has an empty scope list", { ...GOOD, scope: { by_tags: [] } }, "scope.by_tags"],
    ["has an unknown role in its scope", { ...GOOD, scope: { by_roles: ["core", "king"] } }, "scope.by_roles[1]"],
    ["waits a negative time", { ...GOOD, for_seconds: -1 }, "for_seconds"],
    ["waits half a second", { ...GOOD, for_seconds: 0.5 }, "for_seconds"],
    ["has no runbook", { ...GOOD, annotations: { summary_template: "x" } }, "annotations.runbook_url"],
    [
      "has a runbook that runs",
      { ...GOOD, annotations: { summary_template: "x", runbook_url: "javascript:alert(1)" } },
      "annotations.runbook_url",
    ],
    [
      "has a runbook outside the handbook",
      { ...GOOD, annotations: { summary_template: "x", runbook_url: "docs/runbooks/../x.md" } },
      "annotations.runbook_url",
    ],
    [
      "names an unknown placeholder",
      { ...GOOD, annotations: { summary_template: "{{devise}}", runbook_url: "docs/runbooks/x.md" } },
      "annotations.summary_template",
    ],
    ["has no condition", { ...GOOD, condition: undefined }, "condition"],
    ["has a condition of no kind", withCondition({ type: "magic" }), "condition.type"],
    ["has a metric that is none", withCondition(over("device.cpu" as "device.cpu_pct", 1)), "condition.metric"],
    [
      "compares with two things",
      withCondition({ ...(over("device.cpu_pct", 1) as object), threshold_ref: { metric: "device.cpu_pct" } }),
      "condition.threshold_num",
    ],
    [
      "compares bytes with percent",
      withCondition({
        type: "threshold",
        metric: "device.cpu_pct",
        operator: ">",
        aggregation: "last",
        lookback_seconds: 60,
        threshold_ref: { metric: "device.mem_total_bytes" },
      }),
      "condition.threshold_ref.metric",
    ],
    [
      "takes the mean of a counter",
      withCondition(over("interface.rx_bytes_total", 1, 60, "avg")),
      "condition.aggregation",
    ],
    [
      "calls no state good",
      withCondition({
        type: "state_not_in",
        metric: "ospf.neighbor.state",
        good_values: ["fool"],
        lookback_seconds: 60,
      }),
      "condition.good_values[0]",
    ],
    ["looks back two days", withCondition(over("device.cpu_pct", 1, 172_800)), "condition.lookback_seconds"],
    [
      "has a mistake deep inside",
      withCondition({
        type: "composite",
        op: "and",
        conditions: [
          over("device.cpu_pct", 1),
          { type: "composite", op: "not", conditions: [over("x" as "device.cpu_pct", 1)] },
        ],
      }),
      "condition.conditions[1].conditions[0].metric",
    ],
    [
      "nots two things",
      withCondition({
        type: "composite",
        op: "not",
        conditions: [over("device.cpu_pct", 1), over("device.cpu_pct", 2)],
      }),
      "condition.conditions",
    ],
    [
      "counts an unknown event",
      withCondition({ type: "event", event_type: "interface.exploded", lookback_seconds: 60 }),
      "condition.event_type",
    ],
    [
      "mixes ports and neighbours",
      withCondition({
        type: "composite",
        op: "and",
        conditions: [over("interface.utilization_pct", 1), over("bgp.peer.prefixes_in", 1)],
      }),
      "condition",
    ],
    [
      "is scoped to what its metric is not of",
      { ...(withCondition(over("bgp.peer.prefixes_in", 1)) as object), scope: { by_entity_type: ["interface"] } },
      "scope.by_entity_type",
    ],
    [
      "has a baseline too short for its offset",
      withCondition({
        type: "baseline",
        metric: "device.cpu_pct",
        operator: ">",
        factor: 2,
        baseline_seconds: 3600,
        offset_seconds: 604_800,
      }),
      "condition.offset_seconds",
    ],
    [
      "has a baseline of a state",
      withCondition({ type: "baseline", metric: "bgp.peer.state", operator: ">", factor: 2, baseline_seconds: 3600 }),
      "condition.metric",
    ],
  ] as const)
    test(`[I1] that ${what} is refused with the path "${path}"`, () => {
      assert.deepEqual(pathsOf(json), [path])
    })

  test("[I1] all mistakes are named at once", () => {
    const paths = pathsOf({
      ...GOOD,
      id: "!",
      severity: "bad",
      condition: { type: "flap", metric: "nope", transitions: 0 },
    })
    assert.deepEqual(paths, [
      "id",
      "severity",
      "condition.metric",
      "condition.transitions",
      "condition.lookback_seconds",
    ])
    assert.match(
      mistakesOf(withCondition(over("ospf.neighbor.stat" as "device.cpu_pct", 1)))[0] ?? "",
      /there are .*ospf.neighbor.state/,
    )
  })

  test("[I1] no JSON makes it throw, nor name more than it may", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.jsonValue(),
          fc.record(
            Object.fromEntries(
              Object.entries(GOOD).map(([key, good]) => [key, fc.oneof(fc.constant(good), fc.jsonValue())]),
            ),
          ),
        ),
        (json) => {
          const checked = checkRule(json)
          if (!checked.ok) assert.ok(checked.mistakes.length > 0 && checked.mistakes.length <= MISTAKES_MAX)
        },
      ),
    )
  })

  test("[I1] a condition is neither endlessly deep nor endlessly wide", () => {
    let deep: unknown = over("device.cpu_pct", 1)
    for (let n = 0; n < 5000; n++) deep = { type: "composite", op: "not", conditions: [deep] }
    assert.match(mistakesOf(withCondition(deep))[0] ?? "", /nested deeper than/)
    const wide = (n: number): unknown => ({
      type: "composite",
      op: "or",
      conditions: Array.from({ length: 15 }, () => (n === 0 ? over("device.cpu_pct", 1) : wide(n - 1))),
    })
    assert.match(mistakesOf(withCondition(wide(2)))[0] ?? "", new RegExp(`a rule takes ${CONDITIONS_MAX}`))
  })

  test("keys of Object.prototype are no fields, values or states", () => {
    assert.deepEqual(pathsOf(JSON.parse(`{"__proto__": {"id": "x"}}`)).includes("id"), true)
    assert.deepEqual(pathsOf(withCondition({ type: "constructor" })), ["condition.type"])
  })

  test("a rule is about what its metrics are of", () => {
    assert.equal(rule("a", over("device.cpu_pct", 1)).kind, "device")
    assert.equal(rule("a", over("interface.rx_bps", 1)).kind, "interface")
    const event = checkRule({
      ...text("e", { type: "event", event_type: "auth.failed", lookback_seconds: 60 }),
      scope: { by_entity_type: ["interface"] },
    })
    assert.ok(event.ok && subjectKind(event.rule) === "interface")
    assert.equal(CONDITION_TYPES.length, 9)
  })
})

describe("patterns", () => {
  test("globs mean what a plain definition by recursion means", () => {
    const plain = (p: string, t: string): boolean =>
      p === ""
        ? t === ""
        : p[0] === "*"
          ? plain(p.slice(1), t) || (t !== "" && plain(p, t.slice(1)))
          : t !== "" && (p[0] === "?" || p[0] === t[0]) && plain(p.slice(1), t.slice(1))
    const word = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 9 })
    const pattern = fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), maxLength: 7 })
    fc.assert(
      fc.property(pattern, word, (p, t) => {
        assert.equal(globMatches(p, t), plain(p, t))
      }),
      { numRuns: 2000 },
    )
  })

  test("the pattern that kills regular expressions costs nothing", () => {
    const startedMs = performance.now()
    for (let n = 0; n < 50; n++) assert.equal(globMatches(`${"*a".repeat(99)}*b`, "a".repeat(2048)), false)
    assert.ok(performance.now() - startedMs < 5_000)
  })

  test("case is ignored, everything else is itself", () => {
    assert.ok(globMatches("*Link DOWN*", "ether1 link down (carrier)"))
    assert.ok(!globMatches("a.c", "abc"))
    assert.ok(!globMatches("(a|b)+", "ab"))
  })
})

describe("templates", () => {
  test("placeholders are known or the rule is refused", () => {
    assert.equal(templateMistake("{{device}} {{ entity }} {{value}} {{threshold}}"), null)
    assert.match(templateMistake("{{password}}") ?? "", /unknown placeholder/)
    assert.match(templateMistake("{{device") ?? "", /never closed/)
    assert.match(templateMistake("}}") ?? "", /never closed/)
  })

  test("a value that looks like a template stays text", () => {
    const values = {
      device: "{{value}}",
      entity: "$&",
      site: "",
      role: "",
      rule: "",
      severity: "",
      metric: "",
      value: "1",
      percent: "",
      threshold: "",
      unit: "",
    }
    assert.equal(fillTemplate("{{device}} {{entity}}", values), "{{value}} $&")
  })
})
