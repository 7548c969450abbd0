import assert from "node:assert/strict"
import { test } from "node:test"
import { EMPTY_INVENTORY } from "#protocol/inventory.ts"
import { graphOf } from "#twin/graph.ts"
import { device, inventory, link } from "#twin/inventory.fixture.ts"
import { RING } from "#twin/network.fixture.ts"
import { buildTopology, endAt, linksOf } from "#twin/topology.ts"

const topology = buildTopology(3, RING)

test("slots are places in the inventory, and ports know their link and end", () => {
  assert.deepEqual([...topology.deviceSlot.values()], [0, 1, 2, 3])
  assert.deepEqual(
    [...topology.linkSlot],
    RING.links.map(({ id }, slot) => [id, slot]),
  )
  assert.deepEqual(linksOf(topology, 0), [0, 1, 4])
  assert.deepEqual(endAt(topology, 0, "ether5"), { link: 4, end: "b" })
  assert.equal(endAt(topology, 0, "ether9"), null)
  assert.equal(endAt(topology, 99, "ether1"), null)
  assert.deepEqual([topology.links[0]?.a, topology.links[0]?.b], ["r1 ether1", "r2 ether1"])
})

test("neighbours count a parallel link twice and a link to oneself not at all", () => {
  const { from, neighbour } = topology.tenant
  const of = (slot: number): number[] => [...neighbour.subarray(from[slot], from[slot + 1])]
  assert.deepEqual(
    [of(0), of(1), of(2), of(3)],
    [
      [1, 1, 3],
      [0, 0, 2],
      [1, 3],
      [2, 0],
    ],
  )
  const self = buildTopology(1, inventory([device("a")], [link("l", "a:1 a:2")]))
  assert.equal(self.tenant.neighbour.length, 0)
  assert.deepEqual(
    self.routers[0]?.ports.map(({ end }) => end),
    ["a", "b"],
  )
})

test("[W2] the graph has the declared links as edges, parallel ones twice, and nothing else", () => {
  const graph = graphOf(topology)
  assert.equal(graph.order, 4)
  assert.deepEqual(graph.edges().sort(), RING.links.map(({ id }) => id).sort())
  assert.equal(graph.edges("id-r1", "id-r2").length, 2)
  assert.deepEqual(graph.getEdgeAttributes("l2"), { slot: 1, capacityBps: null })
  assert.equal(graph.getNodeAttribute("id-r4", "name"), "r4")
})

test("an empty inventory and links to nowhere are structures too", () => {
  assert.equal(graphOf(buildTopology(0, EMPTY_INVENTORY)).order, 0)
  const ghost = buildTopology(1, inventory([device("a")], [link("l", "a:1 ghost:1")]))
  assert.equal(graphOf(ghost).size, 0)
  assert.equal(ghost.links[0]?.b, "id-ghost 1")
})
