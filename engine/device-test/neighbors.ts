/**
 * Who a device says is next to it: OSPF neighbours (RFC 4750), BGP peers (RFC 4273) and what LLDP heard (IEEE 802.1AB
 * lldpRemTable). RouterOS 6 indexes the last by one number, RouterOS 7 and everybody else by time mark, local port and
 * remote index; both are read. Agents print chassis and port ids as octets or already as text: both become text.
 */
import { isIPv4 } from "node:net"
import type { Oid } from "#engine/collectors/snmp/oid.ts"
import { ipv6 } from "#engine/device-test/addresses.ts"
import { BGP_ADMIN_STATUS, BGP_PEER_STATE, OSPF_NBR_STATE, word } from "#engine/device-test/enumerations.ts"
import { columnsOf, readTable } from "#engine/device-test/read-table.ts"
import type { Cell, Reader } from "#engine/device-test/read-table.ts"
import type { Adjacency, Interface, Session } from "#engine/device-test/report.ts"

const OSPF = columnsOf("1.3.6.1.2.1.14.10.1", { ospfNbrRtrId: 3, ospfNbrState: 6 })
const BGP = columnsOf("1.3.6.1.2.1.15.3.1", {
  bgpPeerState: 2,
  bgpPeerAdminStatus: 3,
  bgpPeerRemoteAs: 9,
  bgpPeerFsmEstablishedTransitions: 15,
  bgpPeerFsmEstablishedTime: 16,
})
const LLDP_REMOTE = columnsOf("1.0.8802.1.1.2.1.4.1.1", {
  chassisIdSubtype: 4,
  chassisId: 5,
  portIdSubtype: 6,
  portId: 7,
  portDesc: 8,
  sysName: 9,
  sysDesc: 10,
})
const LLDP_LOCAL: Readonly<Record<"portId" | "portDesc", Oid>> = columnsOf("1.0.8802.1.1.2.1.3.7.1", {
  portId: 3,
  portDesc: 4,
})

const NO_NEIGHBOR: Omit<Adjacency, "protocol"> = {
  ifIndex: null,
  interface: null,
  address: null,
  routerId: null,
  state: null,
  chassisId: null,
  portId: null,
  sysName: null,
  sysDescr: null,
}

export const readOspf = async (reader: Reader, interfaces: readonly Interface[]): Promise<readonly Adjacency[]> => {
  const rows = await readTable(reader, "ospfNbrTable", OSPF)
  return rows.flatMap(({ index, cells }): Adjacency[] => {
    const address = index.slice(0, 4).join(".")
    if (index.length !== 5 || !isIPv4(address)) return []
    // ospfNbrAddressLessIndex: 0 on a numbered link.
    const over = interfaces.find((one) => one.ifIndex === index[4])
    const state = word(OSPF_NBR_STATE, cells.ospfNbrState?.number() ?? null)
    const routerId = cells.ospfNbrRtrId?.dotted() ?? null
    return [{ ...NO_NEIGHBOR, protocol: "ospf", address, routerId, state, ...nameOf(over) }]
  })
}

export const readBgp = async (reader: Reader): Promise<readonly Session[]> => {
  const rows = await readTable(reader, "bgpPeerTable", BGP)
  const sessions = rows.flatMap(({ index, cells }): Session[] => {
    const remoteAddress = index.join(".")
    if (!isIPv4(remoteAddress)) return []
    return [
      {
        protocol: "bgp",
        remoteAddress,
        remoteAs: cells.bgpPeerRemoteAs?.number() ?? null,
        state: word(BGP_PEER_STATE, cells.bgpPeerState?.number() ?? null),
        adminStatus: word(BGP_ADMIN_STATUS, cells.bgpPeerAdminStatus?.number() ?? null),
        establishedSeconds: cells.bgpPeerFsmEstablishedTime?.number() ?? null,
        transitions: cells.bgpPeerFsmEstablishedTransitions?.counter() ?? null,
      },
    ]
  })
  const stateless = sessions.filter((one) => one.state === null).length
  if (stateless > 0) reader.warn(`${stateless} BGP peers have no bgpPeerState`)
  return sessions
}

export const readLldp = async (reader: Reader, interfaces: readonly Interface[]): Promise<readonly Adjacency[]> => {
  const rows = await readTable(reader, "lldpRemTable", LLDP_REMOTE)
  if (rows.length === 0) return []
  const ports = await readTable(reader, "lldpLocPortTable", LLDP_LOCAL)
  const portNames = new Map(ports.map(({ index, cells }) => [index[0], [cells.portId?.text(), cells.portDesc?.text()]]))
  let odd = 0
  const neighbors = rows.flatMap(({ index, cells }): Adjacency[] => {
    const localPort = index.length === 3 ? (index[1] as number) : index.length === 1 ? 0 : null
    if (localPort === null) {
      odd++
      return []
    }
    const over = localInterface(interfaces, localPort, portNames.get(localPort) ?? null, portNames.size > 0)
    return [
      {
        ...NO_NEIGHBOR,
        protocol: "lldp",
        ...nameOf(over),
        chassisId: idText(cells.chassisId, cells.chassisIdSubtype, CHASSIS),
        portId: idText(cells.portId, cells.portIdSubtype, PORT),
        sysName: cells.sysName?.text() ?? null,
        sysDescr: cells.sysDesc?.text() ?? null,
      },
    ]
  })
  if (odd > 0) reader.warn(`${odd} LLDP neighbours have an index of neither one nor three numbers`)
  return neighbors
}

const nameOf = (over: Interface | undefined): Pick<Adjacency, "ifIndex" | "interface"> => ({
  ifIndex: over?.ifIndex ?? null,
  interface: over?.ifName ?? over?.ifDescr ?? null,
})

/** By the local port's id or description; an agent without a port table (RouterOS) numbers ports by ifIndex. */
const localInterface = (
  interfaces: readonly Interface[],
  port: number,
  names: ReadonlyArray<string | null | undefined> | null,
  hasPorts: boolean,
): Interface | undefined => {
  if (!hasPorts) return interfaces.find((one) => one.ifIndex === port)
  if (names === null) return undefined
  return interfaces.find(({ ifName, ifDescr }) => names.some((name) => name && (name === ifName || name === ifDescr)))
}

/** Subtypes whose ids are octets: LldpChassisIdSubtype and LldpPortIdSubtype differ in their numbers. */
const CHASSIS = { mac: 4, network: 5 }
const PORT = { mac: 3, network: 4 }

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
