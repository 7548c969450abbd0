import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { poll, ports, silence, T0 } from "#twin/inventory.fixture.ts"
import type { PollOptions } from "#twin/inventory.fixture.ts"
import { alone, at, observed, pair, TWO, types } from "#twin/network.fixture.ts"
import type { Network } from "#twin/network.fixture.ts"

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

  test("[W9] a clock that was set makes no traffic: the device's own time counts, as an estimate, or nothing is said", () => {
    const net = alone()
    counters(net, 10, 1000)
    counters(net, 12, 1000 + 150_000_000, { uptime: 10_130 })
    const [view] = net.device("r1").interfaces
    assert.deepEqual([view?.rxBps, view?.utilizationPct, view?.quality], [1e7, 1, "estimated"])
    counters(net, 3_642, 1000 + 162_500_000, { uptime: 10_140 })
    assert.equal(rxBps(net), null, "set forward by an hour")
    counters(net, 3_652, 1000 + 175_000_000, { uptime: 10_150 })
    assert.deepEqual([rxBps(net), net.device("r1").interfaces[0]?.quality], [1e7, "good"])
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

  test("[C2] a counter that was missing once, or changed its size, is not compared across the gap", () => {
    const net = alone()
    counters(net, 10, 1000)
    net.apply(poll("r1", at(20), { "if:ether1": { "interface.tx_bytes_total": 0 } }))
    counters(net, 30, 9000)
    assert.equal(rxBps(net), null)
    counters(net, 40, 10_000, { bits: 32 })
    assert.equal(rxBps(net), null)
    counters(net, 50, 11_000, { bits: 32 })
    assert.equal(rxBps(net), 800)
  })

  test("a source that cannot tell a rate yet does not take away the one of the other source", () => {
    const net = alone(TWO)
    counters(net, 10, 1000)
    counters(net, 20, 2000)
    counters(net, 21, 7, {}, { source: "routeros" })
    assert.equal(rxBps(net), 800)
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
      observed(down.events).map(({ entity, severity, source }) => [entity, severity, source]),
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
