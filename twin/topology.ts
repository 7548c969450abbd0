/**
 * The structure that an inventory declares, in the shapes that the twin's actors need. A slot is the index in
 * inventory.devices / inventory.links. Only a declared link is an edge: adjacencies never make one (W2).
 */
import type { DeviceId, LinkId } from "#protocol/id.ts"
import { EMPTY_INVENTORY } from "#protocol/inventory.ts"
import type { Inventory, Link, LinkEnd } from "#protocol/inventory.ts"
import type { LinkConfig } from "#twin/link.ts"
import type { Port, RouterConfig } from "#twin/router.ts"
import type { TenantConfig } from "#twin/tenant.ts"
import { NO_TENANT } from "#twin/tenant.ts"

export interface Topology {
  /** Revision of the inventory; 0 = none yet. */
  readonly rev: number
  readonly inventory: Inventory
  readonly deviceSlot: ReadonlyMap<DeviceId, number>
  readonly linkSlot: ReadonlyMap<LinkId, number>
  /** By slot. */
  readonly routers: readonly RouterConfig[]
  readonly links: readonly LinkConfig[]
  readonly tenant: TenantConfig
}

/** Site index of a device whose site the inventory lacks. */
const NO_SITE = 0xffff_ffff

export const EMPTY_TOPOLOGY: Topology = {
  rev: 0,
  inventory: EMPTY_INVENTORY,
  deviceSlot: new Map(),
  linkSlot: new Map(),
  routers: [],
  links: [],
  tenant: NO_TENANT,
}

/** Derives everything from an inventory. Total: an end whose device is not in the inventory is an end without a router. */
export const buildTopology = (rev: number, inventory: Inventory): Topology => {
  const deviceSlot = new Map(inventory.devices.map((device, slot) => [device.id, slot]))
  const ports: Port[][] = inventory.devices.map(() => [])
  for (const [link, { a, b }] of inventory.links.entries()) {
    ports[deviceSlot.get(a.device) ?? -1]?.push({ ifName: a.interface, link, end: "a" })
    ports[deviceSlot.get(b.device) ?? -1]?.push({ ifName: b.interface, link, end: "b" })
  }
  return {
    rev,
    inventory,
    deviceSlot,
    linkSlot: new Map(inventory.links.map((link, slot) => [link.id, slot])),
    routers: inventory.devices.map(({ id, pollSeconds, sources }, slot) => ({
      device: id,
      slot,
      pollSeconds,
      sources,
      ports: ports[slot] ?? [],
    })),
    links: inventory.links.map((link, slot) => linkConfig(inventory, deviceSlot, link, slot)),
    tenant: tenantConfig(inventory, deviceSlot),
  }
}

/** Slots of the links that end at a device. */
export const linksOf = (topology: Topology, slot: number): readonly number[] =>
  (topology.routers[slot]?.ports ?? []).map((port) => port.link)

/** Slots of the routers that a link joins, as far as the inventory has them. */
export const routersAt = ({ inventory, deviceSlot }: Topology, link: number): readonly number[] => {
  const declared = inventory.links[link]
  if (declared === undefined) return []
  return [declared.a.device, declared.b.device].flatMap((device) => deviceSlot.get(device) ?? [])
}

/** The end of a link that an interface carries, or null. */
export const endAt = (
  topology: Topology,
  slot: number,
  ifName: string,
): { readonly link: number; readonly end: "a" | "b" } | null => {
  const port = topology.routers[slot]?.ports.find((candidate) => candidate.ifName === ifName)
  return port === undefined ? null : { link: port.link, end: port.end }
}

const linkConfig = (
  inventory: Inventory,
  deviceSlot: ReadonlyMap<DeviceId, number>,
  { id, a, b, capacityBps }: Link,
  slot: number,
): LinkConfig => {
  const nameOf = (end: LinkEnd): string =>
    `${inventory.devices[deviceSlot.get(end.device) ?? -1]?.name ?? end.device} ${end.interface}`
  return { id, slot, capacityBps, a: nameOf(a), b: nameOf(b) }
}

/** Neighbours in both directions; a link from a router to itself makes no neighbour. */
const tenantConfig = (inventory: Inventory, deviceSlot: ReadonlyMap<DeviceId, number>): TenantConfig => {
  const siteIndex = new Map(inventory.sites.map((site, index) => [site.id, index]))
  const neighbours: number[][] = inventory.devices.map(() => [])
  for (const { a, b } of inventory.links) {
    const slotA = deviceSlot.get(a.device) ?? -1
    const slotB = deviceSlot.get(b.device) ?? -1
    if (slotA < 0 || slotB < 0 || slotA === slotB) continue
    neighbours[slotA]?.push(slotB)
    neighbours[slotB]?.push(slotA)
  }
  const from = new Uint32Array(neighbours.length + 1)
  for (const [slot, list] of neighbours.entries()) from[slot + 1] = (from[slot] as number) + list.length
  return {
    routers: inventory.devices.length,
    links: inventory.links.length,
    siteOf: Uint32Array.from(inventory.devices, (device) => siteIndex.get(device.site) ?? NO_SITE),
    sites: inventory.sites.length,
    from,
    neighbour: Uint32Array.from(neighbours.flat()),
  }
}
