import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { components, graphOf, shortestPaths } from "#lab/isp/spf.ts"
import type { GraphLink } from "#lab/isp/spf.ts"

const NODES = 12
const link = fc
  .record({ a: fc.nat(NODES - 1), b: fc.nat(NODES - 1), cost: fc.integer({ min: 1, max: 5 }), usable: fc.boolean() })
  .filter(({ a, b }) => a !== b)
const network = fc.array(link, { minLength: 1, maxLength: 30 })
const roots = fc.uniqueArray(fc.nat(NODES - 1), { minLength: 1, maxLength: 3 })

/** Bellman-Ford: slow and obvious. */
const distances = (links: readonly (GraphLink & { usable: boolean })[], from: readonly number[]): number[] => {
  const distance = Array.from({ length: NODES }, (_, node) => (from.includes(node) ? 0 : Infinity))
  for (let round = 0; round < NODES; round++)
    for (const { a, b, cost, usable } of links) {
      if (!usable) continue
      distance[a] = Math.min(distance[a]!, distance[b]! + cost)
      distance[b] = Math.min(distance[b]!, distance[a]! + cost)
    }
  return distance
}

test("distances are Bellman-Ford's, whatever the graph", () => {
  fc.assert(
    fc.property(network, roots, (links, from) => {
      const usable = Uint8Array.from(links, (one) => (one.usable ? 1 : 0))
      const dag = shortestPaths(graphOf(NODES, links), from, usable)
      assert.deepEqual([...dag.distance], distances(links, from))
    }),
  )
})

test("next hops are exactly the usable arcs on which the distance falls by the cost, and the order is by distance", () => {
  fc.assert(
    fc.property(network, roots, (links, from) => {
      const usable = Uint8Array.from(links, (one) => (one.usable ? 1 : 0))
      const dag = shortestPaths(graphOf(NODES, links), from, usable)
      dag.order.forEach((node, i) => {
        if (i > 0) assert.ok(dag.distance[dag.order[i - 1]!]! <= dag.distance[node]!)
        const hops = [...dag.hops.subarray(dag.hopStart[i], dag.hopStart[i + 1])].sort((x, y) => x - y)
        const wanted = links.flatMap(({ a, b, cost, usable }, l) => {
          if (!usable || !(node === a || node === b)) return []
          const other = node === a ? b : a
          return dag.distance[other]! + cost === dag.distance[node]! ? [2 * l + (node === a ? 0 : 1)] : []
        })
        assert.deepEqual(
          hops,
          wanted.sort((x, y) => x - y),
        )
      })
    }),
  )
})

test("two nodes are in one component when and only when a usable path joins them", () => {
  fc.assert(
    fc.property(network, (links) => {
      const usable = Uint8Array.from(links, (one) => (one.usable ? 1 : 0))
      const component = components(graphOf(NODES, links), new Uint8Array(NODES).fill(1), usable)
      for (let node = 0; node < NODES; node++)
        distances(links, [node]).forEach((distance, other) =>
          assert.equal(component[other] === component[node], distance < Infinity),
        )
    }),
    { numRuns: 30 },
  )
})
