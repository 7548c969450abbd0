/**
 * The declared network as a graph in pages: devices by name, and each link on the page of its later end. So every link
 * stands exactly once, and whoever reads the pages in order knows both its ends when it comes (but for an end that the
 * caller may not see, which is named only).
 */
import { deviceRow, linkState, PAGE_DEFAULT, writeCursor, firstAfter, type PageQuery } from "#engine/api/lists.ts"
import type { LiveTwin } from "#engine/tenant/live-twin.ts"
import type { Inventory } from "#protocol/inventory.ts"

/** A page with this many links ends behind the device that brought them. */
export const EDGES_PER_PAGE_MAX = 20_000

export const topologyPage = (twin: LiveTwin, query: PageQuery, after: string | undefined) => {
  const inventory = twin.inventory()
  const columns = twin.columns()
  const closing = closingLinks(inventory)
  const { devices, links } = inventory
  const from = after === undefined ? 0 : firstAfter(devices, (device) => device.name, after)
  const nodes = []
  const edges = []
  let slot = from
  for (; slot < devices.length; slot++) {
    if (nodes.length === (query.limit ?? PAGE_DEFAULT) || edges.length >= EDGES_PER_PAGE_MAX) break
    const { address: _, seenS: __, ...node } = deviceRow(columns, devices[slot]!, slot)
    nodes.push(node)
    for (const linkSlot of closing[slot]!) {
      const link = links[linkSlot]!
      edges.push({ id: link.id as string, a: link.a, b: link.b, ...linkState(columns, link, linkSlot) })
    }
  }
  return {
    epoch: twin.epoch(),
    seq: twin.seq(),
    nodes,
    edges,
    next: slot < devices.length ? writeCursor(devices[slot - 1]!.name) : null,
  }
}

/** By device slot, the links whose later seen end it is. One table per inventory. */
const tables = new WeakMap<Inventory, readonly (readonly number[])[]>()
const closingLinks = (inventory: Inventory): readonly (readonly number[])[] => {
  const known = tables.get(inventory)
  if (known !== undefined) return known
  const slotOf = new Map<string, number>(inventory.devices.map((device, slot) => [device.id, slot]))
  const made: number[][] = inventory.devices.map(() => [])
  for (const [slot, { a, b }] of inventory.links.entries())
    made[Math.max(slotOf.get(a.device) ?? -1, slotOf.get(b.device) ?? -1)]?.push(slot)
  tables.set(inventory, made)
  return made
}
