/**
 * Which roles a device seems to have (PRODUCT.md W6), by its sessions and its place: proposals with a confidence and a
 * reason each. A session counts when either end tells it, because half the devices of a network tell none over SNMP. The
 * operator's word wins: what is declared is never proposed again, and nothing is changed here.
 */
import type { Role } from "#protocol/role.ts"
import type { Said } from "#twin/propose/said.ts"
import type { Who } from "#twin/propose/who.ts"

export interface ProposedRole {
  readonly device: string
  readonly role: Role
  readonly confidence: number
  readonly because: string
}

type Wires = ReadonlyArray<{ readonly a: { readonly device: string }; readonly b: { readonly device: string } }>

/** Peers inside from which on a router with few others looks like a reflector. */
const REFLECTOR_CLIENTS = 3
/** Links from which on a router is on the way of others. */
const TRANSIT_LINKS = 3
/** From this share of its links towards customers on, a router gathers them. */
const GATHERS = 1 / 3

export const proposeRoles = (said: readonly Said[], who: Who, declared: Wires): readonly ProposedRole[] => {
  const links = neighboursOf(declared)
  const bgp = sessionsOf(said, who)
  const sizes = said.map(({ device }) => bgp.inside.get(device)?.size ?? 0)
  const most = Math.max(0, ...sizes)
  const isCommon = sizes.filter((count) => count * 2 > most).length * 3 > said.length
  const isReflector = (device: string): boolean => {
    const peers = bgp.inside.get(device)?.size ?? 0
    return peers >= REFLECTOR_CLIENTS && peers * 2 > most && !isCommon
  }
  const byDevice = new Map(said.map((one) => [one.device, one]))
  const isInner = (device: string): boolean =>
    !bgp.outsiders.has(device) && !bgp.outside.has(device) && !isReflector(device)
  /** Towards customers: subscribers end there, or it has two links at most and is nothing else. */
  const isLower = (device: string): boolean =>
    (byDevice.get(device)?.subscribers ?? 0) > 0 || (isInner(device) && (links.get(device)?.length ?? 0) <= 2)
  const gathers = (device: string): boolean => {
    const all = links.get(device) ?? []
    return all.length >= TRANSIT_LINKS && all.filter(isLower).length >= GATHERS * all.length
  }

  return said.flatMap((one) => {
    const { device, subscribers } = one
    const found: ProposedRole[] = []
    const propose = (role: Role, confidence: number, because: string): void => {
      if (!one.roles.includes(role)) found.push({ device, role, confidence, because })
    }
    const strange = bgp.outsiders.get(device)
    if (strange !== undefined) {
      propose("upstream", 0.6, strange)
      return found
    }
    const others = bgp.outside.get(device)
    if (others !== undefined)
      propose("edge", 0.9, others.size === 0 ? "BGP with another network" : `BGP with AS ${words([...others])}`)
    if (isReflector(device))
      propose("rr", 0.8, `BGP with ${bgp.inside.get(device)?.size ?? 0} routers of our own, where most have few`)
    if (subscribers !== null && subscribers > 0) propose("bng", 0.85, `${subscribers} PPPoE sessions end here`)
    else if (isInner(device)) {
      const around = links.get(device) ?? []
      const ospf = one.routing.filter(({ kind }) => kind === "ospf").length
      if (around.length === 1) propose("access", 0.5, "one link only")
      // A reflector or an edge that tells nothing has two links as well, but both to the core.
      else if (around.length === 2 && around.some((next) => isLower(next) || gathers(next)))
        propose("access", 0.5, "two links, of a ring or to where customers are gathered")
      else if (around.length >= TRANSIT_LINKS)
        propose(
          gathers(device) ? "agg" : "core",
          ospf >= 3 ? 0.6 : 0.5,
          `${around.length} links, ${ospf} OSPF neighbours`,
        )
    }
    return found
  })
}

/** By device: the far ends of its links, one for each link. */
const neighboursOf = (wires: Wires): ReadonlyMap<string, readonly string[]> => {
  const found = new Map<string, string[]>()
  const add = (from: string, to: string): void => {
    const known = found.get(from)
    if (known === undefined) found.set(from, [to])
    else known.push(to)
  }
  for (const { a, b } of wires)
    if (a.device !== b.device) {
      add(a.device, b.device)
      add(b.device, a.device)
    }
  return found
}

interface Sessions {
  /** By device: our routers that it has iBGP with. */
  readonly inside: ReadonlyMap<string, ReadonlySet<string>>
  /** By device of ours: AS numbers of others that it has BGP with; empty = with a stranger whose AS nobody tells. */
  readonly outside: ReadonlyMap<string, ReadonlySet<string>>
  /** Devices of the inventory that are not of our AS, and why. */
  readonly outsiders: ReadonlyMap<string, string>
}

const sessionsOf = (said: readonly Said[], who: Who): Sessions => {
  const told = said.flatMap((one) =>
    one.routing.flatMap((session) =>
      session.kind === "bgp" ? [{ from: one, to: who.byAddress(session.remote), ...session }] : [],
    ),
  )
  const ours = mostOf(told.flatMap(({ to, remoteAs }) => (to === null || remoteAs === null ? [] : [remoteAs])))
  const outsiders = new Map<string, string>()
  for (const one of said) {
    const as = mostOf(told.flatMap(({ to, remoteAs }) => (to === one && remoteAs !== null ? [remoteAs] : [])))
    if (as !== null && as !== ours) outsiders.set(one.device, `our routers name it AS ${as}`)
    else if (as === null && isStranger(one, who))
      outsiders.set(one.device, "BGP over its own wires only, and no OSPF: of another network")
  }
  const inside = new Map<string, Set<string>>()
  const outside = new Map<string, Set<string>>()
  const note = (map: Map<string, Set<string>>, key: string, value: string): void => {
    map.set(key, among(map, key).add(value))
  }
  const among = (map: Map<string, Set<string>>, key: string): Set<string> => map.get(key) ?? new Set()
  for (const { from, to, remoteAs } of told) {
    const isOut = outsiders.has(from.device)
    if (to === null || outsiders.has(to.device)) {
      if (!isOut && remoteAs !== null && ours !== null && remoteAs !== ours) note(outside, from.device, remoteAs)
    } else if (isOut) outside.set(to.device, among(outside, to.device))
    else if (to !== from) {
      note(inside, from.device, to.device)
      note(inside, to.device, from.device)
    }
  }
  return { inside, outside, outsiders }
}

/**
 * It tells BGP and no OSPF, and every peer at an address on a wire of its own: eBGP (RFC 4271 s9), told by the far end.
 * Between routers of one network sessions run from loopback to loopback, and an IGP carries them.
 */
const isStranger = (one: Said, who: Who): boolean => {
  const sessions = one.routing.filter(({ kind }) => kind === "bgp")
  if (sessions.length === 0 || sessions.length !== one.routing.length) return false
  const own = new Set(one.addresses.flatMap(({ subnet, hostBits }) => (hostBits > 0 ? [subnet] : [])))
  return sessions.every(
    ({ remote }) =>
      who
        .byAddress(remote)
        ?.addresses.some(({ address, subnet, hostBits }) => address === remote && hostBits > 0 && own.has(subnet)) ===
      true,
  )
}

const mostOf = (votes: readonly string[]): string | null => {
  const counts = new Map<string, number>()
  for (const vote of votes) counts.set(vote, (counts.get(vote) ?? 0) + 1)
  return [...counts].sort(([x, n], [y, m]) => m - n || (x < y ? -1 : 1))[0]?.[0] ?? null
}

const words = (list: readonly string[]): string => [...new Set(list)].sort().slice(0, 5).join(", ")
