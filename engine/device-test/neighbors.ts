/**
 * Who a device says is next to it: OSPF neighbours (RFC 4750), BGP peers (RFC 4273), what LLDP heard (lldp.ts) and what
 * RouterOS' own discovery heard besides (discovery.ts).
 */
import { isIPv4 } from "node:net"
import { readDiscovery as readDiscovered } from "#engine/collectors/snmp/discovery.ts"
import { readLldp as readNeighbors } from "#engine/collectors/snmp/lldp.ts"
import { BGP_ADMIN_STATUS, BGP_PEER_STATE, OSPF_NBR_STATE, word } from "#engine/device-test/enumerations.ts"
import { columnsOf, readTable } from "#engine/collectors/snmp/read-table.ts"
import type { Reader } from "#engine/collectors/snmp/read-table.ts"
import type { Adjacency, Interface, Session } from "#engine/device-test/report.ts"

const OSPF = columnsOf("1.3.6.1.2.1.14.10.1", { ospfNbrRtrId: 3, ospfNbrState: 6 })
const BGP = columnsOf("1.3.6.1.2.1.15.3.1", {
  bgpPeerState: 2,
  bgpPeerAdminStatus: 3,
  bgpPeerRemoteAs: 9,
  bgpPeerFsmEstablishedTransitions: 15,
  bgpPeerFsmEstablishedTime: 16,
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

/** With RouterOS' own discovery, of which those are left out that LLDP heard, too. */
export const readHeard = async (
  reader: Reader,
  interfaces: readonly Interface[],
  isRouterOs: boolean,
): Promise<readonly Adjacency[]> => {
  const over = (ifIndex: number | null): Pick<Adjacency, "ifIndex" | "interface"> =>
    nameOf(ifIndex === null ? undefined : interfaces.find((one) => one.ifIndex === ifIndex))
  const neighbors = await readNeighbors(reader, interfaces)
  const lldp = neighbors.map(({ ifIndex, chassisId, portId, sysName, sysDescr }): Adjacency => {
    return { ...NO_NEIGHBOR, protocol: "lldp", ...over(ifIndex), chassisId, portId, sysName, sysDescr }
  })
  if (!isRouterOs) return lldp
  const discovered = await readDiscovered(reader, neighbors)
  return [
    ...lldp,
    ...discovered.map(({ by, ifIndex, identity, mac, address }): Adjacency => {
      return { ...NO_NEIGHBOR, protocol: by, ...over(ifIndex), address, chassisId: mac, sysName: identity }
    }),
  ]
}

const nameOf = (over: Interface | undefined): Pick<Adjacency, "ifIndex" | "interface"> => ({
  ifIndex: over?.ifIndex ?? null,
  interface: over?.ifName ?? over?.ifDescr ?? null,
})
