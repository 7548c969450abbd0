/**
 * [what-if] against the emulated ISP really doing it: a twin is fed with polls of the lab's truth, asked what would be if
 * something failed, and then it fails. Reachability must be equal, link loads and customers within PRODUCT.md's bounds.
 * The twin knows nothing of the lab but what its polls say, OSPF costs included; the collectors' own tests prove those.
 */
import assert from "node:assert/strict"
import { test } from "node:test"
import { generate } from "#lab/isp/generate.ts"
import type { Isp } from "#lab/isp/model.ts"
import { Network } from "#lab/isp/network.ts"
import { graphOf, shortestPaths } from "#lab/isp/spf.ts"
import { loadsOf as labLoadsOf } from "#lab/isp/traffic.ts"
import { deviceId, DEVICE_ENTITY, interfaceKey, linkId, siteId } from "#protocol/id.ts"
import type { EntityKey } from "#protocol/id.ts"
import type { Inventory } from "#protocol/inventory.ts"
import { metricId } from "#protocol/metric.ts"
import type { MetricName } from "#protocol/metric.ts"
import { plainCells } from "#twin/cells.ts"
import type { PollInput } from "#twin/input.ts"
import { newWorld, runRound } from "#twin/round.ts"
import { flatGraph } from "#twin/whatif/graph.ts"
import { IncrementalSpf } from "#twin/whatif/incremental-spf.ts"
import { noSpread, Traffic } from "#twin/whatif/traffic.ts"
import type { Fault } from "#twin/whatif/fault.ts"
import type { Model } from "#twin/whatif/model.ts"
import { modelOf } from "#twin/whatif/twin-model.ts"
import { whatIf } from "#twin/whatif/what-if.ts"
import type { WhatIfAnswer } from "#twin/whatif/what-if.ts"

/** Nine in the evening in Sao Paulo. */
const EVENING = Date.UTC(2026, 0, 2, 0, 0, 0)
const POLL_MS = 30_000
/** OSPF's dead interval, the reroute, and some more. */
const CONVERGED_MS = 8000
/** Sessions of a lost path fade for a minute and more. */
const FADED_MS = 240_000

/** The inventory of the lab, in the lab's order, so that slots are the lab's indexes. */
const inventoryOf = (isp: Isp): Inventory => ({
  sites: isp.sites.map(({ id, name, latitude, longitude }) => ({ id: siteId(id), name, latitude, longitude })),
  devices: isp.routers.map(({ name, roles, site }) => ({
    id: deviceId(name),
    name,
    address: "127.0.0.1",
    site: siteId(isp.sites[site]!.id),
    roles,
    pollSeconds: POLL_MS / 1000,
    sources: ["snmp"],
  })),
  links: isp.links.map(({ index, a, b, capacityBps }) => {
    const end = (port: number) => ({
      device: deviceId(isp.routers[isp.ports[port]!.router]!.name),
      interface: isp.ports[port]!.name,
    })
    return { id: linkId(`l${index}`), a: end(a), b: end(b), capacityBps }
  }),
})

/** What the collector would bring home from a router now. `costs`: it reads those of OSPF. */
const pollOf = (isp: Isp, network: Network, router: number, costs: boolean): PollInput => {
  const entities: EntityKey[] = [DEVICE_ENTITY]
  const rows: Array<readonly [entity: number, metric: MetricName, value: number]> = []
  const sessions = network.households.sessionsOn(router)
  if (sessions !== null) rows.push([0, "pppoe.sessions.active", sessions])
  for (const port of isp.routers[router]!.ports) {
    const entity = entities.push(interfaceKey(isp.ports[port]!.name)) - 1
    rows.push(
      [entity, "interface.oper_up", network.portUp[port]!],
      [entity, "interface.admin_up", 1],
      [entity, "interface.speed_bps", isp.ports[port]!.speedBps],
      [entity, "interface.counter_bits", 64],
      [entity, "interface.rx_bytes_total", network.inOctets(port)],
      [entity, "interface.tx_bytes_total", network.outOctets(port)],
    )
    const link = isp.links[isp.ports[port]!.wire]
    if (costs && link?.ospf === true) rows.push([entity, "interface.ospf_cost", link.cost])
  }
  return {
    kind: "poll",
    device: deviceId(isp.routers[router]!.name),
    source: "snmp",
    startedMs: network.nowMs,
    atMs: network.nowMs,
    entities,
    entity: Uint16Array.from(rows, ([entity]) => entity),
    metric: Uint16Array.from(rows, ([, metric]) => metricId(metric)),
    value: Float64Array.from(rows, ([, , value]) => value),
    texts: [],
    complete: ["interface"],
  }
}

/** A lab that has been running, and what its twin makes of it. `costs`: the polls bring the OSPF costs. */
const watched = (isp: Isp, costs = true): { readonly network: Network; readonly model: Model } => {
  const network = new Network(isp, EVENING)
  const world = newWorld()
  const cells = plainCells(undefined, (_bank, _slot, error) => {
    throw error
  })
  const told: Parameters<typeof runRound>[2][number]["input"][] = [
    { kind: "topology", atMs: network.nowMs, rev: 1, inventory: inventoryOf(isp) },
  ]
  for (let polls = 0; polls < 4; polls++) {
    if (polls > 0) network.advance(network.nowMs + POLL_MS)
    told.push(...isp.routers.map(({ index }) => pollOf(isp, network, index, costs)))
  }
  runRound(
    world,
    cells,
    told.map((input, i) => ({ seq: i + 1, input })),
  )
  return { network, model: modelOf(world, cells) }
}

const happen = (network: Network, faults: readonly Fault[]): void => {
  for (const fault of faults) {
    if (fault.kind === "link") network.setCut(fault.link, true)
    else if (fault.kind === "router") network.kill(fault.router)
    else if (fault.kind === "site")
      for (const { index, site } of network.isp.routers) if (site === fault.site) network.kill(index)
  }
}

/** bit/s by direction, as the lab's ports really send. */
const loadsOf = (network: Network): Float64Array =>
  Float64Array.from({ length: 2 * network.isp.links.length }, (_, d) => {
    const { a, b } = network.isp.links[d >> 1]!
    return network.outBps((d & 1) === 0 ? a : b)
  })

/** Errors of predicted loads, as shares of the truth, where there is something to carry. */
const errors = (isp: Isp, model: Model, answer: WhatIfAnswer, truth: Float64Array, shiftedOnly: boolean): number[] => {
  const after = model.loadNow.slice()
  const moved = new Set<number>()
  for (const { link: l, direction, carriedBps } of answer.shifted) {
    const d = 2 * l + (direction === "ab" ? 0 : 1)
    after[d] = carriedBps
    moved.add(d)
  }
  return [...truth.entries()].flatMap(([d, bps]) => {
    const { capacityBps } = isp.links[d >> 1]!
    if (bps < 0.01 * capacityBps || (shiftedOnly && !moved.has(d))) return []
    return [Math.abs(after[d]! - bps) / bps]
  })
}

const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((x, y) => x - y)[Math.max(0, Math.ceil(q * values.length) - 1)] ?? 0

const SEEDS = [1, 2, 3]
const ROUTERS = 120

/** Faults of every class, spread over the network by the seed. */
const faultsFor = (isp: Isp, seed: number): ReadonlyArray<readonly Fault[]> => {
  const linksOf = (kind: string) => isp.links.filter((one) => one.kind === kind).map(({ index }) => index)
  const routersOf = (role: string) => isp.routers.filter((one) => one.roles[0] === role).map(({ index }) => index)
  const pick = (list: readonly number[], n: number): number => list[(seed * 7 + n * 13) % list.length]!
  const cut = (kind: string, n: number): Fault => ({ kind: "link", link: pick(linksOf(kind), n) })
  const kill = (role: string, n: number): Fault => ({ kind: "router", router: pick(routersOf(role), n) })
  return [
    ...["core", "edge", "upstream", "agg", "bng", "access"].map((kind, n) => [cut(kind, n)]),
    ...["upstream", "edge", "agg", "bng", "access"].map((role, n) => [kill(role, n)]),
    [cut("core", 1), cut("core", 2)],
    [{ kind: "site", site: isp.routers[pick(routersOf("agg"), 5)]!.site }],
  ]
}

for (const seed of SEEDS) {
  const isp = generate({ routers: ROUTERS, seed })
  test(`[what-if] reachability predicted for ${ROUTERS} routers, seed ${seed}, are the ones that come`, () => {
    for (const faults of faultsFor(isp, seed)) {
      const { network, model } = watched(isp)
      const words = JSON.stringify(faults)
      const answer = whatIf(model, faults)
      const before = network.answers.slice()
      happen(network, faults)
      network.advance(network.nowMs + CONVERGED_MS)
      // The lab's NOC stands at two core routers; with these alive "the core reaches it" is the same question.
      const silent = isp.routers.map(({ index }) => index).filter((r) => before[r] === 1 && network.answers[r] === 0)
      const ours = silent.filter((r) => !isp.routers[r]!.roles.includes("upstream"))
      assert.deepEqual(answer.unreachable, ours, words)
    }
  })
}

test("[what-if] predicted loads are within 10 % of the lab's (p90), and lost customers within 5 %", (t) => {
  const [all, moved, blind]: [number[], number[], number[]] = [[], [], []]
  let [told, truth] = [0, 0]
  for (const seed of SEEDS) {
    const isp = generate({ routers: ROUTERS, seed })
    for (const faults of faultsFor(isp, seed)) {
      const { network, model } = watched(isp)
      const answer = whatIf(model, faults)
      const byCapacity = watched(isp, false).model
      const guess = whatIf(byCapacity, faults)
      const sessions = (): number =>
        isp.routers.reduce((sum, { index }) => sum + (network.households.sessionsOn(index) ?? 0), 0)
      const before = sessions()
      happen(network, faults)
      network.advance(network.nowMs + CONVERGED_MS)
      const loads = loadsOf(network)
      all.push(...errors(isp, model, answer, loads, false))
      moved.push(...errors(isp, model, answer, loads, true))
      blind.push(...errors(isp, byCapacity, guess, loads, true))
      network.advance(network.nowMs + FADED_MS)
      const lost = before - sessions()
      assert.notEqual(answer.customers.count, null)
      // Sessions come and go by themselves: a handful is noise.
      if (lost > 20) {
        told += answer.customers.count!
        truth += lost
        assert.ok(Math.abs(answer.customers.count! - lost) <= 0.05 * lost + 20, `${JSON.stringify(faults)}: ${lost}`)
      } else assert.ok(answer.customers.count! <= 20, JSON.stringify(faults))
    }
  }
  const p = (list: readonly number[]): string =>
    `p50 ${quantile(list, 0.5).toFixed(4)} p90 ${quantile(list, 0.9).toFixed(4)}`
  t.diagnostic(`load error, all directions: ${p(all)}; those that shift: ${p(moved)} (${moved.length})`)
  t.diagnostic(`those that shift, costs by capacity: ${p(blind)}; customers told ${told}, lost ${truth}`)
  assert.ok(quantile(all, 0.9) <= 0.1, p(all))
  assert.ok(quantile(moved, 0.9) <= 0.1, p(moved))
  assert.ok(truth > 1000 && Math.abs(told - truth) <= 0.05 * truth)
})

test("[what-if] the twin's paths, offered and carried loads equal the lab's own computation, link by link", () => {
  const isp = generate({ routers: 200, seed: 4 })
  const links = isp.links.map(({ a, b, cost }) => ({ a: isp.ports[a]!.router, b: isp.ports[b]!.router, cost }))
  const roots = isp.routers.filter(({ roles }) => roles.includes("upstream")).map(({ index }) => index)
  const demand = {
    down: Float64Array.from(isp.routers, ({ subscribers }) => subscribers * 3e6),
    up: Float64Array.from(isp.routers, ({ subscribers, businessBps }) => subscribers * 4e5 + businessBps),
  }
  // Half of what was bought: many links are too small.
  const capacity = Float64Array.from(isp.links, ({ capacityBps }) => capacityBps / 2)
  const graph = flatGraph(
    isp.routers.length,
    links.map(({ a, b, cost }, l) => ({ a, b, costAB: cost, costBA: cost, capacityBps: capacity[l]! })),
  )
  const spf = new IncrementalSpf(graph, roots)
  spf.begin()
  const usable = new Uint8Array(links.length).fill(1)
  for (let cut = 0; cut < 12; cut++) {
    const l = (cut * 37) % links.length
    usable[l] = 0
    spf.failLink(l)
    const dag = shortestPaths(graphOf(isp.routers.length, links), roots, usable)
    assert.deepEqual(spf.distance, dag.distance)
    const reached = (bps: Float64Array) => bps.map((one, router) => (dag.distance[router] === Infinity ? 0 : one))
    const own = { up: reached(demand.up), down: reached(demand.down) }
    const truth = labLoadsOf([{ dag, ...own }], capacity, new Float64Array(links.length))
    const spread = noSpread(links.length)
    const traffic = new Traffic(graph)
    traffic.add(spf, own, spread)
    const carried = new Float64Array(2 * links.length)
    const fraction = spread.bps.map((bps, d) => (bps > capacity[d >> 1]! ? capacity[d >> 1]! / bps : 1))
    traffic.addCarried(spf, own, fraction, carried)
    assert.ok(fraction.filter((part) => part < 1).length > 5)
    const same = (ours: Float64Array, theirs: Float64Array) => {
      for (const [d, bps] of theirs.entries()) assert.ok(Math.abs(ours[d]! - bps) <= 1e-6 * Math.max(1, bps), `${d}`)
    }
    same(spread.bps, truth.offered)
    same(carried, truth.carried)
  }
})
