/**
 * Which roles a device seems to have (PRODUCT.md W6), by its sessions and its place: proposals with a confidence and a
 * reason each. The operator's word wins: what is declared is never proposed again, and nothing is changed here.
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

/** Peers inside from which on a router with few others looks like a reflector. */
const REFLECTOR_CLIENTS = 3

export const proposeRoles = (
  said: readonly Said[],
  who: Who,
  declared: ReadonlyArray<{ readonly a: { readonly device: string }; readonly b: { readonly device: string } }>,
): readonly ProposedRole[] => {
  const degrees = degreesOf(declared)
  const inner = said.map((one) => innerPeers(one, who))
  const ownAs = ourAs(said, who)
  const most = Math.max(0, ...inner)
  return said.flatMap((one, index) => {
    const found: ProposedRole[] = []
    const propose = (role: Role, confidence: number, because: string): void => {
      if (!one.roles.includes(role)) found.push({ device: one.device, role, confidence, because })
    }
    const outside = one.routing.filter(
      ({ kind, remote, remoteAs }) =>
        kind === "bgp" && who.byAddress(remote) === null && remoteAs !== null && ownAs !== null && remoteAs !== ownAs,
    )
    const peers = inner[index] as number
    const degree = degrees.get(one.device) ?? 0
    const ospf = one.routing.filter(({ kind }) => kind === "ospf").length
    if (outside.length > 0)
      propose("edge", 0.9, `BGP with AS ${words(outside.map(({ remoteAs }) => remoteAs as string))}`)
    if (
      peers >= REFLECTOR_CLIENTS &&
      peers * 2 > most &&
      inner.filter((count) => count * 2 > most).length * 3 <= said.length
    )
      propose("rr", 0.8, `BGP with ${peers} routers of our own, where most have few`)
    if (one.subscribers !== null && one.subscribers > 0) {
      propose("bng", 0.85, `${one.subscribers} PPPoE sessions end here`)
      if (degree <= 2) propose("access", 0.7, "subscribers, and at most two links")
    } else if (outside.length === 0 && degree === 1 && peers < REFLECTOR_CLIENTS)
      propose("access", 0.5, "one link only")
    else if (degree >= 3 && ospf >= 3)
      propose(isHub(one, degree, degrees, declared) ? "agg" : "core", 0.6, `${degree} links, ${ospf} OSPF neighbours`)
    return found
  })
}

const degreesOf = (
  links: ReadonlyArray<{ readonly a: { readonly device: string }; readonly b: { readonly device: string } }>,
): ReadonlyMap<string, number> => {
  const degrees = new Map<string, number>()
  for (const { a, b } of links) for (const { device } of [a, b]) degrees.set(device, (degrees.get(device) ?? 0) + 1)
  return degrees
}

/** Most of its links end at routers with fewer: traffic gathers here. */
const isHub = (
  { device }: Said,
  degree: number,
  degrees: ReadonlyMap<string, number>,
  links: ReadonlyArray<{ readonly a: { readonly device: string }; readonly b: { readonly device: string } }>,
): boolean => {
  const small = links.filter(({ a, b }) => {
    const other = a.device === device ? b.device : b.device === device ? a.device : null
    return other !== null && (degrees.get(other) ?? 0) <= 2
  })
  return small.length * 2 > degree
}

const innerPeers = ({ routing, device }: Said, who: Who): number =>
  new Set(
    routing.flatMap(({ kind, remote }) => {
      const other = kind === "bgp" ? who.byAddress(remote) : null
      return other === null || other.device === device ? [] : [other.device]
    }),
  ).size

/** The AS that our routers name when they speak with each other; the one named most. */
const ourAs = (said: readonly Said[], who: Who): string | null => {
  const votes = new Map<string, number>()
  for (const { routing } of said)
    for (const { kind, remote, remoteAs } of routing)
      if (kind === "bgp" && remoteAs !== null && who.byAddress(remote) !== null)
        votes.set(remoteAs, (votes.get(remoteAs) ?? 0) + 1)
  return [...votes].sort(([x, n], [y, m]) => m - n || (x < y ? -1 : 1))[0]?.[0] ?? null
}

const words = (list: readonly string[]): string => [...new Set(list)].sort().slice(0, 5).join(", ")
