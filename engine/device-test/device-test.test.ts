/** A device is told truly whatever its agent is like: exact counters, MIB words, reasons, and an end in time. */
import assert from "node:assert/strict"
import { writeFileSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { TestContext } from "node:test"
import test from "node:test"
import { main } from "#engine/cli.ts"
import { startRouter, tables } from "#engine/collectors/routeros/router.fixture.ts"
import { startLibraryAgent } from "#engine/collectors/snmp/library-agent.fixture.ts"
import { makeDice, mutate } from "#engine/collectors/snmp/mutation.fixture.ts"
import { PDU } from "#engine/collectors/snmp/ber.ts"
import { encodeMessage } from "#engine/collectors/snmp/encode.ts"
import { oid } from "#engine/collectors/snmp/oid.ts"
import type { Agent, AgentRequest, Cell } from "#engine/collectors/snmp/recorded-agent.fixture.ts"
import { startAgent } from "#engine/collectors/snmp/recorded-agent.fixture.ts"
import { TAG } from "#engine/collectors/snmp/varbinds.ts"
import type { SnmpV3Credential } from "#engine/collectors/target.ts"
import type { DeviceReport } from "#engine/device-test/report.ts"
import { askSnmp } from "#engine/device-test/snmp.ts"

const text = (oid: string, value: string): Cell => ({ oid, tag: TAG.octetString, value: Buffer.from(value, "latin1") })
const int = (oid: string, value: number): Cell => ({ oid, tag: TAG.integer, value })
const gauge = (oid: string, value: number): Cell => ({ oid, tag: TAG.gauge32, value })
const wide = (oid: string, value: bigint): Cell => ({ oid, tag: TAG.counter64, value })

const IF = "1.3.6.1.2.1.2.2.1"
const IF_X = "1.3.6.1.2.1.31.1.1.1"
const LLDP = "1.0.8802.1.1.2.1.4.1.1"

const system = (objectId: string, descr: string): readonly Cell[] => [
  text("1.3.6.1.2.1.1.1.0", descr),
  { oid: "1.3.6.1.2.1.1.2.0", tag: TAG.oid, value: objectId },
  { oid: "1.3.6.1.2.1.1.3.0", tag: TAG.timeTicks, value: 123_456 },
  text("1.3.6.1.2.1.1.5.0", "edge-1"),
]
const port = (index: number, name: string, oper: number): readonly Cell[] => [
  text(`${IF}.2.${index}`, name),
  int(`${IF}.3.${index}`, 6),
  int(`${IF}.7.${index}`, 1),
  int(`${IF}.8.${index}`, oper),
  text(`${IF_X}.1.${index}`, name),
]

const started = async (t: TestContext, cells: readonly Cell[]): Promise<Agent> => {
  const agent = await startAgent(cells)
  t.after(agent.close)
  return agent
}

interface Said {
  readonly code: number
  readonly out: string
  readonly err: string
}

const heliograph = async (args: readonly string[], env: Record<string, string> = {}): Promise<Said> => {
  const said = { out: "", err: "" }
  const code = await main(["device", "test", ...args], {
    env,
    out: (line) => (said.out += `${line}\n`),
    err: (line) => (said.err += `${line}\n`),
  })
  return { code, ...said }
}

const reportOf = async (agent: Agent): Promise<DeviceReport> => {
  const words = [agent.address, "--snmp-v2c", "public", "--snmp-port", String(agent.port), "--json"]
  const { code, out, err } = await heliograph(words)
  assert.deepEqual([code, err], [0, ""])
  assert.equal(out.trimEnd().split("\n").length, 1, "one JSON object on one line")
  return JSON.parse(out) as DeviceReport
}

test("[C17] counters keep all 64 bits, states are the MIB's words, and an unknown vendor is fully listed", async (t) => {
  const words = ["up", "down", "testing", "unknown", "dormant", "notPresent", "lowerLayerDown", "undefined(8)"]
  const agent = await started(t, [
    ...system("1.3.6.1.4.1.999999.1", "a router nobody knows"),
    ...words.flatMap((_, i) => port(i + 1, `p${i + 1}`, i + 1)),
    wide(`${IF_X}.6.1`, 18_446_744_073_709_551_615n),
    wide(`${IF_X}.10.1`, 9_007_199_254_740_993n),
    { oid: `${IF}.14.1`, tag: TAG.counter32, value: 4_294_967_295 },
    gauge(`${IF_X}.15.1`, 100_000),
    { oid: `${IF}.6.1`, tag: TAG.octetString, value: Buffer.from("aabbcc000102", "hex") },
    { oid: `${IF_X}.18.1`, tag: TAG.octetString, value: Buffer.from("to \u001b[31mred\u202e") },
  ])
  const { device, interfaces, reachable } = await reportOf(agent)
  assert.equal(reachable.snmp, true)
  assert.deepEqual(
    [device.vendor, device.model, device.sysName, device.uptimeSeconds],
    ["generic SNMP", null, "edge-1", 1234.56],
  )
  assert.deepEqual(
    interfaces.map((one) => one.ifOperStatus),
    words,
  )
  const [first, second] = interfaces
  assert.deepEqual(
    [
      first?.ifHCInOctets,
      first?.ifHCOutOctets,
      first?.ifInErrors,
      first?.ifHighSpeed,
      first?.ifPhysAddress,
      first?.ifType,
    ],
    ["18446744073709551615", "9007199254740993", "4294967295", 100_000, "aa:bb:cc:00:01:02", "ethernetCsmacd"],
  )
  assert.equal(second?.ifHCInOctets, null, "a counter that is not there is not zero")
  assert.equal(first?.ifAlias, "to  [31mred", "device text is made safe")
})

test("addresses, neighbours of both LLDP index forms, OSPF, BGP and sensors of a MikroTik", async (t) => {
  const lldp = (index: string, chassis: Cell["value"], name: string): readonly Cell[] => [
    int(`${LLDP}.4.${index}`, 4),
    { oid: `${LLDP}.5.${index}`, tag: TAG.octetString, value: chassis },
    int(`${LLDP}.6.${index}`, 5),
    text(`${LLDP}.7.${index}`, "ether7"),
    text(`${LLDP}.9.${index}`, name),
  ]
  const agent = await started(t, [
    ...system("1.3.6.1.4.1.14988.1", "RouterOS RB4011iGS+"),
    text("1.3.6.1.4.1.14988.1.1.4.4.0", "7.18.2"),
    ...port(6, "ether6", 1),
    { oid: "1.3.6.1.2.1.4.20.1.2.10.0.0.1", tag: TAG.integer, value: 6 },
    { oid: "1.3.6.1.2.1.4.20.1.3.10.0.0.1", tag: TAG.ipAddress, value: "255.255.255.252" },
    int("1.3.6.1.2.1.4.34.1.3.2.16.254.128.0.0.0.0.0.0.0.0.0.0.0.0.0.7", 6),
    int("1.3.6.1.2.1.4.34.1.3.1.4.10.0.0.3", 6),
    int("1.3.6.1.2.1.4.34.1.4.1.4.10.0.0.3", 3),
    { oid: "1.3.6.1.2.1.14.10.1.3.10.0.0.2.0", tag: TAG.ipAddress, value: "192.0.2.9" },
    int("1.3.6.1.2.1.14.10.1.6.10.0.0.2.0", 8),
    int("1.3.6.1.2.1.15.3.1.2.192.0.2.1", 6),
    int("1.3.6.1.2.1.15.3.1.9.192.0.2.1", 64_500),
    ...lldp("8", Buffer.from("E8:28:C1:3C:1C:D8"), "six"),
    ...lldp("0.6.2", Buffer.from("e828c13c1cd9", "hex"), "seven"),
    text("1.3.6.1.4.1.14988.1.1.3.100.1.2.13", "voltage"),
    gauge("1.3.6.1.4.1.14988.1.1.3.100.1.3.13", 243),
    int("1.3.6.1.4.1.14988.1.1.3.100.1.4.13", 3),
    int("1.3.6.1.2.1.99.1.1.1.1.40", 8),
    int("1.3.6.1.2.1.99.1.1.1.2.40", 8),
    int("1.3.6.1.2.1.99.1.1.1.3.40", 0),
    int("1.3.6.1.2.1.99.1.1.1.4.40", 41_300),
    int("1.3.6.1.2.1.99.1.1.1.5.40", 1),
    text("1.3.6.1.2.1.47.1.1.1.1.7.40", "CPU"),
  ])
  const report = await reportOf(agent)
  assert.deepEqual(
    [report.device.vendor, report.device.model, report.device.osVersion],
    ["MikroTik", "RB4011iGS+", "RouterOS 7.18.2"],
  )
  assert.deepEqual(report.addresses, [
    { address: "10.0.0.1", prefixLength: 30, ifIndex: 6, interface: "ether6" },
    { address: "fe80::7", prefixLength: null, ifIndex: 6, interface: "ether6" },
  ])
  const adjacency = report.adjacencies.map((one) => [
    one.protocol,
    one.interface,
    one.sysName ?? one.routerId,
    one.state,
    one.chassisId,
  ])
  assert.deepEqual(adjacency.toSorted(), [
    ["lldp", null, "six", null, "e8:28:c1:3c:1c:d8"],
    ["lldp", "ether6", "seven", null, "e8:28:c1:3c:1c:d9"],
    ["ospf", null, "192.0.2.9", "full", null],
  ])
  assert.deepEqual(
    report.sessions.map((one) => [one.remoteAddress, one.remoteAs, one.state]),
    [["192.0.2.1", 64_500, "established"]],
  )
  assert.deepEqual(
    report.sensors.map((one) => [one.name, one.type, one.value, one.status]),
    [
      ["CPU", "celsius", 41.3, "ok"],
      ["voltage", "voltsDC", 24.3, null],
    ],
  )
})

/** A v2c answer that holds `count` integers, each named by `name`. */
const answer = (request: AgentRequest, count: number, name: (i: number) => string): Buffer =>
  encodeMessage(
    Buffer.from("public"),
    PDU.response,
    request.requestId,
    0,
    0,
    Array.from({ length: count }, (_, i) => ({ oid: oid(name(i)), tag: TAG.integer, value: 1 })),
  )

test("[S6] an agent that repeats an OID for ever is read to there, said so, and left", async (t) => {
  const agent = await started(t, system("1.3.6.1.4.1.9.1.1", "odd"))
  agent.misbehave = (request) =>
    request.type === PDU.getBulk ? answer(request, 3, () => `${request.oids[0] ?? ""}.7`.slice(0, 60)) : undefined
  const asked = await askSnmp(agent.address, { version: "2c", port: agent.port, community: "public" }, 5_000)
  assert.ok("snapshot" in asked)
  const { warnings } = asked.snapshot
  assert.ok(
    warnings.some((one) => /interface table is not complete: .*do not increase/.test(one)),
    warnings.join(),
  )
  assert.ok(agent.requests.length < 200, `${agent.requests.length} requests`)
})

test(
  "a table without end is cut at its cap of rows, and the test still ends in its time",
  { timeout: 60_000 },
  async (t) => {
    const agent = await started(t, system("1.3.6.1.4.1.9.1.1", "endless"))
    let next = 1
    agent.misbehave = (request) => {
      if (request.type !== PDU.getBulk) return undefined
      const bases = request.oids.map((name) => name.split(".").slice(0, 10).join("."))
      const first = next
      next += 8
      const count = Math.min(request.oids.length * request.maxRepetitions, request.oids.length * 8)
      return answer(request, count, (i) => `${bases[i % bases.length]}.${first + Math.floor(i / bases.length)}`)
    }
    const asked = await askSnmp(agent.address, { version: "2c", port: agent.port, community: "public" }, 3_000)
    assert.ok("snapshot" in asked)
    assert.ok(asked.snapshot.interfaces.length <= 10_000)
    assert.ok(asked.snapshot.warnings.some((one) => one.includes("is not complete")))
    assert.ok(asked.snapshot.warnings.length <= 64)
  },
)

test(
  "mutated answers of an agent neither crash nor delay a test, and always leave a reason",
  { timeout: 60_000 },
  async (t) => {
    const dice = makeDice(4)
    const cells = [...system("1.3.6.1.4.1.9.1.1", "odd"), ...port(1, "a", 1), ...port(2, "b", 2)]
    const run = async (): Promise<void> => {
      const agent = await started(t, cells)
      agent.misbehave = (_, honest) => (dice(3) === 0 ? mutate(honest, dice) : undefined)
      const asked = await askSnmp(agent.address, { version: "2c", port: agent.port, community: "public" }, 1_500)
      if ("failed" in asked) assert.notEqual(asked.failed, "")
      else assert.ok(asked.snapshot.interfaces.length <= 10)
    }
    await Promise.all(Array.from({ length: 40 }, run))
  },
)

test(
  "[C6] nobody there: within the time, each way says why not, and the exit code is 1",
  { timeout: 30_000 },
  async (t) => {
    const agent = await started(t, [])
    agent.misbehave = () => null
    const asked = await askSnmp(agent.address, { version: "2c", port: agent.port, community: "public" }, 700)
    assert.ok("failed" in asked)
    assert.match(asked.failed, /no answer to \d requests .*check that SNMP is on/)
    const path = process.env["PATH"]
    t.after(() => (process.env["PATH"] = path))
    process.env["PATH"] = "/nonexistent"
    const { code, out } = await heliograph([agent.address, "--json"])
    const report = JSON.parse(out) as DeviceReport
    assert.deepEqual([report.reachable, code], [{ ping: null, snmp: null, routeros: null, syslog: null }, 1])
    assert.match(report.details.ping, /there is no ping program here/)
  },
)

test("SNMP v3 with authPriv works, and a wrong password is suspected without being repeated", async (t) => {
  const credential: SnmpV3Credential = {
    version: "3",
    port: 0,
    user: "reader",
    authProtocol: "sha256",
    authPassword: "auth-S3CRET",
    privProtocol: "aes",
    privPassword: "priv-S3CRET",
  }
  const agent = await startLibraryAgent({ "1.3.6.1.2.1.2.1": 3 }, [credential])
  t.after(agent.close)
  const words = ["127.0.0.1", "--snmp-v3", "reader", "--snmp-port", String(agent.port), "--auth-protocol", "sha256"]
  const priv = ["--auth-password-env", "AUTH", "--priv-protocol", "aes", "--priv-password-env", "PRIV", "--json"]
  const good = await heliograph([...words, ...priv], { AUTH: "auth-S3CRET", PRIV: "priv-S3CRET" })
  const report = JSON.parse(good.out) as DeviceReport
  assert.equal(report.reachable.snmp, true)
  assert.match(report.details.snmp, /v3, authPriv/)
  const wrong = { ...credential, port: agent.port, authPassword: "other-S3CRET" }
  const refused = await askSnmp("127.0.0.1", wrong, 1_200)
  // An agent may report wrongDigests or say nothing (RFC 3414 s3.2 wants the report; net-snmp's agent is silent).
  assert.ok("failed" in refused && refused.failed.includes("passwords"), JSON.stringify(refused))
  assert.ok(!`${good.out}${good.err}${JSON.stringify(refused)}`.includes("S3CRET"))
})

test("a MikroTik by its API gives the same kind of report, and its user's excess rights a warning", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "heliograph-device-"))
  t.after(() => rmSync(directory, { recursive: true }))
  const file = join(directory, "password")
  writeFileSync(file, "api-S3CRET\n")
  await using router = await startRouter(
    tables({
      "/system/resource/print": [{ version: "7.18.2 (stable)", "board-name": "CCR2004", uptime: "1d00:00:01" }],
      "/system/identity/print": [{ name: "edge-1" }],
      "/interface/print": [
        {
          name: "ether1",
          type: "ether",
          running: "true",
          disabled: "false",
          "rx-byte": "18446744073709551615",
          comment: "uplink",
        },
        { name: "ether2", type: "ether", running: "false", disabled: "true", "rx-byte": "nonsense" },
      ],
      "/ip/address/print": [{ address: "10.0.0.1/30", interface: "ether1", disabled: "false" }],
      "/routing/ospf/neighbor/print": [{ "router-id": "192.0.2.9", address: "10.0.0.2", state: "2-Way" }],
      "/routing/bgp/session/print": [{ "remote.address": "192.0.2.1@main", "remote.as": "64500", established: "true" }],
      "/ip/neighbor/print": "no such command prefix",
      "/system/health/print": [{ name: "cpu-temperature", value: "41", type: "C" }],
      "/user/print": [{ name: "reader", group: "full" }],
      "/user/group/print": [{ name: "full", policy: "read,write,api,!reboot" }],
    }),
  )
  const { code, out, err } = await heliograph([
    "127.0.0.1",
    "--routeros",
    "reader@",
    "--routeros-port",
    String(router.port),
    "--password-file",
    file,
    "--json",
  ])
  assert.deepEqual([code, err], [0, ""])
  const { reachable, device, interfaces, addresses, adjacencies, sessions, sensors, warnings } = JSON.parse(
    out,
  ) as DeviceReport
  assert.equal(reachable.routeros, true)
  assert.deepEqual(
    [device.sysName, device.model, device.osVersion, device.uptimeSeconds],
    ["edge-1", "CCR2004", "RouterOS 7.18.2", 86_401],
  )
  assert.deepEqual(
    interfaces.map((one) => [
      one.ifName,
      one.ifAlias,
      one.ifType,
      one.ifAdminStatus,
      one.ifOperStatus,
      one.ifHCInOctets,
    ]),
    [
      ["ether1", "uplink", "ethernetCsmacd", "up", "up", "18446744073709551615"],
      ["ether2", "", "ethernetCsmacd", "down", "down", null],
    ],
  )
  assert.deepEqual([addresses[0]?.address, addresses[0]?.prefixLength], ["10.0.0.1", 30])
  assert.deepEqual(
    [adjacencies[0]?.state, sessions[0]?.state, sessions[0]?.remoteAddress],
    ["twoWay", "established", "192.0.2.1"],
  )
  assert.deepEqual([sensors[0]?.type, sensors[0]?.value], ["celsius", 41])
  assert.ok(warnings.some((one) => one.includes("may also write;")))
  assert.ok(!out.includes("S3CRET"))
})

test("in words it says the same, with one line for each way", async (t) => {
  const agent = await started(t, [...system("1.3.6.1.4.1.9.1.1", "x"), ...port(1, "Gi0/1", 7)])
  const { out } = await heliograph([agent.address, "--snmp-v2c-env", "C", "--snmp-port", String(agent.port)], {
    C: "public",
  })
  assert.match(out, /SNMP +yes answers \(v2c/)
  assert.match(out, /RouterOS API +- +not tried: no API user was given/)
  assert.match(out, /vendor +Cisco/)
  assert.match(out, /1 +Gi0\/1 +up +lowerLayerDown/)
})
