/**
 * What the routers have told of their neighbours, laid on the inventory: first whose address is whose, then every adjacency
 * of every router. In a big network that is more than one input may cost, so that it goes on in visits of a few routers,
 * and can be put down and taken up again anywhere between two of them.
 */
import type { Adjacency } from "#twin/adjacency.ts"
import type { Cells } from "#twin/cells.ts"
import type { Session } from "#twin/rca/model.ts"
import type { Learned, Place } from "#twin/rca/network-of.ts"
import type { World } from "#twin/round.ts"
import type { Topology } from "#twin/topology.ts"

export interface Owner {
  readonly slot: number
  readonly ifName: string | null
}

/** Half-way through. Plain data, so that it may lie in a snapshot. */
export interface Learning {
  /** Visits made: all routers for their addresses, then all again for their neighbours. */
  visits: number
  /** Null = several devices call it their own. */
  readonly owners: Map<string, Owner | null>
  readonly places: Array<ReadonlyMap<string, Place | null>>
  readonly sessions: Session[]
  readonly sessionAt: Map<string, number>
  readonly ospf: Uint8Array
  /** Routers that had not told any address when they were visited: their neighbours were taken for foreign devices. */
  readonly unheard: number[]
}

export const newLearning = ({ inventory }: Topology): Learning => ({
  visits: 0,
  owners: new Map(),
  places: [],
  sessions: [],
  sessionAt: new Map(),
  ospf: new Uint8Array(inventory.links.length),
  unheard: [],
})

/** Goes on for at most so many visits; returns how many it made. Fewer than allowed = all is learned. */
export const learnOn = (learning: Learning, { topology }: World, cells: Cells, most: number): number => {
  const routers = topology.inventory.devices.length
  let made = 0
  for (; made < most && learning.visits < 2 * routers; made++) {
    if (learning.visits < routers) claimAddresses(learning, topology, cells, learning.visits)
    else learning.places.push(placesOf(learning, topology, cells, learning.visits - routers))
    learning.visits++
  }
  return made
}

export const isLearned = ({ visits }: Learning, { inventory }: Topology): boolean =>
  visits >= 2 * inventory.devices.length

export const learnedOf = (world: World, cells: Cells): Learned => {
  const learning = newLearning(world.topology)
  learnOn(learning, world, cells, Number.POSITIVE_INFINITY)
  return taught(learning)
}

/** What was learned, without what was needed for it. */
export const taught = ({ places, sessions, ospf }: Learning): Learned => ({ places, sessions, ospf })

// -- addresses -----------------------------------------------------------------------------------------------------------

/** It has told which addresses its interfaces have. */
export const hasAddresses = (cells: Cells, slot: number): boolean =>
  cells.routers.state(slot).interfaces.addresses?.some((text) => text !== null && text !== "") === true

/** Management addresses count, unless somebody else has them, too. */
const claimAddresses = ({ owners, unheard }: Learning, { inventory }: Topology, cells: Cells, slot: number): void => {
  const claim = (address: string, ifName: string | null): void => {
    const known = owners.get(address)
    if (known === undefined) owners.set(address, { slot, ifName })
    else if (known !== null && known.slot !== slot) owners.set(address, null)
  }
  const { interfaces } = cells.routers.state(slot)
  if (!hasAddresses(cells, slot)) unheard.push(slot)
  for (const [row, text] of (interfaces.addresses ?? []).entries())
    for (const one of (text ?? "").split(", "))
      if (one !== "") claim(one.split("/")[0]?.toLowerCase() ?? "", interfaces.keys[row]?.slice("if:".length) ?? null)
  claim(inventory.devices[slot]?.address.toLowerCase() ?? "", null)
}

/** Only what exactly one device calls its own, and what can be somewhere else at all. */
const ownerOf = ({ owners }: Learning, remote: string): Owner | null => {
  const address = remote.toLowerCase()
  return address.startsWith("127.") ? null : (owners.get(address) ?? null)
}

// -- neighbours ----------------------------------------------------------------------------------------------------------

const placesOf = (
  learning: Learning,
  topology: Topology,
  cells: Cells,
  slot: number,
): ReadonlyMap<string, Place | null> => {
  const mine = new Map<string, Place | null>()
  for (const adjacency of cells.routers.state(slot).adjacencies) {
    if (adjacency.kind !== "ospf" && adjacency.kind !== "bgp") continue
    const far = ownerOf(learning, adjacency.remote)
    if (adjacency.kind === "bgp") {
      mine.set(adjacency.key, { kind: "bgp", index: sessionOf(learning, topology, slot, adjacency, far) })
      continue
    }
    const place = linkEndOf(topology, slot, adjacency.detail, far?.slot ?? null)
    if (place !== null) learning.ospf[place >> 1] = 1
    mine.set(adjacency.key, place === null ? null : { kind: "ospf", index: place })
  }
  return mine
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
  { sessions, sessionAt }: Learning,
  topology: Topology,
  slot: number,
  { remote }: Adjacency,
  far: Owner | null,
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
