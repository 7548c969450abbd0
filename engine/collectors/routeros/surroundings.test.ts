/** What the API says of a router's surroundings: keys and texts as SNMP would make them, and nobody's private address. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { makeBatch } from "#engine/collectors/routeros/map.ts"
import type { Row } from "#engine/collectors/routeros/reply.ts"
import { makeTold, mapAddresses, mapNeighbors } from "#engine/collectors/routeros/surroundings.ts"
import { MAX_DISCOVERED, MAX_LLDP } from "#twin/adjacency.ts"

const row = (fields: Record<string, string>): Row => new Map(Object.entries(fields))
const INTERFACES = [
  row({ name: "ether1", type: "ether" }),
  row({ name: "ether2", type: "ether" }),
  row({ name: "bridge", type: "bridge" }),
]
const textsOf = (batch: ReturnType<typeof makeBatch>): Record<string, string> =>
  Object.fromEntries(batch.columns().texts.map(({ entity, fact, text }) => [`${fact}@${entity}`, text]))

const addresses = (rows: readonly Row[], told = makeTold()): Record<string, string> => {
  const batch = makeBatch()
  mapAddresses(batch, rows, INTERFACES, told.addressed)
  return textsOf(batch)
}

describe("[C1] own addresses", () => {
  test("both families of an interface are one text, in the router's order", () => {
    const rows = [
      row({ address: "10.0.0.1/31", interface: "ether1", "actual-interface": "ether1", disabled: "false" }),
      row({ address: "10.1.0.1/24", interface: "bridge", "actual-interface": "bridge" }),
      row({ address: "2001:db8::1/64", interface: "ether1" }),
    ]
    assert.deepEqual(addresses(rows), {
      "interface.addresses@if:ether1": "10.0.0.1/31, 2001:db8::1/64",
      "interface.addresses@if:bridge": "10.1.0.1/24",
    })
  })

  test("[S11] an address on an interface that the poll did not list, like a subscriber's, is nobody's business", () => {
    assert.deepEqual(addresses([row({ address: "100.64.3.7/32", interface: "<pppoe-maria>" })]), {})
  })

  test("disabled, invalid and nonsense are left out", () => {
    const rows = [
      row({ address: "10.0.0.1/31", interface: "ether1", disabled: "true" }),
      row({ address: "10.0.0.3/31", interface: "ether1", invalid: "true" }),
      row({ address: "ether9", interface: "ether1" }),
      row({ interface: "ether1" }),
      row({ address: "10.0.0.5/31" }),
    ]
    assert.deepEqual(addresses(rows), {})
  })

  test("an interface that lost its addresses says so once", () => {
    const told = makeTold()
    addresses([row({ address: "10.0.0.1/31", interface: "ether1" })], told)
    assert.deepEqual(addresses([], told), { "interface.addresses@if:ether1": "" })
    assert.deepEqual(addresses([], told), {})
  })
})

const neighbors = (rows: readonly Row[], told = makeTold()) => {
  const batch = makeBatch()
  mapNeighbors(batch, rows, INTERFACES, told)
  return { texts: textsOf(batch), complete: batch.columns().complete, entities: batch.columns().entities }
}
const heard = (over: string, name: string, more: Record<string, string> = {}): Row =>
  row({
    interface: over,
    identity: name,
    "mac-address": `48:8F:5A:00:00:${name}`,
    "interface-name": "ether5",
    "discovered-by": "cdp,lldp,mndp",
    ...more,
  })

describe("[C1] neighbours", () => {
  test("one heard by LLDP is an adjacency, with port, name and chassis as LLDP-MIB would give them", () => {
    const { texts, complete } = neighbors([heard("ether1", "0A", { "interface-name": "bridge1/ether5" })])
    assert.deepEqual(texts, {
      "lldp.neighbor.interface@lldp:ether1": "ether1",
      "lldp.neighbor.system_name@lldp:ether1": "0A",
      "lldp.neighbor.port@lldp:ether1": "ether5",
      "lldp.neighbor.chassis@lldp:ether1": "48:8f:5a:00:00:0a",
    })
    assert.deepEqual(complete, ["lldp.neighbor", "discovery.neighbor"])
  })

  test("heard by MNDP or CDP only goes by that name, with MAC and address; by nobody says what, by `discovery`", () => {
    const rows = [
      heard("ether1", "0A", { "discovered-by": "mndp", address: "192.168.88.1", "interface-name": "bridge1/ether7" }),
      heard("ether1", "0B", { "discovered-by": "cdp,mndp", address: "fe80::1", address4: "10.0.0.9" }),
      heard("ether2", "0C", { "discovered-by": "cdp", address: "not an address" }),
      row({ interface: "ether1", identity: "old RouterOS", "software-id": "AB12-CD34" }),
      row({ interface: "ether1", identity: "old Cisco", "mac-address": "00:00:0C:00:00:01" }),
    ]
    const { texts, entities, complete } = neighbors(rows)
    assert.deepEqual(entities, ["mndp:ether1", "mndp:ether1#2", "cdp:ether2", "mndp:ether1#3", "discovery:ether1"])
    assert.deepEqual(complete, ["lldp.neighbor", "discovery.neighbor"])
    const facts = (key: string) =>
      ["interface", "system_name", "port", "mac", "address"].map((fact) => texts[`discovery.neighbor.${fact}@${key}`])
    assert.deepEqual(facts("mndp:ether1"), ["ether1", "0A", "ether7", "48:8f:5a:00:00:0a", "192.168.88.1"])
    assert.deepEqual(facts("mndp:ether1#2"), ["ether1", "0B", "ether5", "48:8f:5a:00:00:0b", "10.0.0.9"])
    assert.deepEqual(facts("cdp:ether2"), ["ether2", "0C", "ether5", "48:8f:5a:00:00:0c", ""])
    assert.deepEqual(facts("discovery:ether1"), ["ether1", "old Cisco", "", "00:00:0c:00:00:01", ""])
  })

  test("[S11] a subscriber's own box, heard over its session, is not told at all", () => {
    const rows = [
      heard("<pppoe-maria>", "casa-da-maria", { "discovered-by": "mndp" }),
      row({ interface: "<l2tp-x>", identity: "x", "mac-address": "02:00:00:00:00:01" }),
    ]
    const { entities, texts, complete } = neighbors(rows)
    assert.deepEqual([entities, texts], [[], {}])
    assert.deepEqual(complete, ["lldp.neighbor", "discovery.neighbor"])
  })

  test("RouterOS 7 names a bridge's port before its bridge", () => {
    assert.deepEqual(neighbors([heard("ether2,bridge", "0A", { "discovered-by": "cdp" })]).entities, ["cdp:ether2"])
  })

  test("the second on a port stays the second when the first goes", () => {
    const told = makeTold()
    assert.deepEqual(neighbors([heard("ether1", "0A"), heard("ether1", "0B")], told).entities, [
      "lldp:ether1",
      "lldp:ether1#2",
    ])
    const { entities, texts } = neighbors([heard("ether1", "0B")], told)
    assert.deepEqual(entities, ["lldp:ether1#2"])
    assert.equal(texts["lldp.neighbor.system_name@lldp:ether1#2"], "0B")
  })

  test("a bridge's port is named by its cable; an unlisted interface by nothing", () => {
    assert.deepEqual(neighbors([heard("bridge/ether2", "0A"), heard("<l2tp-x>", "0B")]).entities, [
      "lldp:ether2",
      "lldp:",
    ])
  })

  test("more than the twin keeps: the rest is left out and the list is not complete", () => {
    const many = Array.from({ length: MAX_LLDP + 1 }, (_, i) => heard("ether1", String(i)))
    const { complete, entities } = neighbors(many)
    assert.equal(entities.length, MAX_LLDP)
    assert.deepEqual(complete, ["discovery.neighbor"])
    const radios = many.slice(0, MAX_DISCOVERED + 1).map((one) => new Map(one).set("discovered-by", "mndp"))
    const crowded = neighbors(radios)
    assert.equal(crowded.entities.length, MAX_DISCOVERED)
    assert.deepEqual(crowded.complete, ["lldp.neighbor"])
  })

  test("any rows of words: no throw, every entity is a neighbour of ours, each key once", () => {
    const word = fc.oneof(fc.string(), fc.constantFrom("ether1", "bridge/ether2", "lldp", "cdp,lldp", "\0", "a/b/"))
    const fields = fc.dictionary(
      fc.constantFrom(
        "interface",
        "identity",
        "mac-address",
        "interface-name",
        "discovered-by",
        "address",
        "software-id",
      ),
      word,
    )
    fc.assert(
      fc.property(fc.array(fc.array(fields.map(row), { maxLength: 20 }), { maxLength: 4 }), (polls) => {
        const told = makeTold()
        for (const rows of polls) {
          const { entities } = neighbors(rows, told)
          assert.equal(new Set(entities).size, entities.length)
          assert.ok(entities.every((key) => /^(lldp|mndp|cdp|discovery):/.test(key)))
        }
      }),
    )
  })
})
