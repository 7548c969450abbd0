/** Scenarios say what is wrong with them, line by line, and what happened instead of what was expected. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { over, rule } from "#twin/alert/rule.fixture.ts"
import { parseScenario, runScenario } from "#twin/alert/scenario.ts"

const mistakes = (text: string): readonly string[] =>
  parseScenario(text).mistakes.map(({ line, message }) => `${line}: ${message}`)
const rules = [rule("cpu", over("device.cpu_pct", 90), { for_seconds: 60 })]
const failures = (text: string): readonly string[] => {
  const parsed = parseScenario(text)
  assert.deepEqual(parsed.mistakes, [])
  return runScenario(rules, parsed.scenario).failures.map(({ line, message }) => `${line}: ${message}`)
}

describe("scenarios", () => {
  test("[I1] one that holds has no failures; comments and blank lines are nothing", () => {
    const text = `
      # a busy router
      device r1 site rio role core tag gold
      load 0s..5m every 10s - device.cpu_pct 95   # all the time
      expect ok cpu - at 50s
      expect firing cpu - at 1m
      expect told 1 cpu
      expect severity warn cpu`
    assert.deepEqual(failures(text.replace("expect ok cpu - at 50s", "expect pending cpu - at 50s")), [])
    assert.deepEqual(failures(text), ["5: cpu is pending, not ok"])
  })

  test("[I1] what did not come true is named with its line", () => {
    assert.deepEqual(
      failures(
        "load 0s..5m every 10s - device.cpu_pct 95\nexpect never cpu\nexpect told 2 cpu\nexpect severity critical cpu\nexpect never other\nexpect ok cpu if:x at 1m",
      ),
      [
        "2: cpu fired after 60 s",
        "3: cpu was told 1 times, not 2",
        "4: cpu was warn, not critical",
        "5: there is no rule other",
        "6: cpu is not judged there, not ok",
      ],
    )
  })

  test("[I1] mutes, waits, turns and ramps", () => {
    assert.deepEqual(
      failures(
        "mute 0s..2m * works\nload 0s..5m every 10s - device.cpu_pct 95\nexpect told 1 cpu\nexpect firing cpu - at 90s",
      ),
      [],
    )
    assert.deepEqual(failures("load 0s..5m every 10s - device.cpu_pct 95 / 10\nexpect never cpu"), [])
    assert.deepEqual(
      failures(
        "load 0s..10m every 10s - device.cpu_pct 0 -> 100\nexpect pending cpu - at 9.2m\nexpect firing cpu - at 10.2m",
      ),
      [],
    )
  })

  for (const [text, message] of [
    ["dance", "1: a line begins with device, load, event, mute, wait or expect, not dance"],
    ["\nload 0s..1m every 10s - device.cpu 1", "2: device.cpu is no metric"],
    ["load 0s..1m every 10s if:a device.cpu_pct 1", "1: device.cpu_pct belongs to device, not to if:a"],
    ["load 0s..1m every 10s - device.cpu_pct much", "1: much is no value of device.cpu_pct"],
    ["load 2m..1m every 10s - device.cpu_pct 1", "1: 2m..1m ends before it begins"],
    ["load 0s..1x every 10s - device.cpu_pct 1", "1: 1x is no time; write 90s, 10m, 2h or 7d"],
    ["load 0s..30d every 1s - device.cpu_pct 1", "1: a scenario has at most 1000000 samples"],
    ["load 0s..1s every 0s - device.cpu_pct 1", "1: every what? At least a millisecond"],
    ["event 1s - explosion", "1: explosion is no event"],
    ["expect burning cpu - at 1m", "1: expect ok, pending, firing, recovering, never, told or severity, not burning"],
    ["expect firing cpu nowhere at 1m", "1: nowhere is no entity; write - or if:ether1"],
    ["device r1 role king", "1: king is no role"],
  ] as const)
    test(`[I1] "${text.trim()}" is refused in words`, () => {
      assert.deepEqual(mistakes(text), [message])
    })

  test("[I1] the same scenario gives the same verdicts, explanations and all", () => {
    const { scenario } = parseScenario(
      "load 0s..9m every 7s - device.cpu_pct 95 / 97\nload 10m..12m every 5s - device.cpu_pct 1",
    )
    assert.deepEqual(runScenario(rules, scenario), runScenario(rules, scenario))
  })
})
