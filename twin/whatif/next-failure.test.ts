/** The ranking against asking `whatIf` for every element, and single points against failing everything. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { knownOf, modelFrom, net, randomKnown } from "#twin/whatif/model.fixture.ts"
import { makeModel } from "#twin/whatif/model.ts"
import { nextFailures, PRIORS, singlePoints } from "#twin/whatif/next-failure.ts"
import { lostBy } from "#twin/whatif/redundancy.fixture.ts"
import { whatIf } from "#twin/whatif/what-if.ts"

test("[next failure] every candidate says what `whatIf` says of it, and whoever is left out hurts nobody", () => {
  fc.assert(
    fc.property(randomKnown, (known) => {
      const model = makeModel(known)
      const ranking = nextFailures(model, { most: 1000 })
      const listed = new Map(ranking.candidates.map((one) => [JSON.stringify(one.element), one]))
      const up = (mask: Uint8Array) => [...mask.keys()].filter((slot) => mask[slot] === 0)
      const elements = [
        ...up(known.downLinks).map((link) => ({ kind: "link", link }) as const),
        ...up(known.downNodes).map((router) => ({ kind: "router", router }) as const),
        ...Array.from({ length: known.sites }, (_, site) => ({ kind: "site", site }) as const),
      ]
      assert.equal(ranking.tried, elements.length)
      for (const element of elements) {
        const answer = whatIf(model, [element])
        const found = listed.get(JSON.stringify(element))
        const routers = new Set([...answer.offline, ...answer.lostByGroups]).size
        assert.equal(found?.routers ?? 0, routers)
        if (found === undefined) continue
        assert.deepEqual(found.customers, answer.customers)
        assert.equal(found.sites, answer.isolatedSites.length)
        assert.equal(
          found.score,
          (found.customers.count ?? found.customers.measured + found.customers.estimated) * found.perYear,
        )
      }
      const scores = ranking.candidates.map((one) => one.score)
      assert.deepEqual(
        scores,
        scores.toSorted((x, y) => y - x),
      )
      assert.equal(ranking.harmful, ranking.candidates.length)
      assert.deepEqual(nextFailures(model, { most: 1000 }), ranking)
    }),
    { numRuns: 500 },
  )
})

test("[next failure] links that become full are counted as `whatIf` names them", () => {
  fc.assert(
    fc.property(randomKnown, (known) => {
      fc.pre(known.matrix !== null && known.matrix.length > 0)
      const model = makeModel({ ...known, measuredBps: new Float64Array(2 * known.links).fill(Number.NaN) })
      for (const { element, overloaded } of nextFailures(model, { most: 1000 }).candidates) {
        const named = whatIf(model, [element]).overloaded.filter(
          ({ beforeBps, capacityBps }) => beforeBps <= (capacityBps ?? 0),
        )
        assert.equal(overloaded ?? 0, named.length, JSON.stringify(element))
      }
    }),
    { numRuns: 500 },
  )
})

test("[next failure] customers times failures a year decide; the priors are said and can be others", () => {
  const model = modelFrom({
    graph: net(4, "0-1 1-2 0-3"),
    sessions: Float64Array.from([Number.NaN, 10, 500, 900]),
    hasCustomers: Uint8Array.from([0, 1, 1, 1]),
  })
  const order = (priors = PRIORS) =>
    nextFailures(model, { priors }).candidates.map(({ element, score }) => [element, score])
  assert.deepEqual(order().slice(0, 3), [
    [{ kind: "link", link: 2 }, 450],
    [{ kind: "router", router: 0 }, 282],
    [{ kind: "link", link: 0 }, 255],
  ])
  assert.deepEqual(order({ ...PRIORS, router: 10 })[0], [{ kind: "router", router: 0 }, 14_100])
  assert.equal(nextFailures(model, { most: 2 }).candidates.length, 2)
  assert.ok(nextFailures(model).assumptions.some((words) => words.includes("assumed: link 0.5")))
})

test("[next failure] a link that would be too full is listed though nobody is cut off", () => {
  const model = modelFrom({
    graph: net(3, "0-1@10 0-2@10 1-2@1"),
    measuredBps: Float64Array.from([4e9, 0.4e9, 3e9, 0.3e9, 0, 0]),
  })
  const { candidates } = nextFailures(model)
  const cut = candidates.find(({ element }) => element.kind === "link" && element.link === 1)
  assert.deepEqual([cut?.routers, cut?.overloaded], [0, 1])
  assert.equal(
    nextFailures(model, { traffic: false }).candidates.some(({ element }) => element.kind === "link"),
    false,
  )
})

test("[next failure] shared-risk groups fail together", () => {
  const model = modelFrom({
    graph: net(3, "0-1 0-1 1-2 0-2"),
    srlgs: [{ id: "d", name: "Duct", links: [0, 1, 3], routers: [] }],
  })
  const { candidates } = nextFailures(model)
  const duct = candidates.find(({ element }) => element.kind === "srlg")
  assert.deepEqual([duct?.routers, duct?.perYear], [2, PRIORS.srlg])
  assert.equal(
    candidates.some(({ element }) => element.kind === "link"),
    false,
  )
})

test("[W8] no redundant path: exactly those whom one failure cuts off now, although nothing is down for them", () => {
  fc.assert(
    fc.property(randomKnown, (known) => {
      const model = makeModel(known)
      const cut = lostBy(known.graph, known.exits, known.downNodes, known.downLinks)
      const endangered = new Set([...cut.links.values(), ...cut.routers.values()].flat())
      const found = singlePoints(model)
      assert.deepEqual(
        found.map(({ router }) => router),
        [...endangered].sort((x, y) => x - y),
      )
      const up = lostBy(known.graph, known.exits, new Uint8Array(known.nodes), new Uint8Array(known.links))
      for (const { router, link, byRouter, lostNow } of found) {
        const wasSo = (map: ReadonlyMap<number, readonly number[]>, slot: number) =>
          slot < 0 || map.get(slot)?.includes(router) === true
        assert.equal(lostNow, !wasSo(up.links, link) || !wasSo(up.routers, byRouter))
        if (link >= 0) assert.ok(cut.links.get(link)?.includes(router))
        if (byRouter >= 0) assert.ok(cut.routers.get(byRouter)?.includes(router))
      }
    }),
    { numRuns: 500 },
  )
})

test("[W8] redundancy that is lost now is told from redundancy that was never planned", () => {
  const ring = { graph: net(5, "0-1 1-2 2-3 3-0 3-4"), exits: [0] }
  const whole = singlePoints(modelFrom(ring))
  const missing = whole.filter(({ link }) => link >= 0)
  assert.deepEqual(missing, [{ router: 4, link: 4, byRouter: 3, lostNow: false }])
  const cut = singlePoints(makeModel(knownOf({ ...ring, downLinks: Uint8Array.from([1, 0, 0, 0, 0]) })))
  assert.deepEqual(
    cut.map(({ router, link, lostNow }) => [router, link, lostNow]),
    [
      [1, 1, true],
      [2, 2, true],
      [3, 3, true],
      // It never had two ways.
      [4, 4, false],
    ],
  )
})
