/**
 * What is known of the network, in pages: nothing is left out or told twice whatever the page size, filters say what they
 * say, and whoever sees some sites sees theirs. On fake twins, whose every detail a test can set.
 */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { adjacencyPage, deviceScan, interfacePage, SCAN_DEVICES_MAX } from "#engine/api/device-lists.ts"
import { devicePage, readCursor, type Page } from "#engine/api/lists.ts"
import { probePage } from "#engine/api/probe-rows.ts"
import { topologyPage } from "#engine/api/topology-page.ts"
import { makeFakeTwin } from "#engine/stream/fake-twin.fixture.ts"
import type { LiveTwin } from "#engine/tenant/live-twin.ts"
import { siteView } from "#engine/tenant/site-view.ts"
import type { Inventory } from "#protocol/inventory.ts"
import type { AdjacencyView, DeviceView, InterfaceView, MetricView } from "#protocol/view.ts"

const an = (name: string, more: Partial<InterfaceView> = {}): InterfaceView => ({
  name,
  alias: null,
  ifIndex: null,
  adminUp: true,
  operUp: true,
  speedBps: null,
  rxBps: null,
  txBps: null,
  utilizationPct: null,
  rxErrorsPerS: null,
  txErrorsPerS: null,
  atMs: 1,
  source: "snmp",
  quality: "good",
  ...more,
})
const neighbour = (kind: AdjacencyView["kind"], remote: string, up: boolean): AdjacencyView => ({
  kind,
  remote,
  state: up ? "full" : "down",
  up,
  sinceMs: 1,
  atMs: 1,
  source: "snmp",
})
const metric = (name: string, value: number): MetricView => ({
  entity: "",
  metric: name,
  value,
  unit: "",
  atMs: 7,
  source: "probe",
  quality: "good",
})

/** A fake twin whose devices have these details, by slot. */
const twinWith = (devices: number, details: (slot: number) => Partial<DeviceView>): LiveTwin => {
  const twin = makeFakeTwin("t", devices, 0)
  return {
    ...twin,
    view: (focus) => {
      const view = twin.view(focus)
      const slot = twin.inventory().devices.findIndex(({ id }) => id === focus.id)
      return view?.kind === "device" ? { ...view, ...details(slot) } : view
    },
  }
}

/** All rows, page after page as a client asks; every cursor is read as the API reads it. */
const walk = <Row>(read: (after: string | undefined) => Page<Row> | null): { rows: Row[]; pages: Row[][] } => {
  const pages: Row[][] = []
  let cursor: string | undefined
  for (let turn = 0; turn < 10_000; turn++) {
    const after = readCursor(cursor)
    assert.notEqual(after, null, `cursor ${cursor} is not taken back`)
    const page = read(after ?? undefined)
    assert.ok(page !== null)
    pages.push([...page.items])
    if (page.next === null) return { rows: pages.flat(), pages }
    cursor = page.next
  }
  return assert.fail("the list has no end")
}

test("[O13] interfaces: every one once, in the order of device and name, whatever the page size", () => {
  const names = fc.uniqueArray(fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 }), { maxLength: 6 })
  fc.assert(
    fc.property(fc.array(names, { minLength: 1, maxLength: 8 }), fc.integer({ min: 1, max: 9 }), (devices, limit) => {
      const twin = twinWith(devices.length, (slot) => ({ interfaces: devices[slot]!.map((name) => an(name)) }))
      const { rows, pages } = walk((after) => interfacePage(twin, { limit }, after))
      const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
      assert.deepEqual(
        rows.map((row) => [row.deviceName, row.name]),
        devices.flatMap((list, slot) =>
          list.toSorted(order).map((name) => [twin.inventory().devices[slot]!.name, name]),
        ),
      )
      for (const page of pages) assert.ok(page.length <= limit)
      for (const page of pages.slice(0, -1)) assert.equal(page.length, limit)
    }),
  )
})

test("[O13] filters of interfaces and neighbours; what nobody knows is neither up nor down", () => {
  const twin = twinWith(2, (slot) => ({
    interfaces: [an("ether1", { alias: "Uplink SÃO" }), an("ether2", { operUp: false }), an("wlan1", { operUp: null })],
    adjacencies: [
      neighbour("ospf", "10.0.0.1", true),
      neighbour("bgp", "10.0.0.1", slot === 0),
      neighbour("lldp", "x", true),
      neighbour("lldp", "x", true),
    ],
  }))
  const second = twin.inventory().devices[1]!.id as string
  const names = (filter: object) => walk((after) => interfacePage(twin, filter, after)).rows.map((row) => row.name)
  assert.deepEqual(names({ device: second, operUp: "true" }), ["ether1"])
  assert.deepEqual(names({ device: second, operUp: "false" }), ["ether2"])
  assert.deepEqual(names({ q: "são" }), ["ether1", "ether1"])
  const kinds = (filter: object) =>
    walk((after) => adjacencyPage(twin, { limit: 1, ...filter }, after)).rows.map((row) => row.kind)
  assert.equal(kinds({}).length, 8)
  assert.deepEqual(kinds({ kind: "bgp", up: "true" }), ["bgp"])
  assert.deepEqual(kinds({ kind: "lldp", device: second }), ["lldp", "lldp"])
})

test("[O13] a page looks at a bounded number of devices, and the list still ends with everything", () => {
  let looked = 0
  const twin = twinWith(SCAN_DEVICES_MAX * 2 + 3, (slot) => ({ interfaces: slot % 400 === 0 ? [an("rare")] : [] }))
  const read = (after: string | undefined): Page<string> | null => {
    const before = looked
    const page = deviceScan(twin, {}, after, (device, view) => {
      looked += 1
      return view.interfaces.map((one) => ({ key: one.name, row: `${device.name} ${one.name}` }))
    })
    assert.ok(looked - before <= SCAN_DEVICES_MAX)
    return page
  }
  assert.equal(walk(read).rows.length, 3)
  assert.equal(looked, SCAN_DEVICES_MAX * 2 + 3)
})

test("[O13] a cursor survives the device that it names; one of another list is refused", () => {
  const twin = twinWith(4, () => ({ interfaces: [an("a"), an("b")] }))
  const first = interfacePage(twin, { limit: 3 }, undefined)!
  const without: Inventory = { ...twin.inventory(), devices: twin.inventory().devices.filter((_, slot) => slot !== 1) }
  const rest = interfacePage({ ...twin, inventory: () => without }, {}, readCursor(first.next!)!)!
  assert.deepEqual(
    rest.items.map((row) => row.deviceName),
    [2, 2, 3, 3].map((slot) => twin.inventory().devices[slot]!.name),
  )
  const other = devicePage(twin, { limit: 1 }, undefined).next!
  for (const text of [readCursor(other)!, "[]", "{}", "[1,2]", '["a"]', "null"])
    assert.equal(interfacePage(twin, {}, text), null, text)
})

test("[O13] the graph: each device and each link once, and a link never before its ends", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 0, max: 20 }),
      fc.integer({ min: 1, max: 5 }),
      (devices, links, limit) => {
        const twin = makeFakeTwin("t", devices, links)
        const known = new Set<string>()
        const edges: string[] = []
        let after: string | undefined
        for (;;) {
          const page = topologyPage(twin, { limit }, after)
          for (const node of page.nodes) known.add(node.id)
          for (const edge of page.edges) {
            assert.ok(known.has(edge.a.device) && known.has(edge.b.device))
            edges.push(edge.id)
          }
          assert.equal(page.epoch, twin.epoch())
          if (page.next === null) break
          after = readCursor(page.next)!
        }
        assert.equal(known.size, devices)
        assert.deepEqual(
          edges.toSorted(),
          twin.inventory().links.map((link) => link.id as string),
        )
      },
    ),
  )
})

test("[C10] probes: what is planned with its class, beside what the last one found; nothing found is null", () => {
  const twin = twinWith(2, (slot) => ({
    metrics:
      slot === 0
        ? [
            metric("device.up", 1),
            metric("probe.ping.rtt_ms", 2.5),
            metric("probe.ping.loss_pct", 0),
            metric("probe.tcp.up", 0),
          ]
        : [],
  }))
  const [first, second] = twin.inventory().devices.map((device) => device.id)
  const plans = [
    {
      device: first!,
      ping: { intervalSeconds: 2 },
      probes: [{ kind: "tcp" as const, port: 22, intervalSeconds: 300 }],
    },
    { device: second!, ping: { intervalSeconds: 60 }, probes: [] },
  ]
  const { rows } = walk((after) => probePage(twin, plans, { limit: 1 }, after))
  assert.deepEqual(
    rows.map(({ kind, class: rate, port, up, ms, lossPct, atMs }) => [kind, rate, port, up, ms, lossPct, atMs]),
    [
      ["ping", "core", null, true, 2.5, 0, 7],
      ["tcp", "sample", 22, false, null, null, 7],
      ["ping", "service", null, null, null, null, null],
    ],
  )
  assert.deepEqual(walk((after) => probePage(twin, plans, { kind: "tcp" }, after)).rows.length, 1)
  assert.deepEqual(walk((after) => probePage(siteView(twin, []), plans, {}, after)).rows, [])
})
