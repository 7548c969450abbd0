/** The difference that a failure makes against the difference of two computations from scratch. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { randomGraph } from "#twin/whatif/graph.fixture.ts"
import { IncrementalSpf } from "#twin/whatif/incremental-spf.ts"
import { net } from "#twin/whatif/model.fixture.ts"
import { flowThrough, Shift } from "#twin/whatif/shift.ts"
import { noSpread, Traffic } from "#twin/whatif/traffic.ts"

const numbers = fc.array(fc.nat(100), { minLength: 9, maxLength: 9 })
const faults = fc.array(fc.record({ what: fc.constantFrom("link", "node", "drain", "mend"), n: fc.nat(1000) }), {
  maxLength: 5,
})

test("what shifts is what two computations from scratch differ by, question after question on one structure", () => {
  fc.assert(
    fc.property(
      randomGraph(9, 18),
      fc.uniqueArray(fc.nat(8), { minLength: 1, maxLength: 2 }),
      numbers,
      numbers,
      faults,
      fc.array(faults, { maxLength: 4 }),
      ({ graph }, roots, ups, downs, before, questions) => {
        const spf = new IncrementalSpf(
          graph,
          roots.map((root) => root % graph.nodes),
        )
        const apply = (list: typeof before): void => {
          for (const { what, n } of list) {
            if (what === "node") spf.failNode(n % graph.nodes)
            else if (what === "mend") spf.mendNode(n % graph.nodes)
            else if (graph.links > 0 && what === "link") spf.failLink(n % graph.links)
            else if (graph.links > 0) spf.drainLink(n % graph.links)
          }
        }
        apply(before)
        spf.begin()
        const demand = {
          up: Float64Array.from({ length: graph.nodes }, (_, n) => ups[n] as number),
          down: Float64Array.from({ length: graph.nodes }, (_, n) => downs[n] as number),
        }
        const traffic = new Traffic(graph)
        const loads = (): Float64Array => {
          const spread = noSpread(graph.links)
          traffic.add(spf, demand, spread)
          return spread.bps
        }
        const now = loads()
        const flow = flowThrough(graph, spf, demand)
        const shift = new Shift(graph)
        for (const question of questions) {
          spf.begin()
          apply(question)
          shift.add(spf, flow)
          const then = loads()
          const changed = new Set(shift.changed.subarray(0, shift.changedCount))
          for (const [d, bps] of then.entries()) {
            assert.ok(Math.abs((now[d] as number) + (shift.more[d] as number) - bps) < 1e-6, `direction ${d}`)
            if (!changed.has(d)) assert.equal(shift.more[d], 0)
          }
          shift.clear()
          assert.ok(shift.more.every((bps) => bps === 0))
          spf.undo()
        }
      },
    ),
    { numRuns: 2000 },
  )
})

test("a failure that nobody's way uses shifts nothing", () => {
  const graph = net(3, "0-1 0-2 1-2")
  const spf = new IncrementalSpf(graph, [0])
  const demand = { up: Float64Array.from([0, 5, 7]), down: Float64Array.from([0, 50, 70]) }
  const flow = flowThrough(graph, spf, demand)
  assert.deepEqual([...flow.up], [12, 5, 7])
  const shift = new Shift(graph)
  spf.begin()
  spf.failLink(2)
  shift.add(spf, flow)
  assert.equal(shift.changedCount, 0)
  spf.failLink(1)
  shift.add(spf, flow)
  assert.deepEqual([...shift.more], [0, 0, -70, -7, 0, 0])
})
