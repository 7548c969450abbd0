/**
 * Everything that a what-if needs to know of a network at one moment, and the structures that answer questions about it:
 * who is reached, the shortest ways, the traffic on them, the customers. A question changes these and takes the change
 * back, so that a model answers as many questions as one likes; it is one moment's, and a new moment wants a new model.
 */
import { CustomerCount, customersOf } from "#twin/whatif/customers.ts"
import type { Customers, Subscribers } from "#twin/whatif/customers.ts"
import { lostByDependence } from "#twin/whatif/dependency.ts"
import type { Dependence, DependencyGroup } from "#twin/whatif/dependency.ts"
import { demandOf, estimateDemand } from "#twin/whatif/estimate.ts"
import type { Estimate } from "#twin/whatif/estimate.ts"
import { chooseExits, egressesOf, MAX_EGRESSES, splitDemand } from "#twin/whatif/egress.ts"
import type { Choice, Egress } from "#twin/whatif/egress.ts"
import type { Structure } from "#twin/whatif/fault.ts"
import type { FlatGraph } from "#twin/whatif/graph.ts"
import type { Ibgp } from "#twin/whatif/ibgp.ts"
import { IncrementalSpf } from "#twin/whatif/incremental-spf.ts"
import { Spanning } from "#twin/whatif/spanning.ts"
import { demandTrees, noSpread, Traffic } from "#twin/whatif/traffic.ts"
import type { Demand, PairDemand, Spread } from "#twin/whatif/traffic.ts"

/** What is known, by node and link slot. */
export interface Known extends Structure, Subscribers {
  readonly graph: FlatGraph
  /** Devices that are not ours to route through (upstreams, peers): ways to the world end there. */
  readonly outside: Uint8Array
  /** Where the world is: outside devices, or our own routers that stand for them. */
  readonly exits: readonly number[]
  /** From where a router counts as reached: the core. */
  readonly vantages: readonly number[]
  readonly downNodes: Uint8Array
  readonly downLinks: Uint8Array
  readonly groups: readonly DependencyGroup[]
  /** Null = no session is known: every router is taken to hear of every exit. */
  readonly ibgp: Ibgp | null
  /** By direction (traffic.ts), bit/s; NaN = unknown. */
  readonly measuredBps: Float64Array
  /** Demands that are known; null = they are estimated from the loads. */
  readonly matrix: readonly PairDemand[] | null
  /** What the answers rest on and nobody measured, in words. */
  readonly assumptions: readonly string[]
}

/** Demands and the ways that they take. */
export interface Tree {
  readonly spf: IncrementalSpf
  readonly demand: Demand
}

export interface Model extends Known {
  /** From the exits: who has service. */
  readonly service: Spanning
  /** From the vantages, over our own links only: who can be managed. */
  readonly management: Spanning
  /** Towards the nearest exit. */
  readonly toExit: IncrementalSpf
  readonly traffic: Traffic
  readonly trees: readonly Tree[]
  /** As `trees`, with the nearest exit also where sessions bring another: one tree, which follows a fault by itself. */
  readonly nearest: readonly Tree[]
  /** Empty without known sessions. */
  readonly egresses: readonly Egress[]
  /** Null with a known matrix. */
  readonly estimate: Estimate | null
  /** By direction: measured and not explained by the demands; 0 where nothing is measured. */
  readonly background: Float64Array
  readonly customers: Customers
  readonly customerCount: CustomerCount
  readonly choiceNow: Choice
  /** Now: exit of every router, what the demands put on every link, and what is on it (measured, else by the demands). */
  readonly exitNow: Int32Array
  readonly explained: Spread
  readonly loadNow: Float64Array
}

/** Destinations of a demand matrix; each costs one set of shortest ways. More are left out, the smallest first. */
export const MAX_DESTINATIONS = 256

/** Less than this is rounding. */
const NOISE_BPS = 1000

export const makeModel = (known: Known): Model => {
  const { graph, exits, downNodes, downLinks } = known
  const measuredBps = measuredNow(known)
  const costs = { cost: graph.cost, failedNodes: downNodes, failedLinks: downLinks }
  const toExit = new IncrementalSpf(graph, exits, costs)
  const measured = { bps: measuredBps, sessions: known.sessions }
  const estimate = known.matrix === null ? estimateDemand(graph, toExit, exits, measured) : null
  const nearest = known.matrix === null ? [{ spf: toExit, demand: estimate?.demand as Demand }] : treesOf(known, costs)
  const found = known.ibgp === null ? [] : egressesOf(known, costs)
  const egresses = found ?? []
  const choosing = { graph, outside: known.outside, toExit, ibgp: found === null ? null : known.ibgp, egresses }
  const choiceNow = chooseExits(choosing)
  const traffic = new Traffic(graph)
  const { trees, lostBps } = treesBy({ nearest, estimate, egresses }, choiceNow)
  const explained = spreadOf(traffic, trees, graph.links)
  explained.lostBps += lostBps
  const isMeasured = (direction: number): boolean => !Number.isNaN(measuredBps[direction])
  const background = explained.bps.map((bps, d) => {
    const rest = isMeasured(d) ? (measuredBps[d] as number) - bps : 0
    return Math.abs(rest) < NOISE_BPS ? 0 : rest
  })
  return {
    ...known,
    ...choosing,
    ...reachOf(known, estimate?.demand.down ?? stayingOf(known)),
    measuredBps,
    traffic,
    trees,
    nearest,
    choiceNow,
    estimate,
    background,
    exitNow: choiceNow.exit,
    explained,
    loadNow: explained.bps.map((bps, d) => (isMeasured(d) ? (measuredBps[d] as number) : bps)),
    assumptions: [
      ...known.assumptions,
      ...(found === null
        ? [`more than ${MAX_EGRESSES} ways out: exits assume a full mesh of iBGP: every router hears of every exit`]
        : []),
      ...saidOfTraffic(known, estimate),
    ],
  }
}

/** As much of a model as tells who is cut off and how many customers: whither their traffic goes is left out. */
export type LossModel = Structure &
  Pick<Model, "graph" | "outside" | "groups" | "service" | "management" | "customers" | "customerCount">

/** O(V + E), where a whole model takes several sets of shortest ways and all demands on them. */
export const makeLossModel = (known: Known): LossModel => {
  const measured = { bps: measuredNow(known), sessions: known.sessions }
  const costs = { failedLinks: known.downLinks }
  const down =
    known.matrix === null ? demandOf(known.graph, costs, known.exits, measured).demand.down : stayingOf(known)
  return { ...known, ...reachOf(known, down) }
}

/** Who is reached, and whose customers they are; `down` = traffic that stays at each node. */
const reachOf = (
  known: Known,
  down: Float64Array,
): Pick<Model, "service" | "management" | "customers" | "customerCount"> => {
  const { graph, exits, vantages, downNodes, downLinks } = known
  const costs = { cost: graph.cost, failedNodes: downNodes, failedLinks: downLinks }
  const customers = customersOf(graph, costs, known, down)
  return {
    service: new Spanning(graph, exits, downNodes, downLinks),
    management: new Spanning(graph, vantages, downNodes, withoutOutside(known)),
    customers,
    customerCount: new CustomerCount(customers),
  }
}

/** What was last measured on a link that is down is no load of now. */
const measuredNow = ({ graph, downNodes, downLinks, measuredBps }: Known): Float64Array => {
  const now = measuredBps.slice()
  for (let link = 0; link < graph.links; link++) {
    const isDown =
      downLinks[link] === 1 || downNodes[graph.a[link] as number] === 1 || downNodes[graph.b[link] as number] === 1
    if (!isDown) continue
    now[2 * link] = Number.NaN
    now[2 * link + 1] = Number.NaN
  }
  return now
}

/** The demands on the ways that a choice of exits gives them. A known matrix goes where it says. */
export const treesBy = (
  { nearest, estimate, egresses }: Pick<Model, "nearest" | "estimate" | "egresses">,
  { egress }: Choice,
): { readonly trees: readonly Tree[]; readonly lostBps: number } => {
  if (egress === null || estimate === null) return { trees: nearest, lostBps: 0 }
  const { parts, lostBps } = splitDemand(estimate.demand, egress, egresses.length)
  return { trees: egresses.map(({ spf }, at) => ({ spf, demand: parts[at] as Demand })), lostBps }
}

export const spreadOf = (traffic: Traffic, trees: readonly Tree[], links: number, spread = noSpread(links)): Spread => {
  spread.bps.fill(0)
  spread.lostBps = 0
  for (const { spf, demand } of trees) traffic.add(spf, demand, spread)
  return spread
}

/** Which dependency groups are broken, and whom they take along, as `service` stands. */
export const dependenceNow = ({ groups, service, graph }: Pick<Model, "groups" | "service" | "graph">): Dependence => {
  const isDead = (node: number): boolean => node >= 0 && service.failedNodes[node] === 1
  return lostByDependence(
    groups,
    (router) => service.reached[router] === 0,
    (link) => service.failedLinks[link] === 1 || isDead(graph.a[link] as number) || isDead(graph.b[link] as number),
  )
}

/** Whether a link touches a device that is not ours. */
export const isOutside = ({ graph, outside }: Pick<Known, "graph" | "outside">, link: number): boolean =>
  outside[graph.a[link] as number] === 1 || outside[graph.b[link] as number] === 1

/** An upstream's router is no way between two of ours. */
const withoutOutside = (known: Known): Uint8Array =>
  known.downLinks.map((down, link) => (down === 1 || isOutside(known, link) ? 1 : 0))

const treesOf = (known: Known, costs: ConstructorParameters<typeof IncrementalSpf>[2]): readonly Tree[] => {
  const sum = ({ up }: Demand): number => up.reduce((total, bps) => total + bps, 0)
  return demandTrees(known.graph.nodes, known.matrix ?? [])
    .map(({ root, demand }) => ({ root, demand, bps: sum(demand) }))
    .sort((x, y) => y.bps - x.bps || x.root - y.root)
    .slice(0, MAX_DESTINATIONS)
    .map(({ root, demand }) => ({ spf: new IncrementalSpf(known.graph, [root], costs), demand }))
}

/** What a matrix leaves at each node: the weight by which a concentrator's sessions are shared out. */
const stayingOf = ({ matrix, graph }: Known): Float64Array => {
  const down = new Float64Array(graph.nodes)
  for (const { to, bps } of matrix ?? []) down[to]! += bps
  return down
}

const percent = (share: number): string => `${Math.round(100 * share)} %`

const saidOfTraffic = (known: Known, estimate: Estimate | null): readonly string[] => {
  if (estimate === null) {
    const destinations = new Set(known.matrix?.map(({ to }) => to)).size
    const left = destinations - MAX_DESTINATIONS
    return left > 0 ? [`traffic to ${left} small destinations of the demand matrix is left out`] : []
  }
  const { unexplained, upShare, upShareMeasured, blindRouters } = estimate
  if (unexplained === null) return ["no link load is measured: traffic and full links are unknown"]
  return [
    `traffic demands are estimated from link loads; ${percent(unexplained)} of the measured traffic is not explained by them and is taken to stay between the ends of its link`,
    `customers send ${percent(upShare)} of what they receive (${upShareMeasured ? "measured at the exits" : "assumed: no exit is measured"})`,
    ...(blindRouters > 0 ? [`${blindRouters} routers have links without a measured load`] : []),
  ]
}
