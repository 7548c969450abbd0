/**
 * What an operator declared beside devices and links (protocol/structure.ts), in the slots that what-if works with. A member
 * that is no longer in the inventory is no member; a shared-risk group names sites by their power: all routers there.
 */
import type { Inventory } from "#protocol/inventory.ts"
import type { Topology } from "#twin/topology.ts"
import type { DependencyGroup } from "#twin/whatif/dependency.ts"
import type { Srlg } from "#twin/whatif/fault.ts"

export interface DeclaredTold {
  readonly srlgs: readonly Srlg[]
  readonly groups: readonly DependencyGroup[]
}

export const toldBy = ({ inventory, deviceSlot, linkSlot }: Topology): DeclaredTold => {
  const { srlgs = [], groups = [] } = inventory
  const slots = <Id>(map: ReadonlyMap<Id, number>, ids: readonly Id[]): readonly number[] =>
    ids.flatMap((id) => map.get(id) ?? [])
  const at = srlgs.some(({ sites }) => sites.length > 0) ? routersAt(inventory) : new Map<string, readonly number[]>()
  return {
    srlgs: srlgs.map(({ id, name, links, sites }) => ({
      id,
      name,
      links: slots(linkSlot, links),
      routers: [...new Set(sites)].flatMap((site) => at.get(site) ?? []),
    })),
    groups: groups.map(({ id, name, mode, k, devices, links, dependants }) => ({
      id,
      name,
      mode,
      k,
      routers: slots(deviceSlot, devices),
      links: slots(linkSlot, links),
      dependents: slots(deviceSlot, dependants),
    })),
  }
}

const routersAt = ({ devices }: Inventory): ReadonlyMap<string, readonly number[]> => {
  const at = new Map<string, number[]>()
  for (const [slot, { site }] of devices.entries()) {
    const there = at.get(site)
    if (there === undefined) at.set(site, [slot])
    else there.push(slot)
  }
  return at
}
