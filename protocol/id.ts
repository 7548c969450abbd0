/**
 * Identifiers. Branded strings, so that a site is never passed where a device is meant.
 * Ids are made at the edges (engine/storage makes uuidv7 for devices and links; a site keeps the id that its
 * importer gave it) and arrive in the twin as arguments: the twin never makes one.
 */
type Brand<T extends string> = string & { readonly __brand: T }

/** uuid of a tenant. Never shown to another tenant, never a label. */
export type TenantId = Brand<"TenantId">
/** Importer's own id of a site/POP, unique within a tenant, e.g. `sao-1`. */
export type SiteId = Brand<"SiteId">
/** uuidv7 of a device, unique everywhere; stays the same when the device is renamed or re-addressed. */
export type DeviceId = Brand<"DeviceId">
/** uuidv7 of a physical link. */
export type LinkId = Brand<"LinkId">

/**
 * What a value belongs to, inside one device. The empty string is the device itself; everything else is
 * `kind:key`, with the key being what survives an ifIndex renumbering:
 * `if:ether1` (ifName), `ospf:10.255.0.2` (neighbour's router id), `bgp:10.0.0.1` (remote address), `lldp:ether1` (local
 * ifName; `lldp:ether1#2` for the second neighbour heard there, `lldp:` alone where the agent does not say on which port).
 * `service:dns` is a declared service, on the device by which it is told (twin/service/).
 * `mndp:ether1`, `cdp:ether1` and, where the router does not say by which protocol it hears, `discovery:ether1` likewise.
 */
export type EntityKey = Brand<"EntityKey">

/** Whom polls and alerts of the engine itself are of (twin/self/); a uuid, because samples are kept by device. No inventory has it. */
export const ENGINE_DEVICE = "00000000-0000-7000-8000-000000000e46" as DeviceId
/** Our own name: what the engine itself is called among devices. */
export const ENGINE_NAME = "Heliograph"

export const tenantId = (text: string): TenantId => text as TenantId
export const siteId = (text: string): SiteId => text as SiteId
export const deviceId = (text: string): DeviceId => text as DeviceId
export const linkId = (text: string): LinkId => text as LinkId

export const DEVICE_ENTITY = "" as EntityKey
export const interfaceKey = (ifName: string): EntityKey => `if:${ifName}` as EntityKey
export const ospfKey = (neighbourRouterId: string): EntityKey => `ospf:${neighbourRouterId}` as EntityKey
export const bgpKey = (remoteAddress: string): EntityKey => `bgp:${remoteAddress}` as EntityKey
export const lldpKey = (localIfName: string, nth = 1): EntityKey =>
  `lldp:${localIfName}${nth === 1 ? "" : `#${nth}`}` as EntityKey
/** How a neighbour was heard that LLDP did not hear; `discovery` = its router's list does not say by which protocol. */
export type DiscoveryKind = "mndp" | "cdp" | "discovery"
export const discoveryKey = (by: DiscoveryKind, localIfName: string, nth = 1): EntityKey =>
  `${by}:${localIfName}${nth === 1 ? "" : `#${nth}`}` as EntityKey
export const serviceKey = (id: string): EntityKey => `service:${id}` as EntityKey
export const entityKey = (text: string): EntityKey => text as EntityKey

export type EntityKind =
  | "device"
  | "interface"
  | "ospf.neighbor"
  | "bgp.peer"
  | "lldp.neighbor"
  | "discovery.neighbor"
  /** The engine itself (twin/self/): of no device in the inventory. */
  | "engine"
  /** A declared service, of the device by which it is told. */
  | "service"

/** The kind of a key, or null for a prefix that this version does not know. */
export const entityKind = (key: EntityKey): EntityKind | null => {
  if (key === DEVICE_ENTITY) return "device"
  if (key.startsWith("if:")) return "interface"
  if (key.startsWith("ospf:")) return "ospf.neighbor"
  if (key.startsWith("bgp:")) return "bgp.peer"
  if (key.startsWith("lldp:")) return "lldp.neighbor"
  if (key.startsWith("engine:")) return "engine"
  if (key.startsWith("service:")) return "service"
  return discoveryKind(key) === null ? null : "discovery.neighbor"
}

/** Null for a key that is no `discovery.neighbor`. */
export const discoveryKind = (key: EntityKey): DiscoveryKind | null => {
  if (key.startsWith("mndp:")) return "mndp"
  if (key.startsWith("cdp:")) return "cdp"
  return key.startsWith("discovery:") ? "discovery" : null
}

/** `ether1` of `if:ether1`; the whole key when it has no prefix. */
export const entityName = (key: EntityKey): string => {
  const colon = key.indexOf(":")
  return colon < 0 ? key : key.slice(colon + 1)
}
