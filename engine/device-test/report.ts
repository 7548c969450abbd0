/**
 * What `heliograph device test` finds out about one device: one JSON object, the same whether SNMP or the RouterOS API
 * said it. Counters are decimal strings, because a Counter64 does not fit a JSON number; enumerations are the MIB's own
 * words (RFC 2863, 4750, 4273). Null = the device has no such value, which is not zero.
 */
import type { DiscoveryKind } from "#protocol/id.ts"

/** true = it answered, false = it did not, null = it was not tried. */
export interface Reachable {
  readonly ping: boolean | null
  readonly snmp: boolean | null
  readonly routeros: boolean | null
  /** A line of its syslog came while the test ran. */
  readonly syslog: boolean | null
}

export interface DeviceFacts {
  readonly sysName: string | null
  readonly sysDescr: string | null
  readonly sysObjectID: string | null
  /** By enterprise number and sysDescr; "generic SNMP" when nobody here knows it. */
  readonly vendor: string | null
  readonly model: string | null
  readonly osVersion: string | null
  readonly uptimeSeconds: number | null
}

/** RFC 2863 names. Gauges are numbers; every counter is a decimal string. */
export interface Interface {
  /** Null where only the RouterOS API was asked: it has no ifIndex. */
  readonly ifIndex: number | null
  readonly ifName: string | null
  readonly ifDescr: string | null
  readonly ifAlias: string | null
  readonly ifType: string | null
  readonly ifMtu: number | null
  /** `aa:bb:...`, null when the interface has none. */
  readonly ifPhysAddress: string | null
  readonly ifAdminStatus: string | null
  readonly ifOperStatus: string | null
  /** sysUpTime, hundredths of a second, when the state last changed. */
  readonly ifLastChange: number | null
  /** Million bit/s. */
  readonly ifHighSpeed: number | null
  /** bit/s; 4294967295 means "more than fits". */
  readonly ifSpeed: number | null
  readonly ifHCInOctets: string | null
  readonly ifHCOutOctets: string | null
  readonly ifHCInUcastPkts: string | null
  readonly ifHCInMulticastPkts: string | null
  readonly ifHCInBroadcastPkts: string | null
  readonly ifHCOutUcastPkts: string | null
  readonly ifHCOutMulticastPkts: string | null
  readonly ifHCOutBroadcastPkts: string | null
  readonly ifInOctets: string | null
  readonly ifOutOctets: string | null
  readonly ifInUcastPkts: string | null
  readonly ifOutUcastPkts: string | null
  readonly ifInErrors: string | null
  readonly ifOutErrors: string | null
  readonly ifInDiscards: string | null
  readonly ifOutDiscards: string | null
  readonly ifCounterDiscontinuityTime: number | null
}

export interface Address {
  readonly address: string
  /** 0..32 or 0..128; null when the device does not say. */
  readonly prefixLength: number | null
  readonly ifIndex: number | null
  /** Name of the interface, where it is known. */
  readonly interface: string | null
}

/** An OSPF neighbour, or one that was heard; `discovery` = the router does not say by which protocol. */
export interface Adjacency {
  readonly protocol: "ospf" | "lldp" | DiscoveryKind
  readonly ifIndex: number | null
  readonly interface: string | null
  readonly address: string | null
  /** OSPF only. */
  readonly routerId: string | null
  /** ospfNbrState; null for protocols without states. */
  readonly state: string | null
  readonly chassisId: string | null
  readonly portId: string | null
  readonly sysName: string | null
  readonly sysDescr: string | null
}

/** A BGP peer. */
export interface Session {
  readonly protocol: "bgp"
  readonly remoteAddress: string
  readonly remoteAs: number | null
  /** bgpPeerState; null when the device does not say. */
  readonly state: string | null
  readonly adminStatus: string | null
  readonly establishedSeconds: number | null
  readonly transitions: string | null
}

export interface Sensor {
  readonly name: string
  /** `celsius`, `rpm`, `voltsDC`, `amperes`, `watts`, `dBm`, ... as EntitySensorDataType spells them; `status` else. */
  readonly type: string
  readonly value: number
  /** entPhySensorOperStatus where there is one. */
  readonly status: string | null
  readonly source: "ENTITY-SENSOR-MIB" | "MIKROTIK-MIB" | "RouterOS API"
}

export interface DeviceReport {
  readonly address: string
  readonly reachable: Reachable
  /** One line for each of them: how it answered, or why it did not and what to do. */
  readonly details: Readonly<Record<keyof Reachable, string>>
  readonly device: DeviceFacts
  readonly interfaces: readonly Interface[]
  readonly addresses: readonly Address[]
  readonly adjacencies: readonly Adjacency[]
  readonly sessions: readonly Session[]
  readonly sensors: readonly Sensor[]
  readonly warnings: readonly string[]
}

/** What one protocol said of the device. */
export type Snapshot = Pick<
  DeviceReport,
  "device" | "interfaces" | "addresses" | "adjacencies" | "sessions" | "sensors" | "warnings"
>

export const NO_FACTS: DeviceFacts = {
  sysName: null,
  sysDescr: null,
  sysObjectID: null,
  vendor: null,
  model: null,
  osVersion: null,
  uptimeSeconds: null,
}
