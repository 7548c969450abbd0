/**
 * The invented ISP as data: what stands where, what is plugged into what, who subscribes. It never changes after
 * generation; everything that moves (traffic, faults, sessions) is in network.ts. All cross references are indexes.
 */
import type { Role } from "#protocol/role.ts"

/**
 * What a device pretends to be. RouterOS has no OSPF-MIB and no BGP4-MIB: its routing state comes by the API only.
 * `frr` is Linux with FRRouting and net-snmp, which has both MIBs and no API.
 */
export type Persona = "routeros7" | "routeros6" | "frr"

export interface Site {
  readonly id: string
  readonly name: string
  readonly latitude: number
  readonly longitude: number
}

export interface SnmpV2c {
  readonly version: "2c"
  readonly community: string
}
export interface SnmpV3 {
  readonly version: "3"
  readonly user: string
  readonly authProtocol: "md5" | "sha" | "sha224" | "sha256" | "sha384" | "sha512"
  readonly authPassword: string
  readonly privProtocol: "des" | "aes"
  readonly privPassword: string
}

export interface Router {
  readonly index: number
  readonly name: string
  readonly site: number
  readonly roles: readonly Role[]
  readonly persona: Persona
  /** Board or server, as the device itself would print it. */
  readonly model: string
  readonly osVersion: string
  readonly serial: string
  readonly asn: number
  /** Router id of OSPF and BGP, 10.255.0.0/16. */
  readonly loopback: string
  /** Indexes into Isp.ports, in ifIndex order. */
  readonly ports: readonly number[]
  readonly snmp: SnmpV2c | SnmpV3
  readonly routeros: { readonly user: string; readonly password: string } | null
  /** Households on this router's own access ports; 0 for transit routers. */
  readonly subscribers: number
  /** The router whose PPPoE server these households dial, itself for a BNG; null without subscribers. */
  readonly bng: number | null
  /** Business customers' traffic at its daily peak, each way, bit/s. */
  readonly businessBps: number
  /** Bytes of memory. */
  readonly memoryBytes: number
  /** How long it had been running when the lab was switched on. */
  readonly uptimeMsAtStart: number
}

export type PortKind = "link" | "subscribers" | "customers" | "internet" | "spare" | "loopback"

export interface Port {
  readonly index: number
  readonly router: number
  readonly ifIndex: number
  readonly name: string
  readonly alias: string
  readonly kind: PortKind
  readonly mac: string
  readonly speedBps: number
  readonly adminUp: boolean
  /** IPv4 with prefix length, e.g. 10.0.0.0/31; null on ports without an address. */
  readonly address: string | null
  /** Which wire it ends, or -1 (spare, loopback). */
  readonly wire: number
  /** Which end of the wire: octets that leave end 0 travel in direction 2*wire, those that leave end 1 in 2*wire+1. */
  readonly end: 0 | 1
}

export type LinkKind = "core" | "edge" | "upstream" | "agg" | "bng" | "access"

export interface Link {
  readonly index: number
  readonly kind: LinkKind
  /** Indexes into Isp.ports. */
  readonly a: number
  readonly b: number
  readonly capacityBps: number
  /** OSPF metric, the same in both directions. */
  readonly cost: number
  /**
   * Over somebody's transport equipment, which keeps lighting our port when the far router loses power: OSPF then
   * notices by its dead interval only.
   */
  readonly transport: boolean
  /** False between us and an upstream: eBGP, no OSPF. */
  readonly ospf: boolean
}

export interface BgpSession {
  readonly index: number
  readonly a: number
  readonly b: number
  readonly aAddress: string
  readonly bAddress: string
  /** The link of an eBGP session between two directly connected routers, -1 for iBGP. */
  readonly link: number
}

export interface Isp {
  readonly name: string
  readonly seed: number
  readonly country: string
  readonly sites: readonly Site[]
  readonly routers: readonly Router[]
  readonly ports: readonly Port[]
  /** Wire i is link i. Wires from links.length on lead out of the ISP (a port with subscribers, customers, internet). */
  readonly links: readonly Link[]
  readonly wires: number
  readonly sessions: readonly BgpSession[]
  /** Routers next to which the NOC stands: what they cannot reach, the engine cannot reach. */
  readonly noc: readonly number[]
  /** Routers that exchange business traffic with everybody. */
  readonly hubs: readonly number[]
  /** Downstream bits per second of one household at the evening peak. */
  readonly peakBpsPerSubscriber: number
}
