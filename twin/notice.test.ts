import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { VANISHED_KEEP_MS } from "#twin/adjacency.ts"
import type { Input } from "#twin/input.ts"
import { idOf, poll, ports, trap } from "#twin/inventory.fixture.ts"
import { alone, at, types } from "#twin/network.fixture.ts"
import type { Network } from "#twin/network.fixture.ts"

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

  test("[C15] the OSPF state of an interface is an event of the interface that has the address; its own state it does not tell", () => {
    const net = alone()
    const both = {
      "if:ether1": { "interface.oper_up": 1 },
      "if:ether2": { "interface.oper_up": 1, "interface.if_index": 7 },
    }
    const addresses = [["if:ether1", "interface.addresses", "2001:db8::1/64, 10.0.0.1/31, 10.0.0.19/32"]] as const
    net.apply(poll("r1", at(10), both, { complete: ["interface"], texts: addresses }))
    const told = (more: Partial<Parameters<typeof trap>[2]>) => {
      const { events } = net.apply(trap("r1", net.world.atMs + 1000, { trap: "ospfIfStateChange", ...more }))
      return events.map(({ type, entity, severity, new: now }) => [type, entity, severity, now])
    }
    const type = "ospf.interface.state.changed"
    assert.deepEqual(told({ remote: "10.0.0.1", state: "down" }), [[type, "if:ether1", "warning", "down"]])
    assert.deepEqual(told({ remote: "10.0.0.1", state: "pointToPoint" }), [
      [type, "if:ether1", "cleared", "pointToPoint"],
    ])
    assert.deepEqual(told({ ifIndex: 7, state: "down" }), [[type, "if:ether2", "warning", "down"]])
    assert.deepEqual(told({ remote: "10.0.0.9", state: null }), [[type, "", "indeterminate", null]])
    assert.deepEqual(told({ remote: "10.0.0", state: "down" }), [[type, "", "warning", "down"]])
    assert.deepEqual(
      net.device("r1").interfaces.map(({ operUp }) => operUp),
      [true, true],
      "somebody may have taken OSPF off an interface that works",
    )
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

describe("syslog that is kept but not believed", () => {
  test("[C8] a line in event-only mode is an event without weight and changes no state", () => {
    const net = alone()
    net.apply(
      poll("r1", at(10), {
        "if:ether1": { "interface.oper_up": 1 },
        "ospf:10.0.0.2": { "ospf.neighbor.state": 7 },
        "bgp:10.0.0.3": { "bgp.peer.state": 5 },
      }),
    )
    const { capabilities: capableBefore, ...before } = net.device("r1")
    const events = [
      { type: "interface", ifName: "ether1", up: false },
      { type: "ospf", remote: "10.0.0.2", state: "Down" },
      { type: "bgp", remote: "10.0.0.3", up: false },
      { type: "auth-failed", user: "admin", from: "10.9.9.9" },
      { type: "rebooted" },
    ] as const
    const told = events.map((event) =>
      net.apply({
        kind: "syslog",
        device: idOf("r1"),
        atMs: net.world.atMs + 1000,
        severity: 3,
        topics: [],
        message: "a line",
        raw: "<11>a line",
        event,
        count: 1,
        eventOnly: true,
      }),
    )
    assert.deepEqual(told.map(types), [
      ["interface.oper.changed null>down"],
      ["ospf.neighbor.state.changed null>Down"],
      ["bgp.peer.state.changed null>idle"],
      ["auth.failed null>admin from 10.9.9.9"],
      ["device.rebooted null>null"],
    ])
    for (const { events: all } of told)
      assert.deepEqual(
        all.map(({ severity, raw }) => [severity, raw]),
        [["indeterminate", "<11>a line"]],
      )
    // Nothing but that the device sends such lines.
    const { capabilities, ...rest } = net.device("r1")
    assert.equal(JSON.stringify(rest), JSON.stringify(before))
    const news = capabilities?.filter(({ seen }, i) => seen !== capableBefore?.[i]?.seen)
    assert.deepEqual(
      news?.map(({ name }) => name),
      ["syslog"],
    )
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

  test("the newest evidence wins: a late trap changes nothing, a poll that left before a trap does not undo it", () => {
    const net = alone()
    neighbours(net, 10, { "bgp:10.0.0.3": 5 })
    assert.deepEqual(types(net.apply(trap("r1", at(5), { trap: "bgpBackwardTransition", remote: "10.0.0.3" }))), [])
    net.apply(trap("r1", at(19.95), { trap: "bgpBackwardTransition", remote: "10.0.0.3" }))
    assert.deepEqual(types(neighbours(net, 20, { "bgp:10.0.0.3": 5 })), [])
    assert.deepEqual(types(neighbours(net, 30, { "bgp:10.0.0.3": 5 })), ["bgp.peer.state.changed idle>established"])
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
    assert.equal(net.cells.routers.state(0).refused, 3)
  })
})
