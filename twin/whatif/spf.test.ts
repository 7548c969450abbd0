/** Shortest paths against Bellman-Ford, and the incremental ones against those from scratch after every step. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { moved, randomGraph } from "#twin/whatif/graph.fixture.ts"
import type { Move } from "#twin/whatif/graph.fixture.ts"
import { flatGraph, MAX_COST } from "#twin/whatif/graph.ts"
import type { FlatGraph } from "#twin/whatif/graph.ts"
import { Heap } from "#twin/whatif/heap.ts"
import { IncrementalSpf } from "#twin/whatif/incremental-spf.ts"
import type { Costs } from "#twin/whatif/spf.ts"
import { isHop, shortestPaths } from "#twin/whatif/spf.ts"

const someRoots = fc.array(fc.nat(11), { minLength: 1, maxLength: 3 })
const rootsIn = (graph: FlatGraph, roots: readonly number[]): readonly number[] => roots.map((r) => r % graph.nodes)

/** Every node tries every link until nobody gains. */
const bellmanFord = (graph: FlatGraph, roots: readonly number[], costs: Costs): number[] => {
  const distance = Array.from({ length: graph.nodes }, () => Infinity)
  for (const root of roots) if (costs.failedNodes[root] === 0) distance[root] = 0
  for (let round = 0; round < graph.nodes; round++)
    for (let node = 0; node < graph.nodes; node++)
      for (let half = graph.from[node] as number; half < (graph.from[node + 1] as number); half++) {
        const next = graph.to[half] as number
        if (costs.failedLinks[graph.link[half] as number] === 1) continue
        if (costs.failedNodes[node] === 1 || costs.failedNodes[next] === 1) continue
        distance[node] = Math.min(distance[node] as number, (distance[next] as number) + (costs.cost[half] as number))
      }
  return distance
}

test("shortest paths with asymmetric costs equal Bellman-Ford; next hops are all that lie on a shortest way", () => {
  const bits = (length: number) => fc.array(fc.nat(1), { minLength: length, maxLength: length })
  fc.assert(
    fc.property(randomGraph(), someRoots, bits(12), bits(30), ({ graph }, some, nodes, links) => {
      const roots = rootsIn(graph, some)
      const costs = { cost: graph.cost, failedNodes: Uint8Array.from(nodes), failedLinks: Uint8Array.from(links) }
      const paths = shortestPaths(graph, roots, costs)
      assert.deepEqual([...paths.distance], bellmanFord(graph, roots, costs))
      const order = [...paths.order.subarray(0, paths.count)]
      const far = order.map((node) => paths.distance[node] as number)
      assert.deepEqual(
        far,
        far.toSorted((x, y) => x - y),
      )
      assert.equal(new Set(order).size, paths.distance.filter((d) => d < Infinity).length)
      for (const node of order) {
        const hops = []
        for (let half = graph.from[node] as number; half < (graph.from[node + 1] as number); half++)
          if (isHop(graph, costs, paths.distance, node, half)) hops.push(half)
        assert.equal(paths.hops[node], hops.length)
        assert.equal(hops.length === 0, paths.distance[node] === 0)
      }
    }),
    { numRuns: 1000 },
  )
})

test("the cost that counts is that of sending towards the root", () => {
  const graph = flatGraph(2, [{ a: 0, b: 1, capacityBps: null, costAB: 3, costBA: 8 }])
  assert.deepEqual([...new IncrementalSpf(graph, [0]).distance], [0, 8])
  assert.deepEqual([...new IncrementalSpf(graph, [1]).distance], [3, 0])
})

const take = (spf: IncrementalSpf, done: NonNullable<ReturnType<typeof moved>>): void => {
  const { what, slot, failed } = done
  if (what === "link") return failed ? spf.failLink(slot) : spf.mendLink(slot)
  return failed ? spf.failNode(slot) : spf.mendNode(slot)
}

const assertFromScratch = (graph: FlatGraph, roots: readonly number[], spf: IncrementalSpf): void => {
  const paths = shortestPaths(graph, roots, spf)
  assert.deepEqual(spf.distance, paths.distance)
  assert.deepEqual(spf.hops, paths.hops)
}

type Change = Move | { readonly what: "cost"; readonly index: number; readonly out: number; readonly back: number }

/** A failure or repair, or a new cost of a link. */
const changes = (maxLength: number): fc.Arbitrary<readonly Change[]> => {
  const cost = fc.integer({ min: 1, max: 5 })
  const move = fc.record({ what: fc.constantFrom("link", "link", "node"), index: fc.nat(1000) })
  const newCost = fc.record({ what: fc.constant("cost"), index: fc.nat(1000), out: cost, back: cost })
  return fc.array(fc.oneof<[fc.Arbitrary<Change>, fc.Arbitrary<Change>, fc.Arbitrary<Change>]>(move, move, newCost), {
    maxLength,
  })
}

const run = (graph: FlatGraph, spf: IncrementalSpf, list: readonly Change[], check: () => void): void => {
  const [nodes, links] = [spf.failedNodes.slice(), spf.failedLinks.slice()]
  for (const change of list) {
    if (change.what === "cost") {
      if (graph.links > 0) spf.changeCost(change.index % graph.links, change.out, change.back)
    } else {
      const done = moved(graph, change, nodes, links)
      if (done !== null) take(spf, done)
    }
    check()
  }
}

test("incremental paths equal those from scratch after every failure, repair and change of cost", () => {
  fc.assert(
    fc.property(randomGraph(), someRoots, changes(40), ({ graph }, some, list) => {
      const roots = rootsIn(graph, some)
      const spf = new IncrementalSpf(graph, roots)
      run(graph, spf, list, () => assertFromScratch(graph, roots, spf))
    }),
    { numRuns: 3000 },
  )
})

test("what is taken back is as it was to the last bit; whoever changed is among the touched", () => {
  fc.assert(
    fc.property(randomGraph(), someRoots, changes(10), changes(10), ({ graph }, some, first, tried) => {
      const roots = rootsIn(graph, some)
      const spf = new IncrementalSpf(graph, roots)
      run(graph, spf, first, () => undefined)
      const before = structuredClone([spf.distance, spf.hops, spf.cost, spf.failedNodes, spf.failedLinks])
      spf.begin()
      run(graph, spf, tried, () => undefined)
      const touched = new Set(spf.touched.subarray(0, spf.touchedCount))
      for (let node = 0; node < graph.nodes; node++)
        if (spf.distance[node] !== before[0]![node] || spf.hops[node] !== before[1]![node]) assert.ok(touched.has(node))
      spf.undo()
      assert.equal(spf.touchedCount, 0)
      assert.deepEqual([spf.distance, spf.hops, spf.cost, spf.failedNodes, spf.failedLinks], before)
      run(graph, spf, first, () => assertFromScratch(graph, roots, spf))
    }),
    { numRuns: 1000 },
  )
})

test("a drained link carries only what has no other way", () => {
  const graph = flatGraph(3, [
    { a: 0, b: 1, capacityBps: 1e9, costAB: 1, costBA: 1 },
    { a: 1, b: 2, capacityBps: 1e9, costAB: 1, costBA: 1 },
    { a: 0, b: 2, capacityBps: 1e9, costAB: 5, costBA: 5 },
  ])
  const spf = new IncrementalSpf(graph, [0])
  assert.deepEqual([...spf.distance], [0, 1, 2])
  spf.drainLink(0)
  assert.deepEqual([...spf.distance], [0, 6, 5])
  spf.failLink(2)
  assert.deepEqual([...spf.distance], [0, MAX_COST, MAX_COST + 1])
})

test("the heap hands out keys in ascending order", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1000), { maxLength: 200 }), (keys) => {
      const heap = new Heap()
      for (const [node, key] of keys.entries()) heap.push(key, node)
      const out: number[] = []
      while (heap.size > 0) {
        const least = heap.least
        assert.equal(keys[heap.pop()], least)
        out.push(least)
      }
      assert.deepEqual(
        out,
        keys.toSorted((x, y) => x - y),
      )
    }),
  )
})
