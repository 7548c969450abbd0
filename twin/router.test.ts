import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { METRICS, TEXT_FACTS } from "#protocol/metric.ts"
import type { MetricView } from "#protocol/view.ts"
import { MAX_ADJACENCIES, VANISHED_KEEP_MS } from "#twin/adjacency.ts"
import type { DeviceInput, Input } from "#twin/input.ts"
import { MAX_INTERFACES } from "#twin/interface.ts"
import { device, idOf, inventory, link, poll, ports, silence, T0, trap } from "#twin/inventory.fixture.ts"
import type { PollOptions } from "#twin/inventory.fixture.ts"
import { network } from "#twin/network.fixture.ts"
import type { Network } from "#twin/network.fixture.ts"
import { MAX_EVENTS } from "#twin/poll.ts"
import { newRouter, stepRouter } from "#twin/router.ts"

const TWO = { sources: ["snmp", "routeros"] } as const
const alone = (change: Parameters<typeof device>[1] = {}): Network => network(inventory([device("r1", change)]))
const pair = (): Network => network(inventory([device("r1"), device("r2")], [link("l1", "r1:ether1 r2:ether1")]))
const at = (seconds: number): number => T0 + seconds * 1000
const types = (result: {
  readonly events: ReadonlyArray<{ readonly type: string; readonly old: string | null; readonly new: string | null }>
}): string[] => result.events.map((event) => `${event.type} ${event.old}>${event.new}`)
const state = (net: Network) => net.cells.routers.state(0)

const counters = (
  net: Network,
  seconds: number,
  rx: number,
  more: Record<string, number> = {},
  options: PollOptions = {},
) =>
  net.apply(
    poll(
      "r1",
      at(seconds),
      {
        "": {
          "device.uptime_seconds": 10_000 + seconds,
          ...(more["uptime"] === undefined ? {} : { "device.uptime_seconds": more["uptime"] }),
        },
        "if:ether1": {
          "interface.rx_bytes_total": rx,
          "interface.tx_bytes_total": 0,
          "interface.counter_bits": more["bits"] ?? 64,
          "interface.speed_bps": more["speed"] ?? 1e9,
          ...(more["discontinuity"] === undefined
            ? {}
            : { "interface.counter_discontinuity_seconds": more["discontinuity"] }),
        },
      },
      options,
    ),
  )
const rxBps = (net: Network): number | null => net.device("r1").interfaces[0]?.rxBps ?? null

describe("rates", () => {
  test("[C2] two polls give the rate, the utilisation, their time and source", () => {
    const net = alone()
    counters(net, 10, 1000)
    assert.equal(rxBps(net), null)
    counters(net, 20, 1000 + 12_500_000)
    const [view] = net.device("r1").interfaces
    assert.equal(view?.rxBps, 1e7)
    assert.equal(view?.txBps, 0)
    assert.equal(view?.utilizationPct, 1)
    assert.deepEqual([view?.atMs, view?.source, view?.quality], [at(20), "snmp", "good"])
  })

  test("[C2] a Counter32 wrap gives the exact rate, a reboot, a clear or a discontinuity none, and then it goes on", () => {
    const net = alone()
    counters(net, 10, 2 ** 32 - 1000, { bits: 32, speed: 1e8 })
    counters(net, 20, 9000, { bits: 32, speed: 1e8 })
    assert.equal(rxBps(net), 8000)
    counters(net, 30, 500, { bits: 32, uptime: 5, speed: 1e8 })
    assert.equal(rxBps(net), null)
    counters(net, 40, 1500, { bits: 32, uptime: 15, speed: 1e8 })
    assert.equal(rxBps(net), 800)
    counters(net, 50, 2500, { bits: 32, uptime: 25, speed: 1e8, discontinuity: 20 })
    assert.equal(rxBps(net), 800, "a discontinuity time that was not told before says nothing")
    counters(net, 60, 3500, { bits: 32, uptime: 35, speed: 1e8, discontinuity: 30 })
    assert.equal(rxBps(net), null)
    counters(net, 70, 3000, { bits: 32, uptime: 45, speed: 1e8, discontinuity: 30 })
    assert.equal(rxBps(net), null, "cleared: the wrap would be more than the line carries")
  })

  test("a Counter32 that may have wrapped unseen is marked as an estimate", () => {
    const net = alone()
    for (const seconds of [60, 120]) counters(net, seconds, seconds * 1e6, { bits: 32, speed: 1e9 })
    assert.equal(net.device("r1").interfaces[0]?.quality, "estimated")
  })

  test("counters of two sources are never mixed, and the newest rate wins", () => {
    const net = alone(TWO)
    // Two collectors whose counters differ by a huge offset: only a mix of both could show it.
    for (const seconds of [10, 20, 30]) {
      counters(net, seconds, 1e12 + seconds * 1000)
      counters(net, seconds + 3, 5e9 + seconds * 2000, {}, { source: "routeros" })
    }
    assert.equal(rxBps(net), 16_000)
    assert.equal(net.device("r1").interfaces[0]?.source, "routeros")
    counters(net, 40, 1e12 + 40_000)
    assert.equal(rxBps(net), 8000)
    assert.equal(net.device("r1").interfaces[0]?.source, "snmp")
  })

  test("[C2] whatever the counters do, no rate is negative or above 1.5 times the line after a wrap or reset", () => {
    const step = fc.record({
      ms: fc.integer({ min: 1, max: 30_000 }),
      value: fc.oneof(fc.nat(2 ** 31), fc.integer({ min: 0, max: 2 ** 32 - 1 })),
      bits: fc.constantFrom(32, 64),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const net = alone()
        let atMs = T0
        let last = 0
        for (const { ms, value, bits } of steps) {
          atMs += ms
          const row = { "interface.rx_bytes_total": value, "interface.counter_bits": bits, "interface.speed_bps": 1e8 }
          net.apply(poll("r1", atMs, { "if:ether1": row }))
          const rate = rxBps(net)
          assert.ok(rate === null || (rate >= 0 && (value >= last || rate <= 1.5e8 * (1 + 1e-9))))
          last = value
        }
      }),
    )
  })
})

describe("interfaces", () => {
  test("[C1] a change of oper or admin is one event; first contact is none", () => {
    const net = pair()
    assert.deepEqual(types(net.apply(ports("r1", at(10), { ether1: true, ether2: true }))), [])
    const down = net.apply(ports("r1", at(20), { ether1: false, ether2: false }))
    assert.deepEqual(types(down), [
      "interface.oper.changed up>down",
      "interface.oper.changed up>down",
      "link.down ok>down",
    ])
    assert.deepEqual(
      down.events.map(({ entity, severity, source }) => [entity, severity, source]),
      [
        ["if:ether1", "major", "snmp"],
        ["if:ether2", "warning", "snmp"],
        ["", "critical", "twin"],
      ],
    )
    assert.deepEqual(types(net.apply(ports("r1", at(30), { ether1: false, ether2: false }))), [])
    const shut = poll("r1", at(40), { "if:ether1": { "interface.admin_up": 0 } })
    assert.deepEqual(types(net.apply(shut)), ["interface.admin.changed up>down"])
  })

  test("one that vanishes from a complete poll goes; from an incomplete one it stays", () => {
    const net = alone()
    net.apply(ports("r1", at(10), { ether1: true, ether2: true }))
    net.apply(ports("r1", at(20), { ether2: true }, { complete: [] }))
    assert.equal(net.device("r1").interfaces.length, 2)
    net.apply(ports("r1", at(30), { ether2: true }))
    assert.deepEqual(
      net.device("r1").interfaces.map(({ name }) => name),
      ["ether2"],
    )
  })

  test("one that the other answering source still lists stays", () => {
    const net = alone(TWO)
    net.apply(
      ports("r1", at(10), { ether1: true, bridge: true }),
      ports("r1", at(11), { ether1: true }, { source: "routeros" }),
    )
    net.apply(ports("r1", at(21), { ether1: true }, { source: "routeros" }))
    assert.equal(net.device("r1").interfaces.length, 2)
    net.apply(silence("r1", at(22)), ports("r1", at(31), { ether1: true }, { source: "routeros" }))
    assert.deepEqual(
      net.device("r1").interfaces.map(({ name }) => name),
      ["ether1"],
    )
  })

  test("a name keeps its state through an ifIndex renumbering and a new order of rows", () => {
    const net = alone()
    const row = (ifIndex: number, rx: number) => ({
      "interface.if_index": ifIndex,
      "interface.rx_bytes_total": rx,
      "interface.oper_up": 1,
    })
    net.apply(poll("r1", at(10), { "if:a": row(1, 0), "if:b": row(2, 5000) }, { complete: ["interface"] }))
    const swapped = poll("r1", at(20), { "if:b": row(7, 6000), "if:a": row(8, 10) }, { complete: ["interface"] })
    assert.deepEqual(types(net.apply(swapped)), [])
    assert.deepEqual(
      net.device("r1").interfaces.map(({ name, ifIndex, rxBps }) => [name, ifIndex, rxBps]),
      [
        ["a", 8, 8],
        ["b", 7, 800],
      ],
    )
  })

  test("the alias is kept, and cut to a bounded length", () => {
    const net = alone()
    net.apply(
      ports(
        "r1",
        at(10),
        { ether1: true },
        {
          texts: [
            ["if:ether1", "interface.alias", "x".repeat(9000)],
            ["if:none", "interface.alias", "y"],
          ],
        },
      ),
    )
    assert.equal(net.device("r1").interfaces[0]?.alias?.length, 256)
  })
})

describe("traps and syslog", () => {
  test("[C15] linkDown by ifIndex or by name reaches the right interface, before any poll can", () => {
    for (const by of [{ ifIndex: 2 }, { ifName: "ether2" }, { ifName: "ifDescr of another kind", ifIndex: 2 }]) {
      const net = alone()
      net.apply(ports("r1", at(10), { ether1: true, ether2: true }))
      const result = net.apply(trap("r1", at(12), by))
      assert.deepEqual(types(result), ["interface.oper.changed up>down"])
      assert.deepEqual(
        result.events.map(({ entity, source, raw }) => [entity, source, raw]),
        [["if:ether2", "trap", "a trap"]],
      )
      assert.deepEqual(
        net.device("r1").interfaces.map(({ operUp }) => operUp),
        [true, false],
      )
      assert.deepEqual(types(net.apply(trap("r1", at(13), by))), [], "a repeated trap is no news")
    }
  })

  test("a poll that left before a trap does not undo it; one that left after does", () => {
    const net = alone()
    net.apply(ports("r1", at(10), { ether1: true }))
    net.apply(trap("r1", at(19.95), { ifName: "ether1" }))
    net.apply(ports("r1", at(20), { ether1: true }, { startedMs: at(19.9) }))
    assert.equal(net.device("r1").interfaces[0]?.operUp, false)
    assert.deepEqual(types(net.apply(ports("r1", at(30), { ether1: true }))), ["interface.oper.changed down>up"])
  })

  test("a trap older than the newest evidence changes nothing", () => {
    const net = alone()
    net.apply(ports("r1", at(20), { ether1: true }))
    assert.deepEqual(types(net.apply(trap("r1", at(5), { ifName: "ether1" }))), [])
  })

  test("a linkDown of an interface that an operator shut says both", () => {
    const net = alone()
    net.apply(ports("r1", at(10), { ether1: true }))
    assert.deepEqual(types(net.apply(trap("r1", at(11), { ifName: "ether1", adminUp: false }))), [
      "interface.admin.changed up>down",
      "interface.oper.changed up>down",
    ])
  })

  test("an unknown interface or neighbour is an event, and creates nothing", () => {
    const net = alone()
    assert.deepEqual(types(net.apply(trap("r1", at(1), { ifName: "ghost" }))), ["interface.oper.changed null>down"])
    assert.deepEqual(types(net.apply(trap("r1", at(2), { ifIndex: 5, trap: "linkUp" }))), [
      "interface.oper.changed null>up",
    ])
    assert.deepEqual(types(net.apply(trap("r1", at(3), { trap: "bgpEstablished", remote: "10.0.0.9" }))), [
      "bgp.peer.state.changed null>established",
    ])
    assert.deepEqual(types(net.apply(trap("r1", at(4), { trap: "ospfNbrStateChange", remote: null }))), [])
    assert.deepEqual([net.device("r1").interfaces, net.device("r1").adjacencies], [[], []])
  })

  test("adjacencies turn by trap and by syslog, with the state that was told", () => {
    const net = alone()
    net.apply(
      poll("r1", at(10), { "ospf:10.0.0.2": { "ospf.neighbor.state": 7 }, "bgp:10.0.0.3": { "bgp.peer.state": 5 } }),
    )
    const say = (input: Partial<Parameters<typeof trap>[2]>) =>
      types(net.apply(trap("r1", net.world.atMs + 1000, input)))
    assert.deepEqual(say({ trap: "bgpBackwardTransition", remote: "10.0.0.3" }), [
      "bgp.peer.state.changed established>idle",
    ])
    assert.deepEqual(say({ trap: "bgpEstablished", remote: "10.0.0.3" }), ["bgp.peer.state.changed idle>established"])
    assert.deepEqual(say({ trap: "ospfNbrStateChange", remote: "10.0.0.2" }), ["ospf.neighbor.state.changed full>null"])
    assert.deepEqual(say({ trap: "ospfNbrStateChange", remote: "10.0.0.2", state: "2way" }), [
      "ospf.neighbor.state.changed full>2way",
    ])
    const syslog = (event: Extract<Input, { kind: "syslog" }>["event"]) =>
      net.apply({
        kind: "syslog",
        device: idOf("r1"),
        atMs: net.world.atMs + 1000,
        severity: 4,
        topics: ["route"],
        message: "a line",
        event,
        count: 1,
      })
    assert.deepEqual(types(syslog({ type: "ospf", remote: "10.0.0.2", state: "ExStart" })), [
      "ospf.neighbor.state.changed 2way>exstart",
    ])
    assert.deepEqual(types(syslog({ type: "ospf", remote: "10.0.0.2", state: "nonsense" })), [
      "ospf.neighbor.state.changed exstart>null",
    ])
    assert.deepEqual(types(syslog({ type: "bgp", remote: "10.0.0.3", up: false })), [
      "bgp.peer.state.changed established>idle",
    ])
    assert.deepEqual(types(syslog({ type: "auth-failed", user: "admin", from: "10.9.9.9" })), [
      "auth.failed null>admin from 10.9.9.9",
    ])
    assert.deepEqual(types(syslog(null)), [])
    assert.deepEqual(say({ trap: "authenticationFailure" }), ["auth.failed null>null"])
    assert.deepEqual([...say({ trap: "warmStart" }), ...say({ trap: "other" })], [])
  })
})

describe("adjacencies", () => {
  const neighbours = (net: Network, seconds: number, states: Record<string, number>) =>
    net.apply(
      poll(
        "r1",
        at(seconds),
        Object.fromEntries(
          Object.entries(states).map(([key, value]) => [
            key,
            key.startsWith("bgp") ? { "bgp.peer.state": value } : { "ospf.neighbor.state": value },
          ]),
        ),
        { complete: ["ospf.neighbor", "bgp.peer"] },
      ),
    )

  test("a neighbour that vanishes from a complete list is down, is told once, and comes back", () => {
    const net = alone()
    neighbours(net, 10, { "ospf:10.0.0.2": 7, "bgp:10.0.0.3": 5 })
    assert.equal(net.shown(0).health, "ok")
    assert.deepEqual(types(neighbours(net, 20, { "bgp:10.0.0.3": 5 })), ["ospf.neighbor.state.changed full>down"])
    assert.deepEqual(types(neighbours(net, 30, { "bgp:10.0.0.3": 5 })), [])
    assert.deepEqual([net.shown(0).health, net.shown(0).severity], ["degraded", "warning"])
    assert.deepEqual(net.device("r1").reasons, ["OSPF neighbour 10.0.0.2 is down"])
    const gone = net.device("r1").adjacencies[0]
    assert.deepEqual([gone?.remote, gone?.state, gone?.up, gone?.sinceMs], ["10.0.0.2", "down", false, at(20) - 100])
    assert.deepEqual(types(neighbours(net, 40, { "ospf:10.0.0.2": 7, "bgp:10.0.0.3": 5 })), [
      "ospf.neighbor.state.changed down>full",
    ])
    assert.equal(net.shown(0).health, "ok")
  })

  test("one that stays away for more than a day is forgotten", () => {
    const net = alone()
    neighbours(net, 10, { "bgp:10.0.0.3": 5 })
    neighbours(net, 20, {})
    neighbours(net, 20 + VANISHED_KEEP_MS / 1000 - 10, {})
    assert.equal(net.device("r1").adjacencies.length, 1)
    neighbours(net, 30 + VANISHED_KEEP_MS / 1000, {})
    assert.equal(net.device("r1").adjacencies.length, 0)
    assert.equal(net.shown(0).health, "ok")
  })

  test("2-Way is up: two routers of a broadcast net that are both not designated rest there (RFC 2328)", () => {
    const net = alone()
    neighbours(net, 10, { "ospf:10.0.0.2": 3 })
    assert.equal(net.shown(0).health, "ok")
    neighbours(net, 20, { "ospf:10.0.0.2": 4 })
    assert.equal(net.shown(0).health, "degraded")
  })

  test("[W2] an adjacency never makes a link, and states that do not exist are refused", () => {
    const net = alone()
    neighbours(net, 10, { "ospf:10.0.0.2": 8, "bgp:10.0.0.3": -1, "bgp:10.0.0.4": 2.5, "bgp:10.0.0.5": 5 })
    assert.equal(net.counts().links, 0)
    assert.deepEqual(
      net.device("r1").adjacencies.map(({ remote }) => remote),
      ["10.0.0.5"],
    )
    assert.equal(state(net).refused, 3)
  })
})

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
