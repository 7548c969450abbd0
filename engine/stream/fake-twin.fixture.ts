/** A LiveTwin whose rounds are made by hand: the real columns, inventory and notices, without actors or a journal. */
import type { LiveTwin, RoundNotice, TenantInfo } from "#engine/tenant/live-twin.ts"
import { deviceId, linkId, siteId, tenantId } from "#protocol/id.ts"
import type { Inventory } from "#protocol/inventory.ts"
import { unpackStatus } from "#protocol/status.ts"
import type { Status } from "#protocol/status.ts"
import type { Counts, DeviceView, EventView, FocusView, LinkView } from "#protocol/view.ts"
import { applyColumnDelta, makeColumns } from "#twin/columns.ts"
import type { ColumnDelta } from "#twin/step.ts"

export interface FakeTwin extends LiveTwin {
  /** One round: deltas applied to the columns, then every listener told. */
  readonly round: (what: {
    readonly deltas?: readonly ColumnDelta[]
    readonly events?: readonly string[]
    readonly inputs?: number
  }) => RoundNotice
  /** A new inventory of this size: new epoch. */
  readonly replace: (devices: number, links: number) => void
  readonly listeners: () => number
}

export const OK: Status = { health: "ok", severity: "cleared", maintenance: false, stale: false }
export const DOWN: Status = { health: "down", severity: "critical", maintenance: false, stale: false }

const pad = (index: number): string => String(index).padStart(6, "0")

/** Names carry the tenant's slug, so that a foreign name in a frame can be seen. */
export const makeFakeTwin = (slug: string, devices: number, links: number): FakeTwin => {
  const tenant: TenantInfo = { id: tenantId(`tenant-${slug}`), slug, name: `Tenant ${slug}`, demo: true }
  const listeners = new Set<(notice: RoundNotice) => void>()
  let inventory = makeInventory(slug, devices, links)
  let columns = makeColumns(devices, links)
  let epoch = 7
  let seq = 100
  let atMs = 1_700_000_000_000
  let events: EventView[] = []

  const tell = (notice: RoundNotice): RoundNotice => {
    for (const listener of listeners) listener(notice)
    return notice
  }
  const event = (type: string, index: number): EventView => ({
    id: `${seq}-${index}`,
    atMs,
    type,
    severity: "major",
    subject: inventory.devices[0]?.id ?? "",
    subjectKind: "device",
    entity: "",
    old: null,
    new: null,
    raw: `${slug} raw line`,
    source: "twin",
  })

  return {
    tenant,
    epoch: () => epoch,
    seq: () => seq,
    inventory: () => inventory,
    columns: () => columns,
    counts: () => countsOf(inventory),
    recentEvents: () => events,
    view: (focus) => viewOf(inventory, columns.nodeStatus, focus),
    submit: () => true,
    setInventory: () => Promise.reject(new Error("a fake twin has no journal")),
    onRound: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    listeners: () => listeners.size,
    round: ({ deltas = [], events: types = [], inputs = 1 }) => {
      seq += inputs
      atMs += 10
      const nodes = new Set<number>()
      const touchedLinks = new Set<number>()
      for (const delta of deltas)
        if (applyColumnDelta(columns, delta)) (delta.column === "node" ? nodes : touchedLinks).add(delta.slot)
      const happened = types.map(event)
      events = [...events, ...happened].slice(-512)
      return tell({
        epoch,
        seq,
        atMs,
        nodes: [...nodes].toSorted((a, b) => a - b),
        links: [...touchedLinks].toSorted((a, b) => a - b),
        events: happened,
        topologyChanged: false,
        touched: new Set([...nodes].map((slot) => inventory.devices[slot]!.id as string)),
      })
    },
    replace: (nextDevices, nextLinks) => {
      inventory = makeInventory(slug, nextDevices, nextLinks)
      columns = makeColumns(nextDevices, nextLinks)
      epoch += 1
      seq += 1
      tell({ epoch, seq, atMs, nodes: [], links: [], events: [], topologyChanged: true, touched: new Set() })
    },
  }
}

const makeInventory = (slug: string, devices: number, links: number): Inventory => ({
  sites: [{ id: siteId(`${slug}-site`), name: `${slug} site`, latitude: -23.5, longitude: -46.6 }],
  devices: Array.from({ length: devices }, (_, index) => ({
    id: deviceId(`${slug}-device-${pad(index)}`),
    name: `${slug}-router-${pad(index)}`,
    address: `10.0.${index >> 8}.${index & 255}`,
    site: siteId(`${slug}-site`),
    roles: ["core" as const],
    pollSeconds: 10,
    sources: ["snmp" as const],
  })),
  links: Array.from({ length: links }, (_, index) => ({
    id: linkId(`${slug}-link-${pad(index)}`),
    a: { device: deviceId(`${slug}-device-${pad(index % devices)}`), interface: "ether1" },
    b: { device: deviceId(`${slug}-device-${pad((index + 1) % devices)}`), interface: "ether2" },
    capacityBps: 1e9,
  })),
})

const countsOf = (inventory: Inventory): Counts => ({
  routers: inventory.devices.length,
  routersUp: 0,
  links: inventory.links.length,
  linksDown: 0,
  linksHot: 0,
  sites: inventory.sites.length,
  subscribers: null,
})

const viewOf = (inventory: Inventory, status: Uint8Array, focus: { kind: string; id: string }): FocusView | null => {
  if (focus.kind === "link") return linkView(inventory, focus.id)
  const slot = inventory.devices.findIndex((device) => device.id === focus.id)
  const device = inventory.devices[slot]
  if (device === undefined) return null
  const { health, severity, stale } = unpackStatus(status[slot]!)
  const view: DeviceView = {
    kind: "device",
    id: device.id,
    name: device.name,
    address: device.address,
    site: device.site,
    roles: device.roles,
    health,
    severity,
    stale,
    reasons: [],
    pollSeconds: device.pollSeconds,
    lastOkMs: null,
    texts: {},
    sources: [],
    metrics: [],
    interfaces: [],
    adjacencies: [],
  }
  return view
}

const linkView = (inventory: Inventory, id: string): LinkView | null => {
  const link = inventory.links.find((one) => one.id === id)
  if (link === undefined) return null
  const end = (ref: { device: string; interface: string }) => ({
    device: ref.device,
    deviceName: ref.device,
    interface: ref.interface,
    operUp: null,
    adminUp: null,
    rxBps: null,
    txBps: null,
    atMs: null,
    source: null,
  })
  return {
    kind: "link",
    id,
    a: end(link.a),
    b: end(link.b),
    capacityBps: link.capacityBps,
    health: "unknown",
    severity: "indeterminate",
    reasons: [],
    utilAbPct: null,
    utilBaPct: null,
    sinceMs: null,
  }
}
