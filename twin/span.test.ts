import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { packStored, unpackStored } from "#protocol/codec.ts"
import { poll } from "#twin/inventory.fixture.ts"
import { level, RX_BPS } from "#twin/interface.ts"
import { alone, at } from "#twin/network.fixture.ts"
import type { Network } from "#twin/network.fixture.ts"
import { restoreTwin, snapshotTwin } from "#twin/snapshot.ts"
import { timedBy } from "#twin/span.ts"

/** A line that carries 1 Mbit/s, always; `truly` = seconds of the world, `ours` = of the engine's clock. */
const OCTETS_PER_SECOND = 125_000
const BOOTED_BEFORE = 90_000.31

const heard = (
  net: Network,
  truly: number,
  ours: number,
  names: readonly string[] = ["ether1"],
  whole = true,
): void => {
  const uptime = BOOTED_BEFORE + truly
  const counters = { "interface.rx_bytes_total": truly * OCTETS_PER_SECOND, "interface.counter_bits": 64 }
  const rows = Object.fromEntries(names.map((name) => [`if:${name}`, counters]))
  net.apply(poll("r1", at(ours), { "": { "device.uptime_seconds": whole ? Math.floor(uptime) : uptime }, ...rows }))
}
const rates = (net: Network): Array<number | null> => {
  const { interfaces } = net.cells.routers.state(0)
  return interfaces.keys.map((_, row) => {
    const bps = level(interfaces, row, RX_BPS)
    return bps === null ? null : Math.round(bps)
  })
}

describe("[W9] rates around a clock that was set while nobody ran", () => {
  test("two polls within seconds: what whole seconds of uptime cannot tell is no rate, and the one before stays", () => {
    // Seed 243319071: the engine was away for a second in which its clock stood still.
    const net = alone()
    heard(net, 10, 10)
    heard(net, 40, 40)
    assert.deepEqual(rates(net), [1e6])
    heard(net, 42.2, 41.1)
    assert.deepEqual(rates(net), [1e6], "2.2 s of traffic in 1.1 s")
    // The next one is measured from the poll before both.
    heard(net, 72.2, 71.1)
    assert.deepEqual(rates(net), [Math.round((32.2 / 31.1) * 1e6)])
  })

  test("two polls within one second of uptime, an hour apart by our clock: nobody knows how long it was", () => {
    // Seed 243319150: a collector that caches its uptime would look the same.
    const net = alone()
    heard(net, 10, 10)
    heard(net, 40, 40)
    heard(net, 40.6, 3_640.6)
    assert.deepEqual(rates(net), [null], "0.6 s of traffic in an hour")
    heard(net, 70.6, 3_670.6)
    assert.deepEqual(rates(net), [1e6])
  })

  test("hundredths of seconds, as SNMP tells them, are enough for the same two polls", () => {
    const net = alone()
    heard(net, 40, 40, ["ether1"], false)
    heard(net, 42.2, 41.1, ["ether1"], false)
    assert.deepEqual(rates(net), [1e6])
  })

  test("polls that come every second are measured over the seconds that it takes to know", () => {
    const net = alone()
    for (let second = 10; second <= 40; second++) heard(net, second, second)
    assert.deepEqual(rates(net), [1e6])
    const { sources } = net.cells.routers.state(0)
    assert.ok(sources[0]!.lastOkMs === at(40) && at(40) - (sources[0]!.base?.atMs ?? at(40)) < 6_000)
  })

  test("an interface that appears while it waits is measured from its own first sample", () => {
    const net = alone()
    heard(net, 10, 10)
    heard(net, 12, 12, ["ether1", "ether2"])
    assert.deepEqual(rates(net), [null, null])
    heard(net, 22, 22, ["ether1", "ether2"])
    assert.deepEqual(rates(net), [1e6, 1e6])
  })

  test("time that our clock lost is put on no interface that was not measured at its beginning", () => {
    const net = alone()
    heard(net, 10, 10)
    heard(net, 12, 12, ["ether1", "ether2"])
    // Two minutes in truth, a second of ours.
    heard(net, 132, 13, ["ether1", "ether2"])
    assert.deepEqual(rates(net), [1e6, null])
  })

  test("a restart while it waits is a restart, and a new beginning", () => {
    const net = alone()
    heard(net, 10, 10)
    heard(net, 12, 12)
    const { events } = net.apply(
      poll("r1", at(14), {
        "": { "device.uptime_seconds": 1 },
        "if:ether1": { "interface.rx_bytes_total": 0, "interface.counter_bits": 64 },
      }),
    )
    assert.deepEqual(
      events.map(({ type }) => type),
      ["device.rebooted"],
    )
    assert.equal(net.cells.routers.state(0).sources[0]?.base, undefined)
    assert.deepEqual(rates(net), [null])
  })

  test("what it waits with is part of a snapshot", () => {
    const net = alone()
    heard(net, 10, 10)
    heard(net, 12, 12)
    const { states } = restoreTwin(unpackStored(packStored(snapshotTwin(net.world, net.cells))))
    assert.deepEqual(states.routers[0]?.sources, net.cells.routers.state(0).sources)
    assert.deepEqual(states.routers[0]?.sources[0]?.base, { atMs: at(10), seconds: Math.floor(BOOTED_BEFORE + 10) })
  })
})

test("a source that tells no uptime is measured by our clock, and forgets what it waited with", () => {
  const base = { atMs: at(10), seconds: 900 }
  const source = {
    source: "snmp",
    up: true,
    lastOkMs: at(12),
    lastTryMs: at(12),
    error: null,
    uptimeSeconds: 902,
    base,
  } as const
  const { uptimes, span, kept } = timedBy(source, at(40), null, 0)
  assert.equal(uptimes, null)
  assert.deepEqual([span.lostSeconds, span.tooSoon, span.restarted], [0, false, false])
  assert.equal("base" in kept, false)
})
