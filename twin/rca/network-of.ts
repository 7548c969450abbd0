/**
 * A live twin's structure in the words of root-cause analysis: declared links, sites and roles from the inventory, OSPF and
 * BGP from what the routers have told of their neighbours. An adjacency is laid on a link only where it names the link's
 * interface, or the two routers share exactly one link (W2: it never makes one).
 */
import type { Cells } from "#twin/cells.ts"
import type { Adjacency } from "#twin/adjacency.ts"
import type { World } from "#twin/round.ts"
import type { Network, RiskGroup, Session } from "#twin/rca/model.ts"
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

interface Owner {
  readonly slot: number
  readonly ifName: string | null
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

export const learnedOf = ({ topology }: World, cells: Cells): Learned => {
  const { inventory } = topology
  const owners = ownersOf(topology, cells)
  const ospf = new Uint8Array(inventory.links.length)
  const sessions: Session[] = []
  const sessionAt = new Map<string, number>()
  const places = inventory.devices.map((_, slot) => {
    const mine = new Map<string, Place | null>()
    for (const adjacency of cells.routers.state(slot).adjacencies) {
      if (adjacency.kind !== "ospf" && adjacency.kind !== "bgp") continue
      const far = owners.get(adjacency.remote.toLowerCase()) ?? null
      if (adjacency.kind === "bgp") {
        mine.set(adjacency.key, { kind: "bgp", index: sessionOf(topology, slot, adjacency, far, sessions, sessionAt) })
        continue
      }
      const place = linkEndOf(topology, slot, adjacency.detail, far?.slot ?? null)
      if (place !== null) ospf[place >> 1] = 1
      mine.set(adjacency.key, place === null ? null : { kind: "ospf", index: place })
    }
    return mine
  })
  return { places, sessions, ospf }
}

export const structureFrom = (topology: Topology, learned: Learned, options: StructureOptions = {}): Structure => {
  const { inventory } = topology
  const { places, sessions, ospf } = learned
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

/** Addresses that exactly one device calls its own; management addresses count, unless somebody else has them, too. */
const ownersOf = ({ inventory }: Topology, cells: Cells): ReadonlyMap<string, Owner> => {
  const owners = new Map<string, Owner | null>()
  const claim = (address: string, owner: Owner): void => {
    const known = owners.get(address)
    owners.set(address, known === undefined ? owner : known?.slot === owner.slot ? known : null)
  }
  for (const [slot, { address }] of inventory.devices.entries()) {
    const { interfaces } = cells.routers.state(slot)
    for (const [row, text] of (interfaces.addresses ?? []).entries())
      for (const one of (text ?? "").split(", "))
        if (one !== "")
          claim(one.split("/")[0]?.toLowerCase() ?? "", {
            slot,
            ifName: interfaces.keys[row]?.slice("if:".length) ?? null,
          })
    claim(address.toLowerCase(), { slot, ifName: null })
  }
  const known = new Map<string, Owner>()
  for (const [address, owner] of owners) if (owner !== null && !address.startsWith("127.")) known.set(address, owner)
  return known
}

const linkEndOf = (topology: Topology, slot: number, ifName: string | null, far: number | null): number | null => {
  const ports = topology.routers[slot]?.ports ?? []
  const end = (port: (typeof ports)[number]): number => 2 * port.link + (port.end === "a" ? 0 : 1)
  const own = ifName === null ? undefined : ports.find((port) => port.ifName === ifName)
  if (own !== undefined) return end(own)
  if (far === null) return null
  const shared = ports.filter(({ link }) => {
    const { a, b } = topology.inventory.links[link] ?? {}
    const id = topology.inventory.devices[far]?.id
    return far !== slot && (a?.device === id || b?.device === id)
  })
  return shared.length === 1 ? end(shared[0] as (typeof ports)[number]) : null
}

/** The session's number and the end that this router is; both ends of one session meet in one entry. */
const sessionOf = (
  topology: Topology,
  slot: number,
  { remote }: Adjacency,
  far: Owner | null,
  sessions: Session[],
  sessionAt: Map<string, number>,
): number => {
  const port =
    far === null || far.ifName === null
      ? undefined
      : topology.routers[far.slot]?.ports.find(({ ifName }) => ifName === far.ifName)
  const own = topology.routers[slot]?.ports.some(({ link }) => link === port?.link) === true
  const link = port !== undefined && own ? port.link : -1
  const key = far === null ? `${slot} ${remote}` : `${Math.min(slot, far.slot)} ${Math.max(slot, far.slot)} ${link}`
  const known = sessionAt.get(key)
  if (known !== undefined) return 2 * known + (sessions[known]?.a === slot ? 0 : 1)
  sessionAt.set(key, sessions.length)
  sessions.push({ a: slot, b: far?.slot ?? -1, link })
  return 2 * (sessions.length - 1)
}

const nameOfLink = ({ inventory, deviceSlot }: Topology, link: number): string => {
  const declared = inventory.links[link]
  if (declared === undefined) return `link ${link}`
  const name = (id: (typeof declared)["a"]["device"]): string => inventory.devices[deviceSlot.get(id) ?? -1]?.name ?? id
  return `${name(declared.a.device)} - ${name(declared.b.device)}`
}
