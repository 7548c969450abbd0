/**
 * Lists of what stands inside devices (interfaces, neighbours, probes) over all devices of a twin. The details of a device
 * are selected from its actor one device at a time, so a page looks at a bounded number of devices; it may hold fewer rows
 * than asked for, and `next` alone says whether there is more.
 */
import { firstAfter, PAGE_DEFAULT, writeCursor, type Page, type PageQuery } from "#engine/api/lists.ts"
import type { LiveTwin } from "#engine/tenant/live-twin.ts"
import type { Device } from "#protocol/inventory.ts"
import type { AdjacencyKind, AdjacencyView, DeviceView, InterfaceView } from "#protocol/view.ts"

/** Devices whose details one page may select: about 20 ms of work. */
export const SCAN_DEVICES_MAX = 500

/** A row and what orders it inside its device; unique there. */
export interface Keyed<Row> {
  readonly key: string
  readonly row: Row
}

/** Rows of devices in the order of (device name, key). Null for a cursor that is none of this list's. */
export const deviceScan = <Row>(
  twin: LiveTwin,
  query: PageQuery & { readonly device?: string },
  after: string | undefined,
  rowsOf: (device: Device, view: DeviceView) => readonly Keyed<Row>[],
): Page<Row> | null => {
  const place = after === undefined ? NOWHERE : readPlace(after)
  if (place === null) return null
  const { devices } = twin.inventory()
  const limit = query.limit ?? PAGE_DEFAULT
  const items: Row[] = []
  let last = place
  let looked = 0
  for (let slot = startOf(devices, place); slot < devices.length; slot++) {
    const device = devices[slot]!
    if (query.device !== undefined && query.device !== device.id) continue
    if (looked === SCAN_DEVICES_MAX) return { items, next: writePlace(last) }
    looked += 1
    const view = twin.view({ kind: "device", id: device.id })
    const rows = view?.kind === "device" ? rowsOf(device, view).toSorted(byKey) : []
    for (const { key, row } of rows) {
      if (device.name === place.name && place.key !== null && key <= place.key) continue
      if (items.length === limit) return { items, next: writePlace(last) }
      items.push(row)
      last = { name: device.name, key }
    }
    last = { name: device.name, key: null }
  }
  return { items, next: null }
}

/** Behind this row; key null = behind the whole device. */
interface Place {
  readonly name: string
  readonly key: string | null
}
const NOWHERE: Place = { name: "", key: null }

const startOf = (devices: readonly Device[], place: Place): number => {
  if (place === NOWHERE) return 0
  if (place.key === null) return firstAfter(devices, (device) => device.name, place.name)
  const own = devices.findIndex((device) => device.name === place.name)
  return own >= 0 ? own : firstAfter(devices, (device) => device.name, place.name)
}

const byKey = (a: Keyed<unknown>, b: Keyed<unknown>): number => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)

const writePlace = ({ name, key }: Place): string => writeCursor(JSON.stringify([name, key]))
const readPlace = (text: string): Place | null => {
  try {
    const value = JSON.parse(text) as unknown
    if (!Array.isArray(value) || value.length !== 2) return null
    const [name, key] = value as readonly unknown[]
    return typeof name === "string" && (key === null || typeof key === "string") ? { name, key } : null
  } catch {
    return null
  }
}

export interface InterfaceFilter extends PageQuery {
  readonly device?: string
  readonly q?: string
  /** An interface of which nobody knows is neither. */
  readonly operUp?: "true" | "false"
}

export const interfacePage = (twin: LiveTwin, filter: InterfaceFilter, after: string | undefined) => {
  const wanted = filter.q?.toLowerCase()
  const fits = (one: InterfaceView): boolean =>
    (filter.operUp === undefined || one.operUp === (filter.operUp === "true")) &&
    (wanted === undefined || [one.name, one.alias ?? ""].some((text) => text.toLowerCase().includes(wanted)))
  return deviceScan(twin, filter, after, (device, view) =>
    view.interfaces.filter(fits).map((one) => ({ key: one.name, row: { ...named(device), ...one } })),
  )
}

export interface AdjacencyFilter extends PageQuery {
  readonly device?: string
  readonly kind?: AdjacencyKind
  readonly up?: "true" | "false"
}

export const adjacencyPage = (twin: LiveTwin, filter: AdjacencyFilter, after: string | undefined) => {
  const fits = (one: AdjacencyView): boolean =>
    (filter.kind === undefined || one.kind === filter.kind) &&
    (filter.up === undefined || one.up === (filter.up === "true"))
  return deviceScan(twin, filter, after, (device, view) => {
    const seen = new Map<string, number>()
    return view.adjacencies.filter(fits).map((one) => {
      // Two neighbours may say the same of themselves on one port: the nth keeps a key of its own.
      const base = JSON.stringify([one.kind, one.localInterface ?? "", one.remote, one.remotePort ?? ""])
      const nth = (seen.get(base) ?? 0) + 1
      seen.set(base, nth)
      return { key: `${base}${nth}`, row: { ...named(device), ...one } }
    })
  })
}

export const named = (device: Device) => ({ device: device.id as string, deviceName: device.name })
