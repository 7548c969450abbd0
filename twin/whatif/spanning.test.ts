/** Incremental reachability against breadth first from scratch, after every single step of random failures and repairs. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { moved, moves, randomGraph } from "#twin/whatif/graph.fixture.ts"
import { flatGraph } from "#twin/whatif/graph.ts"
import type { FlatGraph } from "#twin/whatif/graph.ts"
import { reachableFrom } from "#twin/whatif/reach.ts"
import { Spanning } from "#twin/whatif/spanning.ts"

const sources = fc.array(fc.nat(11), { minLength: 1, maxLength: 3 })

const line = (nodes: number): FlatGraph =>
  flatGraph(
    nodes,
    Array.from({ length: nodes - 1 }, (_, n) => ({ a: n, b: n + 1, capacityBps: 1e9 })),
  )

const take = (spanning: Spanning, done: NonNullable<ReturnType<typeof moved>>): number => {
  if (done.what === "link") return done.failed ? spanning.failLink(done.slot) : spanning.mendLink(done.slot)
  return done.failed ? spanning.failNode(done.slot) : spanning.mendNode(done.slot)
}

test("incremental reachability equals breadth first from scratch after every step, and names exactly who changed", () => {
  fc.assert(
    fc.property(randomGraph(), sources, moves(), ({ graph }, from, list) => {
      const spanning = new Spanning(graph, from)
      const [nodes, links] = [new Uint8Array(graph.nodes), new Uint8Array(graph.links)]
      let before = reachableFrom(graph, from).slice()
      assert.deepEqual(spanning.reached, before)
      for (const move of list) {
        const done = moved(graph, move, nodes, links)
        if (done === null) continue
        const count = take(spanning, done)
        const after = reachableFrom(graph, from, nodes, links).slice()
        assert.deepEqual(spanning.reached, after)
        const changed = [...spanning.changed.subarray(0, count)].sort((x, y) => x - y)
        assert.deepEqual(
          changed,
          [...after.keys()].filter((node) => before[node] !== after[node]),
        )
        assert.equal(
          spanning.reachedCount,
          after.reduce((sum, bit) => sum + bit, 0),
        )
        before = after
      }
    }),
    { numRuns: 3000 },
  )
})

test("a batch is taken back to the last bit, and the forest goes on being right", () => {
  fc.assert(
    fc.property(randomGraph(), sources, moves(15), moves(15), moves(15), ({ graph }, from, first, tried, then) => {
      const spanning = new Spanning(graph, from)
      const [nodes, links] = [new Uint8Array(graph.nodes), new Uint8Array(graph.links)]
      const run = (list: typeof first, n: Uint8Array, l: Uint8Array) => {
        for (const move of list) {
          const done = moved(graph, move, n, l)
          if (done !== null) take(spanning, done)
        }
      }
      run(first, nodes, links)
      const before = structuredClone([spanning.reached, spanning.failedNodes, spanning.failedLinks])
      spanning.begin()
      run(tried, nodes.slice(), links.slice())
      spanning.undo()
      assert.deepEqual([spanning.reached, spanning.failedNodes, spanning.failedLinks], before)
      assert.equal(
        spanning.reachedCount,
        spanning.reached.reduce((sum, bit) => sum + bit, 0),
      )
      run(then, nodes, links)
      assert.deepEqual(spanning.reached, reachableFrom(graph, from, nodes, links))
    }),
    { numRuns: 1000 },
  )
})

test("links by which nobody hangs cut nobody off, and every reached node but the sources hangs by one", () => {
  fc.assert(
    fc.property(randomGraph(), sources, moves(10), ({ graph }, from, list) => {
      const spanning = new Spanning(graph, from)
      const [nodes, links] = [new Uint8Array(graph.nodes), new Uint8Array(graph.links)]
      for (const move of list) {
        const done = moved(graph, move, nodes, links)
        if (done !== null) take(spanning, done)
      }
      const own = new Set(from.filter((node) => node < graph.nodes && nodes[node] === 0))
      const held = Array.from({ length: graph.links }, (_, link) => link).filter((link) => spanning.holds(link))
      assert.equal(held.length, spanning.reachedCount - own.size)
      for (let link = 0; link < graph.links; link++) if (!held.includes(link)) assert.equal(spanning.failLink(link), 0)
    }),
    { numRuns: 500 },
  )
})

test("a forest can start with what is down now", () => {
  const graph = line(5)
  const spanning = new Spanning(graph, [0], Uint8Array.from([0, 0, 0, 1, 0]), null)
  assert.deepEqual([...spanning.reached], [1, 1, 1, 0, 0])
  assert.equal(spanning.mendNode(3), 2)
  assert.deepEqual([...spanning.reached], [1, 1, 1, 1, 1])
})

test("failing twice is failing once; a dead source takes its network with it", () => {
  const spanning = new Spanning(line(4), [0])
  assert.equal(spanning.failLink(1), 2)
  assert.equal(spanning.failLink(1), 0)
  assert.equal(spanning.failNode(0), 2)
  assert.equal(spanning.failNode(0), 0)
  assert.equal(spanning.reachedCount, 0)
  assert.equal(spanning.mendNode(0), 2)
  assert.equal(spanning.mendLink(1), 2)
  assert.equal(spanning.mendLink(1), 0)
})

test("a long branch is hung elsewhere without being lost", () => {
  const nodes = 2000
  const ring = flatGraph(
    nodes,
    Array.from({ length: nodes }, (_, n) => ({ a: n, b: (n + 1) % nodes, capacityBps: 1e9 })),
  )
  const spanning = new Spanning(ring, [0])
  for (let link = 0; link < nodes; link += 7) {
    spanning.begin()
    assert.equal(spanning.failLink(link), 0)
    assert.equal(spanning.reachedCount, nodes)
    spanning.undo()
  }
  spanning.failLink(0)
  assert.equal(spanning.failLink(10), 10)
})
