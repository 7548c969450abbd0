import assert from "node:assert/strict"
import { test } from "node:test"
import { device, inventory, link, poll, silence, T0 } from "#twin/inventory.fixture.ts"
import { network } from "#twin/network.fixture.ts"
import { focusView } from "#twin/view.ts"

const at = (seconds: number): number => T0 + seconds * 1000

const net = network(inventory([device("r1"), device("r2")], [link("l1", "r1:sfp1 r2:ether1", null)]))
for (const seconds of [10, 20])
  net.apply(
    poll(
      "r1",
      at(seconds),
      {
        "": { "device.cpu_pct": 17, "pppoe.sessions.active": 321 },
        "if:sfp1": {
          "interface.oper_up": 1,
          "interface.rx_bytes_total": seconds * 1000,
          "optical.rx_power_dbm": -7.5,
          "interface.speed_bps": 1e9,
        },
        "bgp:10.0.0.9": { "bgp.peer.state": 5, "bgp.peer.prefixes_in": 9, "bgp.peer.uptime_seconds": 60 },
      },
      {
        complete: ["interface", "bgp.peer"],
        texts: [
          ["", "device.identity", "core-1"],
          ["if:sfp1", "interface.alias", "to r2"],
        ],
      },
    ),
  )

test("[X1] every number of a device view carries time, source and quality; what nobody measured is absent", () => {
  const view = net.device("r1")
  const metrics = view.metrics.map(({ entity, metric, value, unit }) => [entity, metric, value, unit])
  assert.deepEqual(metrics, [
    ["", "device.snmp.up", 1, ""],
    ["", "device.cpu_pct", 17, "%"],
    ["", "pppoe.sessions.active", 321, ""],
    ["if:sfp1", "optical.rx_power_dbm", -7.5, "dBm"],
    ["bgp:10.0.0.9", "bgp.peer.prefixes_in", 9, ""],
  ])
  for (const metric of view.metrics) assert.deepEqual([metric.source, metric.quality], ["snmp", "good"])
  assert.deepEqual(view.interfaces, [
    {
      name: "sfp1",
      alias: "to r2",
      ifIndex: null,
      adminUp: null,
      operUp: true,
      speedBps: 1e9,
      rxBps: 8000,
      txBps: null,
      utilizationPct: 0.0008,
      rxErrorsPerS: null,
      txErrorsPerS: null,
      atMs: at(20),
      source: "snmp",
      quality: "good",
    },
  ])
  assert.deepEqual(view.adjacencies, [
    {
      kind: "bgp",
      remote: "10.0.0.9",
      state: "established",
      up: true,
      sinceMs: at(10) - 100 - 60_000,
      atMs: at(20) - 100,
      source: "snmp",
    },
  ])
  assert.deepEqual([view.texts, view.lastOkMs, view.health], [{ "device.identity": "core-1" }, at(20), "ok"])
})

test("a link view shows each end's own numbers and the effective capacity", () => {
  const view = net.link("l1")
  assert.deepEqual(view.a, {
    device: "id-r1",
    deviceName: "r1",
    interface: "sfp1",
    operUp: true,
    adminUp: null,
    rxBps: 8000,
    txBps: null,
    atMs: at(20) - 100,
    source: "snmp",
  })
  assert.deepEqual([view.b.operUp, view.b.atMs, view.b.source, view.b.deviceName], [null, null, null, "r2"])
  assert.deepEqual([view.capacityBps, view.utilAbPct, view.health], [1e9, null, "ok"])
  assert.ok(Math.abs((view.utilBaPct ?? 0) - 0.0008) < 1e-12)
})

test("an id that the inventory does not have gives nothing", () => {
  for (const kind of ["device", "link"] as const)
    assert.equal(focusView(net.world, net.cells, { kind, id: "toString" }), null)
  assert.equal(focusView(net.world, net.cells, { kind: "link", id: "l1" })?.kind, "link")
})

test("values of a router that fell silent turn stale with their age", () => {
  net.apply(silence("r1", at(30)))
  assert.equal(net.device("r1").metrics.find(({ metric }) => metric === "device.cpu_pct")?.quality, "good")
  net.apply(silence("r1", at(51)))
  assert.equal(net.device("r1").metrics.find(({ metric }) => metric === "device.cpu_pct")?.quality, "stale")
  assert.equal(net.device("r1").metrics.find(({ metric }) => metric === "device.snmp.up")?.quality, "good")
  assert.deepEqual(net.device("r1").reasons, [
    "none of its neighbours answers either",
    "snmp: timeout: no answer in 3 s",
  ])
})
