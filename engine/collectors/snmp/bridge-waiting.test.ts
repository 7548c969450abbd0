/**
 * [W3] A forwarding table that one poll's time is too short for: taken up where it stands, told when it is whole, given up
 * when it never will be, and never more of them in memory than there are places.
 */
import assert from "node:assert/strict"
import { performance } from "node:perf_hooks"
import { describe, test, type TestContext } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import fc from "fast-check"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { deviceId } from "#protocol/id.ts"
import { macText } from "#protocol/bridge.ts"
import type { Collected } from "#engine/collectors/collector.ts"
import type { BridgeReader, BridgeTable, WaitingRoom } from "#engine/collectors/snmp/bridge.ts"
import { makeBridgeReader, makeWaitingRoom } from "#engine/collectors/snmp/bridge.ts"
import { snmpFailed } from "#engine/collectors/snmp/client.ts"
import type { SnmpClient } from "#engine/collectors/snmp/client.ts"
import { makeSnmpCollector } from "#engine/collectors/snmp/collector.ts"
import { makeGateCounts } from "#engine/collectors/snmp/gate.ts"
import type { Agent, Cell } from "#engine/collectors/snmp/recorded-agent.fixture.ts"
import { startAgent } from "#engine/collectors/snmp/recorded-agent.fixture.ts"
import { makeUdpPool } from "#engine/collectors/snmp/udp.ts"
import { v2cClient } from "#engine/collectors/snmp/v2c.ts"
import { TAG } from "#engine/collectors/snmp/varbinds.ts"
import type { Pace } from "#engine/collectors/snmp/walk.ts"
import { makePace } from "#engine/collectors/snmp/walk.ts"

const BASE = "1.3.6.1.2.1.17.1.4.1.2"
const FDB = "1.3.6.1.2.1.17.4.3.1"
const VLAN_FDB = "1.3.6.1.2.1.17.7.1.2.2.1"
const LEARNED = 3
const MINUTE_MS = 60_000

const integer = (oid: string, value: number): Cell => ({ oid, tag: TAG.integer, value })
const base = (ports = 4): readonly Cell[] =>
  Array.from({ length: ports }, (_, n) => integer(`${BASE}.${n + 1}`, 11 + n))
const host = (n: number): string => `0.26.43.60.${n >> 8}.${n & 255}`
/** Host n on port 1..4, told by port and status. */
const hosts = (count: number, table = FDB, before = ""): readonly Cell[] =>
  Array.from({ length: count }, (_, n) => n).flatMap((n) => [
    integer(`${table}.2.${before}${host(n)}`, (n % 4) + 1),
    integer(`${table}.3.${before}${host(n)}`, LEARNED),
  ])

interface Bench {
  readonly agent: Agent
  readonly client: SnmpClient
  /** One poll's part of the reading. */
  readonly pass: (
    reader: BridgeReader,
    client?: SnmpClient,
    ms?: number,
    pace?: Pace,
  ) => Promise<BridgeTable | null | undefined>
}

const open = async (t: TestContext, cells: readonly Cell[]): Promise<Bench> => {
  const agent = await startAgent(cells)
  const { address, port } = agent
  const client = v2cClient({ pool: makeUdpPool(), address, port, community: "public", counts: makeGateCounts() })
  t.after(() => {
    client.close()
    agent.close()
  })
  const pass: Bench["pass"] = (reader, by = client, ms = 10_000, pace = makePace()) =>
    reader.read({ client: by, pace, untilMs: performance.now() + ms }, false)
  return { agent, client, pass }
}

/** Passes until a table is told; `most` of them. */
const untilTold = async (pass: () => Promise<BridgeTable | null | undefined>, most = 200) => {
  for (let passes = 1; passes <= most; passes++) {
    const table = await pass()
    if (table !== undefined) return { table, passes }
  }
  throw new Error(`nothing was told in ${most} polls`)
}
const shown = (table: BridgeTable | null): readonly string[] =>
  (table?.hosts ?? []).map(({ mac, ifIndex }) => `${ifIndex} ${macText(mac)}`).sort()

describe("[W3] a table that takes several polls", () => {
  test("is told once, the same as in one reading, however little each poll brings", async (t) => {
    const { agent, pass } = await open(t, [])
    const tables = fc.record({ plain: fc.nat(300), tagged: fc.nat(120), packetsMax: fc.integer({ min: 1, max: 6 }) })
    await fc.assert(
      fc.asyncProperty(tables, async ({ plain, tagged, packetsMax }) => {
        agent.set([...base(), ...hosts(plain), ...hosts(tagged, VLAN_FDB, "7.")])
        const whole = await pass(makeBridgeReader(makeWaitingRoom()))
        const reader = makeBridgeReader(makeWaitingRoom(1), { packetsMax })
        const { table, passes } = await untilTold(() => pass(reader))
        assert.deepEqual(shown(table), shown(whole ?? null))
        assert.deepEqual([table?.rows, table?.isWhole, table?.refused], [plain + tagged, true, 0])
        assert.equal(reader.hasBegun(), false)
        if (plain > 100 && packetsMax === 1) assert.ok(passes > 1)
      }),
      { numRuns: 40 },
    )
  })

  test("an agent too slow for a poll: each one goes on where the time ran out, and asks for nothing twice but once", async (t) => {
    const { agent, client, pass } = await open(t, [...base(), ...hosts(400)])
    let answers = 0
    /** Answers six times, and then no more before the poll's time is over. */
    const slow: SnmpClient = {
      ...client,
      bulk: async (nonRepeaters, repetitions, oids, untilMs) => {
        if (++answers <= 6) return client.bulk(nonRepeaters, repetitions, oids, performance.now() + 10_000)
        while (performance.now() < untilMs) await sleep(Math.max(1, untilMs - performance.now()))
        throw snmpFailed("timeout", "too slow")
      },
    }
    const reader = makeBridgeReader(makeWaitingRoom())
    const { table, passes } = await untilTold(() => {
      answers = 0
      return pass(reader, slow, 300)
    })
    assert.ok(passes > 1, `${passes} polls`)
    assert.deepEqual([table?.hosts.length, table?.isWhole], [400, true])
    const asked = agent.requests.flatMap(({ oids }) => oids.filter((oid) => oid.startsWith(`${FDB}.2`)))
    assert.equal(new Set(asked).size, asked.length, "no place in the table was asked for twice")
  })

  test("of a bridge whose ports changed meanwhile nothing is told; the next reading begins anew", async (t) => {
    const { agent, pass } = await open(t, [...base(), ...hosts(200)])
    const reader = makeBridgeReader(makeWaitingRoom(), { packetsMax: 2 })
    assert.equal(await pass(reader), undefined)
    agent.set([...base(5), ...hosts(200)])
    let passes = 0
    while (reader.hasBegun() && passes++ < 200) assert.equal(await pass(reader), undefined)
    const { table } = await untilTold(() => pass(reader))
    assert.deepEqual([table?.ifIndexes.length, table?.hosts.length], [5, 200])
  })

  test("what a restart or a renumbering interrupts is forgotten", async (t) => {
    const { agent, pass } = await open(t, [...base(), ...hosts(200)])
    const room = makeWaitingRoom(1)
    const reader = makeBridgeReader(room, { packetsMax: 2 })
    await pass(reader)
    assert.equal(reader.hasBegun(), true)
    reader.forget()
    assert.equal(reader.hasBegun(), false)
    agent.set([...base(), ...hosts(3)])
    assert.deepEqual((await untilTold(() => pass(reader))).table?.rows, 3)
  })

  test("an agent that has nothing more to say is given up after two polls in turn, and gives its place up", async (t) => {
    const { agent, pass } = await open(t, [...base(), ...hosts(400)])
    const room = makeWaitingRoom(1)
    const reader = makeBridgeReader(room, { packetsMax: 2 })
    await pass(reader)
    agent.misbehave = ({ oids }) => (oids.some((oid) => oid.startsWith(FDB)) ? null : undefined)
    // One row at a time, where a walk does not try again with less.
    assert.equal(await pass(reader, undefined, 50, { varbinds: 1, bytesPerVarbind: 22 }), undefined)
    assert.equal(reader.hasBegun(), true, "one silence may be a lost packet")
    assert.equal(await pass(reader, undefined, 50), undefined)
    assert.equal(reader.hasBegun(), false)
    agent.misbehave = () => undefined
    const other = makeBridgeReader(room, { packetsMax: 2 })
    await pass(other)
    assert.equal(other.hasBegun(), true, "its place is free")
  })
})

describe("[W3] time and room", () => {
  test("after ten minutes the beginning is told as such; after a quarter of an hour nothing of it", async (t) => {
    const { pass } = await open(t, [...base(), ...hosts(400)])
    let laterMs = 0
    const now = (): number => performance.now() + laterMs
    const reader = makeBridgeReader(makeWaitingRoom(), { packetsMax: 2, now })
    assert.equal(await pass(reader), undefined)
    laterMs = 9 * MINUTE_MS
    assert.equal(await pass(reader), undefined)
    laterMs = 11 * MINUTE_MS
    const beginning = await pass(reader)
    assert.equal(beginning?.isWhole, false)
    assert.ok(beginning.hosts.length > 0 && beginning.hosts.length < 400)
    assert.equal(await pass(reader), undefined)
    laterMs += 16 * MINUTE_MS
    assert.equal(await pass(reader), undefined, "what waited too long is no beginning")
    assert.equal(reader.hasBegun(), true, "another reading has begun")
  })

  test("no more tables wait than there are places: one more is given up, and one whose device is gone makes room", async (t) => {
    const { pass } = await open(t, [...base(), ...hosts(400)])
    let laterMs = 0
    const now = (): number => performance.now() + laterMs
    const room: WaitingRoom = makeWaitingRoom(2)
    const [first, second, third] = [1, 2, 3].map(() => makeBridgeReader(room, { packetsMax: 1, now }))
    for (const one of [first!, second!, third!]) assert.equal(await pass(one), undefined)
    assert.deepEqual(
      [first!, second!, third!].map((one) => one.hasBegun()),
      [true, true, false],
    )
    laterMs = 14 * MINUTE_MS
    second!.forget()
    await pass(second!)
    laterMs = 16 * MINUTE_MS
    await pass(third!)
    assert.deepEqual(
      [first!, second!, third!].map((one) => one.hasBegun()),
      [false, true, true],
    )
  })

  test("a table that one poll is enough for needs no place", async (t) => {
    const { pass } = await open(t, [...base(), ...hosts(50)])
    const table = await pass(makeBridgeReader(makeWaitingRoom(0)))
    assert.deepEqual([table?.rows, table?.isWhole], [50, true])
  })
})

describe("[W3] a device whose table is longer than a poll", () => {
  test("tells its states with each poll and its table with one of the next, then rests; a restart begins it anew", async (t) => {
    const uptime = (ticks: number): Cell => ({ oid: "1.3.6.1.2.1.1.3.0", tag: TAG.timeTicks, value: ticks })
    const ports = [11, 12, 13, 14].flatMap((n): Cell[] => [
      integer(`1.3.6.1.2.1.2.2.1.7.${n}`, 1),
      integer(`1.3.6.1.2.1.2.2.1.8.${n}`, 1),
      { oid: `1.3.6.1.2.1.31.1.1.1.1.${n}`, tag: TAG.octetString, value: Buffer.from(`e${n}`) },
    ])
    const cells = (ticks: number): readonly Cell[] => [uptime(ticks), ...ports, ...base(), ...hosts(300)]
    const agent = await startAgent(cells(100_000))
    const scope = Scope.makeUnsafe()
    t.after(async () => {
      await Effect.runPromise(Scope.close(scope, Exit.void))
      agent.close()
    })
    const opened = makeSnmpCollector().open({
      device: deviceId("slow"),
      name: "slow",
      address: agent.address,
      pollSeconds: 30,
      snmp: { version: "2c", port: agent.port, community: "public" },
      routeros: null,
    })
    const poller = await Effect.runPromise(Scope.provide(opened!, scope))
    let answers = 0
    const isHosts = (oids: readonly string[]): boolean => oids.some((oid) => oid.startsWith(FDB))
    agent.misbehave = ({ oids }) => (isHosts(oids) && ++answers > 5 ? null : undefined)
    const poll = (): Promise<Collected> => {
      answers = 0
      return Effect.runPromise(poller.poll(5_000))
    }
    const polls = [await poll()]
    assert.equal(polls[0]?.bridge, undefined)
    while (polls.at(-1)?.bridge === undefined && polls.length < 20) polls.push(await poll())
    for (const one of polls) assert.ok(one.complete.includes("interface"), "its interfaces are told all the same")
    assert.deepEqual([polls.at(-1)?.bridge?.mac.length, polls.at(-1)?.bridge?.isWhole], [300, true])
    const before = agent.requests.length
    assert.equal((await poll()).bridge, undefined)
    assert.ok(!agent.requests.slice(before).some(({ oids }) => isHosts(oids)), "it rests for minutes")
    agent.misbehave = () => undefined
    agent.set(cells(100))
    assert.equal((await poll()).bridge?.mac.length, 300, "after a restart at once")
  })
})
