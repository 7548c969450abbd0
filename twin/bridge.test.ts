/** [W3] [C21] Own MACs and bridge tables in the twin: shown as told, kept to their bound, believed while they are read. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { HOSTS_MAX, hostsText, macText } from "#protocol/bridge.ts"
import { saidBy } from "#twin/propose/said.ts"
import { device, inventory, poll, T0 } from "#twin/inventory.fixture.ts"
import type { PollOptions, Rows } from "#twin/inventory.fixture.ts"
import { network } from "#twin/network.fixture.ts"

const at = (seconds: number): number => T0 + seconds * 1000
const alone = () => network(inventory([device("r1")]))
const UP = { "if:e1": { "interface.oper_up": 1 }, "if:e2": { "interface.oper_up": 1 } } as const
const FULL = hostsText({
  macs: Array.from({ length: HOSTS_MAX }, (_, n) => macText(n + 1)),
  others: true,
  more: true,
})
const told = (hosts: string): PollOptions => ({
  complete: ["interface"],
  texts: [
    ["if:e1", "interface.mac", "02:00:00:00:00:01"],
    ["if:e2", "interface.bridge_hosts", hosts],
  ],
})
const rows = (hosts: number): Rows => ({ "": { "bridge.hosts": hosts, "bridge.hosts_refused": 0 }, ...UP })
const shown = (net: ReturnType<typeof alone>) =>
  net.device("r1").interfaces.map(({ name, mac, bridgeHosts }) => [name, mac, bridgeHosts])

test("[W3] a port's MAC and hosts are shown as told, however many, and go when they are taken back or the port vanishes", () => {
  const net = alone()
  net.apply(poll("r1", at(10), UP, { complete: ["interface"] }))
  const { interfaces } = net.cells.routers.state(0)
  assert.ok(!("macs" in interfaces) && !("bridgeHosts" in interfaces), "as in snapshots of before")
  net.apply(poll("r1", at(20), rows(66), told(FULL)))
  assert.deepEqual(shown(net), [
    ["e1", "02:00:00:00:00:01", undefined],
    ["e2", undefined, FULL],
  ])
  net.apply(poll("r1", at(30), { "if:e2": { "interface.oper_up": 1 } }, { complete: ["interface"] }))
  assert.deepEqual(shown(net), [["e2", undefined, FULL]])
  net.apply(poll("r1", at(40), rows(1), told("")))
  assert.deepEqual(shown(net).at(-1)?.[2], undefined)
})

test("[W3] whatever a port is said to hear, the twin keeps a bounded text of it", () => {
  const net = alone()
  net.apply(poll("r1", at(10), rows(1), told(`${FULL} `.repeat(50))))
  assert.ok(shown(net)[1]![2]!.length <= FULL.length)
})

test("[W3] a table counts while it is read: three readings without one, and the device has none", () => {
  const net = alone()
  assert.equal(saidBy(net.device("r1")).bridge, undefined)
  net.apply(poll("r1", at(10), rows(5), told("02:00:00:00:00:09 others")))
  const before = saidBy(net.device("r1"))
  assert.deepEqual([...(before.bridge ?? [])], [["e2", { macs: ["02:00:00:00:00:09"], others: true, more: false }]])
  assert.deepEqual([...(before.macs ?? [])], [["e1", "02:00:00:00:00:01"]])
  net.apply(poll("r1", at(900), UP, { complete: ["interface"] }))
  assert.equal(saidBy(net.device("r1")).bridge?.size, 1, "not read now is not gone")
  net.apply(poll("r1", at(920), UP, { complete: ["interface"] }))
  assert.equal(saidBy(net.device("r1")).bridge, undefined)
  assert.equal(saidBy(net.device("r1")).macs?.size, 1)
})

test("[W3] an empty table is a table: that nobody is heard says something", () => {
  const net = alone()
  net.apply(poll("r1", at(10), rows(0), told("")))
  assert.equal(saidBy(net.device("r1")).bridge?.size, 0)
})

test("[C21] a bridge's table is a capability once somebody stands in it", () => {
  const net = alone()
  const seen = () => net.device("r1").capabilities?.find(({ name }) => name === "bridge")
  assert.equal(seen()?.seen, false)
  net.apply(poll("r1", at(10), rows(0), told("")))
  assert.equal(seen()?.seen, false)
  net.apply(poll("r1", at(20), rows(7), told("others")))
  assert.deepEqual(seen(), { name: "bridge", declared: false, seen: true, source: "snmp", atMs: at(20) })
})
