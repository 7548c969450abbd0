/** The main door: known answers, and that asking what if is the same as being there. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import type { Fault } from "#twin/whatif/fault.ts"
import { knownOf, modelFrom, net, randomKnown } from "#twin/whatif/model.fixture.ts"
import { dependenceNow, makeModel } from "#twin/whatif/model.ts"
import { whatIf } from "#twin/whatif/what-if.ts"

const nan = (n: number) => new Float64Array(n).fill(Number.NaN)

/** Two upstreams (0, 1) on two edges (2, 3), a ring 2-4-5-3, and an access router 6 behind 5 alone. */
const provider = (change: Partial<Parameters<typeof modelFrom>[0]> = {}) =>
  modelFrom({
    graph: net(7, "0-2@10 1-3@10 2-4@10 4-5@10 5-3@4 5-6@1"),
    outside: Uint8Array.from([1, 1, 0, 0, 0, 0, 0]),
    exits: [0, 1],
    vantages: [2, 3],
    siteOf: Int32Array.from([-1, -1, 0, 1, 2, 3, 3]),
    sessions: Float64Array.from([Number.NaN, Number.NaN, Number.NaN, Number.NaN, 300, 1000, Number.NaN]),
    hasCustomers: Uint8Array.from([0, 0, 0, 0, 1, 1, 1]),
    matrix: [
      { from: 0, to: 4, bps: 3e9 },
      { from: 1, to: 5, bps: 3e9 },
      { from: 1, to: 6, bps: 0.6e9 },
    ],
    ...change,
  })

test("a failed link that has no other way isolates its site's share of customers; the rest goes on", () => {
  const answer = whatIf(provider(), [{ kind: "link", link: 5 }])
  assert.deepEqual([answer.unreachable, answer.offline, answer.isolatedSites], [[6], [6], []])
  assert.equal(answer.customers.count, Math.round((1000 * 0.6) / 3.6))
  assert.equal(answer.customers.quality, "estimated")
  assert.equal(answer.lostBps, 0.6e9)
})

test("a dead concentrator takes all of its sessions along, which are measured", () => {
  const answer = whatIf(provider(), [{ kind: "router", router: 5 }])
  assert.deepEqual([answer.offline, answer.isolatedSites], [[5, 6], [3]])
  assert.deepEqual(answer.customers, { count: 1000, quality: "measured", measured: 1000, estimated: 0, uncounted: 0 })
})

test("a failed upstream moves its routers to the other exit, and the traffic over links that are too small", () => {
  const answer = whatIf(provider(), [{ kind: "router", router: 0 }])
  assert.deepEqual(answer.offline, [])
  assert.deepEqual(answer.exits, [
    { router: 2, from: 0, to: 1 },
    { router: 4, from: 0, to: 1 },
  ])
  // The matrix says that 3 Gbit/s come from upstream 0 itself: these are lost. With estimated demands they would move.
  assert.equal(answer.lostBps, 3e9)
  const cut = whatIf(provider(), [{ kind: "link", link: 3 }])
  assert.deepEqual([cut.offline, cut.overloaded], [[], []])
  const north = whatIf(provider(), [{ kind: "link", link: 2 }])
  // What came to 4 from the north now comes through 5-3, 4 Gbit/s, beside its own 3.6: but upstream 0 is cut from it.
  assert.deepEqual(north.exits, [{ router: 4, from: 0, to: 1 }])
})

test("links above capacity are named with what was on them before", () => {
  const graph = net(3, "0-1@10 0-2@10 1-2@1")
  const model = modelFrom({
    graph,
    exits: [0],
    vantages: [0],
    measuredBps: Float64Array.from([4e9, 0.4e9, 3e9, 0.3e9, 0, 0]),
  })
  const { overloaded, traffic, lostBps } = whatIf(model, [{ kind: "link", link: 1 }])
  assert.deepEqual(
    overloaded.map(({ link, direction, beforeBps, capacityBps }) => [link, direction, beforeBps, capacityBps]),
    [[2, "ab", 0, 1e9]],
  )
  assert.ok(Math.abs((overloaded[0]?.afterBps ?? 0) - 3e9) < 1)
  assert.deepEqual([traffic, lostBps], [{ before: "measured", after: "estimated" }, 0])
})

test("an upstream's router is a way to the world, but none between two of ours", () => {
  const model = modelFrom({ graph: net(3, "0-1 0-2"), outside: Uint8Array.from([1, 0, 0]), exits: [0], vantages: [1] })
  assert.deepEqual([...model.management.reached], [0, 1, 0])
  const { offline, unreachable } = whatIf(model, [{ kind: "link", link: 1 }])
  assert.deepEqual([offline, unreachable], [[2], []])
})

test("a drain moves traffic and cuts nobody off, even where it is the only way", () => {
  const model = modelFrom({
    graph: net(3, "0-1@10 0-2@10 1-2@10"),
    measuredBps: Float64Array.from([4e9, 0.4e9, 3e9, 0.3e9, 0, 0]),
  })
  const answer = whatIf(model, [{ kind: "drain", link: 1 }])
  assert.deepEqual([answer.offline, answer.failed.drained, answer.lostBps], [[], [1], 0])
  assert.deepEqual(
    answer.shifted.map(({ link, direction, afterBps }) => [link, direction, Math.round(afterBps / 1e6)]),
    [
      [0, "ab", 7000],
      [0, "ba", 700],
      [1, "ab", 0],
      [1, "ba", 0],
      [2, "ab", 3000],
      [2, "ba", 300],
    ],
  )
  const only = whatIf(modelFrom({ graph: net(2, "0-1@10"), measuredBps: Float64Array.from([1e9, 0]) }), [
    { kind: "drain", link: 0 },
  ])
  assert.deepEqual([only.offline, only.unplacedBps, only.overloaded], [[], 0, []])
})

test("traffic of unknown origin goes around a failed link, or is said to have no place", () => {
  // 2 Gbit/s pass from 1 to 2 and back: nobody keeps any of it, so that it is background.
  const measuredBps = Float64Array.from([0, 0, 0, 0, 2e9, 2e9])
  const around = whatIf(modelFrom({ graph: net(3, "0-1@10 0-2@1 1-2@10"), measuredBps }), [{ kind: "link", link: 2 }])
  assert.equal(around.unplacedBps, 0)
  assert.deepEqual(
    around.overloaded.map(({ link, direction, afterBps }) => [link, direction, afterBps]),
    [
      [1, "ab", 2e9],
      [1, "ba", 2e9],
    ],
  )
  const dead = whatIf(modelFrom({ graph: net(3, "0-1@10 0-2@1 1-2@10"), measuredBps }), [{ kind: "router", router: 2 }])
  assert.equal(dead.unplacedBps, 4e9)
})

test("[W5] what a broken group takes along loses service; one member down breaks nothing", () => {
  const groups = [
    { id: "g", name: "Radio hop", mode: "any", k: 0, routers: [4, 5], links: [], dependents: [2] } as const,
  ]
  const model = provider({ groups })
  assert.deepEqual(whatIf(model, [{ kind: "router", router: 4 }]).brokenGroups, [])
  const both = whatIf(model, [
    { kind: "router", router: 4 },
    { kind: "router", router: 5 },
  ])
  assert.deepEqual([both.brokenGroups, both.lostByGroups, both.isolatedSites], [[0], [2], [0, 2, 3]])
})

test("[law 1] uncounted customers are unknown, never none", () => {
  const model = provider({ sessions: nan(7), matrix: null })
  const { customers, traffic } = whatIf(model, [{ kind: "router", router: 5 }])
  assert.deepEqual([customers.count, customers.quality, customers.uncounted], [null, "unknown", 2])
  assert.deepEqual(traffic, { before: "unknown", after: "unknown" })
  assert.ok(model.assumptions.some((words) => words.includes("no link load is measured")))
})

const faults = fc.array(fc.record({ what: fc.constantFrom("link", "router", "site", "drain"), n: fc.nat(100) }), {
  maxLength: 4,
})

test("what if equals being there: the same network with the faults down, from scratch; and the model is as before", () => {
  fc.assert(
    fc.property(randomKnown, faults, (known, list) => {
      const model = makeModel(known)
      const picked = list.flatMap(({ what, n }): readonly Fault[] => {
        if (what === "router") return [{ kind: "router", router: n % known.nodes }]
        if (what === "site") return known.sites > 0 ? [{ kind: "site", site: n % known.sites }] : []
        return known.links > 0 && what === "link" ? [{ kind: "link", link: n % known.links }] : []
      })
      const state = () =>
        structuredClone([
          model.service.reached,
          model.management.reached,
          model.toExit.distance,
          model.toExit.hops,
          model.toExit.cost,
          ...model.trees.map(({ spf }) => spf.distance),
        ])
      const before = state()
      const answer = whatIf(model, picked)
      assert.deepEqual(state(), before)
      assert.deepEqual(whatIf(model, picked), answer)
      const down = (mask: Uint8Array, slots: readonly number[]) =>
        mask.map((bit, slot) => (slots.includes(slot) ? 1 : bit))
      const there = makeModel({
        ...known,
        downNodes: down(known.downNodes, answer.failed.nodes),
        downLinks: down(known.downLinks, answer.failed.links),
      })
      const fell = (was: Uint8Array, is: Uint8Array) => [...was.keys()].filter((n) => was[n] === 1 && is[n] === 0)
      assert.deepEqual(answer.offline, fell(model.service.reached, there.service.reached))
      assert.deepEqual(answer.unreachable, fell(model.management.reached, there.management.reached))
      const [then, now] = [dependenceNow(model), dependenceNow(there)]
      assert.deepEqual(
        answer.brokenGroups,
        now.broken.filter((g) => !then.broken.includes(g)),
      )
      assert.deepEqual(
        answer.exits,
        [...model.exitNow.entries()]
          .map(([router, from]) => ({ router, from, to: there.exitNow[router] }))
          .filter(({ from, to }) => from !== to && from >= 0 && (to as number) >= 0),
      )
      if (known.matrix !== null) {
        const grown = there.explained.lostBps - model.explained.lostBps
        assert.ok(Math.abs(answer.lostBps - Math.max(0, grown)) < 1)
      }
    }),
    { numRuns: 1500 },
  )
})

test("nothing fails, nothing changes", () => {
  const nothing = fc.property(randomKnown, (known) => {
    const answer = whatIf(makeModel(known), [])
    assert.deepEqual([answer.offline, answer.unreachable, answer.exits, answer.overloaded], [[], [], [], []])
    assert.deepEqual([answer.customers.measured, answer.customers.estimated, answer.unplacedBps], [0, 0, 0])
  })
  fc.assert(nothing, { numRuns: 300 })
  // Loads that are added up in another order differ by a millionth of a bit, and that is no overload.
  fc.assert(nothing, { numRuns: 300, seed: 137987088 })
})

test("nobody is ever counted twice: losing everything loses all sessions once", () => {
  fc.assert(
    fc.property(randomKnown, (known) => {
      const model = makeModel(known)
      const all = Array.from({ length: known.nodes }, (_, router): Fault => ({ kind: "router", router }))
      const { customers, offline } = whatIf(model, all)
      const served = [...model.customers.sessions.keys()].filter((node) => offline.includes(node))
      const whole = served.reduce((sum, node) => sum + (model.customers.sessions[node] as number), 0)
      assert.ok(Math.abs(customers.measured - whole) < 1e-6)
      const total = model.customers.sessions.reduce((sum, count) => sum + count, 0)
      assert.ok(customers.measured + customers.estimated <= total + 1e-6)
    }),
    { numRuns: 500 },
  )
})

test("a model knows a site's routers and an interface's link", () => {
  const known = knownOf({ graph: net(2, "0-1"), siteOf: Int32Array.from([0, 0]) })
  assert.deepEqual(whatIf(makeModel(known), [{ kind: "site", site: 0 }]).isolatedSites, [0])
  assert.deepEqual(whatIf(makeModel(known), [{ kind: "interface", router: 1, ifName: "e0" }]).offline, [1])
})
