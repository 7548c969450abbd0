/** What every path must pass, against brute force: take it out and see who is reached. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { dominatorsFrom } from "#twin/rca/dominators.ts"
import { randomGraph } from "#twin/whatif/graph.fixture.ts"
import { reachableFrom } from "#twin/whatif/reach.ts"

test("dominators and bridges are what cuts a router off when it fails, from one source or several", () => {
  fc.assert(
    fc.property(randomGraph(10, 18), fc.array(fc.nat(9), { minLength: 1, maxLength: 3 }), ({ graph }, wanted) => {
      const sources = wanted.map((node) => node % graph.nodes)
      const tree = dominatorsFrom(graph, sources)
      const whole = reachableFrom(graph, sources)
      const chain = (node: number): ReadonlySet<number> => {
        const above = new Set<number>()
        for (let at = tree.above[node] as number; at >= 0; at = tree.above[at] as number) above.add(at)
        return above
      }
      for (let failed = 0; failed < graph.nodes; failed++) {
        const mask = new Uint8Array(graph.nodes)
        mask[failed] = 1
        const rest = reachableFrom(graph, sources, mask)
        for (let node = 0; node < graph.nodes; node++) {
          if (node === failed || whole[node] === 0) continue
          assert.equal(chain(node).has(failed), rest[node] === 0, `node ${failed} above ${node}`)
        }
      }
      for (let failed = 0; failed < graph.links; failed++) {
        const mask = new Uint8Array(graph.links)
        mask[failed] = 1
        const rest = reachableFrom(graph, sources, null, mask)
        for (let node = 0; node < graph.nodes; node++) {
          if (whole[node] === 0) continue
          const onPath = [node, ...chain(node)].some((at) => tree.bridge[at] === failed)
          assert.equal(onPath, rest[node] === 0, `link ${failed} above ${node}`)
        }
      }
    }),
    { numRuns: 300 },
  )
})

test("what no source reaches hangs on nothing; a source is marked and has nobody above it", () => {
  fc.assert(
    fc.property(randomGraph(8, 6), ({ graph }) => {
      const tree = dominatorsFrom(graph, [0, -1, 99])
      const reached = reachableFrom(graph, [0])
      for (let node = 0; node < graph.nodes; node++)
        if (reached[node] === 0) assert.deepEqual([tree.above[node], tree.bridge[node]], [-1, -1])
      assert.deepEqual(
        [...tree.isSource].map((flag, node) => (flag === 1 ? node : -1)).filter((node) => node >= 0),
        [0],
      )
      assert.deepEqual([tree.above[0], tree.bridge[0]], [-1, -1])
    }),
  )
})
