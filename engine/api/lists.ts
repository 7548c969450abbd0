/**
 * The list endpoints: one page of devices, links or sites out of the twin's inventory and columns. The inventory is
 * sorted (protocol/inventory.ts), so a cursor is simply the key of the last row and survives changes between pages.
 */
import { CURSOR_MAX } from "#engine/api/groups/fields.ts"
import { placesWhere } from "#engine/api/place-filter.ts"
import type { PlaceFilter } from "#engine/api/place-filter.ts"
import type { LiveTwin } from "#engine/tenant/live-twin.ts"
import type { Device, Inventory, Link } from "#protocol/inventory.ts"
import { unpackStatus } from "#protocol/status.ts"
import type { Health } from "#protocol/status.ts"
import { unpackUtil } from "#protocol/wire.ts"
import type { Columns } from "#twin/columns.ts"

export interface Page<Row> {
  readonly items: readonly Row[]
  readonly next: string | null
}
export interface PageQuery {
  readonly limit?: number
  readonly cursor?: string
}
export const PAGE_DEFAULT = 100

/** Null when the cursor is none of ours. */
export const readCursor = (cursor: string | undefined): string | null | undefined => {
  if (cursor === undefined) return undefined
  if (!/^[A-Za-z0-9_-]+$/.test(cursor) || cursor.length > CURSOR_MAX) return null
  return Buffer.from(cursor, "base64url").toString("utf8")
}
export const writeCursor = (key: string): string => Buffer.from(key, "utf8").toString("base64url")

/** Rows after `after` in key order that `take` wants, at most `limit`. */
export const page = <Item, Row>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
  after: string | undefined,
  limit: number,
  take: (item: Item, slot: number) => Row | null,
): Page<Row> => {
  const rows: Row[] = []
  let last = ""
  for (let slot = after === undefined ? 0 : firstAfter(items, keyOf, after); slot < items.length; slot++) {
    const item = items[slot]!
    const row = take(item, slot)
    if (row === null) continue
    if (rows.length === limit) return { items: rows, next: writeCursor(last) }
    rows.push(row)
    last = keyOf(item)
  }
  return { items: rows, next: null }
}

/** The place behind the cursor's row; when that row is gone, behind the keys that are not greater. */
export const firstAfter = <Item>(items: readonly Item[], keyOf: (item: Item) => string, after: string): number => {
  const found = items.findIndex((item) => keyOf(item) === after)
  if (found >= 0) return found + 1
  const greater = items.findIndex((item) => keyOf(item) > after)
  return greater < 0 ? items.length : greater
}

/** Rows at these sites only. */
interface Placed {
  readonly where?: PlaceFilter
}

export interface DeviceFilter extends PageQuery, Placed {
  readonly q?: string
  readonly site?: string
  readonly role?: string
  readonly health?: Health
}

export const deviceRow = (columns: Columns, device: Device, slot: number) => {
  const seenS = columns.nodeSeenS[slot] ?? 0
  return {
    id: device.id as string,
    name: device.name,
    address: device.address,
    site: device.site as string,
    roles: device.roles,
    ...unpackStatus(columns.nodeStatus[slot] ?? 0),
    seenS: seenS === 0 ? null : seenS,
  }
}

export const devicePage = (twin: LiveTwin, filter: DeviceFilter, after: string | undefined) => {
  const wanted = filter.q?.toLowerCase()
  const places = placesWhere(twin.inventory(), filter.where)
  const columns = twin.columns()
  return page(
    twin.inventory().devices,
    (device) => device.name,
    after,
    filter.limit ?? PAGE_DEFAULT,
    (device, slot) => {
      if (filter.site !== undefined && device.site !== filter.site) return null
      if (places?.has(device.site) === false) return null
      if (filter.role !== undefined && !(device.roles as readonly string[]).includes(filter.role)) return null
      if (wanted !== undefined && !device.name.toLowerCase().includes(wanted) && !device.address.includes(wanted))
        return null
      const row = deviceRow(columns, device, slot)
      return filter.health !== undefined && row.health !== filter.health ? null : row
    },
  )
}

export interface LinkFilter extends PageQuery {
  readonly device?: string
  readonly health?: Health
}

export const linkPage = (twin: LiveTwin, filter: LinkFilter, after: string | undefined) => {
  const inventory = twin.inventory()
  const names = deviceNames(inventory)
  const columns = twin.columns()
  return page(
    inventory.links,
    (link) => link.id as string,
    after,
    filter.limit ?? PAGE_DEFAULT,
    (link, slot) => {
      if (filter.device !== undefined && link.a.device !== filter.device && link.b.device !== filter.device) return null
      const row = linkRow(columns, link, slot, names)
      return filter.health !== undefined && row.health !== filter.health ? null : row
    },
  )
}

const linkRow = (columns: Columns, link: Link, slot: number, names: ReadonlyMap<string, string>) => {
  const end = ({ device, interface: ifName }: Link["a"]) => ({
    device: device as string,
    deviceName: names.get(device) ?? "",
    interface: ifName,
  })
  return { id: link.id as string, a: end(link.a), b: end(link.b), ...linkState(columns, link, slot) }
}

/** What rows of links and edges of the graph say of a link's state. */
export const linkState = (columns: Columns, link: Link, slot: number) => ({
  capacityBps: link.capacityBps,
  ...unpackStatus(columns.linkStatus[slot] ?? 0),
  utilAbPct: percent(columns.linkUtilAB[slot]),
  utilBaPct: percent(columns.linkUtilBA[slot]),
})
const percent = (byte: number | undefined): number | null => {
  const fraction = byte === undefined ? null : unpackUtil(byte)
  return fraction === null ? null : fraction * 100
}

export const sitePage = (twin: LiveTwin, query: PageQuery & Placed, after: string | undefined) =>
  page(
    twin.inventory().sites,
    (site) => site.id as string,
    after,
    query.limit ?? PAGE_DEFAULT,
    (site) =>
      query.where?.(site) === false
        ? null
        : {
            id: site.id as string,
            name: site.name,
            latitude: site.latitude,
            longitude: site.longitude,
            ...(site.guessed === true ? { guessed: true as const } : {}),
          },
  )

/** One map per inventory: an inventory never changes, it is replaced. */
const namesOf = new WeakMap<Inventory, ReadonlyMap<string, string>>()
export const deviceNames = (inventory: Inventory): ReadonlyMap<string, string> => {
  const known = namesOf.get(inventory)
  if (known !== undefined) return known
  const made = new Map(inventory.devices.map((device) => [device.id as string, device.name]))
  namesOf.set(inventory, made)
  return made
}
