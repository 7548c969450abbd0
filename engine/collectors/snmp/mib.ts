/**
 * The objects that polling reads, by MIB. Names are the MIB's own: RFC 3418 (SNMPv2-MIB), RFC 2863 (IF-MIB),
 * RFC 4750 (OSPF-MIB), RFC 4273 (BGP4-MIB), RFC 2790 (HOST-RESOURCES-MIB), MIKROTIK-MIB (enterprise 14988).
 */
import { oid } from "#engine/collectors/snmp/oid.ts"

export const SYS = {
  sysDescr: oid("1.3.6.1.2.1.1.1.0"),
  sysObjectID: oid("1.3.6.1.2.1.1.2.0"),
  /** Hundredths of a second since the agent started; wraps after 497 days. */
  sysUpTime: oid("1.3.6.1.2.1.1.3.0"),
  sysName: oid("1.3.6.1.2.1.1.5.0"),
  ifNumber: oid("1.3.6.1.2.1.2.1.0"),
  ifTableLastChange: oid("1.3.6.1.2.1.31.1.5.0"),
} as const

const ifEntry = (column: number) => oid(`1.3.6.1.2.1.2.2.1.${column}`)
const ifXEntry = (column: number) => oid(`1.3.6.1.2.1.31.1.1.1.${column}`)

/** ifTable and ifXTable, indexed by ifIndex. */
export const IF = {
  ifDescr: ifEntry(2),
  ifSpeed: ifEntry(5),
  ifPhysAddress: ifEntry(6),
  /** up(1) down(2) testing(3). */
  ifAdminStatus: ifEntry(7),
  /** up(1) down(2) testing(3) unknown(4) dormant(5) notPresent(6) lowerLayerDown(7). */
  ifOperStatus: ifEntry(8),
  ifInOctets: ifEntry(10),
  ifInUcastPkts: ifEntry(11),
  ifInDiscards: ifEntry(13),
  ifInErrors: ifEntry(14),
  ifOutOctets: ifEntry(16),
  ifOutUcastPkts: ifEntry(17),
  ifOutDiscards: ifEntry(19),
  ifOutErrors: ifEntry(20),
  ifName: ifXEntry(1),
  ifHCInOctets: ifXEntry(6),
  ifHCInUcastPkts: ifXEntry(7),
  ifHCInMulticastPkts: ifXEntry(8),
  ifHCInBroadcastPkts: ifXEntry(9),
  ifHCOutOctets: ifXEntry(10),
  ifHCOutUcastPkts: ifXEntry(11),
  ifHCOutMulticastPkts: ifXEntry(12),
  ifHCOutBroadcastPkts: ifXEntry(13),
  /** Million bit/s, rounded. */
  ifHighSpeed: ifXEntry(15),
  ifAlias: ifXEntry(18),
  /** sysUpTime at the last jump of the counters. */
  ifCounterDiscontinuityTime: ifXEntry(19),
} as const
export type IfColumn = keyof typeof IF

/** ospfNbrTable, indexed by ospfNbrIpAddr (4 arcs) and ospfNbrAddressLessIndex. */
export const OSPF = {
  /** Present on every agent that has OSPF-MIB, even with no neighbour at all. */
  ospfAdminStat: oid("1.3.6.1.2.1.14.1.2.0"),
  ospfNbrRtrId: oid("1.3.6.1.2.1.14.10.1.3"),
  /** down(1) attempt(2) init(3) twoWay(4) exchangeStart(5) exchange(6) loading(7) full(8). */
  ospfNbrState: oid("1.3.6.1.2.1.14.10.1.6"),
  ospfRouterId: oid("1.3.6.1.2.1.14.1.1.0"),
} as const

/** bgpPeerTable, indexed by bgpPeerRemoteAddr (4 arcs). */
export const BGP = {
  /** Present on every agent that has BGP4-MIB, even with no peer at all. */
  bgpLocalAs: oid("1.3.6.1.2.1.15.2.0"),
  /** idle(1) connect(2) active(3) opensent(4) openconfirm(5) established(6). */
  bgpPeerState: oid("1.3.6.1.2.1.15.3.1.2"),
  bgpPeerRemoteAs: oid("1.3.6.1.2.1.15.3.1.9"),
  bgpPeerFsmEstablishedTransitions: oid("1.3.6.1.2.1.15.3.1.15"),
  /** Seconds in Established, or since it was last left. */
  bgpPeerFsmEstablishedTime: oid("1.3.6.1.2.1.15.3.1.16"),
} as const

/** ipAddrTable (RFC 4293, deprecated and everywhere), indexed by address: tells on which interface a neighbour is. */
export const IP = {
  ipAdEntIfIndex: oid("1.3.6.1.2.1.4.20.1.2"),
  ipAdEntNetMask: oid("1.3.6.1.2.1.4.20.1.3"),
} as const

/** entPhysicalModelName of the first entity: the chassis, where an agent has ENTITY-MIB (RFC 6933). */
export const ENT_MODEL_NAME = oid("1.3.6.1.2.1.47.1.1.1.1.13.1")

/** LLDP-MIB: present on every agent that has it, even with no neighbour at all (RouterOS has the neighbours' table alone). */
export const LLDP_LOC_CHASSIS_ID_SUBTYPE = oid("1.0.8802.1.1.2.1.3.1.0")

/** The device's own clock, DateAndTime of RFC 2579. */
export const HR_SYSTEM_DATE = oid("1.3.6.1.2.1.25.1.2.0")

export const HR = {
  hrStorageType: oid("1.3.6.1.2.1.25.2.3.1.2"),
  hrStorageAllocationUnits: oid("1.3.6.1.2.1.25.2.3.1.4"),
  hrStorageSize: oid("1.3.6.1.2.1.25.2.3.1.5"),
  hrStorageUsed: oid("1.3.6.1.2.1.25.2.3.1.6"),
  hrProcessorLoad: oid("1.3.6.1.2.1.25.3.3.1.2"),
} as const
/** Values of hrStorageType. */
export const HR_STORAGE_RAM = "1.3.6.1.2.1.25.2.1.2"
export const HR_STORAGE_FIXED_DISK = "1.3.6.1.2.1.25.2.1.4"

const mtxr = (rest: string) => oid(`1.3.6.1.4.1.14988.1.1.${rest}`)
export const MIKROTIK = {
  /** Tenths of a volt. */
  mtxrHlVoltage: mtxr("3.8.0"),
  /** Tenths of a degree Celsius. */
  mtxrHlTemperature: mtxr("3.10.0"),
  mtxrHlProcessorTemperature: mtxr("3.11.0"),
  /** Tenths of a watt. */
  mtxrHlPower: mtxr("3.12.0"),
  mtxrLicVersion: mtxr("4.4.0"),
  mtxrDHCPLeaseCount: mtxr("6.1.0"),
  mtxrSerialNumber: mtxr("7.3.0"),
  mtxrBoardName: mtxr("7.9.0"),
  mtxrGaugeName: mtxr("3.100.1.2"),
  mtxrGaugeValue: mtxr("3.100.1.3"),
  /** celsius(1) rpm(2) dV(3) dA(4) dW(5) status(6). */
  mtxrGaugeUnit: mtxr("3.100.1.4"),
  /** Thousandths of a dBm, indexed by ifIndex. */
  mtxrOpticalTxPower: mtxr("19.1.1.9"),
  mtxrOpticalRxPower: mtxr("19.1.1.10"),
  /** dBm of the access point that a station hears; percent of the transmit rate. Indexed by ifIndex, like the next two. */
  mtxrWlStatStrength: mtxr("1.1.1.4"),
  mtxrWlStatTxCCQ: mtxr("1.1.1.9"),
  mtxrWlApOverallTxCCQ: mtxr("1.3.1.10"),
  /** dBm. */
  mtxrWl60GRssi: mtxr("1.8.1.12"),
} as const

/** CISCO-AAA-SESSION-MIB casnActiveTableEntries: RouterOS counts its active PPP sessions here. */
export const CASN_ACTIVE_TABLE_ENTRIES = oid("1.3.6.1.4.1.9.9.150.1.1.1.0")

/** SNMP-FRAMEWORK-MIB (RFC 3411) snmpEngineTime, seconds. */
export const SNMP_ENGINE_TIME = oid("1.3.6.1.6.3.10.2.1.3.0")
