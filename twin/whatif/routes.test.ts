/** Routing tables against plain definitions of shortest ways, and faults against a network in which they have happened. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import type { Fault } from "#twin/whatif/fault.ts"
import { randomGraph } from "#twin/whatif/graph.fixture.ts"
import { MAX_COST } from "#twin/whatif/graph.ts"
import { modelFrom, net, randomKnown } from "#twin/whatif/model.fixture.ts"
import { makeModel } from "#twin/whatif/model.ts"
import { routesFrom, routesOf } from "#twin/whatif/routes.ts"
import { isHop, shortestPaths } from "#twin/whatif/spf.ts"

test("[W8] costs and next hops to everybody equal those of the shortest ways towards each, ECMP and one-way costs included", () => {
  fc.assert(
    fc.property(randomGraph(), fc.nat(11), fc.infiniteStream(fc.nat(5)), ({ graph }, some, dice) => {
      const bit = (): number => (dice.next().value === 0 ? 1 : 0)
      const failedNodes = Uint8Array.from({ length: graph.nodes }, bit)
      const failedLinks = Uint8Array.from({ length: graph.links }, bit)
      const costs = { cost: graph.cost, failedNodes, failedLinks }
      const source = some % graph.nodes
      failedNodes[source] = 0
      const routes = routesFrom(graph, source, costs)
      const expected = Array.from({ length: graph.nodes }, (_, node) => node)
        .filter((node) => node !== source && failedNodes[node] === 0)
        .map((node) => {
          const { distance } = shortestPaths(graph, [node], costs)
          const next: number[] = []
          for (let half = graph.from[source] as number; half < (graph.from[source + 1] as number); half++)
            if (distance[source] !== Infinity && isHop(graph, costs, distance, source, half)) next.push(half)
          return { node, cost: distance[source] as number, next }
        })
        .filter(({ cost }) => cost < Infinity)
      assert.deepEqual(
        [...routes].sort((x, y) => x.node - y.node),
        expected,
      )
      const far = routes.map(({ cost }) => cost)
      assert.deepEqual(
        far,
        far.toSorted((x, y) => x - y),
        "nearest first",
      )
    }),
  )
})

test("[W8] routes after a fault equal the routes of a network in which it has happened, and the model stays as it was", () => {
  fc.assert(
    fc.property(randomKnown, fc.nat(100), fc.nat(100), fc.nat(100), (known, link, node, asked) => {
      const { nodes, links } = known.graph
      const faults: readonly Fault[] = [
        ...(links > 0 ? [{ kind: "link", link: link % links } as const] : []),
        { kind: "router", router: node % nodes },
      ]
      const downLinks = known.downLinks.slice()
      const downNodes = known.downNodes.slice()
      if (links > 0) downLinks[link % links] = 1
      downNodes[node % nodes] = 1
      const router = asked % nodes
      const model = makeModel(known)
      const before = routesOf(model, [], router)
      const then = makeModel({ ...known, downLinks, downNodes })
      assert.deepEqual(routesOf(model, faults, router), routesOf(then, [], router))
      assert.deepEqual(routesOf(model, [], router), before)
    }),
  )
})

/** Upstreams 0 and 1 on borders 2 and 3; ring 2-4-3-5-2, so that 4 and 5 have two equal ways to each other. */
const ring = () =>
  modelFrom({
    graph: net(6, "0-2 1-3 2-4*10 4-3*10 3-5*10 5-2*10"),
    outside: Uint8Array.from([1, 1, 0, 0, 0, 0]),
    exits: [0, 1],
    vantages: [2, 3],
  })

test("equal costs are all next hops; nobody is reached through an upstream; the exit is the nearest, the lower of two", () => {
  const model = ring()
  const { graph } = model
  const via = (next: readonly number[]): readonly number[] => next.map((half) => graph.to[half] as number)
  const table = (faults: readonly Fault[], router: number) =>
    routesOf(model, faults, router).to.map(({ node, cost, next }) => [node, cost, via(next)])
  assert.deepEqual(
    table([], 4).toSorted((x, y) => (x[0] as number) - (y[0] as number)),
    [
      [2, 10, [2]],
      [3, 10, [3]],
      [5, 20, [2, 3]],
    ],
  )
  const exit = (faults: readonly Fault[], router: number) => {
    const found = routesOf(model, faults, router).exit
    return found === null ? null : [found.node, found.cost, via(found.next)]
  }
  assert.deepEqual(exit([], 4), [0, 11, [2]])
  assert.deepEqual(exit([{ kind: "link", link: 0 }], 4), [1, 11, [3]])
  assert.equal(
    exit(
      [
        { kind: "router", router: 2 },
        { kind: "link", link: 1 },
      ],
      4,
    ),
    null,
  )
  assert.deepEqual(routesOf(model, [{ kind: "router", router: 4 }], 4), { to: [], exit: null })
})

test("a drained link is the last way, not none", () => {
  const model = ring()
  const drained = routesOf(model, [{ kind: "drain", link: 2 }], 4)
  assert.deepEqual(
    drained.to.map(({ node, cost }) => [node, cost]),
    [
      [3, 10],
      [5, 20],
      [2, 30],
    ],
  )
  const last = routesOf(
    model,
    [
      { kind: "drain", link: 2 },
      { kind: "link", link: 3 },
    ],
    4,
  )
  assert.equal(last.to.find(({ node }) => node === 2)?.cost, MAX_COST)
})
