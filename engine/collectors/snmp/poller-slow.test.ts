/** What the poller reads rarely, end to end against an agent: sensors, neighbours, addresses, who made the device. */
import assert from "node:assert/strict"
import type { TestContext } from "node:test"
import test from "node:test"
import fc from "fast-check"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { deviceId } from "#protocol/id.ts"
import { metricId } from "#protocol/metric.ts"
import type { MetricName } from "#protocol/metric.ts"
import type { PollInput } from "#twin/input.ts"
import { makeSnmpCollector } from "#engine/collectors/snmp/collector.ts"
import { device, int, ip, text } from "#engine/collectors/snmp/device-cells.fixture.ts"
import type { Agent, Cell } from "#engine/collectors/snmp/recorded-agent.fixture.ts"
import { startAgent } from "#engine/collectors/snmp/recorded-agent.fixture.ts"
import { TAG } from "#engine/collectors/snmp/varbinds.ts"
import { placeOf } from "#engine/collectors/schedule.ts"
import { pauseMs } from "#engine/collectors/snmp/poller.ts"

interface Bench {
  readonly agent: Agent
  readonly poll: (deadlineMs?: number) => Promise<PollInput>
}

const open = async (t: TestContext, cells: readonly Cell[]): Promise<Bench> => {
  const agent = await startAgent(cells)
  const scope = Scope.makeUnsafe()
  const opened = makeSnmpCollector().open({
    device: deviceId("d"),
    name: "core-1",
    address: agent.address,
    pollSeconds: 10,
    snmp: { version: "2c", port: agent.port, community: "public" },
    routeros: null,
  })
  assert.ok(opened !== null)
  const poller = await Effect.runPromise(Scope.provide(opened, scope))
  t.after(async () => {
    await Effect.runPromise(Scope.close(scope, Exit.void))
    agent.close()
  })
  return { agent, poll: (deadlineMs = 5_000) => Effect.runPromise(poller.poll(deadlineMs)) }
}

const valueOf = (poll: PollInput, entity: string, metric: MetricName): number | null => {
  const at = poll.metric.findIndex(
    (id, i) => id === metricId(metric) && poll.entities[poll.entity[i] as number] === entity,
  )
  return at < 0 ? null : (poll.value[at] as number)
}
const textOf = (poll: PollInput, entity: string, fact: string): string | null =>
  poll.texts.find((one) => one.entity === entity && one.fact === fact)?.text ?? null

const ENT = "1.3.6.1.2.1.47.1.1.1.1"
const SENSOR = "1.3.6.1.2.1.99.1.1.1"
const entity = (index: number, containedIn: number, kind: number, name: string): readonly Cell[] => [
  int(`${ENT}.4.${index}`, containedIn),
  int(`${ENT}.5.${index}`, kind),
  text(`${ENT}.7.${index}`, name),
]
const sensor = (
  index: number,
  type: number,
  scale: number,
  precision: number,
  value: number,
  status = 1,
): readonly Cell[] =>
  [type, scale, precision, value, status].map((number, i) => int(`${SENSOR}.${i + 1}.${index}`, number))
const objectId = (value: string): Cell => ({ oid: "1.3.6.1.2.1.1.2.0", tag: TAG.oid, value })

/** A chassis with two board sensors and a port Te0/0/1 = ifIndex 7 with a transceiver; `board` is the second's status. */
const chassis = (board: number, rxMicrowatts: number): readonly Cell[] => [
  ...entity(1, 0, 3, "Chassis"),
  ...entity(2, 1, 8, "Inlet"),
  ...entity(3, 1, 8, "CPU"),
  ...entity(5, 1, 10, "Te0/0/1"),
  ...entity(6, 5, 8, "Te0/0/1 Receive Power Sensor"),
  ...entity(7, 5, 8, "Te0/0/1 Module Temperature Sensor"),
  { oid: "1.3.6.1.2.1.47.1.3.2.1.2.5.0", tag: TAG.oid, value: "1.3.6.1.2.1.2.2.1.1.7" },
  ...sensor(2, 8, 9, 1, 315),
  ...sensor(3, 8, 9, 0, 58, board),
  ...sensor(6, 6, 7, 1, rxMicrowatts * 10),
  ...sensor(7, 8, 9, 0, 80),
]

test("[C12] ENTITY-SENSOR: the hottest board sensor that is ok, and the light of the port around the sensor", async (t) => {
  const port = { index: 7, name: "Te0/0/1" }
  const { agent, poll } = await open(t, device(100, [port], chassis(1, 500)))
  const first = await poll()
  assert.equal(valueOf(first, "", "device.temp_c"), 58)
  assert.equal(valueOf(first, "if:Te0/0/1", "optical.rx_power_dbm"), -3.01)
  assert.equal(valueOf(first, "if:Te0/0/1", "optical.tx_power_dbm"), null)
  agent.set(device(200, [port], chassis(2, 0)))
  const failing = await poll()
  assert.equal(valueOf(failing, "", "device.temp_c"), 31.5, "a sensor that is unavailable counts for nothing")
  assert.equal(valueOf(failing, "if:Te0/0/1", "optical.rx_power_dbm"), null, "no light has no dBm")
})

test("after a renumbering a sensor's value is never another port's", async (t) => {
  const before = device(100, [{ index: 7, name: "Te0/0/1" }], chassis(1, 500))
  const { agent, poll } = await open(t, before)
  assert.equal(valueOf(await poll(), "if:Te0/0/1", "optical.rx_power_dbm"), -3.01)
  const moved = chassis(1, 500).map((cell) =>
    cell.value === "1.3.6.1.2.1.2.2.1.1.7" ? { ...cell, value: "1.3.6.1.2.1.2.2.1.1.8" } : cell,
  )
  agent.set(
    device(
      200,
      [
        { index: 7, name: "Te0/0/2" },
        { index: 8, name: "Te0/0/1" },
      ],
      moved,
    ),
  )
  const [during, after] = [await poll(), await poll()]
  assert.equal(valueOf(during, "if:Te0/0/2", "optical.rx_power_dbm"), null)
  assert.equal(valueOf(after, "if:Te0/0/2", "optical.rx_power_dbm"), null)
  assert.equal(valueOf(after, "if:Te0/0/1", "optical.rx_power_dbm"), -3.01)
})

const LLDP = "1.0.8802.1.1.2.1.4.1.1"
const neighbor = (index: string, name: string): readonly Cell[] => [
  int(`${LLDP}.4.${index}`, 4),
  { oid: `${LLDP}.5.${index}`, tag: TAG.octetString, value: Buffer.from("020000000001", "hex") },
  int(`${LLDP}.6.${index}`, 5),
  text(`${LLDP}.7.${index}`, "sfp1"),
  text(`${LLDP}.9.${index}`, name),
]
const requestsFor = (agent: Agent, prefix: string): number =>
  agent.requests.filter(({ oids }) => oids.some((name) => name.startsWith(prefix))).length

test("neighbours and addresses come with the first poll, are not read again in the next, and a lost one is listed no more", async (t) => {
  const ports = [{ index: 3, name: "ether3" }]
  const addressed = [int("1.3.6.1.2.1.4.20.1.2.10.0.0.1", 3), ip("1.3.6.1.2.1.4.20.1.3.10.0.0.1", "255.255.255.254")]
  const { agent, poll } = await open(t, device(100, ports, [...neighbor("0.3.1", "core-2"), ...addressed]))
  const first = await poll()
  assert.ok(first.complete.includes("lldp.neighbor"))
  const facts = ["interface", "system_name", "port", "chassis"].map((fact) =>
    textOf(first, "lldp:ether3", `lldp.neighbor.${fact}`),
  )
  assert.deepEqual(facts, ["ether3", "core-2", "sfp1", "02:00:00:00:00:01"])
  assert.equal(textOf(first, "if:ether3", "interface.addresses"), "10.0.0.1/31")
  const asked = requestsFor(agent, "1.0.8802.1.1.2.1.4")
  assert.ok(asked > 0)
  const second = await poll()
  assert.deepEqual(second.complete, ["interface"])
  assert.equal(requestsFor(agent, "1.0.8802.1.1.2.1.4"), asked)
  // A restart makes everything due again.
  agent.set(device(50, ports))
  const third = await poll()
  assert.ok(third.complete.includes("lldp.neighbor"))
  assert.ok(third.entities.every((key) => !key.startsWith("lldp:")))
  assert.equal(textOf(third, "if:ether3", "interface.addresses"), "")
})

const MTXR_NEIGHBOR = "1.3.6.1.4.1.14988.1.1.11.1.1"
const discovered = (
  index: number,
  identity: string,
  mac: string,
  softwareId: string,
  ifIndex: number,
): readonly Cell[] => [
  ip(`${MTXR_NEIGHBOR}.2.${index}`, "192.168.88.1"),
  { oid: `${MTXR_NEIGHBOR}.3.${index}`, tag: TAG.octetString, value: Buffer.from(mac, "hex") },
  text(`${MTXR_NEIGHBOR}.6.${index}`, identity),
  text(`${MTXR_NEIGHBOR}.7.${index}`, softwareId),
  int(`${MTXR_NEIGHBOR}.8.${index}`, ifIndex),
]

test("[C1] a RouterOS' own discovery is read beside LLDP, without what LLDP heard too; nobody else is asked for it", async (t) => {
  const ports = [
    { index: 3, name: "ether3" },
    { index: 4, name: "ether4" },
  ]
  const heard = [
    ...neighbor("0.3.1", "core-2"),
    ...discovered(1, "core-2", "020000000099", "AB12-CD34", 3),
    ...discovered(2, "radio-7", "488f5a000007", "RD10-0007", 4),
    ...discovered(3, "sw-9", "00000c000001", "", 4),
    ...discovered(4, "same MAC as LLDP's", "020000000001", "", 3),
    ...discovered(5, "core-2", "020000000098", "AB12-CD35", 4),
    int(`${MTXR_NEIGHBOR}.8.6`, 3),
  ]
  const mikrotik = [objectId("1.3.6.1.4.1.14988.1"), ...heard]
  const { agent, poll } = await open(t, device(100, ports, mikrotik))
  const first = await poll()
  const keys = first.entities.filter((key) => /^(mndp|cdp|discovery):/.test(key))
  assert.deepEqual(keys, ["mndp:ether4", "discovery:ether4", "mndp:ether4#2"])
  assert.ok(first.complete.includes("discovery.neighbor"))
  const facts = ["interface", "system_name", "mac", "address"].map((fact) =>
    textOf(first, "mndp:ether4", `discovery.neighbor.${fact}`),
  )
  assert.deepEqual(facts, ["ether4", "radio-7", "48:8f:5a:00:00:07", "192.168.88.1"])
  // A restart makes everything due again.
  agent.set(device(50, ports, [objectId("1.3.6.1.4.1.14988.1")]))
  const gone = await poll()
  assert.ok(gone.complete.includes("discovery.neighbor"))
  assert.ok(gone.entities.every((key) => !/^(mndp|discovery):/.test(key)))
  const cisco = await open(t, device(100, ports, [objectId("1.3.6.1.4.1.9.1.1"), ...heard]))
  assert.ok((await cisco.poll()).entities.every((key) => !/^(mndp|discovery):/.test(key)))
  assert.equal(requestsFor(cisco.agent, MTXR_NEIGHBOR), 0)
})

test("[C1] ifStackTable: a bond shows its ports, only by active rows, and loses them when they go", async (t) => {
  const ports = [1, 2, 3, 4].map((index) => ({
    index,
    name: index === 3 ? "bond1" : index === 4 ? "v10" : `ge-${index}`,
  }))
  const stacked = (rows: ReadonlyArray<readonly [string, number]>): readonly Cell[] =>
    rows.map(([index, status]) => int(`1.3.6.1.2.1.31.1.2.1.3.${index}`, status))
  const { agent, poll } = await open(
    t,
    device(
      100,
      ports,
      stacked([
        ["0.4", 1],
        ["1.0", 1],
        ["2.0", 1],
        ["3.1", 1],
        ["3.2", 1],
        ["3.4", 2],
        ["4.3", 1],
        ["4.77", 1],
      ]),
    ),
  )
  const first = await poll()
  assert.equal(textOf(first, "if:bond1", "interface.lower_layers"), "ge-1, ge-2")
  assert.equal(textOf(first, "if:v10", "interface.lower_layers"), "bond1")
  assert.equal(textOf(first, "if:ge-1", "interface.lower_layers"), null)
  agent.set(
    device(
      50,
      ports.slice(0, 3),
      stacked([
        ["0.3", 1],
        ["1.0", 1],
      ]),
    ),
  )
  const less = await poll()
  assert.equal(textOf(less, "if:bond1", "interface.lower_layers"), "")
  assert.ok(!less.entities.includes("if:v10" as (typeof less.entities)[number]), "one that is gone is not brought back")
})

test("[C17] the agent's clock is compared with ours, with its zone, as often as its neighbours; without a zone it is not told", async (t) => {
  const clock = (aheadMs: number, zone: readonly number[]): Cell => {
    const now = new Date(Date.now() + aheadMs)
    const year = now.getUTCFullYear()
    const day = [now.getUTCMonth() + 1, now.getUTCDate(), now.getUTCHours(), now.getUTCMinutes(), now.getUTCSeconds()]
    const octets = Uint8Array.of(year >> 8, year & 255, ...day, Math.floor(now.getUTCMilliseconds() / 100), ...zone)
    return { oid: "1.3.6.1.2.1.25.1.2.0", tag: TAG.octetString, value: octets }
  }
  const ports = [{ index: 3, name: "ether3" }]
  // Ten seconds ahead, in a zone three hours west.
  const { agent, poll } = await open(t, device(100, ports, [clock(10_000 - 3 * 3_600_000, [0x2d, 3, 0])]))
  const skew = valueOf(await poll(), "", "device.clock.skew_seconds")
  assert.ok(skew !== null && Math.abs(skew - 10) <= 1, String(skew))
  assert.equal(valueOf(await poll(), "", "device.clock.skew_seconds"), null)
  agent.set(device(50, ports, [clock(10_000, [])]))
  assert.equal(valueOf(await poll(), "", "device.clock.skew_seconds"), null)
})

test("an agent that stops in the middle of its neighbours is not believed to have listed them", async (t) => {
  const { agent, poll } = await open(t, device(100, [{ index: 3, name: "ether3" }], neighbor("0.3.1", "core-2")))
  const isPortTable = (name: string): boolean => name.startsWith("1.0.8802.1.1.2.1.3.7")
  agent.misbehave = (request, honest) => (request.oids.some(isPortTable) ? null : honest)
  const got = await poll(2_000)
  assert.ok(!got.complete.includes("lldp.neighbor"))
  assert.ok(got.complete.includes("interface"))
})

test("vendor, model and system come from sysObjectID and sysDescr; who is unknown is generic SNMP and polled just as well", async (t) => {
  const juniper = [
    objectId("1.3.6.1.4.1.2636.1.1.1.2.108"),
    text("1.3.6.1.2.1.1.1.0", "Juniper Networks, Inc. vmx internet router, kernel JUNOS 18.2R1.9, Build date"),
  ]
  const known = await (await open(t, device(100, [{ index: 1, name: "ge-0/0/0" }], juniper))).poll()
  const facts = ["vendor", "model", "os_version"].map((fact) => textOf(known, "", `device.${fact}`))
  assert.deepEqual(facts, ["Juniper", "vmx", "Junos 18.2R1.9"])
  const strange = await (
    await open(t, device(100, [{ index: 1, name: "x" }], [objectId("1.3.6.1.4.1.999999.1")]))
  ).poll()
  assert.deepEqual([textOf(strange, "", "device.vendor"), textOf(strange, "", "device.model")], ["generic SNMP", null])
  assert.equal(valueOf(strange, "if:x", "interface.oper_up"), 1)
})

test("cells of any type and index in the slow tables never break a poll, and invent no interface", async (t) => {
  const { agent, poll } = await open(t, device(100, [{ index: 1, name: "a" }]))
  const columns = [
    ...[4, 5, 6, 7, 8, 9, 10].map((column) => `${LLDP}.${column}`),
    ...[3, 4].map((column) => `1.0.8802.1.1.2.1.3.7.1.${column}`),
    ...[1, 2, 3, 4, 5, 6].map((column) => `${SENSOR}.${column}`),
    ...[2, 4, 5, 7].map((column) => `${ENT}.${column}`),
    "1.3.6.1.2.1.47.1.3.2.1.2",
    ...[2, 3].map((column) => `1.3.6.1.2.1.4.20.1.${column}`),
    ...[3, 4, 5].map((column) => `1.3.6.1.2.1.4.34.1.${column}`),
    "1.3.6.1.4.1.14988.1.1.1.8.1.12",
    ...[2, 3, 6, 7, 8].map((column) => `${MTXR_NEIGHBOR}.${column}`),
    "1.3.6.1.2.1.31.1.2.1.3",
    "1.3.6.1.2.1.1.2",
  ]
  const arc = fc.oneof(fc.nat(4), fc.constantFrom(255, 256, 2 ** 31, 2 ** 32 - 1))
  const value = fc.oneof(
    fc.integer().map((number) => ({ tag: TAG.integer, value: number })),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((number) => ({ tag: TAG.counter64, value: number })),
    fc.uint8Array({ maxLength: 40 }).map((octets) => ({ tag: TAG.octetString, value: octets })),
    fc
      .constantFrom("1.3.6.1.2.1.2.2.1.1.1", "0.0", "1.3.6.1.2.1.2.2.1.1.99")
      .map((name) => ({ tag: TAG.oid, value: name })),
    fc.constant({ tag: TAG.ipAddress, value: "255.0.255.0" }),
  )
  const cell = fc
    .tuple(fc.constantFrom(...columns), fc.array(arc, { minLength: 1, maxLength: 6 }), value)
    .map(([column, index, one]): Cell => ({ oid: `${column}.${index.join(".")}`, ...one }))
  let ticks = 1_000_000
  await fc.assert(
    fc.asyncProperty(fc.array(cell, { maxLength: 60 }), async (cells) => {
      // A restart each time: everything is read again.
      agent.set(device((ticks -= 100), [{ index: 1, name: "a" }], cells))
      const got = await poll()
      assert.ok(got.complete.includes("interface"))
      assert.deepEqual(
        [...new Set(got.entities.map((key) => key.replace(/^(lldp|mndp|discovery):.*/, "heard")))]
          .filter((key) => key !== "heard")
          .sort(),
        ["", "if:a"],
      )
      assert.ok(got.value.every(Number.isFinite))
      assert.ok(got.texts.every(({ text: words }) => words.length <= 512))
    }),
    { numRuns: 150 },
  )
})

test("10,000 devices that were added at once are not discovered at once again: no tenth of the interval has 20 % too many", () => {
  const tenths = Array.from({ length: 10 }, () => 0)
  for (let i = 0; i < 10_000; i++) {
    const place = placeOf(`01890000-0000-7000-8000-${i.toString(16).padStart(12, "0")}`)
    const first = pauseMs(place, true, 600_000)
    assert.ok(first >= 300_000 && first < 900_000)
    const tenth = Math.floor((first - 300_000) / 60_000)
    tenths[tenth] = (tenths[tenth] ?? 0) + 1
    assert.equal(pauseMs(place, false, 600_000), 600_000, "after that each keeps its place")
  }
  for (const count of tenths) assert.ok(count > 800 && count < 1_200, tenths.join(" "))
})
