/**
 * Recordings of real devices through the whole chain of processes, with LibreNMS as the oracle, and proof on made-up
 * ports that the oracle can say no: a wrong value is never explained away.
 */
import assert from "node:assert/strict"
import test from "node:test"
import { compare } from "#bench/recordings/compare.ts"
import type { ExpectedPort } from "#bench/recordings/compare.ts"
import { HOW_TO_ENABLE, recordingNames } from "#bench/recordings/library.ts"
import { runRecording } from "#bench/recordings/run.ts"
import type { Interface } from "#engine/device-test/report.ts"
import { parseRecording } from "#lab/replay/recording.ts"

const names = recordingNames()
if (names.length === 0) test("recordings", (t) => t.skip(`no recordings here; enable: ${HOW_TO_ENABLE}`))

for (const name of names) {
  test(
    `recording ${name}: device test reads every port as LibreNMS does, or there is a reason`,
    { timeout: 600_000 },
    async (t) => {
      const { report, byField, differences, unreadable, ports } = await runRecording(name)
      assert.equal(report.reachable.snmp, true)
      assert.equal(unreadable, 0, "lines of the recording that could not be served")
      assert.deepEqual(
        differences.filter((one) => one.reason === null),
        [],
        "unexplained differences",
      )
      // States, names and what the device counts in 64 bits may not differ for any reason but an absent column.
      for (const field of ["ifOperStatus", "ifAdminStatus", "ifName"])
        assert.equal(byField[field]?.equal, byField[field]?.compared)
      const counters = differences.filter((one) => one.field.startsWith("ifHC"))
      assert.ok(counters.every((one) => one.ours === null && one.expected === "0"))
      t.diagnostic(
        `${ports} ports expected, ${report.interfaces.length} listed, ${differences.length} differences, all with reasons`,
      )
    },
  )
}

const recording = parseRecording(
  Buffer.from(
    [
      "1.3.6.1.2.1.2.2.1.2.7|4|eth7",
      "1.3.6.1.2.1.2.2.1.8.7|2|1",
      "1.3.6.1.2.1.31.1.1.1.1.7|4|eth7",
      "1.3.6.1.2.1.31.1.1.1.6.7|70|18446744073709551615",
      "1.3.6.1.2.1.31.1.1.1.18.7|4|",
    ].join("\n"),
  ),
).values

const ours = {
  ifIndex: 7,
  ifName: "eth7",
  ifDescr: "eth7",
  ifAlias: "",
  ifOperStatus: "up",
  ifAdminStatus: null,
} as Interface
const port: ExpectedPort = {
  ifIndex: "7",
  ifName: "eth7",
  ifDescr: "eth7",
  ifAlias: "eth7",
  ifOperStatus: "up",
  ifAdminStatus: null,
  ifInOctets: "18446744073709551615",
}
const reasons = (mine: Partial<Interface>, expected: Partial<ExpectedPort> = {}) =>
  compare(
    [{ ...ours, ifHCInOctets: "18446744073709551615", ...mine }],
    [{ ...port, ...expected } as ExpectedPort],
    recording,
  )
    .differences.filter((one) => one.reason !== "alias-is-name")
    .map((one) => [one.field, one.reason])

test("the oracle takes equal ports, and explains only what the recording proves", () => {
  assert.deepEqual(reasons({}), [])
  assert.deepEqual(reasons({}, { ifOutOctets: "0" }), [["ifHCOutOctets", "zero-for-absent"]])
  assert.deepEqual(reasons({}, { ifOutOctets: "5" }), [["ifHCOutOctets", null]])
})

test("a counter that is one off at 2^64, a wrong state, a name or a lost port is unexplained", () => {
  assert.deepEqual(reasons({ ifHCInOctets: "18446744073709551614" }), [["ifHCInOctets", null]])
  assert.deepEqual(reasons({ ifHCInOctets: null }), [["ifHCInOctets", null]])
  assert.deepEqual(reasons({ ifOperStatus: "down" }), [["ifOperStatus", null]])
  assert.deepEqual(reasons({ ifName: "eth8" }), [["ifName", null]])
  assert.deepEqual(
    compare([], [port], recording).differences.map((one) => one.reason),
    [null],
  )
  assert.deepEqual(
    compare([{ ...ours, ifIndex: 9 }], [], recording).differences.map((one) => one.reason),
    [null],
  )
  assert.deepEqual(
    compare([], [{ ...port, ifIndex: "8" }], recording).differences.map((one) => one.reason),
    ["no-such-row"],
  )
})
