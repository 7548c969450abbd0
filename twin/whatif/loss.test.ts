/** What an incident asks of a what-if is the same with half of the model. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { applyFaults } from "#twin/whatif/fault.ts"
import type { Fault } from "#twin/whatif/fault.ts"
import { losses } from "#twin/whatif/loss.ts"
import { knownOf, net, randomKnown } from "#twin/whatif/model.fixture.ts"
import { makeLossModel, makeModel } from "#twin/whatif/model.ts"
import type { Known } from "#twin/whatif/model.ts"
import { whatIf } from "#twin/whatif/what-if.ts"

const faultsOf = ({ nodes, links, sites }: Known): fc.Arbitrary<readonly Fault[]> => {
  const router = fc.nat(nodes - 1).map((n): Fault => ({ kind: "router", router: n }))
  const site = fc.nat(Math.max(0, sites - 1)).map((n): Fault => ({ kind: "site", site: n }))
  const link = fc.nat(Math.max(0, links - 1)).map((n): Fault => ({ kind: "link", link: n }))
  return fc.array(fc.oneof(router, site, link), { maxLength: 4 })
}

const askedOf = (known: Known, faults: readonly Fault[]) => {
  const model = makeLossModel(known)
  return losses(model, applyFaults(model, faults))
}

test("[I10] who is cut off is what the whole what-if says, whatever is down, measured or demanded", () => {
  const asked = randomKnown.chain((known) => fc.record({ known: fc.constant(known), faults: faultsOf(known) }))
  fc.assert(
    fc.property(asked, ({ known, faults }) => {
      const { unreachable, offline, brokenGroups, lostByGroups, isolatedSites, customers } = whatIf(
        makeModel(known),
        faults,
      )
      assert.deepEqual(askedOf(known, faults), {
        unreachable,
        offline,
        brokenGroups,
        lostByGroups,
        isolatedSites,
        customers,
      })
    }),
    { numRuns: 400 },
  )
})

test("[I10] a model answers many questions about losses, each as if it were the first", () => {
  const asked = randomKnown.chain((known) =>
    fc.record({ known: fc.constant(known), questions: fc.array(faultsOf(known), { minLength: 2, maxLength: 4 }) }),
  )
  fc.assert(
    fc.property(asked, ({ known, questions }) => {
      const model = makeLossModel(known)
      for (const faults of questions)
        assert.deepEqual(losses(model, applyFaults(model, faults)), askedOf(known, faults))
    }),
    { numRuns: 200 },
  )
})

test("[I10] a share of a concentrator's sessions follows the traffic that stays, as in a whole model", () => {
  // An exit, a concentrator with 100 sessions, two access routers behind it: 3 of 4 bit/s stay at the first.
  const graph = net(4, "0-1 1-2 1-3")
  const sessions = Float64Array.from([Number.NaN, 100, Number.NaN, Number.NaN])
  const measuredBps = Float64Array.from([4e9, 0, 3e9, 0, 1e9, 0])
  const known = knownOf({ graph, sessions, measuredBps, hasCustomers: Uint8Array.from([0, 1, 1, 1]) })
  const lost = askedOf(known, [{ kind: "router", router: 2 }])
  assert.deepEqual([lost.customers.count, lost.customers.quality], [75, "estimated"])
  assert.deepEqual(whatIf(makeModel(known), [{ kind: "router", router: 2 }]).customers, lost.customers)
})
