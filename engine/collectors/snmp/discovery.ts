/**
 * MIKROTIK-MIB mtxrNeighborTable: what a RouterOS router heard by MNDP, CDP and LLDP together. The table does not say by
 * which of them, so that what LLDP-MIB lists too is left to it, and of the rest only a software id, which nothing but MNDP
 * carries, tells the protocol. A row is evidence of who is near, never a link.
 */
import type { DiscoveryKind, EntityKey } from "#protocol/id.ts"
import { discoveryKey, entityName } from "#protocol/id.ts"
import { MAX_DISCOVERED } from "#twin/adjacency.ts"
import { assignNeighborKeys } from "#engine/collectors/neighbor-keys.ts"
import type { NeighborKeys } from "#engine/collectors/neighbor-keys.ts"
import type { Batch } from "#engine/collectors/snmp/batch.ts"
import type { LldpNeighbor } from "#engine/collectors/snmp/lldp.ts"
import { columnsOf, readTable } from "#engine/collectors/snmp/read-table.ts"
import type { Cell, Reader } from "#engine/collectors/snmp/read-table.ts"

const NEIGHBOR = columnsOf("1.3.6.1.4.1.14988.1.1.11.1.1", {
  ipAddress: 2,
  macAddress: 3,
  identity: 6,
  softwareId: 7,
  interfaceId: 8,
})

export interface DiscoveredNeighbor {
  readonly by: DiscoveryKind
  /** The own interface; null where the row does not say. */
  readonly ifIndex: number | null
  readonly identity: string | null
  readonly mac: string | null
  readonly address: string | null
}

/** Those that LLDP did not hear as well. `reader` is told when they are not all. */
export const readDiscovery = async (
  reader: Reader,
  lldp: readonly LldpNeighbor[],
): Promise<readonly DiscoveredNeighbor[]> => {
  const rows = await readTable(reader, "mtxrNeighborTable", NEIGHBOR)
  return rows.flatMap(({ cells }): DiscoveredNeighbor[] => {
    const ifIndex = cells.interfaceId?.number() ?? 0
    const address = cells.ipAddress?.dotted() ?? null
    const one: DiscoveredNeighbor = {
      by: cells.softwareId?.text() ? "mndp" : "discovery",
      ifIndex: ifIndex > 0 ? ifIndex : null,
      identity: cells.identity?.text() || null,
      mac: macText(cells.macAddress),
      address: address === "0.0.0.0" ? null : address,
    }
    // A row without any of them is nobody that anyone could look for.
    const isSomebody = one.identity !== null || one.mac !== null || one.address !== null
    return isSomebody && !lldp.some((heard) => isSame(heard, one)) ? [one] : []
  })
}

/** By MAC, or by name and port; RouterOS 6 does not say on which port it heard somebody by LLDP. */
const isSame = (heard: LldpNeighbor, { ifIndex, identity, mac }: DiscoveredNeighbor): boolean => {
  const isPort = heard.ifIndex === null || ifIndex === null || heard.ifIndex === ifIndex
  return isPort && ((mac !== null && heard.chassisId === mac) || (identity !== null && heard.sysName === identity))
}

const macText = (cell: Cell | undefined): string | null => {
  const octets = cell?.octets() ?? null
  if (octets === null || octets.length === 0) return null
  if (octets.length === 6) return [...octets].map((octet) => octet.toString(16).padStart(2, "0")).join(":")
  return cell?.text()?.toLowerCase() || null
}

/**
 * Only neighbours on interfaces that have a name here: one behind a subscriber's session is that subscriber's own box.
 * `isComplete`: the table was read whole. More than the twin keeps are left out, and then nothing is complete.
 */
export const putDiscovery = (
  batch: Batch,
  neighbors: readonly DiscoveredNeighbor[],
  isComplete: boolean,
  keys: NeighborKeys,
  keyOf: (ifIndex: number) => EntityKey | null,
): void => {
  const placed = neighbors.flatMap((neighbor) => {
    const over = neighbor.ifIndex === null ? null : keyOf(neighbor.ifIndex)
    return over === null ? [] : [{ neighbor, local: entityName(over) }]
  })
  const taken = placed.slice(0, MAX_DISCOVERED)
  const assigned = assignNeighborKeys(
    taken.map(({ neighbor: { by, identity, mac }, local }) => ({
      who: `${by}\0${local}\0${mac}\0${identity}`,
      key: (nth) => discoveryKey(by, local, nth),
    })),
    keys,
  )
  for (const [i, { neighbor, local }] of taken.entries()) {
    const key = assigned[i] as EntityKey
    batch.seen(key)
    batch.say(key, "discovery.neighbor.interface", local)
    batch.say(key, "discovery.neighbor.system_name", neighbor.identity ?? "")
    batch.say(key, "discovery.neighbor.mac", neighbor.mac ?? "")
    batch.say(key, "discovery.neighbor.address", neighbor.address ?? "")
  }
  if (isComplete && placed.length <= MAX_DISCOVERED) batch.listed("discovery.neighbor")
}
