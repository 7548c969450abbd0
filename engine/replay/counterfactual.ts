/**
 * The same past under another topology: what would have been decided (PRODUCT.md, counterfactual replay). One replay folds
 * the journal as it was; a branch of it, taken at the first moment, folds the same inputs with the other inventory in place.
 * What differs is the answer; the same inventory gives no difference at all.
 */
import type { Replay } from "#engine/replay/replay.ts"
import { pairKey } from "#engine/storage/inventory-rows.ts"
import type { ImportDocument } from "#engine/import/document.ts"
import { deviceId, linkId, siteId } from "#protocol/id.ts"
import type { Device, Inventory, Link } from "#protocol/inventory.ts"
import type { EventView } from "#protocol/view.ts"

/** What was decided in one of the two and not in the other; in the order of time. */
export interface Decisions {
  readonly inputs: number
  readonly same: number
  readonly onlyBefore: readonly EventView[]
  readonly onlyNow: readonly EventView[]
}

/** Differences kept; beyond it they are only counted in `same`'s complement. */
const KEPT_MAX = 10_000

/** `replay` stands where the comparison begins; it is folded to `toMs`. */
export const compareDecisions = async (replay: Replay, inventory: Inventory, toMs: number): Promise<Decisions> => {
  const branch = replay.fork()
  const before: EventView[] = []
  const now: EventView[] = []
  const take = (into: EventView[], events: readonly EventView[]): void => {
    if (into.length < KEPT_MAX) into.push(...events)
  }
  take(
    now,
    branch.apply([{ kind: "topology", atMs: replay.world.atMs, rev: replay.world.topology.rev + 1, inventory }]).events,
  )
  const inputs = await replay.runTo({ atMs: toMs }, (result, slice) => {
    take(before, result.events)
    // The other inventory stays: a later change of the real one is part of what is compared against.
    const rest = slice.flatMap(({ input }) => (input.kind === "topology" ? [] : [input]))
    if (rest.length > 0) take(now, branch.apply(rest).events)
  })
  return { inputs, ...difference(before, now) }
}

/** Multisets of events; their ids differ, because the branch has an input more. */
export const difference = (before: readonly EventView[], now: readonly EventView[]): Omit<Decisions, "inputs"> => {
  const left = new Map<string, number>()
  for (const event of before) left.set(keyOf(event), (left.get(keyOf(event)) ?? 0) + 1)
  let same = 0
  const onlyNow = now.filter((event) => {
    const count = left.get(keyOf(event)) ?? 0
    if (count === 0) return true
    left.set(keyOf(event), count - 1)
    same++
    return false
  })
  const onlyBefore = before.filter((event) => {
    const count = left.get(keyOf(event)) ?? 0
    if (count > 0) left.set(keyOf(event), count - 1)
    return count > 0
  })
  return { same, onlyBefore, onlyNow }
}

/** An incident is named by the input where it opened, which has another number in the branch. */
const keyOf = (event: EventView): string =>
  JSON.stringify({ ...event, id: "", entity: event.type.startsWith("incident.") ? "" : event.entity })

/**
 * An import document as an inventory of this tenant: what it names alike keeps its id, what is new gets an id made of its
 * name. Credentials play no part.
 */
export const inventoryOf = (document: ImportDocument, known: Inventory): Inventory => {
  const knownDevices = new Map(known.devices.map((device) => [device.name, device]))
  const devices = document.devices.map((device): Device => {
    const before = knownDevices.get(device.name)
    return {
      id: before?.id ?? deviceId(`new ${device.name}`),
      name: device.name,
      address: device.address,
      site: siteId(device.site),
      roles: device.roles,
      pollSeconds: device.pollSeconds ?? before?.pollSeconds ?? 30,
      sources: before?.sources ?? [],
    }
  })
  const idOf = new Map(devices.map(({ name, id }) => [name, id]))
  const knownLinks = new Map(known.links.map((link) => [pairKey(link), link.id]))
  const links = document.links.flatMap(({ a, b, capacityBps }): Link[] => {
    const [from, to] = [idOf.get(a.device), idOf.get(b.device)]
    if (from === undefined || to === undefined) return []
    const link = { a: { device: from, interface: a.interface }, b: { device: to, interface: b.interface }, capacityBps }
    return [{ ...link, id: knownLinks.get(pairKey(link)) ?? linkId(`new ${pairKey(link)}`) }]
  })
  return {
    sites: document.sites.map((site) => ({ ...site, id: siteId(site.id) })).sort(byText(({ id }) => id)),
    devices: devices.sort(byText(({ name }) => name)),
    links: links.sort(byText(({ id }) => id)),
  }
}

const byText =
  <T>(key: (item: T) => string) =>
  (a: T, b: T): number =>
    key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0
