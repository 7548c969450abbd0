/** Exits by iBGP sessions against routers that really exchange messages, and against cases worked out by hand. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { chooseExits } from "#twin/whatif/egress.ts"
import type { Fault } from "#twin/whatif/fault.ts"
import { randomSpeakers, seeded, simulate } from "#twin/whatif/ibgp.fixture.ts"
import { hearExits } from "#twin/whatif/ibgp.ts"
import type { Ibgp } from "#twin/whatif/ibgp.ts"
import { MAX_COST } from "#twin/whatif/graph.ts"
import { modelFrom, net } from "#twin/whatif/model.fixture.ts"
import { isOutside, makeModel } from "#twin/whatif/model.ts"
import type { Model } from "#twin/whatif/model.ts"
import { routesOf } from "#twin/whatif/routes.ts"
import { shortestPaths } from "#twin/whatif/spf.ts"
import { whatIf } from "#twin/whatif/what-if.ts"

/** Sessions `"1-2 1-3"`, reflectors, and identifiers in the order of the nodes. */
const sessions = (nodes: number, text: string, reflectors: readonly number[] = []): Ibgp => {
  const peers: number[][] = Array.from({ length: nodes }, () => [])
  for (const [x, y] of text.split(" ").map((pair) => pair.split("-").map(Number) as [number, number])) {
    peers[x]!.push(y)
    peers[y]!.push(x)
  }
  for (const list of peers) list.sort((x, y) => x - y)
  const reflects = new Uint8Array(nodes)
  for (const node of reflectors) reflects[node] = 1
  return { peers, reflects, rank: Uint32Array.from(peers.keys()) }
}

/** What messages between routers of this model come to; null = it hangs on their order, or never ends. */
const lived = (model: Model, orders: number, seed: number): readonly number[] | null => {
  const { graph, outside, toExit, egresses, ibgp } = model
  const inside = toExit.failedLinks.map((failed, link) => (failed !== 0 || isOutside(model, link) ? 1 : 0))
  const costs = { cost: toExit.cost, failedNodes: toExit.failedNodes, failedLinks: inside }
  const towards = Array.from({ length: graph.nodes }, (_, to) => shortestPaths(graph, [to], costs).distance)
  const igp = (from: number, to: number): number => towards[to]![from] as number
  const dice = seeded(seed)
  const preferred = egresses.map(({ border, exit }) => {
    if (border === exit) return toExit.failedNodes[exit] === 0 ? 100 : null
    const between: number[] = []
    for (let half = graph.from[border] as number; half < (graph.from[border + 1] as number); half++)
      if (graph.to[half] === exit && toExit.failedLinks[graph.link[half] as number] === 0)
        between.push(toExit.cost[half] as number)
    if (between.length === 0 || toExit.failedNodes[border] !== 0 || toExit.failedNodes[exit] !== 0) return null
    return Math.min(...between) >= MAX_COST ? 0 : 100
  })
  const isHere = (node: number): boolean => outside[node] === 0 && toExit.failedNodes[node] === 0
  const ends = Array.from({ length: orders }, () =>
    simulate(
      {
        routers: graph.nodes,
        borders: egresses.map(({ border }) => border),
        preference: preferred.map((one) => one ?? 0),
        isEgressUp: (egress) => preferred[egress] !== null,
        igp,
        ibgp: ibgp as Ibgp,
        isUp: (x, y) => isHere(x) && isHere(y) && igp(x, y) < Infinity,
      },
      dice,
    ),
  )
  const texts = new Set(ends.map((end) => JSON.stringify(end)))
  return texts.size === 1 ? (ends[0] ?? null) : null
}

/** Routers and borders that tell no session are no matter of BGP (they are taken to hear everything). */
const isTold = ({ ibgp, egresses, outside }: Model): boolean =>
  egresses.every(({ border }) => ibgp?.peers[border]?.length !== 0) &&
  [...outside.keys()].every((node) => outside[node] === 1 || ibgp?.peers[node]?.length !== 0)

test("[what-if] exits after any faults equal those of routers that exchange messages until none is left (RFC 4271, RFC 4456)", () => {
  let [compared, hidden] = [0, 0]
  const count = fc.nat(1_000)
  fc.assert(
    fc.property(randomSpeakers, count, count, count, fc.nat(2 ** 31), (known, link, node, drain, seed) => {
      const { links, nodes } = known.graph
      const faults: readonly Fault[] = [
        ...(links > 0 ? [{ kind: "link", link: link % links } as const] : []),
        ...(node % 3 === 0 ? [{ kind: "router", router: node % nodes } as const] : []),
        ...(drain % 3 === 0 && links > 0 ? [{ kind: "drain", link: drain % links } as const] : []),
      ]
      const model = makeModel(known)
      fc.pre(isTold(model))
      const answer = whatIf(model, faults)
      const downNodes = known.downNodes.slice()
      const downLinks = known.downLinks.slice()
      for (const slot of answer.failed.nodes) downNodes[slot] = 1
      for (const slot of answer.failed.links) downLinks[slot] = 1
      const cost = known.graph.cost.slice()
      for (const slot of answer.failed.drained)
        for (const end of [0, 1]) {
          const half = known.graph.half[2 * slot + end] as number
          if (half >= 0) cost[half] = MAX_COST
        }
      const after = makeModel({ ...known, graph: { ...known.graph, cost }, downNodes, downLinks })
      const expected = lived(after, 4, seed)
      if (expected === null) return
      const now = chooseExits(after)
      const ours = [...known.outside.keys()].filter((slot) => known.outside[slot] === 0 && downNodes[slot] === 0)
      assert.deepEqual(
        ours.map((slot) => now.egress?.[slot]),
        ours.map((slot) => expected[slot]),
      )
      compared++
      const nearest = makeModel({ ...after, ibgp: null }).exitNow
      if (ours.some((slot) => now.exit[slot] !== nearest[slot])) hidden++
      // The incremental answer is that of a model in which it has happened already.
      for (const slot of ours)
        assert.equal(routesOf(model, faults, slot).exit?.node ?? -1, now.exit[slot], `router ${slot}`)
      for (const { router, from, to } of answer.exits)
        assert.deepEqual([from, to], [model.exitNow[router], now.exit[router]])
      assert.deepEqual(
        model.egresses.map(({ spf }) => [...spf.distance]),
        makeModel(known).egresses.map(({ spf }) => [...spf.distance]),
        "the model is as before",
      )
    }),
    { numRuns: 400 },
  )
  assert.ok(compared > 150, `${compared} compared`)
  assert.ok(hidden > 0, `${hidden} where somebody does not hear of the nearest exit`)
})

/** Exits 0 (behind 2) and 1 (behind 5); a chain 2 - 3 - 4 - 5 of cost 1 each; who reflects is the case's. */
const CHAIN = "0-2*1@10 1-5*1@10 2-3*1@10 3-4*1@10 4-5*1@10"
const chain = (ibgp: Ibgp | null, more = {}) =>
  modelFrom({
    graph: net(6, CHAIN),
    outside: Uint8Array.of(1, 1, 0, 0, 0, 0),
    exits: [0, 1],
    vantages: [3],
    ibgp,
    ...more,
  })

test("[what-if] a reflector's choice hides the nearer exit from its clients; in a full mesh everybody has the nearest", () => {
  assert.deepEqual([...chain(null).exitNow], [0, 1, 0, 0, 1, 1])
  assert.deepEqual([...chain(sessions(6, "2-3 2-4 2-5 3-4 3-5 4-5")).exitNow], [0, 1, 0, 0, 1, 1])
  const reflected = chain(sessions(6, "3-2 3-4 3-5", [3]))
  assert.deepEqual([...reflected.exitNow], [0, 1, 0, 0, 0, 1], "4 hears from 3 of exit 0 only; 5 has its own")
  const { exits } = whatIf(reflected, [{ kind: "link", link: 0 }])
  assert.deepEqual(
    exits,
    [2, 3, 4].map((router) => ({ router, from: 0, to: 1 })),
  )
  assert.deepEqual(routesOf(reflected, [], 4).exit, { node: 0, cost: 3, next: [reflected.graph.half[7]] })
})

test("[what-if] of equally near borders the lower identifier is taken, and a drained one only without another", () => {
  const ibgp = sessions(6, "2-3 2-4 2-5 3-4 3-5 4-5")
  const odd = { graph: net(6, CHAIN.replace("3-4*1", "3-4*2").replace("2-3*1", "2-3*3")), ibgp }
  const byRank = (rank: readonly number[]) =>
    chain({ ...ibgp, rank: Uint32Array.from(rank) }, odd.graph === null ? {} : { graph: odd.graph })
  assert.equal(byRank([0, 1, 2, 3, 4, 5]).exitNow[3], 0)
  assert.equal(byRank([0, 1, 5, 3, 4, 2]).exitNow[3], 1)
  const drained = whatIf(chain(ibgp), [{ kind: "drain", link: 0 }])
  assert.deepEqual(
    drained.exits.map(({ router, to }) => [router, to]),
    [
      [2, 1],
      [3, 1],
    ],
    "also its own border, as a graceful shutdown has it",
  )
})

test("[what-if] without a reflector left nobody is told of an exit: said, although everybody has a way", () => {
  const reflected = chain(sessions(6, "3-2 3-4 3-5", [3]), { graph: net(6, `${CHAIN} 2-4*9`) })
  const answer = whatIf(reflected, [{ kind: "router", router: 3 }])
  assert.deepEqual(answer.offline, [3])
  assert.ok(answer.assumptions.some((one) => one.startsWith("1 routers have a way to an exit and no iBGP session")))
  assert.equal(routesOf(reflected, [{ kind: "router", router: 3 }], 4).exit, null)
})

test("[what-if] two reflectors that each prefer the other's exit: BGP has two ends, and it is said", () => {
  // 2 and 3 reflect; 4 (exit 0) is a client of 2 and near 3; 5 (exit 1) is a client of 3 and near 2.
  const model = modelFrom({
    graph: net(6, "0-4 1-5 2-5*1 3-4*1 2-4*5 3-5*5"),
    outside: Uint8Array.of(1, 1, 0, 0, 0, 0),
    exits: [0, 1],
    vantages: [2],
    ibgp: sessions(6, "2-3 2-4 3-5", [2, 3]),
  })
  assert.deepEqual(model.choiceNow.unsure, [2, 3])
  assert.ok(whatIf(model, []).assumptions.some((one) => one.includes("the exits of 2 routers hang on the order")))
  assert.equal(lived(model, 40, 7), null, "neither do messages decide it")
})

test("[what-if] traffic takes the exit that sessions bring: measured loads are explained by it, and move with it", () => {
  const ibgp = sessions(6, "3-2 3-4 3-5", [3])
  // 4 receives 1 Gbit/s from exit 0 over 2 and 3.
  const measuredBps = new Float64Array(10)
  for (const direction of [0, 4, 6]) measuredBps[direction] = 1e9
  const model = chain(ibgp, { measuredBps })
  assert.deepEqual(
    [...model.background],
    Array.from({ length: 10 }, () => 0),
    "all of it is explained",
  )
  assert.ok(
    chain(null, { measuredBps }).background.some((bps) => bps > 0),
    "the nearest exit would not explain it",
  )
  const { shifted, lostBps } = whatIf(model, [{ kind: "link", link: 0 }])
  assert.deepEqual(
    shifted.map(({ link, direction, beforeBps, afterBps }) => [link, direction, beforeBps / 1e9, afterBps / 1e9]),
    [
      [0, "ab", 1, 0],
      [1, "ab", 0, 1],
      [2, "ab", 1, 0],
      [3, "ab", 1, 0],
      [4, "ba", 0, 1],
    ],
  )
  assert.equal(lostBps, 0)
  assert.equal(whatIf(model, [{ kind: "link", link: 4 }]).shifted.length, 0, "the way that nobody takes may fail")
})

test("[what-if] what a router receives is lost when nobody tells it of an exit any more", () => {
  const measuredBps = new Float64Array(12)
  for (const direction of [0, 4, 6]) measuredBps[direction] = 1e9
  const model = chain(sessions(6, "3-2 3-4 3-5", [3]), { graph: net(6, `${CHAIN} 2-4*9`), measuredBps })
  const { lostBps, offline } = whatIf(model, [{ kind: "router", router: 3 }])
  assert.deepEqual([offline, lostBps], [[3], 1e9])
})

test("[bounded] a border that tells no session is heard by all, and so is everything by a router that tells none", () => {
  const known = hearExits(sessions(4, "1-2", [1]), {
    borders: [0, 2],
    cost: (egress, node) => Math.abs((egress === 0 ? 0 : 2) - node),
    isLastResort: () => false,
    isUp: () => true,
  })
  assert.deepEqual([...known.egress], [0, 0, 1, 1])
  assert.deepEqual(known.unsure, [])
})
