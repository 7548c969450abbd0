/** The flat graph against the links it was made of, and the plain sweep against a transitive closure. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { buildTopology } from "#twin/topology.ts"
import { device, inventory, link } from "#twin/inventory.fixture.ts"
import { costOfCapacity, flatGraph, flatGraphOf, MAX_COST } from "#twin/whatif/graph.ts"
import type { FlatLink } from "#twin/whatif/graph.ts"
import { reachableFrom } from "#twin/whatif/reach.ts"

const someLinks = (nodes: number): fc.Arbitrary<readonly FlatLink[]> =>
  fc.array(
    fc.record({
      a: fc.integer({ min: -1, max: nodes - 1 }),
      b: fc.integer({ min: -1, max: nodes - 1 }),
      capacityBps: fc.constantFrom(null, 1e6, 1e9, 10e9, 400e9),
      costAB: fc.integer({ min: 1, max: 20 }),
      costBA: fc.integer({ min: 1, max: 20 }),
    }),
    { maxLength: 30 },
  )

test("[W1] every declared link is two half-edges with their own costs; self-loops and foreign ends are never walked", () => {
  fc.assert(
    fc.property(someLinks(7), (links) => {
      const graph = flatGraph(7, links)
      assert.equal(graph.links, links.length)
      const walked = links.flatMap((one, l) => (one.a >= 0 && one.b >= 0 && one.a !== one.b ? [{ ...one, l }] : []))
      assert.equal(graph.to.length, 2 * walked.length)
      for (const { a, b, costAB, costBA, l } of walked) {
        const [out, back] = [graph.half[2 * l] as number, graph.half[2 * l + 1] as number]
        assert.deepEqual([graph.to[out], graph.link[out], graph.cost[out]], [b, l, costAB])
        assert.deepEqual([graph.back[out], graph.back[back]], [back, out])
        assert.deepEqual([graph.to[back], graph.link[back], graph.cost[back]], [a, l, costBA])
        assert.ok(out >= (graph.from[a] as number) && out < (graph.from[a + 1] as number))
        assert.ok(back >= (graph.from[b] as number) && back < (graph.from[b + 1] as number))
      }
      for (const [l, one] of links.entries()) {
        assert.deepEqual([graph.a[l], graph.b[l]], [one.a, one.b])
        if (!walked.some((other) => other.l === l)) assert.equal(graph.half[2 * l], -1)
        assert.equal(graph.capacityBps[l], one.capacityBps ?? Number.NaN)
      }
    }),
  )
})

test("a cost follows capacity, is whole, and stays within 16 bits", () => {
  assert.equal(costOfCapacity(100e9), 1)
  assert.equal(costOfCapacity(400e9), 1)
  assert.equal(costOfCapacity(10e9), 10)
  assert.equal(costOfCapacity(1e9), 100)
  assert.equal(costOfCapacity(Number.NaN), 100)
  assert.equal(costOfCapacity(1e3), MAX_COST)
  assert.equal(costOfCapacity(10e6, 100e6), 10)
})

test("[W2] a topology's slots are the graph's; what is told beats what is declared", () => {
  const topology = buildTopology(
    1,
    inventory(
      [device("r1"), device("r2")],
      [link("l1", "r1:ether1 r2:ether1"), link("l2", "r2:ether2 nowhere:ether1", null)],
    ),
  )
  const graph = flatGraphOf(topology)
  assert.deepEqual([...graph.a], [0, 1])
  assert.deepEqual([...graph.b], [1, -1])
  assert.deepEqual([...graph.cost], [100, 100])
  assert.ok(Number.isNaN(graph.capacityBps[1]))
  const told = flatGraphOf(topology, {
    capacityBps: [10e9, Number.NaN],
    costOf: (l) => (l === 0 ? { costAB: 7, costBA: 9 } : null),
  })
  assert.deepEqual([...told.cost], [7, 9])
  assert.equal(told.capacityBps[0], 10e9)
})

test("the plain sweep is the transitive closure of what has not failed", () => {
  const bits = (length: number) => fc.array(fc.nat(1), { minLength: length, maxLength: length })
  fc.assert(
    fc.property(
      someLinks(7),
      bits(7),
      bits(30),
      fc.array(fc.nat(6), { maxLength: 3 }),
      (links, nodes, cut, sources) => {
        const graph = flatGraph(7, links)
        const [failedNodes, failedLinks] = [Uint8Array.from(nodes), Uint8Array.from(cut)]
        const expected = new Set(sources.filter((node) => nodes[node] === 0))
        for (let grown = true; grown;) {
          const before = expected.size
          for (const [l, { a, b }] of links.entries()) {
            if (cut[l] === 1 || a < 0 || b < 0 || nodes[a] === 1 || nodes[b] === 1) continue
            if (expected.has(a)) expected.add(b)
            if (expected.has(b)) expected.add(a)
          }
          grown = expected.size > before
        }
        const reached = reachableFrom(graph, sources, failedNodes, failedLinks)
        assert.deepEqual(
          [...reached],
          nodes.map((_, node) => (expected.has(node) ? 1 : 0)),
        )
      },
    ),
  )
})
