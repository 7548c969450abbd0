/**
 * What a router says of its surroundings by its API: its own addresses (/ip/address, /ipv6/address) and the neighbours that
 * it hears by LLDP (/ip/neighbor, which also lists MNDP and CDP: those are left out, because an entity `lldp:` claims LLDP).
 * Same keys and texts as the SNMP collector makes of the same router (PRODUCT.md C3). A device that is polled by SNMP too has
 * both from there: two sources must not quarrel over one text.
 */
import { isIP } from "node:net"
import type { EntityKey } from "#protocol/id.ts"
import { entityName } from "#protocol/id.ts"
import { MAX_LLDP } from "#twin/adjacency.ts"
import { deviceText } from "#engine/collectors/device-text.ts"
import { interfaceOf, type Batch } from "#engine/collectors/routeros/map.ts"
import type { Row } from "#engine/collectors/routeros/reply.ts"
import { SUBNETS_MAX } from "#engine/collectors/routeros/subnets.ts"
import { parseFlag } from "#engine/collectors/routeros/values.ts"
import { joinAddresses } from "#engine/collectors/snmp/addresses.ts"
import { assignLldpKeys, type LldpKeys } from "#engine/collectors/snmp/lldp.ts"

/** For `.proplist`. */
export const ADDRESS_PROPERTIES = "=.proplist=address,network,interface,actual-interface,disabled,invalid"
export const NEIGHBOR_PROPERTIES = "=.proplist=interface,identity,mac-address,interface-name,discovered-by"

/** What was told before; an interface that lost its last address must be told so once. */
export interface Told {
  readonly addressed: Set<EntityKey>
  readonly lldp: LldpKeys
}
export const makeTold = (): Told => ({ addressed: new Set(), lldp: new Map() })

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
    batch.text(key, "interface.addresses", joinAddresses(texts))
    told.add(key)
  }
}

/** /ip/neighbor/print. More neighbours than the twin keeps are left out, and then the list claims not to be complete. */
export const mapNeighbors = (batch: Batch, rows: readonly Row[], interfaces: readonly Row[], keys: LldpKeys): void => {
  const ours = new Set(interfaces.flatMap((row) => interfaceOf(row) ?? []))
  const heard = rows.filter((row) => (row.get("discovered-by") ?? "").split(",").includes("lldp"))
  const taken = heard.slice(0, MAX_LLDP).map((row) => {
    // `bridge/ether1` where the port is a bridge's: the port is what the cable is in.
    const over = localKey(portOf(row.get("interface") ?? ""), ours)
    return { row, local: over === null ? "" : entityName(over) }
  })
  const assigned = assignLldpKeys(
    taken.map(({ row, local }) => [local, `${local}\0${row.get("mac-address")}\0${row.get("interface-name")}`]),
    keys,
  )
  for (const [i, { row, local }] of taken.entries()) {
    const key = assigned[i] as EntityKey
    batch.text(key, "lldp.neighbor.interface", local)
    batch.text(key, "lldp.neighbor.system_name", row.get("identity") ?? "")
    batch.text(key, "lldp.neighbor.port", portOf(row.get("interface-name") ?? ""))
    batch.text(key, "lldp.neighbor.chassis", (row.get("mac-address") ?? "").toLowerCase())
  }
  if (heard.length <= MAX_LLDP) batch.complete("lldp.neighbor")
}

/** RouterOS announces `bridge1/ether3` for a bridge's port. */
const portOf = (name: string): string => name.slice(name.lastIndexOf("/") + 1)

/** Null for an interface that the poll did not list, or a subscriber's. */
const localKey = (name: string | undefined, ours: ReadonlySet<EntityKey>): EntityKey | null => {
  const key = name === undefined ? null : interfaceOf(new Map([["name", name]]))
  return key !== null && ours.has(key) ? key : null
}
