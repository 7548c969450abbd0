/**
 * What a panel shows of one open entity: the payload of FOCUS frames and of the REST details.
 * Every number comes with its age and source (law 1); a number that nobody measured is absent, never zero.
 */
import type { Health, Severity } from "#protocol/status.ts"

export type Source = "snmp" | "routeros" | "probe" | "trap" | "syslog"
export type Quality = "good" | "estimated" | "stale"

export interface SourceView {
  readonly source: Source
  readonly up: boolean
  /** Time of the newest answer, or null when there never was one. */
  readonly lastOkMs: number | null
  /** Why the newest attempt failed, in words for an operator; null while it works. */
  readonly error: string | null
}

export interface MetricView {
  /** "" = the device. */
  readonly entity: string
  readonly metric: string
  readonly value: number
  readonly unit: string
  readonly atMs: number
  readonly source: Source
  readonly quality: Quality
}

export interface InterfaceView {
  readonly name: string
  readonly alias: string | null
  /** Own addresses, `10.0.0.1/31, 2001:db8::1/64`; absent when nobody told any. */
  readonly addresses?: string
  /** Interfaces that it runs over, `ether1, ether2` for a bond; absent when nobody told any. */
  readonly lowerLayers?: string
  /** Its own MAC, `00:1a:2b:3c:4d:5e`; absent when nobody told it. */
  readonly mac?: string
  /** MACs of the tenant's own devices that a bridge learned on this port (bridge.ts); absent when it is no bridge's. */
  readonly bridgeHosts?: string
  readonly ifIndex: number | null
  readonly adminUp: boolean | null
  readonly operUp: boolean | null
  readonly speedBps: number | null
  readonly rxBps: number | null
  readonly txBps: number | null
  readonly utilizationPct: number | null
  readonly rxErrorsPerS: number | null
  readonly txErrorsPerS: number | null
  readonly atMs: number
  readonly source: Source
  readonly quality: Quality
}

/** What two devices say to each other; none of them makes a link (W2). */
export type AdjacencyKind = "ospf" | "bgp" | "lldp" | "mndp" | "cdp" | "discovery"

export interface AdjacencyView {
  readonly kind: AdjacencyKind
  readonly remote: string
  /** bgp only, as far as the device tells. */
  readonly remoteAs?: string
  /** All but bgp: the own interface; where heard, also the port that the neighbour names. */
  readonly localInterface?: string
  readonly remotePort?: string
  /** mndp, cdp, discovery: where it says that it can be reached, and the MAC that it sends from. */
  readonly remoteAddress?: string
  readonly remoteMac?: string
  readonly state: string
  readonly up: boolean
  readonly sinceMs: number
  readonly atMs: number
  readonly source: Source
}

/** What a device may be asked or may tell. `api` is the vendor's own; nothing here reads `ssh` and `flow`. */
export const CAPABILITIES = [
  "snmp",
  "api",
  "ping",
  "traps",
  "syslog",
  "interfaces",
  "ospf",
  "bgp",
  "lldp",
  "discovery",
  "bridge",
  "sensors",
  "optics",
  "wireless",
  "ppp",
  "dhcp",
  "nat",
  "queues",
  "radius",
  "ssh",
  "flow",
] as const
export type Capability = (typeof CAPABILITIES)[number]

export interface CapabilityView {
  readonly name: Capability
  /** The inventory says that it is asked for this. */
  readonly declared: boolean
  /** Something that the twin holds came this way. */
  readonly seen: boolean
  /** Of the newest; null = nothing came. */
  readonly source: Source | null
  readonly atMs: number | null
}

export interface DeviceView {
  readonly kind: "device"
  readonly id: string
  readonly name: string
  readonly address: string
  readonly site: string
  readonly roles: readonly string[]
  readonly health: Health
  readonly severity: Severity
  readonly stale: boolean
  /** Why it has this health, newest first, in words. */
  readonly reasons: readonly string[]
  readonly pollSeconds: number
  readonly lastOkMs: number | null
  readonly texts: Readonly<Record<string, string>>
  readonly sources: readonly SourceView[]
  /** Each of CAPABILITIES, the absent ones too; the field is missing in pictures of older engines. */
  readonly capabilities?: readonly CapabilityView[]
  readonly metrics: readonly MetricView[]
  readonly interfaces: readonly InterfaceView[]
  readonly adjacencies: readonly AdjacencyView[]
}

export interface LinkEndView {
  readonly device: string
  readonly deviceName: string
  readonly interface: string
  readonly operUp: boolean | null
  readonly adminUp: boolean | null
  readonly rxBps: number | null
  readonly txBps: number | null
  readonly atMs: number | null
  readonly source: Source | null
}

export interface LinkView {
  readonly kind: "link"
  readonly id: string
  readonly a: LinkEndView
  readonly b: LinkEndView
  readonly capacityBps: number | null
  readonly health: Health
  readonly severity: Severity
  readonly reasons: readonly string[]
  readonly utilAbPct: number | null
  readonly utilBaPct: number | null
  readonly sinceMs: number | null
}

export type FocusView = DeviceView | LinkView

/** One thing that happened: PRODUCT.md, Events. `id` is `<seq>-<index>` of the tenant's journal: the same in a replay. */
export interface EventView {
  readonly id: string
  readonly atMs: number
  readonly type: string
  readonly severity: Severity
  /** Device or link id. */
  readonly subject: string
  readonly subjectKind: "device" | "link" | "tenant"
  /** Entity inside the device, "" = itself. */
  readonly entity: string
  readonly old: string | null
  readonly new: string | null
  /** The raw line or trap, as text; attacker-supplied. */
  readonly raw: string | null
  readonly source: Source | "twin"
}

/** The incident that an event is of; null = of none. The event that opens one gives it its own id. */
export const incidentOf = (event: Pick<EventView, "id" | "type" | "subjectKind" | "entity">): string | null => {
  if (event.subjectKind !== "tenant" || !event.type.startsWith("incident.")) return null
  return event.entity === "" ? event.id : event.entity
}

/** Tenant counters for the header tiles. */
export interface Counts {
  readonly routers: number
  readonly routersUp: number
  readonly links: number
  readonly linksDown: number
  /** Links with a direction at or above 80 % of capacity. */
  readonly linksHot: number
  readonly sites: number
  /** Sum of pppoe.sessions.active over fresh devices; null when nobody measures it. */
  readonly subscribers: number | null
}
