/**
 * The reach of an incident in the slots of the twin at hand: what failed, what it takes with it, which sites it touches.
 * Map and graph draw from it. Ids that the twin does not have (removed since, or not this person's) are left out. Pure.
 */
import type { TwinState } from "#client/state/twin-store.ts"
import type { CauseMember, IncidentView } from "#protocol/incident.ts"
import type { Fault } from "#protocol/rest-generated.ts"

export interface Blast {
  readonly causeNodes: ReadonlySet<number>
  readonly causeLinks: ReadonlySet<number>
  readonly causeSites: ReadonlySet<number>
  /** Hit, but not the cause. */
  readonly nodes: ReadonlySet<number>
  readonly links: ReadonlySet<number>
  readonly sites: ReadonlySet<number>
}

type Reach = Pick<IncidentView, "causes" | "impact">

export const blastOf = ({ causes, impact }: Reach, state: TwinState): Blast => {
  const members = causes.flatMap((cause) => cause.members)
  const causeNodes = slots(state.nodeById, idsOf(members, ["device", "interface"]))
  const causeLinks = slots(state.linkById, idsOf(members, ["link"]))
  const siteById = new Map(state.sites.id.map((id, slot) => [id, slot]))
  const causeSites = slots(siteById, idsOf(members, ["site"]))
  const nodes = slots(state.nodeById, impact.devices)
  const links = slots(state.linkById, impact.links)
  const sites = slots(siteById, impact.sites)
  for (const slot of causeNodes) nodes.delete(slot)
  for (const slot of causeLinks) links.delete(slot)
  return { causeNodes, causeLinks, causeSites, nodes, links, sites }
}

const idsOf = (members: readonly CauseMember[], kinds: readonly CauseMember["kind"][]): readonly string[] =>
  members.filter(({ kind }) => kinds.includes(kind)).map(({ id }) => id)

const slots = (bySlot: ReadonlyMap<string, number>, ids: readonly string[]): Set<number> =>
  new Set(ids.flatMap((id) => bySlot.get(id) ?? []))

/** Every device that has to be in view: cause and hit, the ends of a link that failed, what stands at a site that failed. */
export const extentOf = (blast: Blast, state: TwinState): readonly number[] => {
  const found = new Set([...blast.causeNodes, ...blast.nodes])
  for (const link of found.size === 0 ? [...blast.causeLinks, ...blast.links] : blast.causeLinks) {
    found.add(state.links.a[link] as number)
    found.add(state.links.b[link] as number)
  }
  if (blast.causeSites.size > 0 || found.size === 0) {
    const sites = new Set([...blast.causeSites, ...(found.size === 0 ? blast.sites : [])])
    state.nodes.site.forEach((site, slot) => sites.has(site) && found.add(slot))
  }
  return [...found].sort((a, b) => a - b)
}

/** The extent and what is one link away: enough to see where the fault sits. At most `most`, the extent first. */
export const aroundOf = (blast: Blast, state: TwinState, most: number): ReadonlySet<number> => {
  const extent = extentOf(blast, state)
  const inside = new Set(extent)
  const around = new Set<number>()
  state.links.a.forEach((a, link) => {
    const b = state.links.b[link] as number
    if (inside.has(a) && !inside.has(b)) around.add(b)
    if (inside.has(b) && !inside.has(a)) around.add(a)
  })
  return new Set([...extent, ...[...around].sort((a, b) => a - b)].slice(0, most))
}

/** What a simulation would have to assume to see this again: of each cause the likeliest member. */
export const faultsOf = ({ causes }: Pick<IncidentView, "causes">): readonly Fault[] =>
  causes.flatMap(({ members: [member] }) => (member === undefined ? [] : faultOfMember(member)))

const faultOfMember = ({ kind, id, entity = "" }: CauseMember): readonly Fault[] => {
  if (kind === "link") return [{ kind, link: id }]
  if (kind === "site") return [{ kind, site: id }]
  if (kind === "srlg") return [{ kind, srlg: id }]
  if (kind === "device") return [{ kind: "router", device: id }]
  return entity.startsWith("if:") ? [{ kind, device: id, interface: entity.slice(3) }] : []
}

/** Where the incidents of a list stand: how many at each site, by the device, link or site that each cause names. */
export const siteOfMember = (member: CauseMember, state: TwinState): number | null => {
  if (member.kind === "site") {
    const site = state.sites.id.indexOf(member.id)
    return site < 0 ? null : site
  }
  if (member.kind === "link") {
    const link = state.linkById.get(member.id)
    return link === undefined ? null : (state.nodes.site[state.links.a[link] as number] ?? null)
  }
  const node = state.nodeById.get(member.id)
  return node === undefined ? null : (state.nodes.site[node] ?? null)
}
