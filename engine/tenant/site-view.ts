/**
 * A live twin as somebody sees it who may only see some sites (technicians, PRODUCT.md "own site"): the devices of these
 * sites, the links that end there, and what happened to them; of incidents those that touch these. A pure filter with the
 * same face as the twin itself, so that REST and stream serve it as they serve the whole, and no handler can forget to filter.
 */
import { cutToPlaces, placesOf as seenPlaces, type SeenPlaces } from "#engine/incidents/seen.ts"
import type { LiveTwin, RoundNotice } from "#engine/tenant/live-twin.ts"
import type { IncidentView } from "#protocol/incident.ts"
import type { Inventory } from "#protocol/inventory.ts"
import { unpackStatus } from "#protocol/status.ts"
import { incidentOf, type Counts, type EventView } from "#protocol/view.ts"
import { unpackUtil } from "#protocol/wire.ts"
import type { Columns } from "#twin/columns.ts"

/**
 * Which links are seen: `oneEnd` = with an end in one of the sites (REST: the far end is named, not shown); `bothEnds` =
 * only what can be drawn between devices that are seen (the stream: a link is two slots).
 */
export type SiteLinks = "oneEnd" | "bothEnds"

/**
 * Epochs of restricted views lie beyond those of whole twins (engine/tenant-services.ts: lease * 2^20, far below 2^52):
 * slots of the one must never be taken for slots of the other when somebody's sites change between two connections.
 */
export const RESTRICTED_EPOCHS = 2 ** 52

/** Never writes: submit answers false, setInventory rejects. */
export const siteView = (twin: LiveTwin, sites: readonly string[], links: SiteLinks = "oneEnd"): LiveTwin => {
  const allowed: ReadonlySet<string> = new Set(sites)
  let of: Inventory | null = null
  let cut: Cut = NOTHING
  const now = (): Cut => {
    const inventory = twin.inventory()
    if (inventory !== of) {
      cut = cutOut(inventory, allowed, links)
      of = inventory
    }
    return cut
  }
  const incident = (id: string): IncidentView | null => {
    const whole = twin.incident?.(id) ?? null
    return whole === null ? null : cutToPlaces(whole, now().places)
  }
  /** Null = it is not theirs to see. */
  const seenEvent = (event: EventView): EventView | null => {
    if (now().subjects.has(event.subject)) return event
    const id = incidentOf(event)
    const seen = id === null ? null : incident(id)
    // Its own words are the title, which may name what stands elsewhere.
    return seen === null ? null : { ...event, raw: seen.title }
  }
  return {
    tenant: twin.tenant,
    epoch: () => twin.epoch() + RESTRICTED_EPOCHS,
    seq: twin.seq,
    inventory: () => now().inventory,
    columns: () => columnsOf(twin.columns(), now()),
    counts: () => countsOf(twin, now()),
    recentEvents: () => twin.recentEvents().flatMap((event) => seenEvent(event) ?? []),
    view: (focus) => (now().subjects.has(focus.id) ? twin.view(focus) : null),
    submit: () => false,
    setInventory: () => Promise.reject(new Error("a view of some sites cannot change the inventory")),
    onRound: (listener) =>
      twin.onRound((notice) => {
        const seen = seenOf(notice, now(), seenEvent)
        if (seen !== null) listener({ ...seen, epoch: seen.epoch + RESTRICTED_EPOCHS })
      }),
    incident,
  }
}

/** The part of an inventory, and where its rows stand in the whole. */
interface Cut {
  readonly inventory: Inventory
  /** Ids of devices and links that are seen. */
  readonly subjects: ReadonlySet<string>
  /** Own slot to slot of the whole. */
  readonly nodes: Uint32Array
  readonly links: Uint32Array
  /** And back. */
  readonly nodeSlot: ReadonlyMap<number, number>
  readonly linkSlot: ReadonlyMap<number, number>
  /** What an incident may touch to be seen: links with one end here, too, as REST has it. */
  readonly places: SeenPlaces
}

const cutOut = (whole: Inventory, allowed: ReadonlySet<string>, wanted: SiteLinks): Cut => {
  const nodes = slotsWhere(whole.devices, (device) => allowed.has(device.site))
  const devices = [...nodes].map((slot) => whole.devices[slot]!)
  const ids: ReadonlySet<string> = new Set(devices.map((device) => device.id))
  const linkSlots = slotsWhere(whole.links, ({ a, b }) =>
    wanted === "oneEnd" ? ids.has(a.device) || ids.has(b.device) : ids.has(a.device) && ids.has(b.device),
  )
  const links = [...linkSlots].map((slot) => whole.links[slot]!)
  return {
    inventory: { sites: whole.sites.filter((site) => allowed.has(site.id)), devices, links },
    subjects: new Set<string>([...ids, ...links.map((link) => link.id)]),
    nodes,
    links: linkSlots,
    nodeSlot: placesOf(nodes),
    linkSlot: placesOf(linkSlots),
    places: seenPlaces({
      sites: whole.sites.filter((site) => allowed.has(site.id)),
      devices,
      links: whole.links.filter(({ a, b }) => ids.has(a.device) || ids.has(b.device)),
    }),
  }
}

const slotsWhere = <Item>(items: readonly Item[], isWanted: (item: Item) => boolean): Uint32Array =>
  Uint32Array.from(items.flatMap((item, slot) => (isWanted(item) ? [slot] : [])))

const placesOf = (slots: Uint32Array): ReadonlyMap<number, number> =>
  new Map([...slots].map((whole, own) => [whole, own]))

const NOTHING = cutOut({ sites: [], devices: [], links: [] }, new Set(), "oneEnd")

/** A copy: columns of a runtime live and change in place, a reader of a view reads one moment. */
const columnsOf = (whole: Columns, cut: Cut): Columns => ({
  nodeStatus: Uint8Array.from(cut.nodes, (slot) => whole.nodeStatus[slot]!),
  nodeSeenS: Uint32Array.from(cut.nodes, (slot) => whole.nodeSeenS[slot]!),
  linkStatus: Uint8Array.from(cut.links, (slot) => whole.linkStatus[slot]!),
  linkUtilAB: Uint8Array.from(cut.links, (slot) => whole.linkUtilAB[slot]!),
  linkUtilBA: Uint8Array.from(cut.links, (slot) => whole.linkUtilBA[slot]!),
})

/** As twin/tenant.ts counts the whole: up = it answers, hot = a direction at 80 % of capacity or more. */
const countsOf = (twin: LiveTwin, cut: Cut): Counts => {
  const columns = twin.columns()
  const health = (column: Uint8Array, slot: number) => unpackStatus(column[slot]!).health
  const count = (slots: Uint32Array, holds: (slot: number) => boolean): number =>
    slots.reduce((sum, slot) => sum + Number(holds(slot)), 0)
  const isHot = (byte: number | undefined): boolean => ((byte === undefined ? null : unpackUtil(byte)) ?? 0) >= HOT
  return {
    routers: cut.nodes.length,
    routersUp: count(cut.nodes, (slot) => UP.has(health(columns.nodeStatus, slot))),
    links: cut.links.length,
    linksDown: count(cut.links, (slot) => health(columns.linkStatus, slot) === "down"),
    linksHot: count(cut.links, (slot) => isHot(columns.linkUtilAB[slot]) || isHot(columns.linkUtilBA[slot])),
    sites: cut.inventory.sites.length,
    // Counted per router in the twin and not kept in columns: the sum of a part is not known here, so none is told.
    subscribers: null,
  }
}
const HOT = 0.8
const UP: ReadonlySet<string> = new Set(["ok", "degraded"])

/** The notice in own slots; null = nothing in it is seen. */
const seenOf = (
  { incidents: _whole, ...notice }: RoundNotice,
  cut: Cut,
  seenEvent: (event: EventView) => EventView | null,
): RoundNotice | null => {
  const seen: RoundNotice = {
    ...notice,
    nodes: own(notice.nodes, cut.nodeSlot),
    links: own(notice.links, cut.linkSlot),
    events: notice.events.flatMap((event) => seenEvent(event) ?? []),
    touched: new Set([...notice.touched].filter((id) => cut.subjects.has(id))),
  }
  const parts = [seen.nodes.length, seen.links.length, seen.events.length, seen.touched.size]
  return notice.topologyChanged || parts.some((size) => size > 0) ? seen : null
}

/** Ascending, because both inventories are in the same order. */
const own = (slots: readonly number[], places: ReadonlyMap<number, number>): readonly number[] =>
  slots.flatMap((slot) => places.get(slot) ?? [])
