/**
 * Which sites an incident touches, by the inventory of now: where its symptoms, its reach and its causes stand. What a list
 * is filtered by, and what decides, before the cut (seen.ts), whether somebody of some sites may see it at all.
 */
import type { IncidentView } from "#protocol/incident.ts"
import type { Inventory } from "#protocol/inventory.ts"

/** In the order of first mention, without repeats. */
export const sitesOf = (view: IncidentView, inventory: Inventory): readonly string[] => {
  const { sites, devices, links } = placesOf(inventory)
  const found = new Set<string>()
  const add = (site: string | undefined): void => {
    if (site !== undefined) found.add(site)
  }
  const addLink = (id: string): void => links.get(id)?.forEach((device) => add(devices.get(device)))
  for (const site of view.impact.sites) add(site)
  for (const device of view.impact.devices) add(devices.get(device))
  for (const link of view.impact.links) addLink(link)
  for (const { device } of view.symptoms) add(devices.get(device))
  for (const { members } of view.causes)
    for (const { kind, id } of members) {
      if (kind === "site" && sites.has(id)) add(id)
      else if (kind === "link") addLink(id)
      else add(devices.get(id))
    }
  return [...found]
}

interface Places {
  readonly sites: ReadonlySet<string>
  /** Site of each device. */
  readonly devices: ReadonlyMap<string, string>
  /** Devices at both ends. */
  readonly links: ReadonlyMap<string, readonly string[]>
}

/** One per inventory: an inventory never changes, it is replaced. */
const known = new WeakMap<Inventory, Places>()
const placesOf = (inventory: Inventory): Places => {
  const found = known.get(inventory)
  if (found !== undefined) return found
  const made: Places = {
    sites: new Set(inventory.sites.map(({ id }) => id as string)),
    devices: new Map(inventory.devices.map(({ id, site }) => [id as string, site as string])),
    links: new Map(inventory.links.map(({ id, a, b }) => [id as string, [a.device as string, b.device as string]])),
  }
  known.set(inventory, made)
  return made
}
