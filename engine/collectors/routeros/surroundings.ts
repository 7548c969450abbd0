/**
 * What a router says of its surroundings by its API: its own addresses (/ip/address, /ipv6/address) and the neighbours that
 * it hears (/ip/neighbor): each by the best protocol that heard it, LLDP before MNDP before CDP, and by `discovery` where
 * the router (RouterOS 6) does not say which. Same keys and texts as the SNMP collector makes of the same router (PRODUCT.md
 * C3). A device that is polled by SNMP too has both from there: two sources must not quarrel over one text.
 */
import { isIP } from "node:net"
import type { DiscoveryKind, EntityKey } from "#protocol/id.ts"
import { discoveryKey, entityName, lldpKey } from "#protocol/id.ts"
import { MAX_DISCOVERED, MAX_LLDP } from "#twin/adjacency.ts"
import { deviceText, joinBounded } from "#engine/collectors/device-text.ts"
import { assignNeighborKeys, type NeighborKeys } from "#engine/collectors/neighbor-keys.ts"
import { interfaceOf, type Batch } from "#engine/collectors/routeros/map.ts"
import type { Row } from "#engine/collectors/routeros/reply.ts"
import { SUBNETS_MAX } from "#engine/collectors/routeros/subnets.ts"
import { parseCount, parseFlag } from "#engine/collectors/routeros/values.ts"

/** For `.proplist`. */
export const ADDRESS_PROPERTIES = "=.proplist=address,network,interface,actual-interface,disabled,invalid"
export const NEIGHBOR_PROPERTIES =
  "=.proplist=interface,identity,mac-address,address,address4,interface-name,discovered-by,software-id"

/** What was told before; an interface that lost its last address must be told so once. */
export interface Told {
  readonly addressed: Set<EntityKey>
  readonly lldp: NeighborKeys
  readonly discovery: NeighborKeys
}
export const makeTold = (): Told => ({ addressed: new Set(), lldp: new Map(), discovery: new Map() })

/**
 * Addresses in use, by interface. Those of subscribers' interfaces are people's: `interfaces` are the rows of the poll's
 * list, and only what is in it and no subscriber's is told.
 */
export const mapAddresses = (
  batch: Batch,
  rows: readonly Row[],
  interfaces: readonly Row[],
  told: Set<EntityKey>,
): void => {
  const ours = new Set(interfaces.flatMap((row) => interfaceOf(row) ?? []))
  const byInterface = new Map<EntityKey, string[]>()
  for (const row of rows.slice(0, SUBNETS_MAX)) {
    const key = localKey(row.get("actual-interface") ?? row.get("interface"), ours)
    const address = deviceText(row.get("address") ?? "")
    const unused = parseFlag(row.get("disabled")) === true || parseFlag(row.get("invalid")) === true
    if (key === null || unused || isIP(address.split("/", 1)[0] ?? "") === 0) continue
    byInterface.set(key, [...(byInterface.get(key) ?? []), address])
  }
  for (const key of told) if (!byInterface.has(key) && ours.has(key)) batch.text(key, "interface.addresses", "")
  told.clear()
  for (const [key, texts] of byInterface) {
    batch.text(key, "interface.addresses", joinBounded(texts))
    told.add(key)
  }
}

/** For `.proplist` of /routing/ospf/interface/print. */
export const OSPF_INTERFACE_PROPERTIES = "=.proplist=interface,address,cost,disabled,inactive"

/**
 * What OSPF counts for sending out of each interface: RouterOS 6 names it in `interface`, 7 behind the address
 * (`10.1.1.1%ether2`). Rows of 6 that are settings for `all` name no interface of ours.
 */
export const mapOspfCosts = (batch: Batch, rows: readonly Row[], interfaces: readonly Row[]): void => {
  const ours = new Set(interfaces.flatMap((row) => interfaceOf(row) ?? []))
  for (const row of rows) {
    const address = row.get("address") ?? ""
    const zone = address.includes("%") ? address.slice(address.indexOf("%") + 1) : undefined
    const key = localKey(row.get("interface") ?? zone, ours)
    const cost = parseCount(row.get("cost"))
    const unused = parseFlag(row.get("disabled")) === true || parseFlag(row.get("inactive")) === true
    if (key === null || unused || cost === null || cost < 1 || cost > 0xffff) continue
    batch.value(key, "interface.ospf_cost", cost)
  }
}

/** /ip/neighbor/print. More neighbours than the twin keeps are left out, and then the list claims not to be complete. */
export const mapNeighbors = (batch: Batch, rows: readonly Row[], interfaces: readonly Row[], told: Told): void => {
  const ours = new Set(interfaces.flatMap((row) => interfaceOf(row) ?? []))
  const heard = rows.map((row): Heard => {
    const over = neighborPort(row.get("interface") ?? "", ours)
    return { row, by: protocolOf(row), local: over === null ? "" : entityName(over) }
  })
  mapLldp(
    batch,
    heard.filter(({ by }) => by === "lldp"),
    told.lldp,
  )
  // One on no interface of ours is heard over a subscriber's session: that subscriber's own box, and nobody's business.
  mapDiscovered(
    batch,
    heard.filter(({ by, local }) => by !== "lldp" && local !== ""),
    told.discovery,
  )
}

interface Heard {
  readonly row: Row
  readonly by: "lldp" | DiscoveryKind
  readonly local: string
}

/** Nothing but MNDP carries a software id. */
export const protocolOf = (row: Row): Heard["by"] => {
  const by = (row.get("discovered-by") ?? "").split(",").map((word) => word.trim())
  for (const protocol of ["lldp", "mndp", "cdp"] as const) if (by.includes(protocol)) return protocol
  return row.get("software-id") ? "mndp" : "discovery"
}

const mapLldp = (batch: Batch, heard: readonly Heard[], keys: NeighborKeys): void => {
  const taken = heard.slice(0, MAX_LLDP)
  const assigned = assignNeighborKeys(
    taken.map(({ row, local }) => ({
      who: `${local}\0${row.get("mac-address")}\0${row.get("interface-name")}`,
      key: (nth) => lldpKey(local, nth),
    })),
    keys,
  )
  for (const [i, { row, local }] of taken.entries()) {
    const key = assigned[i] as EntityKey
    batch.text(key, "lldp.neighbor.interface", local)
    batch.text(key, "lldp.neighbor.system_name", row.get("identity") ?? "")
    batch.text(key, "lldp.neighbor.port", portOf(row.get("interface-name") ?? ""))
    batch.text(key, "lldp.neighbor.chassis", macOf(row))
  }
  if (heard.length <= MAX_LLDP) batch.complete("lldp.neighbor")
}

const mapDiscovered = (batch: Batch, heard: readonly Heard[], keys: NeighborKeys): void => {
  const taken = heard.slice(0, MAX_DISCOVERED)
  const assigned = assignNeighborKeys(
    taken.map(({ row, by, local }) => ({
      who: `${by}\0${local}\0${macOf(row)}\0${row.get("interface-name")}`,
      key: (nth) => discoveryKey(by as DiscoveryKind, local, nth),
    })),
    keys,
  )
  for (const [i, { row, local }] of taken.entries()) {
    const key = assigned[i] as EntityKey
    const address = row.get("address4") || row.get("address") || ""
    batch.text(key, "discovery.neighbor.interface", local)
    batch.text(key, "discovery.neighbor.system_name", row.get("identity") ?? "")
    batch.text(key, "discovery.neighbor.port", portOf(row.get("interface-name") ?? ""))
    batch.text(key, "discovery.neighbor.mac", macOf(row))
    batch.text(key, "discovery.neighbor.address", isIP(address) === 0 ? "" : address)
  }
  if (heard.length <= MAX_DISCOVERED) batch.complete("discovery.neighbor")
}

const macOf = (row: Row): string => (row.get("mac-address") ?? "").toLowerCase()

/**
 * The port of `ether1`, `bridge/ether1` (RouterOS 6) and `ether1,bridge` (7): where the port is a bridge's, the port is
 * what the cable is in. Null when none of it is an interface of ours.
 */
const neighborPort = (told: string, ours: ReadonlySet<EntityKey>): EntityKey | null => {
  for (const name of [told, portOf(told), ...told.split(",", 4)]) {
    const key = localKey(name, ours)
    if (key !== null) return key
  }
  return null
}

/** RouterOS announces `bridge1/ether3` for a bridge's port. */
const portOf = (name: string): string => name.slice(name.lastIndexOf("/") + 1)

/** Null for an interface that the poll did not list, or a subscriber's. */
const localKey = (name: string | undefined, ours: ReadonlySet<EntityKey>): EntityKey | null => {
  const key = name === undefined ? null : interfaceOf(new Map([["name", name]]))
  return key !== null && ours.has(key) ? key : null
}
