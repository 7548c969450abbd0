/**
 * Frames out of a live twin: keyframes in parts, deltas and events for a difference (protocol/SPEC.md). Pure reading of
 * the twin; values are absolute. Texts of devices are cut to what the wire allows, so that no device can make a frame
 * that every viewer must refuse.
 */
import type { Difference } from "#engine/stream/changes.ts"
import type { LiveTwin } from "#engine/tenant/live-twin.ts"
import type { Inventory } from "#protocol/inventory.ts"
import { ROLES } from "#protocol/role.ts"
import type { EventView } from "#protocol/view.ts"
import type { Delta, EventFrame, LinkColumns, NodeColumns, SiteColumns, Snap } from "#protocol/wire.ts"

/** One part of a keyframe holds at most this many rows: about 0.5 MB, 5 ms to pack. */
export const PART_NODES = 5_000
export const PART_LINKS = 10_000
/** What protocol/codec.ts accepts in an event, in UTF-16 units. */
const TEXT_MAX = 1024
const RAW_MAX = 16_384

/** `atMs` = newest evidence. */
export const keyframe = (twin: LiveTwin, atMs: number): readonly Snap[] => {
  const inventory = twin.inventory()
  const { sites, devices, links } = inventory
  const parts = Math.max(1, Math.ceil(devices.length / PART_NODES), Math.ceil(links.length / PART_LINKS))
  const slots = { site: slotsOf(sites), device: slotsOf(devices) }
  const head = { kind: "SNAP", epoch: twin.epoch(), seq: twin.seq(), atMs, parts, counts: twin.counts() } as const
  return Array.from({ length: parts }, (_, part) => ({
    ...head,
    part,
    sites: siteColumns(part === 0 ? inventory.sites : []),
    nodes: nodeColumns(twin, slots.site, part * PART_NODES, (part + 1) * PART_NODES),
    links: linkColumns(twin, slots.device, part * PART_LINKS, (part + 1) * PART_LINKS),
    events: part === 0 ? twin.recentEvents().map(clipEvent) : [],
  }))
}

export interface Span {
  readonly epoch: number
  readonly base: number
  readonly seq: number
  readonly atMs: number
}

export const deltaFrame = (twin: LiveTwin, span: Span, { nodes, links }: Difference): Delta => {
  const columns = twin.columns()
  return {
    kind: "DELTA",
    ...span,
    nodes: { slot: nodes, status: pick(columns.nodeStatus, nodes), seenS: pick32(columns.nodeSeenS, nodes) },
    links: {
      slot: links,
      status: pick(columns.linkStatus, links),
      utilAB: pick(columns.linkUtilAB, links),
      utilBA: pick(columns.linkUtilBA, links),
    },
    counts: twin.counts(),
  }
}

export const eventFrame = (span: Span, events: readonly EventView[]): EventFrame => ({
  kind: "EVENT",
  ...span,
  events: events.map(clipEvent),
})

const slotsOf = (items: ReadonlyArray<{ readonly id: string }>): ReadonlyMap<string, number> =>
  new Map(items.map((item, slot) => [item.id, slot]))

const siteColumns = (sites: Inventory["sites"]): SiteColumns => ({
  id: sites.map((site) => site.id),
  name: sites.map((site) => site.name),
  latitude: Float64Array.from(sites, (site) => site.latitude),
  longitude: Float64Array.from(sites, (site) => site.longitude),
  placeGuessed: Uint8Array.from(sites, (site) => (site.guessed === true ? 1 : 0)),
})

const nodeColumns = (twin: LiveTwin, siteSlots: ReadonlyMap<string, number>, from: number, to: number): NodeColumns => {
  const devices = twin.inventory().devices.slice(from, to)
  const columns = twin.columns()
  return {
    id: devices.map((device) => device.id),
    name: devices.map((device) => device.name),
    site: Uint32Array.from(devices, (device) => siteSlots.get(device.site) ?? 0),
    role: Uint8Array.from(devices, (device) => ROLES.indexOf(device.roles[0] ?? "other")),
    status: columns.nodeStatus.slice(from, to),
    seenS: columns.nodeSeenS.slice(from, to),
  }
}

const linkColumns = (
  twin: LiveTwin,
  deviceSlots: ReadonlyMap<string, number>,
  from: number,
  to: number,
): LinkColumns => {
  const links = twin.inventory().links.slice(from, to)
  const columns = twin.columns()
  return {
    id: links.map((link) => link.id),
    a: Uint32Array.from(links, (link) => deviceSlots.get(link.a.device) ?? 0),
    b: Uint32Array.from(links, (link) => deviceSlots.get(link.b.device) ?? 0),
    capacityBps: Float64Array.from(links, (link) => link.capacityBps ?? Number.NaN),
    status: columns.linkStatus.slice(from, to),
    utilAB: columns.linkUtilAB.slice(from, to),
    utilBA: columns.linkUtilBA.slice(from, to),
  }
}

const pick = (column: Uint8Array, slots: Uint32Array): Uint8Array => {
  const picked = new Uint8Array(slots.length)
  for (let at = 0; at < slots.length; at++) picked[at] = column[slots[at]!]!
  return picked
}
const pick32 = (column: Uint32Array, slots: Uint32Array): Uint32Array => {
  const picked = new Uint32Array(slots.length)
  for (let at = 0; at < slots.length; at++) picked[at] = column[slots[at]!]!
  return picked
}

const clipEvent = (event: EventView): EventView => ({
  ...event,
  entity: clip(event.entity, TEXT_MAX),
  old: event.old === null ? null : clip(event.old, TEXT_MAX),
  new: event.new === null ? null : clip(event.new, TEXT_MAX),
  raw: event.raw === null ? null : clip(event.raw, RAW_MAX),
})

const clip = (text: string, max: number): string => (text.length <= max ? text : `${text.slice(0, max - 1)}…`)
