/** [C21] [C22] What a device has shown, with source and age; what is only declared; what is absent. Never more than was read. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { CAPABILITIES } from "#protocol/view.ts"
import type { Capability, CapabilityView, EventView } from "#protocol/view.ts"
import { capabilitiesOf } from "#twin/capability.ts"
import { device, inventory, link, poll, silence, T0 } from "#twin/inventory.fixture.ts"
import type { Rows } from "#twin/inventory.fixture.ts"
import { network } from "#twin/network.fixture.ts"

const at = (seconds: number): number => T0 + seconds * 1000
const twin = (sources: readonly ("snmp" | "routeros" | "probe")[] = ["snmp"]) =>
  network(inventory([device("r1", { sources }), device("r2")], [link("l1", "r1:sfp1 r2:ether1", null)]))
type Net = ReturnType<typeof twin>

const told = (net: Net): ReadonlyMap<Capability, CapabilityView> =>
  new Map((net.device("r1").capabilities ?? []).map((one) => [one.name, one]))
const seen = (net: Net): readonly Capability[] =>
  [...told(net).values()].filter((one) => one.seen).map(({ name }) => name)

describe("[C21] capabilities", () => {
  test("a device that nobody has heard of shows nothing, and all of them stand there as absent", () => {
    const net = twin(["snmp", "routeros"])
    assert.deepEqual([...told(net).keys()], CAPABILITIES)
    assert.deepEqual(seen(net), [])
    for (const { name, declared, source, atMs } of told(net).values()) {
      assert.equal(declared, name === "snmp" || name === "api", name)
      assert.deepEqual([source, atMs], [null, null])
    }
  })

  test("what a poll read is shown, from where and when; a silent source keeps its last answer", () => {
    const rows: Rows = {
      "": { "device.temp_c": 41, "pppoe.sessions.active": 321, "queue.simple.count": 4 },
      "if:sfp1": { "interface.oper_up": 1, "optical.rx_power_dbm": -7.5 },
      "bgp:10.0.0.9": { "bgp.peer.state": 5 },
    }
    const net = twin()
    net.apply(poll("r1", at(10), rows, { complete: ["interface", "bgp.peer"] }))
    assert.deepEqual(seen(net), ["snmp", "interfaces", "bgp", "sensors", "optics", "ppp", "queues"])
    assert.deepEqual(told(net).get("optics"), {
      name: "optics",
      declared: false,
      seen: true,
      source: "snmp",
      atMs: at(10),
    })
    net.apply(silence("r1", at(20)))
    assert.deepEqual(told(net).get("snmp"), { name: "snmp", declared: true, seen: true, source: "snmp", atMs: at(10) })
  })

  test("a source that should answer and never did is declared and not seen; another one's values do not make it so", () => {
    const net = twin(["snmp", "routeros"])
    net.apply(
      poll("r1", at(10), { "if:sfp1": { "interface.oper_up": 1 } }, { complete: ["interface"], source: "routeros" }),
    )
    net.apply(silence("r1", at(11)))
    assert.deepEqual(
      [told(net).get("snmp"), told(net).get("api")].map((one) => [one?.declared, one?.seen]),
      [
        [true, false],
        [true, true],
      ],
    )
  })

  test("a count of zero shows only that the question was answered", () => {
    const net = twin()
    net.apply(
      poll("r1", at(10), {
        "": { "pppoe.sessions.active": 0, "dhcp.leases.active": 0, "queue.tree.count": 0, "device.temp_c": 0 },
      }),
    )
    assert.deepEqual(seen(net), ["snmp", "sensors"])
  })

  test("[C22] traps and syslog by the notice that came; SSH and flow records never, for nothing reads them", () => {
    const read = twin().device("r1")
    const event = (source: EventView["source"], seconds: number, subject = read.id): EventView => ({
      id: `${seconds}-0`,
      atMs: at(seconds),
      type: "interface.oper.changed",
      severity: "major",
      subject,
      subjectKind: "device",
      entity: "",
      old: null,
      new: null,
      raw: null,
      source,
    })
    const of = (recent: readonly EventView[]) =>
      new Map(capabilitiesOf(device("r1"), read, recent).map((one) => [one.name, one]))
    const found = of([
      event("trap", 5),
      event("trap", 9),
      event("syslog", 7),
      event("trap", 50, "id-r2"),
      event("twin", 60),
    ])
    assert.deepEqual([found.get("traps")?.atMs, found.get("syslog")?.atMs], [at(9), at(7)])
    assert.equal(of([event("trap", 5, "id-r2")]).get("traps")?.seen, false, "another device's trap")
    for (const name of ["ssh", "flow"] as const)
      assert.deepEqual(found.get(name), { name, declared: false, seen: false, source: null, atMs: null })
  })

  test("[X1] whatever was read: seen exactly with a source and an age, and never newer than the newest input", () => {
    const metrics = ["device.temp_c", "pppoe.sessions.active", "nat.sessions.active", "radius.up"] as const
    const input = fc.record({
      seconds: fc.integer({ min: 1, max: 500 }),
      values: fc.dictionary(fc.constantFrom(...metrics), fc.integer({ min: 0, max: 3 })),
      source: fc.constantFrom("snmp", "routeros"),
    })
    fc.assert(
      fc.property(fc.array(input, { maxLength: 6 }), (inputs) => {
        const net = twin(["snmp", "routeros"])
        const ordered = inputs.toSorted((a, b) => a.seconds - b.seconds)
        for (const { seconds, values, source } of ordered)
          net.apply(poll("r1", at(seconds), { "": values as Rows[string] }, { source: source as "snmp" }))
        const newest = at(ordered.at(-1)?.seconds ?? 0)
        for (const one of told(net).values()) {
          assert.equal(one.seen, one.source !== null && one.atMs !== null, one.name)
          assert.ok((one.atMs ?? 0) <= newest, one.name)
        }
        const read = new Set(ordered.flatMap(({ values }) => Object.keys(values)))
        for (const name of ["optics", "wireless", "dhcp", "queues", "ospf", "bgp", "lldp", "traps"] as const)
          assert.equal(told(net).get(name)?.seen, false, name)
        assert.ok(told(net).get("sensors")?.seen === read.has("device.temp_c"))
      }),
    )
  })
})
