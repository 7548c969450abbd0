/**
 * A model of a live twin (or a branch of it, or of a moment of the past: they are the same). Structure is the inventory's,
 * what is down is what the twin believes down, loads and sessions are measured values; what the twin cannot know is
 * replaced by a stated assumption, which every answer repeats.
 */
import { interfaceKey } from "#protocol/id.ts"
import type { Device } from "#protocol/inventory.ts"
import type { Role } from "#protocol/role.ts"
import { at } from "#twin/chunked.ts"
import type { Cells } from "#twin/cells.ts"
import { level, OSPF_COST } from "#twin/interface.ts"
import type { LinkState } from "#twin/link.ts"
import type { World } from "#twin/round.ts"
import type { Port } from "#twin/router.ts"
import type { Topology } from "#twin/topology.ts"
import { endAt } from "#twin/topology.ts"
import type { DependencyGroup } from "#twin/whatif/dependency.ts"
import type { Srlg } from "#twin/whatif/fault.ts"
import { sessionsKnown } from "#twin/whatif/ibgp-sessions.ts"
import { costOfCapacity, flatGraphOf } from "#twin/whatif/graph.ts"
import type { FlatGraph, FlatOptions } from "#twin/whatif/graph.ts"
import { makeModel } from "#twin/whatif/model.ts"
import type { Model } from "#twin/whatif/model.ts"
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

export const modelOf = (world: World, cells: Cells, told: Told = {}): Model => {
  const { topology } = world
  const { devices } = topology.inventory
  const links = topology.links.map((_, slot) => cells.links.state(slot))
  const has = withRole(devices)
  const { exits, outside, said: saidOfExits } = exitsOfRoles(devices)
  const core = has(["core"])
  const { ibgp, said: saidOfSessions } =
    told.sessions === true ? sessionsKnown({ topology, cells }, outside) : { ibgp: null, said: [] }
  const silent = silentRouters(topology, cells, links)
  const { graph, said: saidOfCosts } = graphFor(topology, cells, links, outside, told)
  return makeModel({
    nodes: devices.length,
    links: links.length,
    sites: topology.tenant.sites,
    siteOf: Int32Array.from(topology.tenant.siteOf, (site) => (site < topology.tenant.sites ? site : -1)),
    srlgs: told.srlgs ?? [],
    linkAt: (router, ifName) => endAt(topology, router, ifName)?.link ?? -1,
    graph,
    outside,
    exits,
    vantages: core.length > 0 ? core : borders(graph, exits, outside),
    downNodes: silent.down.map((down, slot) => (told.before?.nodes.has(slot) === true ? 0 : down)),
    downLinks: Uint8Array.from(links, ({ status }, link) =>
      status.health === "down" && told.before?.links.has(link) !== true ? 1 : 0,
    ),
    groups: told.groups ?? [],
    ibgp,
    measuredBps: Float64Array.from({ length: 2 * links.length }, (_, d) => bpsOf(links[d >> 1] as LinkState, d & 1)),
    matrix: told.matrix ?? null,
    sessions: Float64Array.from(devices, (_, slot) => told.before?.sessionsOf(slot) ?? sessionsOf(cells, slot)),
    hasCustomers: customerRouters(devices.length, has),
    assumptions: [...saidOfCosts, ...saidOfExits, ...saidOfSessions, ...saidOfCore(core), ...silent.said],
  })
}

type Has = (roles: readonly Role[]) => number[]

const withRole =
  (devices: readonly Device[]): Has =>
  (roles) =>
    devices.flatMap((device, slot) => (device.roles.some((role) => roles.includes(role)) ? [slot] : []))

/** Upstreams and peers are where the world is. Nothing is routed through them, so that their links count alike. */
const OUTSIDE_COST = 1

const graphFor = (
  topology: Topology,
  cells: Cells,
  links: readonly LinkState[],
  outside: Uint8Array,
  told: Told,
): { readonly graph: FlatGraph; readonly said: readonly string[] } => {
  const { inventory, deviceSlot } = topology
  const costs = costsSaid(topology, cells)
  const counts: CostCounts = { known: 0, halfKnown: 0, byCapacity: 0 }
  const isOutside = (link: number): boolean => {
    const { a, b } = inventory.links[link] ?? { a: null, b: null }
    return [a, b].some((end) => end !== null && outside[deviceSlot.get(end.device) ?? -1] === 1)
  }
  const graph = flatGraphOf(topology, {
    capacityBps: links.map(({ capacityBps }) => capacityBps ?? Number.NaN),
    costOf: (link) => {
      if (isOutside(link)) return { costAB: OUTSIDE_COST, costBA: OUTSIDE_COST }
      const known = told.costOf?.(link) ?? bothWays(costs[2 * link], costs[2 * link + 1], counts)
      if (known !== null) {
        counts.known++
        return known
      }
      counts.byCapacity++
      const cost = costOfCapacity(links[link]?.capacityBps ?? Number.NaN, told.referenceBps)
      return { costAB: cost, costBA: cost }
    },
  })
  return { graph, said: saidOf(counts) }
}

/** Links whose cost is known, among them those of one end only, and the others. */
interface CostCounts {
  known: number
  halfKnown: number
  byCapacity: number
}

/** What the routers say of sending out of end a (2 * link) and end b (2 * link + 1); NaN = nothing. */
const costsSaid = ({ routers, inventory }: Topology, cells: Cells): Float64Array => {
  const costs = new Float64Array(2 * inventory.links.length).fill(Number.NaN)
  for (const [slot, { ports }] of routers.entries()) {
    const { interfaces } = cells.routers.state(slot)
    for (const { ifName, link, end } of ports) {
      const row = interfaces.keys.indexOf(interfaceKey(ifName))
      const cost = row < 0 ? null : level(interfaces, row, OSPF_COST)
      if (cost !== null) costs[2 * link + (end === "a" ? 0 : 1)] = cost
    }
  }
  return costs
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

const NOTHING_BPS = 1000

/** Some neighbour receives from it. */
export const isForwarding = (
  ports: readonly Port[],
  linkAt: (slot: number) => Pick<LinkState, "a" | "b"> | undefined,
): boolean =>
  ports.some(({ link, end }) => {
    const state = linkAt(link)
    const far = end === "a" ? state?.b : state?.a
    return far?.fresh === true && (far.rxBps ?? 0) > NOTHING_BPS
  })

/** A router that does not answer is down, unless a neighbour still receives traffic from it: then only its voice is lost. */
const silentRouters = (
  { routers }: Topology,
  cells: Cells,
  links: readonly LinkState[],
): { readonly down: Uint8Array; readonly said: readonly string[] } => {
  let voiceless = 0
  const down = Uint8Array.from(routers, ({ ports }, slot) => {
    if (cells.routers.state(slot).reachable !== false) return 0
    const forwards = isForwarding(ports, (link) => links[link])
    if (forwards) voiceless++
    return forwards ? 0 : 1
  })
  const said = `${voiceless} routers do not answer but forward traffic: they are taken for alive`
  return { down, said: voiceless > 0 ? [said] : [] }
}

/** By direction; either end may have measured it. */
const bpsOf = ({ a, b }: LinkState, direction: number): number => {
  const [from, to] = direction === 0 ? [a, b] : [b, a]
  return from?.txBps ?? to?.rxBps ?? Number.NaN
}

/** As the tenant counts them: while the router answers and is not stale. */
const sessionsOf = (cells: Cells, slot: number): number =>
  at(cells.tenant.state(0).nodes, slot).fact?.subscribers ?? Number.NaN
