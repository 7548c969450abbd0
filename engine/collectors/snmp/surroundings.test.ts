import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import type { EntityKey } from "#protocol/id.ts"
import { deviceId, interfaceKey } from "#protocol/id.ts"
import { MAX_DISCOVERED, MAX_LLDP } from "#twin/adjacency.ts"
import type { PollInput } from "#twin/input.ts"
import { putAddresses } from "#engine/collectors/snmp/addresses.ts"
import type { OwnAddress } from "#engine/collectors/snmp/addresses.ts"
import { makeBatch } from "#engine/collectors/snmp/batch.ts"
import type { Batch } from "#engine/collectors/snmp/batch.ts"
import type { NeighborKeys } from "#engine/collectors/neighbor-keys.ts"
import { putDiscovery } from "#engine/collectors/snmp/discovery.ts"
import type { DiscoveredNeighbor } from "#engine/collectors/snmp/discovery.ts"
import { putLldp } from "#engine/collectors/snmp/lldp.ts"
import type { LldpNeighbor } from "#engine/collectors/snmp/lldp.ts"
import { stacksByName } from "#engine/collectors/snmp/stack.ts"
import { fingerprint, GENERIC } from "#engine/collectors/snmp/vendors.ts"

const batchOf = (fill: (batch: Batch) => void): PollInput => {
  const batch = makeBatch(new Map())
  fill(batch)
  return batch.finish(deviceId("d"), 0, 0)
}
const keyOf = (ifIndex: number): EntityKey | null => (ifIndex <= 9 ? interfaceKey(`e${ifIndex}`) : null)

const neighbor = (ifIndex: number | null, chassisId: string): LldpNeighbor => ({
  ifIndex,
  chassisId,
  portId: "p",
  port: "p",
  sysName: `n-${chassisId}`,
  sysDescr: null,
})
/** Name of the neighbour by key. */
const listed = (neighbors: readonly LldpNeighbor[], keys: NeighborKeys): Record<string, string> =>
  Object.fromEntries(
    batchOf((batch) => putLldp(batch, neighbors, true, keys, keyOf))
      .texts.filter(({ fact }) => fact === "lldp.neighbor.system_name")
      .map(({ entity, text }) => [entity, text]),
  )

test("a neighbour keeps its key while others of its port come and go", () => {
  const keys: NeighborKeys = new Map()
  const [a, b, c] = [neighbor(1, "a"), neighbor(1, "b"), neighbor(1, "c")]
  assert.deepEqual(listed([a, b], keys), { "lldp:e1": "n-a", "lldp:e1#2": "n-b" })
  assert.deepEqual(listed([b], keys), { "lldp:e1#2": "n-b" })
  assert.deepEqual(listed([b, c], keys), { "lldp:e1#2": "n-b", "lldp:e1": "n-c" })
  assert.deepEqual(listed([neighbor(null, "z"), neighbor(99, "y")], keys), { "lldp:": "n-z", "lldp:#2": "n-y" })
})

test("every row is one entity, listings in any order give the same keys, and too many are not called complete", () => {
  const row = fc.tuple(fc.oneof(fc.constant(null), fc.integer({ min: 1, max: 12 })), fc.constantFrom("a", "b", "c"))
  fc.assert(
    fc.property(fc.array(row, { maxLength: 40 }), (rows) => {
      const neighbors = rows.map(([ifIndex, chassis]) => neighbor(ifIndex, chassis))
      const keys: NeighborKeys = new Map()
      const first = listed(neighbors, keys)
      assert.equal(Object.keys(first).length, neighbors.length)
      assert.deepEqual(listed(neighbors.toReversed(), keys), first)
    }),
  )
  const crowd = Array.from({ length: MAX_LLDP + 1 }, (_, n) => neighbor(1, String(n)))
  const crowded = batchOf((batch) => putLldp(batch, crowd, true, new Map(), keyOf))
  assert.equal(crowded.entities.length, MAX_LLDP)
  assert.deepEqual(crowded.complete, [])
})

test("addresses go to their interfaces, whole ones up to the bound; lost ones are taken back once", () => {
  const told = new Set<EntityKey>()
  const say = (addresses: readonly OwnAddress[]): Record<string, string> =>
    Object.fromEntries(
      batchOf((batch) => putAddresses(batch, addresses, told, keyOf)).texts.map(({ entity, text }) => [entity, text]),
    )
  const one = (address: string, prefixLength: number | null, ifIndex: number | null): OwnAddress => ({
    address,
    prefixLength,
    ifIndex,
  })
  assert.deepEqual(
    say([
      one("10.0.0.1", 31, 1),
      one("10.0.0.9", null, 2),
      one("2001:db8::1", 64, 1),
      one("10.9.9.9", 32, null),
      one("10.8.8.8", 32, 77),
    ]),
    { "if:e1": "10.0.0.1/31, 2001:db8::1/64", "if:e2": "10.0.0.9" },
  )
  assert.deepEqual(say([one("10.0.0.1", 31, 1)]), { "if:e1": "10.0.0.1/31", "if:e2": "" })
  assert.deepEqual(say([one("10.0.0.1", 31, 1)]), { "if:e1": "10.0.0.1/31" })
  const many = say(Array.from({ length: 200 }, (_, n) => one(`10.0.${n}.1`, 24, 1)))["if:e1"] ?? ""
  assert.ok(many.length <= 256)
  const [shown = "", more = ""] = many.split(", +")
  assert.equal(shown.split(", ").length + Number(more), 200)
})

test("an unknown vendor stays generic SNMP; a known one is named by sysObjectID, its model and system by sysDescr", () => {
  for (const objectId of [null, "", "1.3.6.1.4.1.999999.1", "1.3.6.1.2.1.1"])
    assert.deepEqual(fingerprint(objectId, "RouterOS RB1"), { vendor: GENERIC, model: null, osVersion: null })
  assert.deepEqual(
    fingerprint(
      "1.3.6.1.4.1.2636.1.1.1.2.108",
      "Juniper Networks, Inc. vmx internet router, kernel JUNOS 18.2R1.9, Build",
    ),
    { vendor: "Juniper", model: "vmx", osVersion: "Junos 18.2R1.9" },
  )
})

const discovered = (
  ifIndex: number | null,
  mac: string,
  by: DiscoveredNeighbor["by"] = "mndp",
): DiscoveredNeighbor => ({
  by,
  ifIndex,
  identity: `n-${mac}`,
  mac,
  address: null,
})

test("discovered neighbours are keyed by protocol and port, keep their keys, and are dropped on ports without a name", () => {
  const keys: NeighborKeys = new Map()
  const put = (neighbors: readonly DiscoveredNeighbor[], isComplete = true) =>
    batchOf((batch) => putDiscovery(batch, neighbors, isComplete, keys, keyOf))
  const [a, b, c] = [discovered(1, "a"), discovered(1, "b"), discovered(1, "c", "discovery")]
  assert.deepEqual(put([a, b, c]).entities, ["mndp:e1", "mndp:e1#2", "discovery:e1"])
  const less = put([b])
  assert.deepEqual([less.entities, less.complete], [["mndp:e1#2"], ["discovery.neighbor"]])
  assert.deepEqual(put([discovered(null, "x"), discovered(99, "y")]).entities, [])
  const crowd = Array.from({ length: MAX_DISCOVERED + 1 }, (_, n) => discovered(1, String(n)))
  assert.deepEqual([put(crowd).entities.length, put(crowd).complete], [MAX_DISCOVERED, []])
  assert.deepEqual(put([a], false).complete, [])
})

test("pairs of ifIndexes become names; a port without a name is over and under nothing", () => {
  const stacks = stacksByName(
    [
      [3, 1],
      [3, 2],
      [99, 1],
      [4, 99],
      [3, 1],
      [5, 5],
    ],
    keyOf,
  )
  assert.deepEqual([...stacks], [["if:e3", ["if:e1", "if:e2"]]])
})
