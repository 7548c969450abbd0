/**
 * An answer of the what-if engine in the slots of the twin at hand: what the map hatches, hollows and colours. Ids that the
 * twin does not have (removed since, or of sites that this person does not see) are left out. Pure.
 */
import type { TwinState } from "#client/state/twin-store.ts"
import type { Fault, LoadShift, Ref, WhatIfAnswer } from "#protocol/rest-generated.ts"

export interface Overload {
  readonly link: number
  /** Slots of the devices that the direction goes from and to. */
  readonly from: number
  readonly to: number
  /** Percent of the capacity. */
  readonly before: number
  readonly after: number
}
export interface Picture {
  readonly failedNodes: ReadonlySet<number>
  readonly failedLinks: ReadonlySet<number>
  readonly drained: ReadonlySet<number>
  /** They lose their way, but did not fail. */
  readonly cutOff: ReadonlySet<number>
  readonly isolatedSites: ReadonlySet<number>
  /** The fullest direction of each link that gets above its capacity, fullest last: it is drawn on top. */
  readonly overloaded: readonly Overload[]
  /** They go on with another exit. */
  readonly exits: ReadonlySet<number>
}
export const NO_PICTURE: Picture = {
  failedNodes: new Set(),
  failedLinks: new Set(),
  drained: new Set(),
  cutOff: new Set(),
  isolatedSites: new Set(),
  overloaded: [],
  exits: new Set(),
}

/** Percent of a link's capacity; null = the capacity is unknown or nothing. */
export const percentOf = (bps: number, capacityBps: number | null): number | null =>
  capacityBps === null || capacityBps <= 0 ? null : (bps / capacityBps) * 100

/** What is asked is drawn at once; what follows from it when the answer is there. `answer` null = not yet. */
export const pictureOf = (faults: readonly Fault[], answer: WhatIfAnswer | null, state: TwinState): Picture => {
  const failedNodes = new Set<number>()
  const failedLinks = new Set<number>()
  const drained = new Set<number>()
  const { nodeById, linkById } = state
  for (const fault of faults) {
    if (fault.kind === "router") add(failedNodes, nodeById.get(fault.device))
    else if (fault.kind === "link") add(failedLinks, linkById.get(fault.link))
    else if (fault.kind === "drain") add(drained, linkById.get(fault.link))
    else if (fault.kind === "site") for (const slot of nodesAt(state, fault.site)) failedNodes.add(slot)
  }
  if (answer === null) return { ...NO_PICTURE, failedNodes, failedLinks, drained }
  for (const { id } of answer.failed.devices) add(failedNodes, nodeById.get(id))
  for (const { id } of answer.failed.links) add(failedLinks, linkById.get(id))
  for (const { id } of answer.failed.drained) add(drained, linkById.get(id))
  const cutOff = slots(nodeById, [...answer.unreachable, ...answer.offline, ...answer.lostByGroups])
  for (const slot of failedNodes) cutOff.delete(slot)
  const siteById = new Map(state.sites.id.map((id, slot) => [id, slot]))
  return {
    failedNodes,
    failedLinks,
    drained,
    cutOff,
    isolatedSites: slots(siteById, answer.isolatedSites),
    overloaded: overloadsOf(answer.overloaded, state),
    exits: slots(
      nodeById,
      answer.exits.map(({ device }) => device),
    ),
  }
}

const overloadsOf = (rows: readonly LoadShift[], { nodeById, linkById }: TwinState): readonly Overload[] => {
  const worst = new Map<number, Overload>()
  for (const { link, from, to, beforeBps, afterBps, capacityBps } of rows) {
    const slot = linkById.get(link.id)
    const ends = [nodeById.get(from.id), nodeById.get(to.id)]
    const after = percentOf(afterBps, capacityBps)
    if (slot === undefined || ends[0] === undefined || ends[1] === undefined || after === null) continue
    if ((worst.get(slot)?.after ?? -1) >= after) continue
    const before = percentOf(beforeBps, capacityBps) ?? 0
    worst.set(slot, { link: slot, from: ends[0], to: ends[1], before, after })
  }
  return [...worst.values()].sort((a, b) => a.after - b.after || a.link - b.link)
}

/** Devices to bring into view: what fails, what is cut off, and the ends of what gets full. */
export const extentOf = (picture: Picture, { links }: TwinState): readonly number[] => {
  const found = new Set([...picture.failedNodes, ...picture.cutOff])
  const ends = [...picture.failedLinks, ...picture.drained, ...picture.overloaded.map(({ link }) => link)]
  for (const link of ends) {
    found.add(links.a[link] as number)
    found.add(links.b[link] as number)
  }
  return [...found].sort((a, b) => a - b)
}

export const nodesAt = ({ sites, nodes }: TwinState, site: string): readonly number[] => {
  const at = sites.id.indexOf(site)
  return at < 0 ? [] : [...nodes.site.keys()].filter((slot) => nodes.site[slot] === at)
}

const add = (set: Set<number>, slot: number | undefined): void => {
  if (slot !== undefined) set.add(slot)
}
const slots = (bySlot: ReadonlyMap<string, number>, refs: readonly Ref[]): Set<number> =>
  new Set(refs.flatMap(({ id }) => bySlot.get(id) ?? []))
