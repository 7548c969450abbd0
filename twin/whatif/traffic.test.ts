/** Traffic over equal-cost paths against packets sent one hop at a time; exits against each exit's own distances. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { estimateDemand } from "#twin/whatif/estimate.ts"
import { exitsOf } from "#twin/whatif/exits.ts"
import { randomGraph } from "#twin/whatif/graph.fixture.ts"
import type { FlatGraph } from "#twin/whatif/graph.ts"
import { IncrementalSpf } from "#twin/whatif/incremental-spf.ts"
import { net } from "#twin/whatif/model.fixture.ts"
import { isHop } from "#twin/whatif/spf.ts"
import { demandTrees, noSpread, Traffic } from "#twin/whatif/traffic.ts"

const close = (x: number, y: number): void =>
  assert.ok(Math.abs(x - y) <= 1e-9 * Math.max(1, Math.abs(x)), `${x} is not ${y}`)

/** Every router halves, thirds ... what it has over its next hops, until it is there. */
const byHand = (
  graph: FlatGraph,
  spf: IncrementalSpf,
  node: number,
  bps: number,
  load: Float64Array,
  back: boolean,
): void => {
  const hops: number[] = []
  if (spf.distance[node] === Infinity) return
  for (let half = graph.from[node] as number; half < (graph.from[node + 1] as number); half++)
    if (isHop(graph, spf, spf.distance, node, half)) hops.push(half)
  for (const half of hops) {
    const link = graph.link[half] as number
    const out = 2 * link + (graph.a[link] === node ? 0 : 1)
    load[back ? out ^ 1 : out]! += bps / hops.length
    byHand(graph, spf, graph.to[half] as number, bps / hops.length, load, back)
  }
}

test("loads equal every router's demand sent one hop at a time, also after failures that were computed incrementally", () => {
  const demands = fc.array(fc.nat(100), { minLength: 9, maxLength: 9 })
  fc.assert(
    fc.property(
      randomGraph(9, 18),
      fc.uniqueArray(fc.nat(8), { minLength: 1, maxLength: 2 }),
      demands,
      demands,
      fc.array(fc.nat(100), { maxLength: 4 }),
      fc.array(fc.nat(100), { maxLength: 4 }),
      ({ graph }, roots, ups, downs, before, then) => {
        const spf = new IncrementalSpf(
          graph,
          roots.map((root) => root % graph.nodes),
        )
        const fail = (list: readonly number[]) => {
          for (const n of list) if (graph.links > 0 && n % 2 === 0) spf.failLink(n % graph.links)
          for (const n of list) if (n % 2 === 1) spf.failNode(n % graph.nodes)
        }
        fail(before)
        spf.begin()
        fail(then)
        const demand = {
          up: Float64Array.from({ length: graph.nodes }, (_, n) => ups[n] as number),
          down: Float64Array.from({ length: graph.nodes }, (_, n) => downs[n] as number),
        }
        const spread = noSpread(graph.links)
        new Traffic(graph).add(spf, demand, spread)
        const expected = new Float64Array(2 * graph.links)
        let lost = 0
        for (let node = 0; node < graph.nodes; node++) {
          if (spf.distance[node] === Infinity) lost += (demand.up[node] as number) + (demand.down[node] as number)
          byHand(graph, spf, node, demand.up[node] as number, expected, false)
          byHand(graph, spf, node, demand.down[node] as number, expected, true)
        }
        assert.equal(spread.lostBps, lost)
        for (const [d, bps] of expected.entries()) close(spread.bps[d] as number, bps)
        spf.undo()
      },
    ),
    { numRuns: 1000 },
  )
})

test("what a link that is too small lets through is what arrives behind it, up and down", () => {
  // 0 - 1 - 2, and a second way 0 - 3 - 2 of the same cost; the demand is 2's alone.
  const graph = net(4, "0-1 1-2 0-3 3-2")
  const spf = new IncrementalSpf(graph, [0])
  const demand = { up: Float64Array.from([0, 0, 8, 0]), down: Float64Array.from([0, 0, 80, 0]) }
  const traffic = new Traffic(graph)
  const through = (fraction: Float64Array) => {
    const carried = new Float64Array(8)
    traffic.addCarried(spf, demand, fraction, carried)
    return [...carried]
  }
  const all = noSpread(4)
  traffic.add(spf, demand, all)
  assert.deepEqual(through(new Float64Array(8).fill(1)), [...all.bps])
  assert.deepEqual([...all.bps], [40, 4, 40, 4, 40, 4, 40, 4])
  // Half of what goes down 0-1 is lost there, a quarter of what comes up 3-0 is left.
  assert.deepEqual(through(Float64Array.from([0.5, 1, 1, 1, 1, 0.25, 1, 1])), [20, 4, 20, 4, 40, 1, 40, 4])
})

test("a demand matrix becomes one tree per destination; nothing to itself", () => {
  const trees = demandTrees(3, [
    { from: 0, to: 2, bps: 5 },
    { from: 1, to: 2, bps: 7 },
    { from: 0, to: 2, bps: 1 },
    { from: 1, to: 1, bps: 9 },
    { from: 2, to: 0, bps: 3 },
    { from: 2, to: 1, bps: Number.NaN },
  ])
  assert.deepEqual(
    trees.map(({ root, demand }) => [root, [...demand.up], [...demand.down]]),
    [
      [0, [0, 0, 3], [0, 0, 0]],
      [2, [6, 7, 0], [0, 0, 0]],
    ],
  )
})

test("every router uses its nearest exit, of equally near ones the lowest", () => {
  fc.assert(
    fc.property(
      randomGraph(9, 18),
      fc.uniqueArray(fc.nat(8), { minLength: 1, maxLength: 4 }),
      fc.array(fc.nat(100), { maxLength: 5 }),
      ({ graph }, some, cut) => {
        const exits = [...new Set(some.map((exit) => exit % graph.nodes))]
        const all = new IncrementalSpf(graph, exits)
        for (const link of cut) if (graph.links > 0) all.failLink(link % graph.links)
        const each = exits
          .toSorted((x, y) => x - y)
          .map((exit) => ({ exit, spf: new IncrementalSpf(graph, [exit], all) }))
        const found = exitsOf(all, new Int32Array(graph.nodes))
        for (let node = 0; node < graph.nodes; node++) {
          const nearest = Math.min(...each.map(({ spf }) => spf.distance[node] as number))
          const expected = each.find(({ spf }) => spf.distance[node] === nearest && nearest < Infinity)?.exit ?? -1
          assert.equal(found[node], expected)
        }
      },
    ),
    { numRuns: 1000 },
  )
})

const nobody = (graph: FlatGraph) => new Float64Array(graph.nodes).fill(Number.NaN)

test("demands that make the loads are found again from the loads, and explain all of them", () => {
  const down = fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 9, maxLength: 9 })
  fc.assert(
    fc.property(randomGraph(9, 18, true), down, fc.integer({ min: 0, max: 80 }), ({ graph }, list, share) => {
      const spf = new IncrementalSpf(graph, [0])
      const isServed = (node: number): boolean => node > 0 && spf.distance[node] !== Infinity
      const truth = {
        down: Float64Array.from({ length: graph.nodes }, (_, n) => (isServed(n) ? (list[n] as number) * 1e6 : 0)),
        up: Float64Array.from({ length: graph.nodes }, (_, n) => (isServed(n) ? (list[n] as number) * 1e4 * share : 0)),
      }
      const spread = noSpread(graph.links)
      new Traffic(graph).add(spf, truth, spread)
      const { demand, unexplained, upShare, upShareMeasured } = estimateDemand(graph, spf, [0], {
        bps: spread.bps,
        sessions: nobody(graph),
      })
      for (let node = 0; node < graph.nodes; node++) close(demand.down[node] as number, truth.down[node] as number)
      if (truth.down.every((bps) => bps === 0)) return
      assert.equal(upShareMeasured, true)
      close(upShare, share / 100)
      assert.ok((unexplained as number) < 1e-9)
    }),
    { numRuns: 500 },
  )
})

test("what demands do not explain is background of its link; a router without measured links goes by its sessions", () => {
  const graph = net(4, "0-1 1-2 1-3")
  const spf = new IncrementalSpf(graph, [0])
  // Down 1000 and up 100 over the first link; 600 of it goes on to 2; the link to 3 is not measured; 50 each way are transit.
  const bps = Float64Array.from([1050, 150, 650, 110, Number.NaN, Number.NaN])
  const sessions = Float64Array.from([Number.NaN, Number.NaN, 60, 30])
  const { demand, background, unexplained, blindRouters, measuredRouters } = estimateDemand(graph, spf, [0], {
    bps,
    sessions,
  })
  assert.deepEqual([measuredRouters, blindRouters], [1, 2])
  assert.ok((demand.down[2] as number) > 0)
  close(demand.down[3] as number, (demand.down[2] as number) / 2)
  assert.equal(demand.down[1], 0)
  close((background[0] as number) + 1.5 * (demand.down[2] as number), 1050)
  assert.equal(background[4], 0)
  assert.ok((unexplained as number) > 0 && (unexplained as number) < 1)
})

test("nothing measured explains nothing and assumes the share of up", () => {
  const graph = net(2, "0-1")
  const bps = new Float64Array(2).fill(Number.NaN)
  const found = estimateDemand(graph, new IncrementalSpf(graph, [0]), [0], { bps, sessions: nobody(graph) })
  assert.deepEqual([found.unexplained, found.upShareMeasured, [...found.demand.down]], [null, false, [0, 0]])
})
