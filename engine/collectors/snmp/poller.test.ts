import assert from "node:assert/strict"
import type { TestContext } from "node:test"
import test from "node:test"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { deviceId } from "#protocol/id.ts"
import { metricById, metricId } from "#protocol/metric.ts"
import type { MetricName } from "#protocol/metric.ts"
import type { PollInput } from "#twin/input.ts"
import { PollFailed } from "#engine/collectors/collector.ts"
import type { Poller } from "#engine/collectors/collector.ts"
import type { Target } from "#engine/collectors/target.ts"
import { PDU } from "#engine/collectors/snmp/ber.ts"
import { makeSnmpCollector } from "#engine/collectors/snmp/collector.ts"
import { encodeMessage } from "#engine/collectors/snmp/encode.ts"
import { counter, device, gauge, IF, IFX, int, ip, text } from "#engine/collectors/snmp/device-cells.fixture.ts"
import type { Agent, Cell } from "#engine/collectors/snmp/recorded-agent.fixture.ts"
import { startAgent } from "#engine/collectors/snmp/recorded-agent.fixture.ts"
import { TAG } from "#engine/collectors/snmp/varbinds.ts"

const DEVICE = deviceId("01890000-0000-7000-8000-000000000001")

interface Bench {
  readonly agent: Agent
  readonly poll: (deadlineMs?: number) => Promise<PollInput>
  readonly fail: (deadlineMs?: number) => Promise<PollFailed>
}

const target = (agent: Agent): Target => ({
  device: DEVICE,
  name: "core-1",
  address: agent.address,
  pollSeconds: 10,
  snmp: { version: "2c", port: agent.port, community: "public" },
  routeros: null,
})

const open = async (t: TestContext, cells: readonly Cell[]): Promise<Bench> => {
  const agent = await startAgent(cells)
  const collector = makeSnmpCollector()
  const scope = Scope.makeUnsafe()
  const opened = collector.open(target(agent))
  assert.ok(opened !== null)
  const poller: Poller = await Effect.runPromise(Scope.provide(opened, scope))
  t.after(async () => {
    await Effect.runPromise(Scope.close(scope, Exit.void))
    agent.close()
    assert.equal(collector.sockets(), 0)
    assert.equal(collector.gates.size, 0)
  })
  return {
    agent,
    poll: (deadlineMs = 5_000) => Effect.runPromise(poller.poll(deadlineMs)),
    fail: (deadlineMs = 5_000) => Effect.runPromise(Effect.flip(poller.poll(deadlineMs))),
  }
}

const valueOf = (poll: PollInput, entity: string, metric: MetricName): number | null => {
  const id = metricId(metric)
  for (let i = 0; i < poll.metric.length; i++) {
    if (poll.metric[i] === id && poll.entities[poll.entity[i] as number] === entity) return poll.value[i] as number
  }
  return null
}
const textOf = (poll: PollInput, entity: string, fact: string): string | null =>
  poll.texts.find((one) => one.entity === entity && one.fact === fact)?.text ?? null
const interfaces = (poll: PollInput): string[] => poll.entities.filter((key) => key.startsWith("if:")).sort()

/** What PollInput promises (twin/input.ts). */
const assertWellFormed = (poll: PollInput): void => {
  assert.equal(poll.kind, "poll")
  assert.equal(poll.source, "snmp")
  assert.ok(Number.isInteger(poll.startedMs) && Number.isInteger(poll.atMs) && poll.startedMs <= poll.atMs)
  assert.equal(poll.entity.length, poll.metric.length)
  assert.equal(poll.value.length, poll.metric.length)
  assert.equal(new Set(poll.entities).size, poll.entities.length)
  const seen = new Set<string>()
  for (let i = 0; i < poll.metric.length; i++) {
    assert.ok((poll.entity[i] as number) < poll.entities.length)
    const metric = metricById(poll.metric[i] as number)
    assert.ok(metric !== null && metric.derived !== true)
    assert.ok(Number.isFinite(poll.value[i]))
    const name = `${poll.entity[i]} ${poll.metric[i]}`
    assert.ok(!seen.has(name), `twice: ${metric.name}`)
    seen.add(name)
  }
}

test("a poll carries uptime, states, 64-bit counters, speed and texts, and lists the interfaces completely", async (t) => {
  const { poll } = await open(
    t,
    device(123_456, [
      { index: 1, name: "ether1", octets: 2 ** 40 },
      { index: 2, name: "ether2", oper: 2 },
    ]),
  )
  const first = await poll()
  assertWellFormed(first)
  assert.equal(first.device, DEVICE)
  assert.equal(valueOf(first, "", "device.uptime_seconds"), 1_234.56)
  assert.equal(valueOf(first, "", "device.snmp.up"), 1)
  assert.deepEqual(first.complete, ["interface"])
  const wanted: ReadonlyArray<readonly [MetricName, number]> = [
    ["interface.oper_up", 1],
    ["interface.admin_up", 1],
    ["interface.if_index", 1],
    ["interface.rx_bytes_total", 2 ** 40],
    ["interface.tx_bytes_total", 2 ** 40 + 7],
    ["interface.counter_bits", 64],
    ["interface.rx_packets_total", 60],
    ["interface.tx_packets_total", 11],
    ["interface.rx_errors_total", 2],
    ["interface.tx_errors_total", 4],
    ["interface.rx_discards_total", 1],
    ["interface.tx_discards_total", 3],
    ["interface.speed_bps", 1_000_000_000],
    ["interface.counter_discontinuity_seconds", 2.5],
  ]
  for (const [metric, value] of wanted) assert.equal(valueOf(first, "if:ether1", metric), value, metric)
  assert.equal(valueOf(first, "if:ether2", "interface.oper_up"), 0)
  assert.equal(textOf(first, "if:ether1", "interface.alias"), "to ether1")
  assert.equal(textOf(first, "", "device.identity"), "core-1")
  assert.equal(textOf(first, "", "device.model"), "RB760iGS")
  assert.equal(textOf(first, "", "device.object_id"), "1.3.6.1.4.1.14988.1")
})

test("the second poll asks for less: no names, no texts, no absent tables", async (t) => {
  const { agent, poll } = await open(t, device(100, [{ index: 1, name: "ether1" }]))
  await poll()
  const first = agent.requests.length
  const second = await poll()
  assert.deepEqual(second.texts, [])
  assert.ok(agent.requests.length - first <= 4, `${agent.requests.length - first} packets`)
  assert.ok(agent.requests.length - first < first)
})

test("[C4] a renumbering between polls keeps the entity keys, even when the agent says nothing about it", async (t) => {
  const { agent, poll } = await open(
    t,
    device(100, [
      { index: 1, name: "ether1", octets: 111 },
      { index: 2, name: "ether2", octets: 222 },
    ]),
  )
  const before = await poll()
  // Same number of interfaces, same set of ifIndex, no restart, no ifTableLastChange: only the names tell.
  agent.set(
    device(200, [
      { index: 2, name: "ether1", octets: 112 },
      { index: 1, name: "ether2", octets: 223 },
    ]),
  )
  const after = await poll()
  assert.deepEqual(interfaces(after), interfaces(before))
  assert.deepEqual(after.complete, ["interface"])
  assert.equal(valueOf(after, "if:ether1", "interface.rx_bytes_total"), 112)
  assert.equal(valueOf(after, "if:ether2", "interface.rx_bytes_total"), 223)
  assert.equal(valueOf(after, "if:ether1", "interface.if_index"), 2)
})

test("[C4] interfaces that come, go and move are seen in the same poll", async (t) => {
  const { agent, poll } = await open(
    t,
    device(100, [
      { index: 1, name: "ether1" },
      { index: 2, name: "ether2" },
    ]),
  )
  await poll()
  agent.set(
    device(200, [
      { index: 7, name: "ether1", octets: 5 },
      { index: 9, name: "sfp1" },
    ]),
  )
  const after = await poll()
  assert.deepEqual(interfaces(after), ["if:ether1", "if:sfp1"])
  assert.deepEqual(after.complete, ["interface"])
  assert.equal(valueOf(after, "if:ether1", "interface.rx_bytes_total"), 5)
})

test("names changing while they are read give no value to the wrong interface and no complete listing", async (t) => {
  const one = device(100, [
    { index: 1, name: "ether1", octets: 1 },
    { index: 2, name: "ether2", octets: 2 },
  ])
  const other = device(100, [
    { index: 1, name: "ether2", octets: 2 },
    { index: 2, name: "ether1", octets: 1 },
  ])
  const { agent, poll } = await open(t, one)
  await poll()
  // Renumbered before the poll, and back again between its listing and its reading of the names.
  agent.set(other)
  agent.misbehave = ({ oids }) => {
    if (oids.includes(`${IF}.8`)) agent.set(one)
    return undefined
  }
  const torn = await poll()
  assert.deepEqual(torn.complete, [])
  assert.deepEqual((await poll()).complete, ["interface"])
  for (const key of ["if:ether1", "if:ether2"]) {
    const octets = valueOf(torn, key, "interface.rx_bytes_total")
    assert.ok(octets === null || octets === Number(key.at(-1)), `${key} ${octets}`)
  }
})

test("a name that several interfaces share becomes name#ifIndex for all of them, and collides with nothing", async (t) => {
  const { poll } = await open(
    t,
    device(100, [
      { index: 1, name: "lo" },
      { index: 2, name: "lo" },
      { index: 3, name: "lo#1" },
      { index: 4, name: "x" },
    ]),
  )
  const first = await poll()
  assert.equal(new Set(interfaces(first)).size, 4)
  assert.ok(interfaces(first).includes("if:lo#2"))
  assert.ok(!interfaces(first).includes("if:lo"))
  assert.ok(interfaces(first).includes("if:x"))
})

test("without ifXTable: ifDescr names, 32-bit counters, ifSpeed", async (t) => {
  const cells = device(100, [{ index: 3, name: "eth0", octets: 77, isNarrow: true, speed: 100_000_000 }]).filter(
    ({ oid }) => !oid.startsWith(IFX),
  )
  const { agent, poll } = await open(t, cells)
  for (const round of [1, 2]) {
    const got = await poll()
    const key = "if:descr of eth0"
    assert.deepEqual(interfaces(got), [key], `poll ${round}`)
    assert.equal(valueOf(got, key, "interface.counter_bits"), 32)
    assert.equal(valueOf(got, key, "interface.rx_bytes_total"), 77)
    assert.equal(valueOf(got, key, "interface.rx_packets_total"), 5)
    assert.equal(valueOf(got, key, "interface.speed_bps"), 100_000_000)
    assert.deepEqual(got.complete, ["interface"])
  }
  const last = agent.requests.at(-1)
  assert.ok(last !== undefined)
  assert.ok(
    !agent.requests.slice(-3).some(({ oids }) => oids.includes(`${IFX}.6`)),
    "absent columns are not asked again",
  )
})

test("only the interface without 64-bit counters is read with 32 bits", async (t) => {
  const { poll } = await open(
    t,
    device(100, [
      { index: 1, name: "wide", octets: 2 ** 33 },
      { index: 2, name: "narrow", octets: 9, isNarrow: true },
    ]),
  )
  const got = await poll()
  assert.equal(valueOf(got, "if:wide", "interface.counter_bits"), 64)
  assert.equal(valueOf(got, "if:wide", "interface.rx_bytes_total"), 2 ** 33)
  assert.equal(valueOf(got, "if:narrow", "interface.counter_bits"), 32)
  assert.equal(valueOf(got, "if:narrow", "interface.rx_bytes_total"), 9)
})

test("speed: exact ifSpeed while it agrees, ifHighSpeed above 4.29 Gbit/s or when they differ, nothing for 0", async (t) => {
  const { poll } = await open(
    t,
    device(100, [
      { index: 1, name: "a", highSpeed: 2, speed: 1_544_000 },
      { index: 2, name: "b", highSpeed: 10_000, speed: 4_294_967_295 },
      { index: 3, name: "c", highSpeed: 100, speed: 1_000_000_000 },
      { index: 4, name: "d", highSpeed: 0, speed: 0 },
    ]),
  )
  const got = await poll()
  const speeds = ["a", "b", "c", "d"].map((name) => valueOf(got, `if:${name}`, "interface.speed_bps"))
  assert.deepEqual(speeds, [1_544_000, 10_000_000_000, 100_000_000, null])
})

test("a walk that ends half-way delivers what it has and claims nothing complete", async (t) => {
  const ports = Array.from({ length: 60 }, (_, i) => ({ index: i + 1, name: `ether${i + 1}` }))
  const { agent, poll } = await open(t, device(100, ports))
  await poll()
  const before = agent.requests.length
  agent.misbehave = (_request, honest) => (agent.requests.length > before + 3 ? null : honest)
  const half = await poll(2_500)
  assertWellFormed(half)
  assert.deepEqual(half.complete, [])
  assert.ok(interfaces(half).length > 0 && interfaces(half).length < 60)
  agent.misbehave = () => undefined
  const whole = await poll()
  assert.deepEqual([interfaces(whole).length, whole.complete], [60, ["interface"]])
})

test("an agent whose OIDs stop increasing is never said to be listed completely", async (t) => {
  const { agent, poll } = await open(
    t,
    device(100, [
      { index: 1, name: "a" },
      { index: 2, name: "b" },
    ]),
  )
  agent.misbehave = (request, honest) => {
    if (request.type !== PDU.getBulk) return honest
    const backwards = request.oids.map(() => ({ oid: Uint8Array.of(0x2b), tag: TAG.integer, value: 1 }))
    return encodeMessage(Buffer.from("public"), PDU.response, request.requestId, 0, 0, backwards)
  }
  const got = await poll()
  assert.deepEqual(got.complete, [])
  assert.deepEqual(interfaces(got), [])
})

test("genErr on one table leaves that table out and reads the others", async (t) => {
  const bgp = [int("1.3.6.1.2.1.15.2.0", 65_000), int("1.3.6.1.2.1.15.3.1.2.10.0.0.9", 6)]
  const { agent, poll } = await open(t, device(100, [{ index: 1, name: "a" }], bgp))
  agent.misbehave = (request, honest) =>
    request.oids.some((name) => name.startsWith("1.3.6.1.2.1.15.3.1"))
      ? encodeMessage(Buffer.from("public"), PDU.response, request.requestId, 5, 1, [])
      : honest
  const got = await poll()
  assert.deepEqual(got.complete, ["interface"])
  agent.misbehave = () => undefined
  assert.deepEqual([...(await poll()).complete].sort(), ["bgp.peer", "interface"])
})

test("OSPF: states, the interface towards the neighbour, vanished rows, and an empty table that says all are gone", async (t) => {
  const ports = [
    { index: 4, name: "ether4" },
    { index: 5, name: "ether5" },
  ]
  const ospf = (...neighbours: ReadonlyArray<readonly [address: string, routerId: string, state: number]>): Cell[] => [
    int("1.3.6.1.2.1.14.1.2.0", 1),
    int("1.3.6.1.2.1.4.20.1.2.10.1.4.1", 4),
    ip("1.3.6.1.2.1.4.20.1.3.10.1.4.1", "255.255.255.252"),
    int("1.3.6.1.2.1.4.20.1.2.10.1.0.1", 5),
    ip("1.3.6.1.2.1.4.20.1.3.10.1.0.1", "255.255.0.0"),
    ...neighbours.flatMap(([address, routerId, state]) => [
      ip(`1.3.6.1.2.1.14.10.1.3.${address}.0`, routerId),
      int(`1.3.6.1.2.1.14.10.1.6.${address}.0`, state),
    ]),
  ]
  const { agent, poll } = await open(
    t,
    device(100, ports, ospf(["10.1.4.2", "10.255.0.2", 8], ["10.1.9.2", "10.255.0.3", 4])),
  )
  const both = await poll()
  assertWellFormed(both)
  assert.equal(valueOf(both, "ospf:10.255.0.2", "ospf.neighbor.state"), 7)
  assert.equal(valueOf(both, "ospf:10.255.0.3", "ospf.neighbor.state"), 3)
  assert.equal(textOf(both, "ospf:10.255.0.2", "ospf.neighbor.interface"), "ether4")
  assert.equal(textOf(both, "ospf:10.255.0.3", "ospf.neighbor.interface"), "ether5")
  assert.ok(both.complete.includes("ospf.neighbor"))
  agent.set(device(200, ports, ospf()))
  const none = await poll()
  assert.ok(none.complete.includes("ospf.neighbor"))
  assert.ok(!none.entities.some((key) => key.startsWith("ospf:")))
})

test("OSPF: two links to one router are two adjacencies, and stay two names when one is lost", async (t) => {
  const row = (address: string): Cell[] => [
    ip(`1.3.6.1.2.1.14.10.1.3.${address}.0`, "10.255.0.2"),
    int(`1.3.6.1.2.1.14.10.1.6.${address}.0`, 8),
  ]
  const { agent, poll } = await open(t, device(100, [], [...row("10.1.1.2"), ...row("10.1.2.2")]))
  const keys = (got: PollInput): string[] => got.entities.filter((key) => key.startsWith("ospf:"))
  assert.deepEqual(keys(await poll()), ["ospf:10.255.0.2@10.1.1.2", "ospf:10.255.0.2@10.1.2.2"])
  agent.set(device(200, [], row("10.1.2.2")))
  assert.deepEqual(keys(await poll()), ["ospf:10.255.0.2@10.1.2.2"])
})

test("BGP: state, uptime only while established, transitions, remote AS", async (t) => {
  const peer = (address: string, state: number): Cell[] => [
    int(`1.3.6.1.2.1.15.3.1.2.${address}`, state),
    int(`1.3.6.1.2.1.15.3.1.9.${address}`, 64_512),
    counter(`1.3.6.1.2.1.15.3.1.15.${address}`, 3),
    gauge(`1.3.6.1.2.1.15.3.1.16.${address}`, 77),
  ]
  const { poll } = await open(t, device(100, [], [...peer("10.0.0.1", 6), ...peer("10.0.0.2", 1)]))
  const got = await poll()
  assertWellFormed(got)
  assert.deepEqual(
    ["10.0.0.1", "10.0.0.2"].map((address) => [
      valueOf(got, `bgp:${address}`, "bgp.peer.state"),
      valueOf(got, `bgp:${address}`, "bgp.peer.uptime_seconds"),
      valueOf(got, `bgp:${address}`, "bgp.peer.flaps_total"),
      textOf(got, `bgp:${address}`, "bgp.peer.remote_as"),
    ]),
    [
      [5, 77, 3, "64512"],
      [0, null, 3, "64512"],
    ],
  )
  assert.ok(got.complete.includes("bgp.peer"))
})

test("a device without OSPF-MIB and BGP4-MIB claims nothing about neighbours (its API collector lists them)", async (t) => {
  const { poll } = await open(t, device(100, [{ index: 1, name: "a" }]))
  for (const got of [await poll(), await poll()]) assert.deepEqual(got.complete, ["interface"])
})

test("a restart is seen: everything is discovered again; a wrap of sysUpTime after 497 days is not a restart", async (t) => {
  const { agent, poll } = await open(t, device(4_294_900_000, [{ index: 1, name: "a" }]))
  await poll()
  agent.set(device(1_000, [{ index: 1, name: "a" }]))
  const wrapped = await poll()
  assert.equal(valueOf(wrapped, "", "device.uptime_seconds"), 42_949_672.96 + 10)
  assert.deepEqual(wrapped.texts, [])
  agent.set(device(500, [{ index: 1, name: "a" }]))
  const restarted = await poll()
  assert.equal(valueOf(restarted, "", "device.uptime_seconds"), 5)
  assert.equal(textOf(restarted, "", "device.identity"), "core-1")
})

test("snmpEngineTime tells of wraps before we came, and is ignored when it counts from another start", async (t) => {
  const engineTime = (seconds: number): Cell => int("1.3.6.1.6.3.10.2.1.3.0", seconds)
  const old = await open(t, device(1_000, [], [engineTime(42_949_672 + 12)]))
  assert.equal(valueOf(await old.poll(), "", "device.uptime_seconds"), 42_949_672.96 + 10)
  const other = await open(t, device(1_000, [], [engineTime(9_000_000)]))
  assert.equal(valueOf(await other.poll(), "", "device.uptime_seconds"), 10)
})

test("one object that fails the whole GET costs only itself", async (t) => {
  const health = [int("1.3.6.1.4.1.14988.1.1.3.8.0", 243), int("1.3.6.1.4.1.14988.1.1.3.10.0", 330)]
  const { agent, poll } = await open(t, device(100, [], health))
  agent.misbehave = (request, honest) =>
    request.type === PDU.get && request.oids.includes("1.3.6.1.4.1.14988.1.1.3.10.0")
      ? encodeMessage(Buffer.from("public"), PDU.response, request.requestId, 2, 1, [])
      : honest
  const got = await poll()
  assert.equal(valueOf(got, "", "device.voltage_v"), 24.3)
  assert.equal(valueOf(got, "", "device.temp_c"), null)
})

test("a row of ifXTable without a state is no interface", async (t) => {
  const { poll } = await open(t, device(100, [{ index: 1, name: "a" }], [text(`${IFX}.1.9`, "ghost")]))
  const got = await poll()
  assert.deepEqual(interfaces(got), ["if:a"])
  assert.deepEqual(got.complete, ["interface"])
})

test("an agent that chokes on a table still gives its interfaces, in that poll or in the next", async (t) => {
  for (const table of ["1.3.6.1.2.1.25.2", "1.3.6.1.2.1.14.10"]) {
    const { agent, poll } = await open(t, device(100, [{ index: 1, name: "a" }]))
    agent.misbehave = (request, honest) => (request.oids.some((name) => name.startsWith(table)) ? null : honest)
    await poll(1_500)
    assert.deepEqual((await poll(1_500)).complete, ["interface"], table)
  }
})

test("hostile names lose their control characters; an interface named like an escape sequence stays one entity", async (t) => {
  const { poll } = await open(t, device(100, [{ index: 1, name: "\u001b[2Jeth\u0000er\u202e1" }]))
  assert.deepEqual(interfaces(await poll()), ["if:[2Jeth er 1"])
})

test("a silent device is PollFailed `timeout` within the deadline; a hostile one `protocol`; none names the community", async (t) => {
  const { agent, fail, poll } = await open(t, device(100, []))
  agent.misbehave = () => null
  const silent = await fail(1_500)
  assert.equal(silent.reason, "timeout")
  agent.misbehave = () => Buffer.from("garbage")
  const hostile = await fail(1_500)
  assert.equal(hostile.reason, "protocol")
  for (const failed of [silent, hostile]) assert.ok(!JSON.stringify(failed).includes("public"))
  agent.misbehave = () => undefined
  assert.equal(valueOf(await poll(), "", "device.snmp.up"), 1)
})

test("an interrupted poll lets go of the device at once", async (t) => {
  const { agent, poll } = await open(t, device(100, [{ index: 1, name: "a" }]))
  const scope = Scope.makeUnsafe()
  const collector = makeSnmpCollector()
  const poller = await Effect.runPromise(
    Scope.provide(collector.open(target(agent)) as NonNullable<ReturnType<typeof collector.open>>, scope),
  )
  agent.misbehave = () => null
  const result = await Effect.runPromise(
    Effect.timeoutOrElse(Effect.exit(poller.poll(60_000)), { duration: 50, orElse: () => Effect.succeed("left") }),
  )
  assert.equal(result, "left")
  agent.misbehave = () => undefined
  assert.equal((await Effect.runPromise(poller.poll(5_000))).kind, "poll")
  await Effect.runPromise(Scope.close(scope, Exit.void))
  assert.equal((await poll()).kind, "poll")
})

test("a target without SNMP credential is not opened", () => {
  assert.equal(
    makeSnmpCollector().open({
      device: DEVICE,
      name: "x",
      address: "127.0.0.1",
      pollSeconds: 10,
      snmp: null,
      routeros: null,
    }),
    null,
  )
})
