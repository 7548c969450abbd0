/**
 * A live twin's structure in the words of root-cause analysis: declared links, sites and roles from the inventory, OSPF and
 * BGP from what the routers have told of their neighbours. An adjacency is laid on a link only where it names the link's
 * interface, or the two routers share exactly one link (W2: it never makes one).
 */
import type { Cells } from "#twin/cells.ts"
import type { World } from "#twin/round.ts"
import type { Network, RiskGroup, Session } from "#twin/rca/model.ts"
import { learnedOf } from "#twin/rca/learning.ts"
import { flatGraphOf } from "#twin/whatif/graph.ts"
import type { Topology } from "#twin/topology.ts"
import { declaredDependencies, declaredGroups } from "#twin/rca/declared.ts"

export interface StructureOptions {
  /**
   * Devices next to which the polling stands; empty = a management network of its own. Left out: taken to be the core,
   * because a NOC that the core's loss does not cut off is the exception.
   */
  readonly stands?: readonly number[]
  /** Left out: what the inventory declares, as for dependencies. */
  readonly groups?: readonly RiskGroup[]
  readonly dependencies?: Network["dependencies"]
}

/** Where an adjacency of a router stands: the end of a link, or of a session. Null = it says nothing that helps. */
export interface Place {
  readonly kind: "ospf" | "bgp"
  /** link * 2 + end, or session * 2 + end. */
  readonly index: number
}

export interface Structure {
  readonly network: Network
  /** By slot: adjacency key -> place; null = known and of no use. */
  readonly places: ReadonlyArray<ReadonlyMap<string, Place | null>>
}

/** What the routers told of their neighbours, laid on the inventory: plain data, so that it may lie in a snapshot. */
export interface Learned {
  readonly places: Structure["places"]
  readonly sessions: readonly Session[]
  /** By link, 1 = OSPF runs over it. */
  readonly ospf: Uint8Array
}

export const structureOf = (world: World, cells: Cells, options: StructureOptions = {}): Structure =>
  structureFrom(world.topology, learnedOf(world, cells), options)

/** `known` is a structure of the same inventory: only what was learned is another. */
export const structureFrom = (
  topology: Topology,
  learned: Learned,
  options: StructureOptions = {},
  known: Structure | null = null,
): Structure => {
  const { inventory } = topology
  const { places, sessions, ospf } = learned
  if (known !== null) return { network: { ...known.network, sessions, ospf }, places }
  const siteIndex = new Map(inventory.sites.map(({ id }, index) => [id, index]))
  const has = (of: (slot: number) => boolean): Uint8Array =>
    Uint8Array.from(inventory.devices, (_, slot) => (of(slot) ? 1 : 0))
  const device = (slot: number) => inventory.devices[slot]
  const isIn = (role: "upstream" | "rr") => (slot: number) => device(slot)?.roles.includes(role) === true
  const stands = options.stands ?? assumedStands(topology)
  const network: Network = {
    graph: flatGraphOf(topology),
    nodeName: (slot) => device(slot)?.name ?? `device ${slot}`,
    linkName: (link) => nameOfLink(topology, link),
    siteName: (site) => inventory.sites[site]?.name ?? `site ${site}`,
    siteOf: Int32Array.from(inventory.devices, ({ site }) => siteIndex.get(site) ?? -1),
    sites: inventory.sites.length,
    vantages: stands.length === 0 ? [] : [stands],
    groups: options.groups ?? declaredGroups(topology),
    sessions,
    dependencies: options.dependencies ?? declaredDependencies(topology),
    external: has(isIn("upstream")),
    reflector: has(isIn("rr")),
    polled: has((slot) => device(slot)?.sources.some((source) => source !== "probe") === true),
    pinged: has((slot) => device(slot)?.sources.includes("probe") === true),
    ospf,
  }
  return { network, places }
}

/** Core routers; without any, the best connected device. */
const assumedStands = ({ inventory, routers }: Topology): readonly number[] => {
  const core = inventory.devices.flatMap(({ roles }, slot) => (roles.includes("core") ? [slot] : []))
  if (core.length > 0 || routers.length === 0) return core
  return [
    routers.reduce((best, { ports, slot }) => (ports.length > (routers[best]?.ports.length ?? 0) ? slot : best), 0),
  ]
}

const nameOfLink = ({ inventory, deviceSlot }: Topology, link: number): string => {
  const declared = inventory.links[link]
  if (declared === undefined) return `link ${link}`
  const name = (id: (typeof declared)["a"]["device"]): string => inventory.devices[deviceSlot.get(id) ?? -1]?.name ?? id
  return `${name(declared.a.device)} - ${name(declared.b.device)}`
}
