/**
 * Redundancy, connectivity and k shortest paths on real ISPs' topologies (Internet Topology Zoo, GraphML), against brute
 * force. The graphs lie beside this repository, not in it: without them the test says so and is skipped.
 */
import assert from "node:assert/strict"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { resolve } from "node:path"
import { test } from "node:test"
import { disjointPaths } from "#twin/whatif/disjoint.ts"
import { flatGraph } from "#twin/whatif/graph.ts"
import type { FlatGraph } from "#twin/whatif/graph.ts"
import { IncrementalSpf } from "#twin/whatif/incremental-spf.ts"
import { kShortestPaths } from "#twin/whatif/paths.ts"
import { reachableFrom } from "#twin/whatif/reach.ts"
import { brutePaths, leastCut, lostBy } from "#twin/whatif/redundancy.fixture.ts"
import { redundancyOf } from "#twin/whatif/redundancy.ts"
import { shortestPaths } from "#twin/whatif/spf.ts"
import { Spanning } from "#twin/whatif/spanning.ts"

const FOLDER = resolve(import.meta.dirname, "../../../shared/data/topology")
const FILES = existsSync(FOLDER) ? readdirSync(FOLDER).filter((name) => name.endsWith(".graphml")) : []
const skip = FILES.length === 0 ? `no GraphML in ${FOLDER} (Internet Topology Zoo)` : false

const read = (file: string): FlatGraph => {
  const text = readFileSync(resolve(FOLDER, file), "utf8")
  const slots = new Map([...text.matchAll(/<node id="([^"]+)"/g)].map((match, slot) => [match[1], slot]))
  const links = [...text.matchAll(/<edge (?:id="[^"]*" )?source="([^"]+)" target="([^"]+)"/g)].map(
    ([, a, b], index) => {
      // The zoo has no costs: some that make ties usual and directions different.
      const [costAB, costBA] = [1 + (index % 3), 1 + (index % 4)]
      return { a: slots.get(a) ?? -1, b: slots.get(b) ?? -1, capacityBps: null, costAB, costBA }
    },
  )
  assert.ok(slots.size > 5 && links.length >= slots.size - 5, `${file}: ${slots.size} nodes, ${links.length} links`)
  return flatGraph(slots.size, links)
}

for (const file of FILES.length === 0 ? ["(none)"] : FILES) {
  test(
    `[W8] [next failure] bridges, articulation points and connectivity of ${file} equal brute force`,
    { skip },
    () => {
      const graph = read(file)
      const none = { failedNodes: new Uint8Array(graph.nodes), failedLinks: new Uint8Array(graph.links) }
      for (const sources of [[0], [0, graph.nodes >> 1]]) {
        const found = redundancyOf(graph, sources, none.failedNodes, none.failedLinks)
        const expected = lostBy(graph, sources, none.failedNodes, none.failedLinks)
        const counts = (map: ReadonlyMap<number, { nodes: number }>) =>
          [...map].map(([slot, { nodes }]) => [slot, nodes]).sort(([x = 0], [y = 0]) => x - y)
        assert.deepEqual(
          counts(found.links),
          [...expected.links].map(([slot, lost]) => [slot, lost.length]),
        )
        assert.deepEqual(
          counts(found.routers),
          [...expected.routers].map(([slot, lost]) => [slot, lost.length]),
        )
        // Cutting by hand tries every pair of elements: a few nodes each, and in a large graph single elements only.
        const most = graph.links > 150 ? 2 : 3
        const step = Math.max(1, Math.floor(graph.nodes / 12))
        for (let node = 1; node < graph.nodes; node += step) {
          if (sources.includes(node)) continue
          for (const without of ["link", "router"] as const)
            assert.equal(
              disjointPaths(graph, node, { sources, without, most, ...none }),
              leastCut(graph, node, sources, without, most),
            )
        }
      }
    },
  )

  test(`[W8] shortest paths and single failures of ${file} equal a fresh computation`, { skip }, () => {
    const graph = read(file)
    const spf = new IncrementalSpf(graph, [0])
    const spanning = new Spanning(graph, [0])
    for (let link = 0; link < graph.links; link++) {
      spf.begin()
      spanning.begin()
      spf.failLink(link)
      spanning.failLink(link)
      const fresh = shortestPaths(graph, [0], spf)
      assert.deepEqual([spf.distance, spf.hops], [fresh.distance, fresh.hops])
      assert.deepEqual(spanning.reached, reachableFrom(graph, [0], null, spf.failedLinks))
      spf.undo()
      spanning.undo()
    }
    const far = graph.nodes - 1
    const found = kShortestPaths(graph, far, 0, 8, spf)
    if (graph.links <= 40) {
      const all = brutePaths(graph, far, 0, spf).map(({ cost }) => cost)
      assert.deepEqual(
        found.map(({ cost }) => cost),
        all.sort((x, y) => x - y).slice(0, 8),
      )
    }
    assert.equal(found[0]?.cost ?? Infinity, spf.distance[far])
    for (const { nodes } of found) assert.equal(new Set(nodes).size, nodes.length)
  })
}
