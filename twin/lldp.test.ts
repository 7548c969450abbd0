import assert from "node:assert/strict"
import { test } from "node:test"
import { MAX_ADJACENCIES, MAX_DISCOVERED, MAX_LLDP, VANISHED_KEEP_MS } from "#twin/adjacency.ts"
import { idOf, poll } from "#twin/inventory.fixture.ts"
import type { PollOptions } from "#twin/inventory.fixture.ts"
import { alone, at, types } from "#twin/network.fixture.ts"
import { deviceView } from "#twin/view.ts"

const HEARD: PollOptions = {
  complete: ["lldp.neighbor"],
  texts: [
    ["lldp:ether1", "lldp.neighbor.interface", "ether1"],
    ["lldp:ether1", "lldp.neighbor.system_name", "core-2"],
    ["lldp:ether1", "lldp.neighbor.port", "sfp1"],
    ["lldp:ether1", "lldp.neighbor.chassis", "02:00:00:00:00:01"],
  ],
}

const adjacencies = (net: ReturnType<typeof alone>) => deviceView(net.world, net.cells, idOf("r1"))?.adjacencies

test("[W2] an LLDP neighbour is shown with its name and ports; it makes no link, no event and no fault", () => {
  const net = alone()
  const links = net.world.topology.inventory.links.length
  assert.deepEqual(types(net.apply(poll("r1", at(10), { "lldp:ether1": {} }, HEARD))), [])
  const heard = {
    kind: "lldp",
    remote: "core-2",
    localInterface: "ether1",
    remotePort: "sfp1",
    state: "heard",
    up: true,
    sinceMs: at(9.9),
    atMs: at(9.9),
    source: "snmp",
  }
  assert.deepEqual(adjacencies(net), [heard])
  assert.deepEqual(
    types(net.apply(poll("r1", at(20)))),
    [],
    "a poll that does not list neighbours says nothing of them",
  )
  assert.deepEqual(adjacencies(net), [heard])
  assert.deepEqual(types(net.apply(poll("r1", at(30), {}, { complete: ["lldp.neighbor"] }))), [])
  assert.deepEqual(adjacencies(net), [{ ...heard, state: "gone", up: false, sinceMs: at(29.9), atMs: at(29.9) }])
  assert.deepEqual([net.shown(0).health, net.shown(0).severity], ["ok", "cleared"])
  assert.equal(net.world.topology.inventory.links.length, links)
  const later = at(30) + VANISHED_KEEP_MS + 1
  net.apply(poll("r1", later, {}, { complete: ["lldp.neighbor"] }))
  assert.deepEqual(adjacencies(net), [], "forgotten after a day")
})

test("texts that did not change are not lost, and a neighbour without a name goes by its chassis", () => {
  const net = alone()
  net.apply(poll("r1", at(10), { "lldp:ether1": {} }, HEARD))
  const renamed = { ...HEARD, texts: [["lldp:ether1", "lldp.neighbor.system_name", ""]] } satisfies PollOptions
  net.apply(poll("r1", at(20), { "lldp:ether1": {} }, renamed))
  assert.deepEqual(
    adjacencies(net)?.map(({ remote, remotePort, sinceMs }) => [remote, remotePort, sinceMs]),
    [["02:00:00:00:00:01", "sfp1", at(9.9)]],
  )
})

test("many LLDP neighbours leave room for routing neighbours; what is over the bound is refused and counted", () => {
  const net = alone()
  const crowd = Object.fromEntries(Array.from({ length: MAX_LLDP + 7 }, (_, n) => [`lldp:e${n}`, {}]))
  net.apply(poll("r1", at(10), crowd, { complete: ["lldp.neighbor"] }))
  assert.equal(adjacencies(net)?.length, MAX_LLDP)
  assert.equal(net.cells.routers.state(0).refused, 7)
  assert.ok(MAX_LLDP < MAX_ADJACENCIES)
  net.apply(poll("r1", at(20), { "bgp:10.0.0.1": { "bgp.peer.state": 5 } }))
  assert.equal(adjacencies(net)?.at(-1)?.kind, "bgp")
})

const RADIO: PollOptions = {
  complete: ["discovery.neighbor"],
  texts: [
    ["mndp:ether1", "discovery.neighbor.interface", "ether1"],
    ["mndp:ether1", "discovery.neighbor.system_name", "radio-7"],
    ["mndp:ether1", "discovery.neighbor.port", "wlan60-1"],
    ["mndp:ether1", "discovery.neighbor.mac", "48:8f:5a:00:00:07"],
    ["mndp:ether1", "discovery.neighbor.address", "192.168.88.1"],
    ["mndp:ether1", "lldp.neighbor.system_name", "a text of another kind"],
  ],
}

test("[W2] who is heard by MNDP or CDP goes by that protocol, with MAC and address; no link, no event, no fault; vanished is gone", () => {
  const net = alone()
  const links = net.world.topology.inventory.links.length
  const both = { "mndp:ether1": {}, "cdp:ether2": {}, "discovery:ether2": {} }
  assert.deepEqual(types(net.apply(poll("r1", at(10), both, RADIO))), [])
  const radio = {
    kind: "mndp",
    remote: "radio-7",
    localInterface: "ether1",
    remotePort: "wlan60-1",
    remoteAddress: "192.168.88.1",
    remoteMac: "48:8f:5a:00:00:07",
    state: "heard",
    up: true,
    sinceMs: at(9.9),
    atMs: at(9.9),
    source: "snmp",
  }
  assert.deepEqual(adjacencies(net)?.[0], radio)
  assert.deepEqual(
    adjacencies(net)?.map(({ kind }) => kind),
    ["mndp", "cdp", "discovery"],
  )
  // A list of LLDP neighbours says nothing of these.
  net.apply(poll("r1", at(20), {}, { complete: ["lldp.neighbor"] }))
  assert.deepEqual(adjacencies(net)?.[0], radio)
  const change = net.apply(poll("r1", at(30), { "cdp:ether2": {} }, { complete: ["discovery.neighbor"] }))
  assert.deepEqual(types(change), [])
  assert.deepEqual(
    adjacencies(net)?.map(({ state }) => state),
    ["gone", "heard", "gone"],
  )
  assert.deepEqual([net.shown(0).health, net.shown(0).severity], ["ok", "cleared"])
  assert.equal(net.world.topology.inventory.links.length, links)
})

test("a crowd of CDP neighbours leaves room for LLDP's, and the other way round", () => {
  const net = alone()
  const crowd = Object.fromEntries([
    ...Array.from({ length: MAX_DISCOVERED + 5 }, (_, n) => [`cdp:c${n}`, {}]),
    ...Array.from({ length: MAX_LLDP + 3 }, (_, n) => [`lldp:e${n}`, {}]),
  ])
  net.apply(poll("r1", at(10), crowd, { complete: ["lldp.neighbor", "discovery.neighbor"] }))
  const kinds = adjacencies(net)?.map(({ kind }) => kind) ?? []
  assert.equal(kinds.filter((kind) => kind === "cdp").length, MAX_DISCOVERED)
  assert.equal(kinds.filter((kind) => kind === "lldp").length, MAX_LLDP)
  assert.equal(net.cells.routers.state(0).refused, 8)
  assert.ok(MAX_LLDP + MAX_DISCOVERED < MAX_ADJACENCIES)
})

test("what an interface runs over is shown, follows it when others vanish, and goes when it is taken away", () => {
  const net = alone()
  const both = { "if:e1": { "interface.oper_up": 1 }, "if:bond1": { "interface.oper_up": 1 } }
  const told = (text: string): PollOptions => ({
    complete: ["interface"],
    texts: [["if:bond1", "interface.lower_layers", text]],
  })
  const shown = () =>
    deviceView(net.world, net.cells, idOf("r1"))?.interfaces.map(({ name, lowerLayers }) => [name, lowerLayers])
  net.apply(poll("r1", at(10), both, { complete: ["interface"] }))
  assert.ok(!Object.hasOwn(net.cells.routers.state(0).interfaces, "lowerLayers"), "as in snapshots of before")
  net.apply(poll("r1", at(20), both, told("e1, e2")))
  net.apply(poll("r1", at(30), { "if:bond1": { "interface.oper_up": 1 } }, { complete: ["interface"] }))
  assert.deepEqual(shown(), [["bond1", "e1, e2"]])
  net.apply(poll("r1", at(40), { "if:bond1": { "interface.oper_up": 1 } }, told("")))
  assert.deepEqual(shown(), [["bond1", undefined]])
})

test("addresses of an interface are shown as told, follow it when others vanish, and go when they are taken away", () => {
  const net = alone()
  const both = { "if:e1": { "interface.oper_up": 1 }, "if:e2": { "interface.oper_up": 1 } }
  const told = (text: string): PollOptions => ({
    complete: ["interface"],
    texts: [["if:e2", "interface.addresses", text]],
  })
  const shown = () =>
    deviceView(net.world, net.cells, idOf("r1"))?.interfaces.map(({ name, addresses }) => [name, addresses])
  net.apply(poll("r1", at(10), both, { complete: ["interface"] }))
  assert.ok(!Object.hasOwn(net.cells.routers.state(0).interfaces, "addresses"), "as in snapshots of before")
  net.apply(poll("r1", at(20), both, told("10.0.0.1/31, 2001:db8::1/64")))
  net.apply(poll("r1", at(30), { "if:e2": { "interface.oper_up": 1 } }, { complete: ["interface"] }))
  assert.deepEqual(shown(), [["e2", "10.0.0.1/31, 2001:db8::1/64"]])
  net.apply(poll("r1", at(40), { "if:e2": { "interface.oper_up": 1 } }, told("")))
  assert.deepEqual(shown(), [["e2", undefined]])
})
