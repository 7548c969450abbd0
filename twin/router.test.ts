import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { METRICS, TEXT_FACTS } from "#protocol/metric.ts"
import type { MetricView } from "#protocol/view.ts"
import { MAX_ADJACENCIES } from "#twin/adjacency.ts"
import type { DeviceInput } from "#twin/input.ts"
import { MAX_INTERFACES } from "#twin/interface.ts"
import { device, idOf, inventory, poll, ports, silence, T0, trap } from "#twin/inventory.fixture.ts"
import { alone, at, pair, TWO, types } from "#twin/network.fixture.ts"
import type { Network } from "#twin/network.fixture.ts"
import { MAX_EVENTS } from "#twin/poll.ts"
import { newRouter, stepRouter } from "#twin/router.ts"
import type { RouterState } from "#twin/router.ts"

const state = (net: Network): RouterState => net.cells.routers.state(0)

describe("reachability", () => {
  test("with one source: silence makes it unreachable and critical, an answer makes it ok, each with one event", () => {
    const net = alone()
    assert.deepEqual([net.shown(0).health, net.shown(0).severity], ["unknown", "indeterminate"])
    assert.deepEqual(types(net.apply(silence("r1", at(10)))), ["device.reachable.changed null>down"])
    assert.deepEqual([net.shown(0).health, net.shown(0).severity], ["unreachable", "critical"])
    assert.deepEqual(net.device("r1").reasons, ["snmp: timeout: no answer in 3 s"])
    assert.deepEqual(types(net.apply(silence("r1", at(20)))), [])
    assert.deepEqual(types(net.apply(poll("r1", at(95)))), ["device.reachable.changed down>up"])
    assert.equal(net.world.recent.at(-1)?.raw, "answers again after 1 min 25 s")
    assert.deepEqual([net.shown(0).health, net.shown(0).severity], ["ok", "cleared"])
    assert.equal(net.world.columns.nodeSeenS[0], at(95) / 1000)
  })

  test("with two sources: one failing degrades the monitoring, both failing is unreachable", () => {
    const net = alone(TWO)
    assert.deepEqual(types(net.apply(silence("r1", at(10)))), ["device.api.changed null>down"])
    assert.equal(net.shown(0).health, "unknown", "the other source was not tried yet")
    net.apply(poll("r1", at(11), {}, { source: "routeros" }))
    assert.deepEqual([net.shown(0).health, net.shown(0).severity], ["degraded", "warning"])
    assert.deepEqual(types(net.apply(poll("r1", at(20)))), ["device.api.changed down>up"])
    const failing = net.apply(silence("r1", at(31), "routeros"))
    assert.deepEqual(types(failing), ["device.api.changed up>down", "monitoring.degraded null>routeros"])
    assert.deepEqual(types(net.apply(silence("r1", at(32)))), ["device.reachable.changed up>down"])
    assert.equal(
      net.device("r1").sources.every((source) => !source.up && source.error !== null),
      true,
    )
    const flags = net.device("r1").metrics.map(({ metric, value }: MetricView) => [metric, value])
    assert.deepEqual(flags, [
      ["device.api.up", 0],
      ["device.snmp.up", 0],
    ])
    assert.deepEqual(types(net.apply(poll("r1", at(40)))), ["device.reachable.changed down>up"])
  })

  test("a device that no collector has credentials for is unknown, not unreachable", () => {
    const net = alone({ sources: [] })
    net.apply({ kind: "tick", atMs: at(1000) })
    assert.equal(net.shown(0).health, "unknown")
  })

  test("inputs out of order of one source are ignored and counted; the other source is not held to it", () => {
    const net = alone(TWO)
    net.apply(poll("r1", at(20), { "": { "device.cpu_pct": 20 } }))
    net.apply(
      poll("r1", at(10), { "": { "device.cpu_pct": 10 } }),
      silence("r1", at(19)),
      poll("r1", at(20), { "": { "device.cpu_pct": 99 } }),
    )
    assert.equal(state(net).outOfOrder, 3)
    assert.equal(state(net).reachable, true)
    net.apply(poll("r1", at(15), { "": { "device.cpu_pct": 15 } }, { source: "routeros" }))
    const cpu = net.device("r1").metrics.find(({ metric }) => metric === "device.cpu_pct")
    assert.deepEqual([cpu?.value, cpu?.source, cpu?.atMs], [20, "snmp", at(20)])
  })

  test("a source that is no longer configured stops counting", () => {
    const net = alone(TWO)
    net.apply(poll("r1", at(10), {}, { source: "routeros" }), silence("r1", at(11)))
    assert.equal(net.shown(0).health, "degraded")
    net.apply({
      kind: "topology",
      atMs: at(12),
      rev: 2,
      inventory: inventory([device("r1", { sources: ["routeros"] })]),
    })
    assert.equal(net.shown(0).health, "ok")
    net.apply({ kind: "topology", atMs: at(13), rev: 3, inventory: inventory([device("r1", { sources: ["snmp"] })]) })
    assert.equal(net.shown(0).health, "unknown")
    assert.deepEqual(types(net.apply(silence("r1", at(14)))), ["device.reachable.changed null>down"])
  })
})

describe("staleness", () => {
  test("without an attempt for three intervals the state is kept and marked stale, by the timer, and cured by a poll", () => {
    const net = alone()
    net.apply(ports("r1", at(10), { ether1: true }))
    net.apply({ kind: "tick", atMs: at(40) })
    assert.equal(net.shown(0).stale, false)
    const { nodes } = net.apply({ kind: "tick", atMs: at(40) + 1 })
    assert.deepEqual(nodes, [0])
    assert.deepEqual([net.shown(0).stale, net.shown(0).health], [true, "ok"])
    assert.equal(net.device("r1").interfaces[0]?.quality, "stale")
    net.apply(ports("r1", at(50), { ether1: true }))
    assert.equal(net.shown(0).stale, false)
    assert.equal(net.device("r1").interfaces[0]?.quality, "good")
  })

  test("an unreachable router whose breaker retries once a minute does not flicker between stale and not", () => {
    const net = alone()
    net.apply(silence("r1", at(0)))
    for (let minute = 1; minute <= 5; minute++) {
      net.apply({ kind: "tick", atMs: at(minute * 60 - 1) })
      assert.equal(net.shown(0).stale, false)
      net.apply(silence("r1", at(minute * 60)))
    }
    net.apply({ kind: "tick", atMs: at(5 * 60 + 181) })
    assert.equal(net.shown(0).stale, true)
  })

  test("one device that was never asked is unknown, not stale", () => {
    const net = alone()
    net.apply({ kind: "tick", atMs: at(100_000) })
    assert.deepEqual([net.shown(0).stale, net.shown(0).health], [false, "unknown"])
  })
})

describe("restarts", () => {
  const up = (net: Network, seconds: number, uptime: number, source: "snmp" | "routeros" = "snmp") =>
    types(net.apply(poll("r1", at(seconds), { "": { "device.uptime_seconds": uptime } }, { source })))

  test("an uptime that went back is one device.rebooted, though both sources and a trap tell it", () => {
    const net = alone(TWO)
    up(net, 10, 5000)
    up(net, 11, 5000, "routeros")
    assert.deepEqual(up(net, 100, 40), ["device.rebooted null>null"])
    assert.deepEqual(up(net, 101, 41, "routeros"), [])
    assert.deepEqual(types(net.apply(trap("r1", at(102), { trap: "coldStart" }))), [])
    assert.deepEqual(up(net, 1000, 30), ["device.rebooted null>null"])
  })

  test("told by a trap first, the poll adds nothing; a restart in a long silence is seen too", () => {
    const net = alone()
    up(net, 10, 5000)
    assert.deepEqual(types(net.apply(trap("r1", at(50), { trap: "coldStart" }))), ["device.rebooted null>null"])
    assert.deepEqual(up(net, 60, 15), [])
    // A live twin hears something every second.
    for (let seconds = 65; seconds < 4000; seconds += 5) net.apply({ kind: "tick", atMs: at(seconds) })
    assert.deepEqual(up(net, 4000, 2000), ["device.rebooted null>null"])
  })

  test("a new version is told", () => {
    const net = alone()
    const version = (seconds: number, text: string) =>
      types(net.apply(poll("r1", at(seconds), {}, { texts: [["", "device.os_version", text]] })))
    assert.deepEqual(
      [...version(10, "7.18"), ...version(20, "7.18"), ...version(30, "7.19")],
      ["device.version.changed 7.18>7.19"],
    )
    assert.deepEqual(net.device("r1").texts, { "device.os_version": "7.19" })
  })
})

describe("health", () => {
  test("an interface that is up by will and down in fact matters where it carries a link", () => {
    const net = pair()
    net.apply(ports("r1", at(10), { ether1: true, ether9: false }))
    assert.equal(net.shown(0).health, "ok")
    net.apply(ports("r1", at(20), { ether1: false, ether9: false }))
    assert.deepEqual([net.shown(0).health, net.shown(0).severity], ["degraded", "major"])
    assert.deepEqual(net.device("r1").reasons, ["ether1 is down and carries a link"])
    net.apply(poll("r1", at(30), { "if:ether1": { "interface.admin_up": 0 } }))
    assert.equal(net.shown(0).health, "ok")
  })
})

describe("hostile and odd input", () => {
  const anyText = fc.oneof(
    fc.string({ maxLength: 8 }),
    fc.constantFrom("", "if:", "if:ether1", "ospf:x", "bgp:", "lldp:x", "__proto__", "if:__proto__"),
  )
  const value = fc.oneof(fc.double(), fc.constantFrom(0, 1, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 64))
  const anyPoll: fc.Arbitrary<DeviceInput> = fc
    .record({
      source: fc.constantFrom("snmp" as const, "routeros" as const, "probe" as const),
      startedMs: fc.integer({ min: T0 - 1e6, max: T0 + 1e6 }),
      atMs: fc.integer({ min: T0, max: T0 + 1e6 }),
      entities: fc.array(anyText, { maxLength: 6 }),
      rows: fc.array(
        fc.tuple(fc.nat(8), fc.oneof(fc.constantFrom(...METRICS.map(({ id }) => id)), fc.nat(65_535)), value),
        { maxLength: 40 },
      ),
      texts: fc.array(fc.record({ entity: anyText, fact: fc.constantFrom(...TEXT_FACTS), text: fc.string() }), {
        maxLength: 4,
      }),
      complete: fc.subarray(["device", "interface", "ospf.neighbor", "bgp.peer"] as const),
    })
    .map(({ rows, ...rest }) => ({
      kind: "poll" as const,
      device: idOf("r1"),
      ...rest,
      entities: rest.entities as never,
      texts: rest.texts as never,
      entity: Uint16Array.from(rows, ([entity]) => entity),
      metric: Uint16Array.from(rows, ([, metric]) => metric),
      value: Float64Array.from(rows, ([, , number]) => number),
    }))
  const anyNotice: fc.Arbitrary<DeviceInput> = fc
    .record({
      kind: fc.constantFrom(
        "linkDown" as const,
        "ospfNbrStateChange" as const,
        "ospfIfStateChange" as const,
        "bgpBackwardTransition" as const,
        "coldStart" as const,
      ),
      atMs: fc.integer({ min: T0, max: T0 + 1e6 }),
      ifIndex: fc.option(fc.integer()),
      ifName: fc.option(anyText),
      remote: fc.option(anyText),
      state: fc.option(anyText),
    })
    .map(({ kind, atMs, ...rest }) => trap("r1", atMs, { trap: kind, ...rest }))

  test("no poll, trap or silence makes a step throw, and every value that is kept is finite", () => {
    const inputs = fc.array(fc.oneof(anyPoll, anyPoll, anyNotice), { maxLength: 12 })
    fc.assert(
      fc.property(inputs, (list) => {
        let router = newRouter({
          device: idOf("r1"),
          slot: 0,
          pollSeconds: 10,
          sources: ["snmp"],
          ports: [{ ifName: "ether1", link: 0, end: "a" }],
        })
        for (const input of list) router = stepRouter(router, { kind: "input", atMs: input.atMs, input }).state
        for (const table of [router.device, router.interfaces.levels])
          for (const number of table.value) assert.ok(Number.isNaN(number) || Number.isFinite(number))
        assert.equal(router.interfaces.levels.rows, router.interfaces.keys.length)
        assert.equal(router.interfaces.aliases.length, router.interfaces.keys.length)
      }),
      { numRuns: 1500 },
    )
  })

  test("what is refused is counted: unknown and derived metrics, wrong entities, NaN, rows of no entity", () => {
    const net = alone()
    const input = poll("r1", at(10), {
      "": { "device.cpu_pct": 5 },
      "if:e1": { "interface.oper_up": 1 },
      "lldp:x": { "device.cpu_pct": 1 },
    })
    const rows: ReadonlyArray<readonly [entity: number, metric: number, value: number]> = [
      [0, 5, 5], // good
      [0, 9999, 1],
      [0, 30, 1],
      [0, 5, Number.NaN],
      [1, 50, 1],
      [1, 5, 1],
      [1, 30, 2],
      [2, 5, 1],
      [9, 5, 1],
    ]
    net.apply({
      ...input,
      entity: Uint16Array.from(rows, ([entity]) => entity),
      metric: Uint16Array.from(rows, ([, metric]) => metric),
      value: Float64Array.from(rows, ([, , number]) => number),
    })
    assert.equal(state(net).refused, rows.length - 1)
    assert.equal(net.device("r1").metrics.find(({ metric }) => metric === "device.cpu_pct")?.value, 5)
  })

  test("tables and events are bounded, and what is over the bound is counted", () => {
    const net = alone()
    const names = Array.from({ length: MAX_INTERFACES + 10 }, (_, i) => `e${i}`)
    const all = (up: boolean): Record<string, boolean> => Object.fromEntries(names.map((name) => [name, up]))
    net.apply(ports("r1", at(10), all(true)))
    assert.equal(net.device("r1").interfaces.length, MAX_INTERFACES)
    assert.equal(state(net).refused, 30)
    const { events } = net.apply(ports("r1", at(20), all(false)))
    assert.equal(events.length, MAX_EVENTS)
    assert.match(events.at(-1)?.new ?? "", /^3841 more changes/)
    const peers = Object.fromEntries(
      Array.from({ length: MAX_ADJACENCIES + 5 }, (_, i) => [`bgp:10.0.${i >> 8}.${i & 255}`, { "bgp.peer.state": 1 }]),
    )
    net.apply(poll("r1", at(30), peers))
    assert.equal(net.device("r1").adjacencies.length, MAX_ADJACENCIES)
    assert.ok(net.device("r1").reasons.length <= 16)
  })
})
