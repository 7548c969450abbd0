/** Bridges, articulation points, disjoint paths and k shortest paths against brute force: break things and look. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { randomGraph } from "#twin/whatif/graph.fixture.ts"
import { flatGraph } from "#twin/whatif/graph.ts"
import type { FlatGraph } from "#twin/whatif/graph.ts"
import { disjointPaths } from "#twin/whatif/disjoint.ts"
import { kShortestPaths } from "#twin/whatif/paths.ts"
import type { Path } from "#twin/whatif/paths.ts"
import { net } from "#twin/whatif/model.fixture.ts"
import { reachableFrom } from "#twin/whatif/reach.ts"
import { redundancyOf } from "#twin/whatif/redundancy.ts"
import { brutePaths, leastCut, lostBy } from "#twin/whatif/redundancy.fixture.ts"

const bits = (length: number) =>
  fc.array(
    fc.nat(9).map((n) => (n === 0 ? 1 : 0)),
    { minLength: length, maxLength: length },
  )
const weight = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8]

test("[W8] who is cut off by one failure equals failing each link and router and looking, also when something is down", () => {
  fc.assert(
    fc.property(
      randomGraph(10, 16),
      fc.array(fc.nat(9), { minLength: 1, maxLength: 3 }),
      bits(10),
      bits(16),
      ({ graph }, some, nodes, links) => {
        const sources = some.map((source) => source % graph.nodes)
        const [failedNodes, failedLinks] = [Uint8Array.from(nodes), Uint8Array.from(links)]
        const found = redundancyOf(graph, sources, failedNodes, failedLinks, weight)
        const expected = lostBy(graph, sources, failedNodes, failedLinks)
        const summed = (lost: readonly number[]) => ({
          nodes: lost.length,
          weight: lost.reduce((sum, node) => sum + (weight[node] as number), 0),
        })
        const sorted = <T>(map: ReadonlyMap<number, T>) => [...map].sort(([x], [y]) => x - y)
        assert.deepEqual(
          sorted(found.links),
          sorted(new Map([...expected.links].map(([link, lost]) => [link, summed(lost)]))),
        )
        assert.deepEqual(
          sorted(found.routers),
          sorted(new Map([...expected.routers].map(([router, lost]) => [router, summed(lost)]))),
        )
        for (let node = 0; node < graph.nodes; node++) {
          const cuts = (map: ReadonlyMap<number, readonly number[]>) =>
            [...map].flatMap(([element, lost]) => (lost.includes(node) ? [element] : []))
          const [byLink, byRouter] = [cuts(expected.links), cuts(expected.routers)]
          const single = found.singleLink[node] as number
          assert.ok(byLink.length === 0 ? single === -1 : byLink.includes(single))
          const router = found.singleRouter[node] as number
          assert.ok(byRouter.length === 0 ? router === -1 : byRouter.includes(router))
        }
      },
    ),
    { numRuns: 2000 },
  )
})

test("[W8] independent ways equal the fewest failures that cut a router off, by links and by routers", () => {
  fc.assert(
    fc.property(
      randomGraph(7, 12),
      fc.array(fc.nat(6), { minLength: 1, maxLength: 3 }),
      fc.nat(6),
      fc.constantFrom("link" as const, "router" as const),
      ({ graph }, some, asks, without) => {
        const node = asks % graph.nodes
        const sources = some.map((source) => source % graph.nodes)
        fc.pre(!sources.includes(node))
        const failedNodes = new Uint8Array(graph.nodes)
        const failedLinks = new Uint8Array(graph.links)
        const count = disjointPaths(graph, node, { sources, failedNodes, failedLinks, without, most: 4 })
        assert.equal(count, leastCut(graph, node, sources, without, 4))
      },
    ),
    { numRuns: 1000 },
  )
})

test("[W8] a path that stands in the way of two is led around", () => {
  // The shortest way 0-1-2-9 uses a link of both of the only two that share nothing.
  const text = "0-1 1-2 2-9 0-3 3-4 4-2 1-5 5-6 6-9"
  const graph = net(10, text)
  const none = { failedNodes: new Uint8Array(10), failedLinks: new Uint8Array(9) }
  for (const without of ["link", "router"] as const)
    assert.equal(disjointPaths(graph, 0, { sources: [9, 8], without, most: 4, ...none }), without === "link" ? 2 : 1)
  const two = net(10, text.replace("6-9", "6-8"))
  assert.equal(disjointPaths(two, 0, { sources: [9, 8], without: "router", most: 4, ...none }), 2)
})

test("a source needs no way, a failed router has none", () => {
  const graph = flatGraph(2, [{ a: 0, b: 1, capacityBps: null }])
  const question = { sources: [0], failedLinks: new Uint8Array(1), without: "link", most: 3 } as const
  assert.equal(disjointPaths(graph, 0, { ...question, failedNodes: new Uint8Array(2) }), 3)
  assert.equal(disjointPaths(graph, 1, { ...question, failedNodes: Uint8Array.from([0, 1]) }), 0)
  assert.equal(disjointPaths(graph, 1, { ...question, failedNodes: Uint8Array.from([1, 0]) }), 0)
})

const costsOf = (graph: FlatGraph, failedNodes: readonly number[] = [], failedLinks: readonly number[] = []) => ({
  cost: graph.cost,
  failedNodes: Uint8Array.from({ length: graph.nodes }, (_, n) => failedNodes[n] ?? 0),
  failedLinks: Uint8Array.from({ length: graph.links }, (_, l) => failedLinks[l] ?? 0),
})

test("[W8] the k shortest paths are the k first of all loop-free paths", () => {
  fc.assert(
    fc.property(
      randomGraph(6, 10),
      fc.nat(5),
      fc.nat(5),
      fc.integer({ min: 1, max: 12 }),
      bits(6),
      bits(10),
      ({ graph }, one, other, k, nodes, links) => {
        const [from, to] = [one % graph.nodes, other % graph.nodes]
        fc.pre(from !== to)
        const costs = costsOf(graph, nodes, links)
        const all = brutePaths(graph, from, to, costs)
        const found = kShortestPaths(graph, from, to, k, costs)
        assert.deepEqual(
          found.map((path) => path.cost),
          all
            .map((path) => path.cost)
            .sort((x, y) => x - y)
            .slice(0, k),
        )
        const known = new Map(all.map((path): [string, Path] => [path.links.join(), path]))
        for (const path of found) assert.deepEqual(path, known.get(path.links.join()))
        assert.equal(new Set(found.map((path) => path.links.join())).size, found.length)
      },
    ),
    { numRuns: 2000 },
  )
})

test("a router is no path to itself, and nobody starts from a failed one", () => {
  const graph = flatGraph(2, [{ a: 0, b: 1, capacityBps: null }])
  assert.deepEqual(kShortestPaths(graph, 0, 0, 3, costsOf(graph)), [])
  assert.deepEqual(kShortestPaths(graph, 0, 1, 3, costsOf(graph, [1])), [])
  assert.equal(kShortestPaths(graph, 0, 1, 3, costsOf(graph)).length, 1)
})

test("what a cut link leaves is what a sweep finds", () => {
  const graph = flatGraph(3, [
    { a: 0, b: 1, capacityBps: null },
    { a: 1, b: 2, capacityBps: null },
  ])
  const { links, singleRouter } = redundancyOf(graph, [0], new Uint8Array(3), new Uint8Array(2))
  assert.deepEqual(links.get(0), { nodes: 2, weight: 0 })
  assert.deepEqual([...singleRouter], [-1, 0, 1])
  assert.deepEqual([...reachableFrom(graph, [0], null, Uint8Array.from([1, 0]))], [1, 0, 0])
})
