/**
 * A model of a live twin (or a branch of it, or of a moment of the past: they are the same). Structure is the inventory's,
 * what is down is what the twin believes down, loads and sessions are measured values; what the twin cannot know is
 * replaced by a stated assumption, which every answer repeats.
 */
import type { Role } from "#protocol/role.ts"
import { at } from "#twin/chunked.ts"
import type { Cells } from "#twin/cells.ts"
import type { LinkState } from "#twin/link.ts"
import type { World } from "#twin/round.ts"
import type { Topology } from "#twin/topology.ts"
import { endAt } from "#twin/topology.ts"
import type { DependencyGroup } from "#twin/whatif/dependency.ts"
import type { Srlg } from "#twin/whatif/fault.ts"
import { costOfCapacity, flatGraphOf } from "#twin/whatif/graph.ts"
import type { FlatGraph, FlatOptions } from "#twin/whatif/graph.ts"
import { makeModel } from "#twin/whatif/model.ts"
import type { Model } from "#twin/whatif/model.ts"
import type { PairDemand } from "#twin/whatif/traffic.ts"

/** What an operator adds to what the twin knows by itself. */
export interface Told {
  readonly srlgs?: readonly Srlg[]
  readonly groups?: readonly DependencyGroup[]
  /** OSPF costs by link slot; null = by capacity. */
  readonly costOf?: FlatOptions["costOf"]
  readonly referenceBps?: number
  readonly matrix?: readonly PairDemand[]
}

export const modelOf = (world: World, cells: Cells, told: Told = {}): Model => {
  const { topology } = world
  const { devices } = topology.inventory
  const links = topology.links.map((_, slot) => cells.links.state(slot))
  const has = (roles: readonly Role[]): number[] =>
    devices.flatMap((device, slot) => (device.roles.some((role) => roles.includes(role)) ? [slot] : []))
  const { exits, outside, said: saidOfExits } = exitsFor(devices.length, has)
  const core = has(["core"])
  const silent = silentRouters(topology, cells, links)
  const graph = graphFor(topology, links, outside, told)
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
    downNodes: silent.down,
    downLinks: Uint8Array.from(links, ({ status }) => (status.health === "down" ? 1 : 0)),
    groups: told.groups ?? [],
    measuredBps: Float64Array.from({ length: 2 * links.length }, (_, d) => bpsOf(links[d >> 1] as LinkState, d & 1)),
    matrix: told.matrix ?? null,
    sessions: Float64Array.from(devices, (_, slot) => sessionsOf(cells, slot)),
    hasCustomers: customerRouters(devices.length, has),
    assumptions: [...saidOfCosts(told), ...saidOfExits, ...saidOfCore(core), ...silent.said],
  })
}

/** Upstreams and peers are where the world is. Nothing is routed through them, so that their links count alike. */
const OUTSIDE_COST = 1

const graphFor = (topology: Topology, links: readonly LinkState[], outside: Uint8Array, told: Told): FlatGraph => {
  const { inventory, deviceSlot } = topology
  const isOutside = (link: number): boolean => {
    const { a, b } = inventory.links[link] ?? { a: null, b: null }
    return [a, b].some((end) => end !== null && outside[deviceSlot.get(end.device) ?? -1] === 1)
  }
  return flatGraphOf(topology, {
    capacityBps: links.map(({ capacityBps }) => capacityBps ?? Number.NaN),
    costOf: (link) => {
      if (isOutside(link)) return { costAB: OUTSIDE_COST, costBA: OUTSIDE_COST }
      const known = told.costOf?.(link) ?? null
      if (known !== null) return known
      const cost = costOfCapacity(links[link]?.capacityBps ?? Number.NaN, told.referenceBps)
      return { costAB: cost, costBA: cost }
    },
  })
}

interface Exits {
  readonly exits: readonly number[]
  readonly outside: Uint8Array
  readonly said: readonly string[]
}

const exitsFor = (nodes: number, has: (roles: readonly Role[]) => number[]): Exits => {
  const outside = new Uint8Array(nodes)
  const world = has(["upstream", "peering"])
  if (world.length > 0) {
    for (const slot of world) outside[slot] = 1
    return { exits: world, outside, said: ["a router uses the upstream or peer that is nearest by cost"] }
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
const customerRouters = (nodes: number, has: (roles: readonly Role[]) => number[]): Uint8Array => {
  const mask = new Uint8Array(nodes)
  for (const slot of has(["access", "bng", "customer-edge"])) mask[slot] = 1
  return mask
}

const saidOfCosts = (told: Told): readonly string[] =>
  told.costOf === undefined ? ["the routers' OSPF costs are not known: costs follow capacity"] : []

const saidOfCore = (core: readonly number[]): readonly string[] =>
  core.length > 0
    ? ["a router counts as reachable when a core router reaches it"]
    : ["no core router is in the inventory: a router counts as reachable when a router next to an exit reaches it"]

const NOTHING_BPS = 1000

/** A router that does not answer is down, unless a neighbour still receives traffic from it: then only its voice is lost. */
const silentRouters = (
  { routers }: Topology,
  cells: Cells,
  links: readonly LinkState[],
): { readonly down: Uint8Array; readonly said: readonly string[] } => {
  let voiceless = 0
  const down = Uint8Array.from(routers, ({ ports }, slot) => {
    if (cells.routers.state(slot).reachable !== false) return 0
    const forwards = ports.some(({ link, end }) => {
      const far = end === "a" ? links[link]?.b : links[link]?.a
      return far?.fresh === true && (far.rxBps ?? 0) > NOTHING_BPS
    })
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
