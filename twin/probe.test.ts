import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { device, inventory, link, poll, ports, silence, trap } from "#twin/inventory.fixture.ts"
import { alone, at, network, types } from "#twin/network.fixture.ts"
import type { Network } from "#twin/network.fixture.ts"

const PINGED = { sources: ["snmp", "probe"] } as const
const ping = (name: string, atMs: number, up: 0 | 1, lossPct = up === 1 ? 0 : 100) =>
  poll(name, atMs, { "": { "device.up": up, "probe.ping.loss_pct": lossPct } }, { source: "probe" })
const shown = (net: Network) => [net.shown(0).health, net.shown(0).severity]

describe("[C9] ping is one more evidence of reachability", () => {
  test("a router whose polls fail but which answers ping is degraded, not unreachable, and says why", () => {
    const net = alone(PINGED)
    net.apply(poll("r1", at(0)), ping("r1", at(1), 1))
    assert.deepEqual(types(net.apply(silence("r1", at(10)))), [
      "device.api.changed up>down",
      "monitoring.degraded null>snmp",
    ])
    assert.deepEqual(shown(net), ["degraded", "minor"])
    assert.deepEqual(net.device("r1").reasons, [
      "it answers ping, but not its management plane",
      "snmp: timeout: no answer in 3 s",
    ])
  })

  test("a router whose pings fail but which answers polls stays reachable, with a reason and one event", () => {
    const net = alone(PINGED)
    net.apply(poll("r1", at(0)), ping("r1", at(1), 1))
    assert.deepEqual(types(net.apply(ping("r1", at(7), 0))), ["probe.degraded up>down"])
    assert.deepEqual(shown(net), ["degraded", "warning"])
    assert.deepEqual(net.device("r1").reasons, ["probe: no answer to ping"])
    assert.deepEqual(types(net.apply(ping("r1", at(17), 0))), [])
    assert.deepEqual(types(net.apply(ping("r1", at(27), 1))), ["probe.recovered down>up"])
    assert.deepEqual(shown(net), ["ok", "cleared"])
  })

  test("neither polls nor pings are answered: unreachable, told once, by whichever failed last", () => {
    const net = alone(PINGED)
    net.apply(poll("r1", at(0)), ping("r1", at(1), 1), silence("r1", at(10)))
    assert.deepEqual(types(net.apply(ping("r1", at(12), 0))), ["device.reachable.changed up>down"])
    assert.deepEqual(shown(net), ["unreachable", "critical"])
    assert.deepEqual(types(net.apply(ping("r1", at(40), 1))), ["device.reachable.changed down>up"])
    assert.deepEqual(shown(net), ["degraded", "minor"])
  })

  test("a router that never answered a ping filters it: no fault, no event, but a word", () => {
    const net = alone(PINGED)
    assert.deepEqual(types(net.apply(poll("r1", at(0)), ping("r1", at(7), 0))), [])
    assert.deepEqual(shown(net), ["ok", "cleared"])
    assert.deepEqual(net.device("r1").reasons, ["probe: no answer to ping, and never was one"])
    assert.deepEqual(types(net.apply(silence("r1", at(10)))), ["device.reachable.changed up>down"])
  })

  test("where nothing can ping, the source is absent and the polls alone decide", () => {
    const net = alone(PINGED)
    assert.deepEqual(types(net.apply(silence("r1", at(10)))), ["device.reachable.changed null>down"])
    assert.deepEqual(
      net.device("r1").sources.map(({ source }) => source),
      ["snmp"],
    )
  })

  test("a prober that stopped keeps nobody alive: its last verdict has no say after three minutes", () => {
    const net = alone(PINGED)
    net.apply(poll("r1", at(0)), ping("r1", at(1), 1))
    net.apply(silence("r1", at(100)))
    assert.equal(shown(net)[0], "degraded")
    assert.deepEqual(types(net.apply(silence("r1", at(182)))), ["device.reachable.changed up>down"])
    // Nor does it accuse anybody.
    const other = alone(PINGED)
    other.apply(ping("r1", at(1), 1), ping("r1", at(5), 0))
    other.apply(poll("r1", at(190)))
    assert.deepEqual(shown(other), ["ok", "cleared"])
  })

  test("a device that is only pinged lives and dies by it, and goes stale when pings stop being told", () => {
    const net = alone({ sources: ["probe"] })
    net.apply(ping("r1", at(0), 1))
    assert.deepEqual(shown(net), ["ok", "cleared"])
    net.apply({ kind: "tick", atMs: at(100) })
    assert.equal(net.shown(0).stale, false, "reports come once a minute at the least")
    net.apply({ kind: "tick", atMs: at(181) })
    assert.equal(net.shown(0).stale, true)
    assert.deepEqual(types(net.apply(ping("r1", at(190), 0))), ["device.reachable.changed up>down"])
    assert.equal(net.shown(0).health, "unreachable")
  })
})

describe("what pings do not prove", () => {
  const pair = (): Network =>
    network(inventory([device("r1", PINGED), device("r2", PINGED)], [link("l1", "r1:ether1 r2:ether1")]))

  test("pings keep no interface fresh: with both ends unread the link's verdict stands, marked stale", () => {
    const net = pair()
    for (const name of ["r1", "r2"]) net.apply(ports(name, at(0), { ether1: true }), ping(name, at(1), 1))
    assert.equal(net.linkShown(0).health, "ok")
    for (const name of ["r1", "r2"]) net.apply(silence(name, at(10)), ping(name, at(11), 1))
    assert.deepEqual([net.linkShown(0).health, net.linkShown(0).stale], ["ok", true])
    assert.deepEqual(net.link("l1").a.rxBps, null)
    // A trap is younger than the last poll, and counts.
    net.apply(trap("r1", at(12), { ifName: "ether1" }))
    assert.deepEqual([net.linkShown(0).health, net.linkShown(0).stale], ["down", false])
  })

  test("pings do not hide that polls stopped: the device goes stale all the same", () => {
    const net = alone(PINGED)
    net.apply(poll("r1", at(0)))
    for (let seconds = 5; seconds <= 60; seconds += 5) net.apply(ping("r1", at(seconds), 1))
    assert.equal(net.shown(0).stale, true)
  })

  test("a probe writes values of the device only, and a late one undoes nothing", () => {
    const net = alone(PINGED)
    const rows = { "": { "probe.tcp.up": 1, "probe.tcp.connect_ms": 12.5 }, "if:ether1": { "interface.oper_up": 1 } }
    net.apply(poll("r1", at(5), rows, { source: "probe" }))
    const router = net.cells.routers.state(0)
    assert.deepEqual([router.interfaces.keys.length, router.refused, router.reachable], [0, 1, null])
    net.apply(ping("r1", at(8), 1, 5), ping("r1", at(7), 0))
    assert.equal(net.cells.routers.state(0).reachable, true)
    net.apply(poll("r1", at(4), { "": { "probe.tcp.up": 0 } }, { source: "probe" }))
    const values = net.device("r1").metrics.map(({ metric, value, source }) => [metric, value, source])
    assert.deepEqual(values, [
      ["device.up", 1, "probe"],
      ["probe.ping.loss_pct", 5, "probe"],
      ["probe.tcp.up", 1, "probe"],
      ["probe.tcp.connect_ms", 12.5, "probe"],
    ])
  })
})
