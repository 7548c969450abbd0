/**
 * What a panel shows of one device or link, selected from the states of its actors. Every number carries its time,
 * source and quality; what nobody measured is absent.
 */
import { deviceId, entityName, linkId } from "#protocol/id.ts"
import type { Device } from "#protocol/inventory.ts"
import { metricById, metricId } from "#protocol/metric.ts"
import type { Metric, MetricName } from "#protocol/metric.ts"
import type {
  AdjacencyView,
  Counts,
  DeviceView,
  FocusView,
  InterfaceView,
  LinkEndView,
  LinkView,
  MetricView,
  Quality,
  Source,
} from "#protocol/view.ts"
import { isAdjacencyUp, stateName } from "#twin/adjacency.ts"
import type { Adjacency } from "#twin/adjacency.ts"
import { capabilitiesOf } from "#twin/capability.ts"
import type { Cells } from "#twin/cells.ts"
import { at } from "#twin/chunked.ts"
import { STALE_POLLS } from "#twin/health.ts"
import {
  ADMIN,
  flagOf,
  IF_INDEX,
  INTERFACE_LAYOUT,
  level,
  OPER,
  RX_BPS,
  SPEED,
  TX_BPS,
  UTILIZATION,
} from "#twin/interface.ts"
import type { EndFact } from "#twin/link.ts"
import { isManagement, PROBE_STALE_MS } from "#twin/reach.ts"
import type { SourceState } from "#twin/reach.ts"
import type { World } from "#twin/round.ts"
import type { RouterState } from "#twin/router.ts"
import { originEstimated, originSource } from "#twin/source.ts"
import { DEVICE_LAYOUT } from "#twin/values.ts"
import type { Layout, ValueTable } from "#twin/values.ts"

/** Null when the inventory has no such id. Times are judged against the twin's own clock. */
export const deviceView = (world: World, cells: Cells, id: string): DeviceView | null => {
  const slot = world.topology.deviceSlot.get(deviceId(id))
  const device = slot === undefined ? undefined : world.topology.inventory.devices[slot]
  if (slot === undefined || device === undefined) return null
  const router = cells.routers.state(slot)
  const shown = at(cells.tenant.state(0).nodes, slot).shown
  const hollow = shown.severity !== router.status.severity
  const now: Now = { atMs: world.atMs, staleMs: STALE_POLLS * device.pollSeconds * 1000, stale: router.stale }
  const view: DeviceView = {
    kind: "device",
    ...identityOf(device),
    health: shown.health,
    severity: shown.severity,
    stale: shown.stale,
    reasons: hollow ? ["none of its neighbours answers either", ...router.reasons] : router.reasons,
    pollSeconds: device.pollSeconds,
    lastOkMs: router.sources.reduce<number | null>((newest, s) => later(newest, s.lastOkMs), null),
    texts: router.texts,
    sources: router.sources.filter(isShown).map(({ source, up, lastOkMs, error }) => ({
      source,
      up: up === true,
      lastOkMs,
      error,
    })),
    metrics: metricsOf(router, now),
    interfaces: router.interfaces.keys.map((_, row) => interfaceView(router, row, now)),
    adjacencies: router.adjacencies.map(adjacencyView),
  }
  return { ...view, capabilities: capabilitiesOf(device, view, world.recent) }
}

export const linkView = (world: World, cells: Cells, id: string): LinkView | null => {
  const slot = world.topology.linkSlot.get(linkId(id))
  const link = slot === undefined ? undefined : world.topology.inventory.links[slot]
  if (slot === undefined || link === undefined) return null
  const state = cells.links.state(slot)
  const percent = (fraction: number | null): number | null => (fraction === null ? null : fraction * 100)
  const end = (side: typeof link.a, fact: EndFact | null): LinkEndView => ({
    device: side.device,
    deviceName: world.topology.inventory.devices[world.topology.deviceSlot.get(side.device) ?? -1]?.name ?? side.device,
    interface: side.interface,
    operUp: fact?.operUp ?? null,
    adminUp: fact?.adminUp ?? null,
    rxBps: fact?.rxBps ?? null,
    txBps: fact?.txBps ?? null,
    atMs: fact?.atMs ?? null,
    source: fact?.source ?? null,
  })
  return {
    kind: "link",
    id: link.id,
    a: end(link.a, state.a),
    b: end(link.b, state.b),
    capacityBps: state.capacityBps,
    health: state.status.health,
    severity: state.status.severity,
    reasons: state.reasons,
    utilAbPct: percent(state.utilAB),
    utilBaPct: percent(state.utilBA),
    sinceMs: state.sinceMs,
  }
}

export const focusView = (
  world: World,
  cells: Cells,
  focus: { readonly kind: "device" | "link"; readonly id: string },
): FocusView | null => (focus.kind === "device" ? deviceView(world, cells, focus.id) : linkView(world, cells, focus.id))

export const countsOf = (cells: Cells): Counts => cells.tenant.state(0).counts

/** What "now" and "too old" mean for one device. */
interface Now {
  readonly atMs: number
  readonly staleMs: number
  readonly stale: boolean
}

const identityOf = ({
  id,
  name,
  address,
  site,
  roles,
}: Device): Pick<DeviceView, "id" | "name" | "address" | "site" | "roles"> => ({
  id,
  name,
  address,
  site,
  roles,
})

/** Where nothing can ping, or nothing has yet, there is no such source: its silence would be a lie. */
const isShown = (known: SourceState): boolean => isManagement(known) || known.up !== null

const qualityOf = (atMs: number, estimated: boolean, now: Now): Quality => {
  if (now.stale || now.atMs - atMs > now.staleMs) return "stale"
  return estimated ? "estimated" : "good"
}

/** Interface metrics that InterfaceView has no field for. */
const EXTRAS: ReadonlySet<number> = new Set(
  INTERFACE_LAYOUT.metrics
    .filter(({ name }) => !name.startsWith("interface.") || name === "interface.ospf_cost")
    .map(({ id }) => id),
)

const metricsOf = (router: RouterState, now: Now): readonly MetricView[] => [
  ...measured(router.device, 0, DEVICE_LAYOUT, "", now, () => true),
  ...router.interfaces.keys.flatMap((key, row) =>
    measured(router.interfaces.levels, row, INTERFACE_LAYOUT, key, now, ({ id }) => EXTRAS.has(id)),
  ),
  ...router.adjacencies.flatMap((adjacency) => peerMetrics(adjacency, now)),
]

const measured = (
  table: ValueTable,
  row: number,
  layout: Layout,
  entity: string,
  now: Now,
  wanted: (metric: Metric) => boolean,
): readonly MetricView[] =>
  layout.metrics.flatMap((metric, column) => {
    const index = row * layout.width + column
    const value = table.value[index] as number
    if (Number.isNaN(value) || !wanted(metric)) return []
    const atMs = table.atMs[index] as number
    const origin = table.origin[index] as number
    const source = originSource(origin)
    const quality = qualityOf(atMs, originEstimated(origin), paceOf(metric, source, now))
    return [{ entity, metric: metric.name, value, unit: metric.unit, atMs, source, quality }]
  })

/** Read every five minutes, whatever the polling's pace (docs/collectors.md). */
const SLOW: ReadonlySet<number> = new Set(
  (["interface.ospf_cost", "device.clock.skew_seconds", "bridge.hosts", "bridge.hosts_refused"] as const).map(metricId),
)
const SLOW_STALE_MS = STALE_POLLS * 300_000

const paceOf = (metric: Metric, source: Source, now: Now): Now => {
  if (source === "probe") return probeNow(now)
  return SLOW.has(metric.id) ? { ...now, staleMs: Math.max(now.staleMs, SLOW_STALE_MS) } : now
}

/** Probes have their own pace, whatever the polling's. */
const probeNow = ({ atMs }: Now): Now => ({ atMs, staleMs: PROBE_STALE_MS, stale: false })

const peerMetrics = (adjacency: Adjacency, now: Now): readonly MetricView[] => {
  const { atMs, source } = adjacency
  const values: ReadonlyArray<readonly [MetricName, number | null]> = [
    ["bgp.peer.prefixes_in", adjacency.prefixesIn],
    ["bgp.peer.prefixes_out", adjacency.prefixesOut],
    ["bgp.peer.flaps_total", adjacency.flaps],
  ]
  return values.flatMap(([metric, value]) => {
    if (value === null) return []
    const unit = metricById(metricId(metric))?.unit ?? ""
    return [{ entity: adjacency.key, metric, value, unit, atMs, source, quality: qualityOf(atMs, false, now) }]
  })
}

/** Its time and source are those of the newest of state and traffic. */
const interfaceView = (router: RouterState, row: number, now: Now): InterfaceView => {
  const table = router.interfaces
  const base = row * INTERFACE_LAYOUT.width
  const operMs = table.levels.atMs[base + OPER] as number
  const rateMs = level(table, row, RX_BPS) === null ? 0 : (table.levels.atMs[base + RX_BPS] as number)
  const newest = base + (rateMs > operMs ? RX_BPS : OPER)
  const atMs = table.levels.atMs[newest] as number
  const origin = table.levels.origin[newest] as number
  const rx = INTERFACE_LAYOUT.columnOf[metricId("interface.rx_errors_per_s")] as number
  const tx = INTERFACE_LAYOUT.columnOf[metricId("interface.tx_errors_per_s")] as number
  return {
    name: entityName(table.keys[row] as (typeof table.keys)[number]),
    alias: table.aliases[row] ?? null,
    ...(table.addresses?.[row] ? { addresses: table.addresses[row] } : {}),
    ...(table.lowerLayers?.[row] ? { lowerLayers: table.lowerLayers[row] } : {}),
    ...(table.macs?.[row] ? { mac: table.macs[row] } : {}),
    ...(table.bridgeHosts?.[row] ? { bridgeHosts: table.bridgeHosts[row] } : {}),
    ifIndex: level(table, row, IF_INDEX),
    adminUp: flagOf(table, row, ADMIN),
    operUp: flagOf(table, row, OPER),
    speedBps: level(table, row, SPEED),
    rxBps: level(table, row, RX_BPS),
    txBps: level(table, row, TX_BPS),
    utilizationPct: level(table, row, UTILIZATION),
    rxErrorsPerS: level(table, row, rx),
    txErrorsPerS: level(table, row, tx),
    atMs,
    source: originSource(origin),
    quality: qualityOf(atMs, originEstimated(origin), now),
  }
}

const adjacencyView = (adjacency: Adjacency): AdjacencyView => ({
  kind: adjacency.kind,
  ...remoteOf(adjacency),
  state: stateName(adjacency.kind, adjacency.state),
  up: isAdjacencyUp(adjacency),
  sinceMs: adjacency.sinceMs,
  atMs: adjacency.atMs,
  source: adjacency.source,
})

type RemoteView = Pick<
  AdjacencyView,
  "remote" | "remoteAs" | "localInterface" | "remotePort" | "remoteAddress" | "remoteMac"
>

/** A heard neighbour goes by the name that it gives itself, else by its chassis or MAC, else by its address. */
const remoteOf = ({ kind, remote, lldp, discovery, detail }: Adjacency): RemoteView => {
  const heard = lldp ?? discovery
  if (heard === undefined)
    return { remote, ...(detail ? (kind === "bgp" ? { remoteAs: detail } : { localInterface: detail }) : {}) }
  return {
    remote: heard.systemName || lldp?.chassis || discovery?.mac || discovery?.address || remote,
    ...(detail ? { localInterface: detail } : {}),
    ...(heard.port ? { remotePort: heard.port } : {}),
    ...(discovery?.address ? { remoteAddress: discovery.address } : {}),
    ...(discovery?.mac ? { remoteMac: discovery.mac } : {}),
  }
}

const later = (a: number | null, b: number | null): number | null => (a === null || (b !== null && b > a) ? b : a)
