/** Lines that a person wrote become the inputs that a collector would have made, or are refused with their number and why. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { FORK_INPUTS_MAX, ForkInputsRefused, readForkInputs } from "#engine/replay/fork-inputs.ts"
import { RING } from "#engine/replay/past.fixture.ts"
import { START_MS } from "#engine/tenant/network.fixture.ts"
import { metricId } from "#protocol/metric.ts"

const [r0, r1] = RING.devices as [(typeof RING.devices)[number], (typeof RING.devices)[number]]
const read = (...lines: readonly unknown[]) =>
  readForkInputs(
    lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"),
    RING,
    START_MS,
  )

describe("inputs of a branch", () => {
  test("a device by name or by id, a time by age or as it is written, empty lines between", () => {
    const iso = new Date(START_MS + 90_000).toISOString()
    const inputs = read(
      { at: iso, kind: "tick" },
      "",
      { at: "+30s", kind: "unreachable", device: r0.name },
      { at: "+1m", kind: "unreachable", device: r1.id, source: "routeros", reason: "auth", detail: "refused" },
    )
    assert.deepEqual(
      inputs.map(({ kind, atMs }) => [kind, atMs - START_MS]),
      [
        ["unreachable", 30_000],
        ["unreachable", 60_000],
        ["tick", 90_000],
      ],
    )
    const silent = { kind: "unreachable", device: r0.id, atMs: START_MS + 30_000 }
    assert.deepEqual(inputs[0], { ...silent, source: "snmp", reason: "timeout", detail: "" })
    assert.ok(inputs[1]?.kind === "unreachable" && inputs[1].device === r1.id && inputs[1].source === "routeros")
  })

  test("a poll by names of entities and metrics", () => {
    const samples = [
      ["", "device.cpu_pct", 40],
      ["if:left", "interface.oper_up", 0],
      ["if:left", "interface.admin_up", 1],
    ]
    const [poll] = read({ at: "+10s", kind: "poll", device: r0.name, samples, complete: ["interface"] })
    assert.ok(poll?.kind === "poll")
    assert.deepEqual([...poll.entities], ["", "if:left"])
    assert.deepEqual([...poll.entity], [0, 1, 1])
    assert.deepEqual(
      [...poll.metric],
      ["device.cpu_pct", "interface.oper_up", "interface.admin_up"].map((name) => metricId(name as "device.cpu_pct")),
    )
    assert.deepEqual([...poll.value], [40, 0, 1])
    assert.deepEqual([poll.startedMs, poll.atMs, poll.complete], [START_MS + 10_000, START_MS + 10_000, ["interface"]])
  })

  test("traps and lines of syslog with what is left out", () => {
    const [trap, line] = read(
      { at: "+1s", kind: "trap", device: r0.name, trap: "linkDown", ifName: "left" },
      { at: "+2s", kind: "syslog", device: r0.name, message: "hello" },
    )
    assert.ok(trap?.kind === "trap" && trap.ifName === "left" && trap.ifIndex === null && trap.raw === "")
    assert.ok(line?.kind === "syslog" && line.count === 1 && line.event === null)
  })

  test("what is wrong is refused with its line", () => {
    const ok = { at: "+1s", kind: "tick" }
    const wrong: ReadonlyArray<readonly [unknown, RegExp]> = [
      ["{", /^line 2: not JSON$/],
      [[1], /^line 2: not a JSON object$/],
      [{ kind: "tick" }, /^line 2: at must be/],
      [{ at: "soon", kind: "tick" }, /^line 2: at must be/],
      [{ at: new Date(START_MS - 1_000).toISOString(), kind: "tick" }, /^line 2: its time is before the fork$/],
      [{ at: "+1s", kind: "trap", device: "nobody" }, /^line 2: device "nobody" is none of that moment$/],
      [{ at: "+1s", kind: "rules", device: r0.name }, /^line 2: kind must be/],
      [{ at: "+1s", kind: "trap", device: r0.name }, /^line 2: trap is missing or wrong$/],
      [{ at: "+1s", kind: "syslog", device: r0.name, severity: "high" }, /^line 2: severity is missing or wrong$/],
      [{ at: "+1s", kind: "poll", device: r0.name, samples: {} }, /^line 2: samples must be a list$/],
      [{ at: "+1s", kind: "poll", device: r0.name, samples: [["x:y", "device.cpu_pct", 1]] }, /entity "x:y" is none/],
      [{ at: "+1s", kind: "poll", device: r0.name, samples: [["", "no.metric", 1]] }, /no metric "no.metric"/],
      [{ at: "+1s", kind: "poll", device: r0.name, samples: [["", "device.cpu_pct", "1"]] }, /cpu_pct is no number/],
    ]
    for (const [line, message] of wrong)
      assert.throws(
        () => read(ok, line),
        (error: Error) => error instanceof ForkInputsRefused && message.test(error.message),
        JSON.stringify(line),
      )
  })

  test("any lines at all: inputs in the order of time, or a refusal, and nothing else", () => {
    const field = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom("+5s", "tick", "poll", "trap", "linkDown", r0.name),
    )
    const keys = fc.constantFrom(
      "at",
      "kind",
      "device",
      "samples",
      "texts",
      "trap",
      "source",
      "complete",
      "event",
      "topics",
    )
    const lines = fc.array(fc.oneof(fc.string(), fc.dictionary(keys, field)), { maxLength: 6 })
    fc.assert(
      fc.property(lines, (list) => {
        try {
          const times = read(...list).map(({ atMs }) => atMs)
          assert.deepEqual(
            times,
            times.toSorted((a, b) => a - b),
          )
        } catch (error) {
          assert.ok(error instanceof ForkInputsRefused, String(error))
        }
      }),
      { numRuns: 500 },
    )
  })

  test("no more than a bound", () => {
    const line = JSON.stringify({ at: "+1s", kind: "tick" })
    const text = Array.from({ length: FORK_INPUTS_MAX + 1 }, () => line).join("\n")
    assert.throws(() => readForkInputs(text, RING, START_MS), /more than 100000 inputs/)
  })
})
