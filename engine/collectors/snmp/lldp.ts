/**
 * What LLDP heard (IEEE 802.1AB lldpRemTable). RouterOS 6 indexes it by one number, RouterOS 7 and everybody else by time
 * mark, local port and remote index; both are read. Agents print chassis and port ids as octets or already as text: both
 * become text. A row is evidence of who is near, never a link.
 */
import type { EntityKey } from "#protocol/id.ts"
import { entityName, lldpKey } from "#protocol/id.ts"
import { MAX_LLDP } from "#twin/adjacency.ts"
import { assignNeighborKeys } from "#engine/collectors/neighbor-keys.ts"
import type { NeighborKeys } from "#engine/collectors/neighbor-keys.ts"
import { ipv6 } from "#engine/collectors/snmp/addresses.ts"
import type { Batch } from "#engine/collectors/snmp/batch.ts"
import { columnsOf, readTable } from "#engine/collectors/snmp/read-table.ts"
import type { Cell, Reader } from "#engine/collectors/snmp/read-table.ts"

const REMOTE = columnsOf("1.0.8802.1.1.2.1.4.1.1", {
  chassisIdSubtype: 4,
  chassisId: 5,
  portIdSubtype: 6,
  portId: 7,
  portDesc: 8,
  sysName: 9,
  sysDesc: 10,
})
const LOCAL = columnsOf("1.0.8802.1.1.2.1.3.7.1", { portId: 3, portDesc: 4 })

export interface LldpNeighbor {
  /** The own interface; null where the agent does not say on which port it hears this neighbour. */
  readonly ifIndex: number | null
  readonly chassisId: string | null
  readonly portId: string | null
  /** The port by the name that a person knows: lldpRemPortDesc where the id is a MAC or a mere number. */
  readonly port: string | null
  readonly sysName: string | null
  readonly sysDescr: string | null
}

/** An own interface by all its names. */
export interface LocalInterface {
  readonly ifIndex: number | null
  readonly ifName: string | null
  readonly ifDescr: string | null
}

/** In the order of the table. `reader` is told when they are not all. */
export const readLldp = async (
  reader: Reader,
  interfaces: readonly LocalInterface[],
): Promise<readonly LldpNeighbor[]> => {
  const rows = await readTable(reader, "lldpRemTable", REMOTE)
  if (rows.length === 0) return []
  const ports = await readTable(reader, "lldpLocPortTable", LOCAL)
  const portNames = new Map(ports.map(({ index, cells }) => [index[0], [cells.portId?.text(), cells.portDesc?.text()]]))
  let odd = 0
  const neighbors = rows.flatMap(({ index, cells }): LldpNeighbor[] => {
    const localPort = index.length === 3 ? (index[1] as number) : index.length === 1 ? 0 : null
    if (localPort === null) {
      odd++
      return []
    }
    const over = localInterface(interfaces, localPort, portNames.get(localPort) ?? null, portNames.size > 0)
    const portId = idText(cells.portId, cells.portIdSubtype, PORT)
    const portDesc = cells.portDesc?.text() || null
    const isName = NAMES_OF_PORTS.includes(cells.portIdSubtype?.number() ?? 0)
    return [
      {
        ifIndex: over?.ifIndex ?? null,
        chassisId: idText(cells.chassisId, cells.chassisIdSubtype, CHASSIS),
        portId,
        port: (isName ? portId || portDesc : portDesc || portId) || null,
        sysName: cells.sysName?.text() ?? null,
        sysDescr: cells.sysDesc?.text() ?? null,
      },
    ]
  })
  if (odd > 0) reader.warn(`${odd} LLDP neighbours have an index of neither one nor three numbers`)
  return neighbors
}

/** By the local port's id or description; an agent without a port table (RouterOS) numbers ports by ifIndex. */
const localInterface = (
  interfaces: readonly LocalInterface[],
  port: number,
  names: ReadonlyArray<string | null | undefined> | null,
  hasPorts: boolean,
): LocalInterface | undefined => {
  if (!hasPorts) return interfaces.find((one) => one.ifIndex === port)
  if (names === null) return undefined
  return interfaces.find(({ ifName, ifDescr }) => names.some((name) => name && (name === ifName || name === ifDescr)))
}

/** Subtypes whose ids are octets: LldpChassisIdSubtype and LldpPortIdSubtype differ in their numbers. */
const CHASSIS = { mac: 4, network: 5 }
const PORT = { mac: 3, network: 4 }
/** LldpPortIdSubtype interfaceAlias(1), interfaceName(5). */
const NAMES_OF_PORTS: readonly number[] = [1, 5]

const idText = (id: Cell | undefined, subtype: Cell | undefined, kinds: typeof CHASSIS): string | null => {
  const octets = id?.octets() ?? null
  if (id === undefined || octets === null) return null
  const kind = subtype?.number() ?? null
  if (kind === kinds.mac && octets.length === 6)
    return Buffer.from(octets)
      .toString("hex")
      .replace(/..(?=.)/g, "$&:")
  // IANA address family, then the address.
  if (kind === kinds.network && octets[0] === 1 && octets.length === 5) return octets.subarray(1).join(".")
  if (kind === kinds.network && octets[0] === 2 && octets.length === 17) return ipv6([...octets.subarray(1)])
  const text = id.text()
  return kind === kinds.mac && text !== null ? text.toLowerCase() : text
}

// -- into a batch ----------------------------------------------------------------------------------------------------

/** `isComplete`: the table was read whole. More neighbours than the twin keeps are left out, and then nothing is complete. */
export const putLldp = (
  batch: Batch,
  neighbors: readonly LldpNeighbor[],
  isComplete: boolean,
  keys: NeighborKeys,
  keyOf: (ifIndex: number) => EntityKey | null,
): void => {
  const taken = neighbors.slice(0, MAX_LLDP).map((neighbor) => {
    const over = neighbor.ifIndex === null ? null : keyOf(neighbor.ifIndex)
    return { neighbor, local: over === null ? "" : entityName(over) }
  })
  const assigned = assignNeighborKeys(
    taken.map(({ neighbor: { chassisId, portId }, local }) => ({
      who: `${local}\0${chassisId}\0${portId}`,
      key: (nth) => lldpKey(local, nth),
    })),
    keys,
  )
  for (const [i, { neighbor, local }] of taken.entries()) {
    const key = assigned[i] as EntityKey
    batch.seen(key)
    batch.say(key, "lldp.neighbor.interface", local)
    batch.say(key, "lldp.neighbor.system_name", neighbor.sysName ?? "")
    batch.say(key, "lldp.neighbor.port", neighbor.port ?? "")
    batch.say(key, "lldp.neighbor.chassis", neighbor.chassisId ?? "")
  }
  if (isComplete && neighbors.length <= MAX_LLDP) batch.listed("lldp.neighbor")
}
