/**
 * A model of a live twin (or a branch of it, or of a moment of the past: they are the same). Structure is the inventory's,
 * what is down is what the twin believes down, loads and sessions are measured values; what the twin cannot know is
 * replaced by a stated assumption, which every answer repeats.
 */
import type { Device } from "#protocol/inventory.ts"
import type { Role } from "#protocol/role.ts"
import { at } from "#twin/chunked.ts"
import type { Cells } from "#twin/cells.ts"
import type { World } from "#twin/round.ts"
import type { Topology } from "#twin/topology.ts"
import { endAt } from "#twin/topology.ts"
import type { DependencyGroup } from "#twin/whatif/dependency.ts"
import type { Srlg } from "#twin/whatif/fault.ts"
import { sessionsKnown } from "#twin/whatif/ibgp-sessions.ts"
import { costOfCapacity, flatGraphOf } from "#twin/whatif/graph.ts"
import type { FlatGraph, FlatOptions } from "#twin/whatif/graph.ts"
import { makeLossModel, makeModel } from "#twin/whatif/model.ts"
import type { Known, LossModel, Model } from "#twin/whatif/model.ts"
import { DOWN, readingsOf, VOICELESS } from "#twin/whatif/readings.ts"
import type { Readings } from "#twin/whatif/readings.ts"
import type { PairDemand } from "#twin/whatif/traffic.ts"

/** What an operator adds to what the twin knows by itself. */
export interface Told {
  readonly srlgs?: readonly Srlg[]
  readonly groups?: readonly DependencyGroup[]
  /** OSPF costs by link slot, before what the routers say; null = what they say, else by capacity. */
  readonly costOf?: FlatOptions["costOf"]
  readonly referenceBps?: number
  readonly matrix?: readonly PairDemand[]
  /** Whether exits follow the iBGP sessions: who asks only for what is cut off does without. Default false. */
  readonly sessions?: boolean
  /** As it was before a fault: these were up, and these were the sessions (NaN = unknown). */
  readonly before?: {
    readonly nodes: ReadonlySet<number>
    readonly links: ReadonlySet<number>
    readonly sessionsOf: (slot: number) => number
  }
}

export const modelOf = (world: World, cells: Cells, told: Told = {}): Model => makeModel(knownOf(world, cells, told))

/** As much of it as tells who is cut off. */
export const lossModelOf = (world: World, cells: Cells, told: Told = {}): LossModel =>
  makeLossModel(knownOf(world, cells, told))

const knownOf = (world: World, cells: Cells, told: Told): Known => {
  const { topology } = world
  const { devices, links } = topology.inventory
  const { exits, outside, said: saidOfExits, core, hasCustomers, siteOf } = declaredBy(topology)
  const { ibgp, said: saidOfSessions } =
    told.sessions === true ? sessionsKnown({ topology, cells }, outside) : { ibgp: null, said: [] }
  const readings = (world.readings = readingsOf(topology, cells, world.readings))
  const silent = silentRouters(readings, told.before?.nodes)
  const { graph, said: saidOfCosts } = graphFor(topology, readings, told)
  return {
    nodes: devices.length,
    links: links.length,
    sites: topology.tenant.sites,
    siteOf,
    srlgs: told.srlgs ?? [],
    linkAt: (router, ifName) => endAt(topology, router, ifName)?.link ?? -1,
    graph,
    outside,
    exits,
    vantages: core.length > 0 ? core : borders(graph, exits, outside),
    downNodes: silent.down,
    downLinks: downLinksOf(readings, told.before?.links),
    groups: told.groups ?? [],
    ibgp,
    measuredBps: readings.bps.slice(),
    matrix: told.matrix ?? null,
    sessions: Float64Array.from(devices, (_, slot) => told.before?.sessionsOf(slot) ?? sessionsOf(cells, slot)),
    hasCustomers,
    assumptions: [...saidOfCosts, ...saidOfExits, ...saidOfSessions, ...saidOfCore(core), ...silent.said],
  }
}

interface Declared extends Exits {
  readonly core: readonly number[]
  readonly hasCustomers: Uint8Array
  readonly siteOf: Int32Array
  /** By link: 1 = it touches a device that is not ours. */
  readonly outsideLinks: Uint8Array
}

/** What the inventory alone says, for as long as it stays. */
const declaredBy = (topology: Topology): Declared => {
  const known = knownDeclared.get(topology)
  if (known !== undefined) return known
  const { inventory, deviceSlot, tenant } = topology
  const has = withRole(inventory.devices)
  const exits = exitsOfRoles(inventory.devices)
  const isOutside = ({ a, b }: (typeof inventory.links)[number]): boolean =>
    [a, b].some((end) => exits.outside[deviceSlot.get(end.device) ?? -1] === 1)
  const declared: Declared = {
    ...exits,
    core: has(["core"]),
    hasCustomers: customerRouters(inventory.devices.length, has),
    siteOf: Int32Array.from(tenant.siteOf, (site) => (site < tenant.sites ? site : -1)),
    outsideLinks: Uint8Array.from(inventory.links, (link) => (isOutside(link) ? 1 : 0)),
  }
  knownDeclared.set(topology, declared)
  return declared
}
const knownDeclared = new WeakMap<Topology, Declared>()

type Has = (roles: readonly Role[]) => number[]

const withRole =
  (devices: readonly Device[]): Has =>
  (roles) =>
    devices.flatMap((device, slot) => (device.roles.some((role) => roles.includes(role)) ? [slot] : []))

/** Upstreams and peers are where the world is. Nothing is routed through them, so that their links count alike. */
const OUTSIDE_COST = 1

type Graph = { readonly graph: FlatGraph; readonly said: readonly string[] }

const graphFor = (topology: Topology, readings: Readings, told: Told): Graph => {
  // What an operator adds is of this one question.
  if (told.costOf !== undefined || told.referenceBps !== undefined) return graphBy(topology, readings, told)
  const known = graphs.get(readings)
  if (known?.version === readings.version) return known
  const made = { ...graphBy(topology, readings, told), version: readings.version }
  graphs.set(readings, made)
  return made
}
/** Of a twin's newest readings. */
const graphs = new WeakMap<Readings, Graph & { readonly version: number }>()

const graphBy = (topology: Topology, { costs: said, capacityBps }: Readings, told: Told): Graph => {
  const { outsideLinks } = declaredBy(topology)
  const counts: CostCounts = { known: 0, halfKnown: 0, byCapacity: 0 }
  const costs = new Float64Array(said.length)
  for (let link = 0; link < capacityBps.length; link++) {
    let ab = OUTSIDE_COST
    let ba = OUTSIDE_COST
    if (outsideLinks[link] !== 1) {
      const known = told.costOf?.(link) ?? bothWays(said[2 * link], said[2 * link + 1], counts)
      if (known === null) counts.byCapacity++
      else counts.known++
      ab = known?.costAB ?? costOfCapacity(capacityBps[link] as number, told.referenceBps)
      ba = known?.costBA ?? ab
    }
    costs[2 * link] = ab
    costs[2 * link + 1] = ba
  }
  return { graph: graphOf(topology, capacityBps, costs), said: saidOf(counts) }
}

/** The newest graph of a topology: costs and capacities hardly ever change, and it is built of many small things. */
const newest = new WeakMap<
  Topology,
  { readonly capacityBps: Float64Array; readonly costs: Float64Array; readonly graph: FlatGraph }
>()

const graphOf = (topology: Topology, read: Float64Array, costs: Float64Array): FlatGraph => {
  const known = newest.get(topology)
  if (known !== undefined && sameNumbers(known.capacityBps, read) && sameNumbers(known.costs, costs)) return known.graph
  const costOf = (link: number): Costs => ({
    costAB: costs[2 * link] as number,
    costBA: costs[2 * link + 1] as number,
  })
  // The readings go on, the graph stays as it is.
  const capacityBps = read.slice()
  const graph = flatGraphOf(topology, { capacityBps, costOf })
  newest.set(topology, { capacityBps, costs, graph })
  return graph
}

const sameNumbers = (a: Float64Array, b: Float64Array): boolean => {
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false
  return a.length === b.length
}

/** Links whose cost is known, among them those of one end only, and the others. */
interface CostCounts {
  known: number
  halfKnown: number
  byCapacity: number
}

/** Who does not say it is taken to have what the other end has: a cost by capacity beside a configured one misleads more. */
const bothWays = (ab = Number.NaN, ba = Number.NaN, counts: CostCounts): Costs | null => {
  if (Number.isNaN(ab) && Number.isNaN(ba)) return null
  if (Number.isNaN(ab) || Number.isNaN(ba)) counts.halfKnown++
  return { costAB: Number.isNaN(ab) ? ba : ab, costBA: Number.isNaN(ba) ? ab : ba }
}

type Costs = NonNullable<ReturnType<NonNullable<FlatOptions["costOf"]>>>

const saidOf = ({ known, halfKnown, byCapacity }: CostCounts): readonly string[] => {
  if (known === 0) return ["the routers' OSPF costs are not known: costs follow capacity"]
  const some = `the OSPF costs of ${byCapacity} of ${known + byCapacity} links are not known: they follow capacity`
  const half = `the OSPF cost of ${halfKnown} links is known at one end: it is taken for both`
  return [...(byCapacity > 0 ? [some] : []), ...(halfKnown > 0 ? [half] : [])]
}

interface Exits {
  readonly exits: readonly number[]
  readonly outside: Uint8Array
  readonly said: readonly string[]
}

/** Where the world is, by the roles that the inventory gives. */
export const exitsOfRoles = (devices: readonly Device[]): Exits => {
  const has = withRole(devices)
  const outside = new Uint8Array(devices.length)
  const world = has(["upstream", "peering"])
  if (world.length > 0) {
    for (const slot of world) outside[slot] = 1
    return {
      exits: world,
      outside,
      said: ["a router uses the upstream or peer that is nearest by cost"],
    }
  }
  const edges = has(["edge"])
  if (edges.length > 0)
    return { exits: edges, outside, said: ["no upstream is in the inventory: edge routers are taken for exits"] }
  const core = has(["core"])
  const words = core.length > 0 ? "core routers are taken for exits" : "nobody can be cut off from anything"
  return { exits: core, outside, said: [`neither upstream nor edge is in the inventory: ${words}`] }
}

/** Without a core: our own routers that are exits or stand next to one. */
const borders = (graph: FlatGraph, exits: readonly number[], outside: Uint8Array): readonly number[] =>
  exits.flatMap((exit) =>
    outside[exit] === 0
      ? [exit]
      : [...graph.to.subarray(graph.from[exit], graph.from[exit + 1])].filter((n) => outside[n] === 0),
  )

/** Who should have customers: a concentrator tells its sessions, what hangs behind it does not. */
const customerRouters = (nodes: number, has: Has): Uint8Array => {
  const mask = new Uint8Array(nodes)
  for (const slot of has(["access", "bng", "customer-edge"])) mask[slot] = 1
  return mask
}

const saidOfCore = (core: readonly number[]): readonly string[] =>
  core.length > 0
    ? ["a router counts as reachable when a core router reaches it"]
    : ["no core router is in the inventory: a router counts as reachable when a router next to an exit reaches it"]

/** `before` = these were up. */
const silentRouters = (
  { silence }: Readings,
  before: ReadonlySet<number> | undefined,
): { readonly down: Uint8Array; readonly said: readonly string[] } => {
  const down = new Uint8Array(silence.length)
  let voiceless = 0
  for (let slot = 0; slot < down.length; slot++) {
    if (silence[slot] === DOWN) down[slot] = 1
    else if (silence[slot] === VOICELESS) voiceless++
  }
  for (const slot of before ?? []) down[slot] = 0
  const said = `${voiceless} routers do not answer but forward traffic: they are taken for alive`
  return { down, said: voiceless > 0 ? [said] : [] }
}

const downLinksOf = ({ downLinks }: Readings, before: ReadonlySet<number> | undefined): Uint8Array => {
  const down = downLinks.slice()
  for (const link of before ?? []) down[link] = 0
  return down
}

/** As the tenant counts them: while the router answers and is not stale. */
const sessionsOf = (cells: Cells, slot: number): number =>
  at(cells.tenant.state(0).nodes, slot).fact?.subscribers ?? Number.NaN
