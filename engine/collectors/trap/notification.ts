/**
 * What a notification means to the twin: v1 traps in v2 terms (RFC 3584 s3.1), the few notifications the twin acts on by
 * name, and the interface or neighbour they are about. Pure. Sources: SNMPv2-MIB, IF-MIB (RFC 2863), OSPF-TRAP-MIB
 * (RFC 4750), BGP4-MIB (RFC 4273 and the older RFC 1657, which FRR and others still send).
 */
import type { DeviceId } from "#protocol/id.ts"
import { BGP_STATES, OSPF_STATES } from "#protocol/metric.ts"
import type { TrapInput } from "#twin/input.ts"
import type { Pdu } from "#engine/collectors/snmp/ber.ts"
import { IF } from "#engine/collectors/snmp/mib.ts"
import type { Oid } from "#engine/collectors/snmp/oid.ts"
import { arcsOf, equalOid, isUnder, oid, oidText } from "#engine/collectors/snmp/oid.ts"
import { octetText } from "#engine/collectors/snmp/text.ts"
import type { Varbinds } from "#engine/collectors/snmp/varbinds.ts"

const SNMP_TRAP_OID = oid("1.3.6.1.6.3.1.1.4.1.0")
const SNMP_TRAPS = "1.3.6.1.6.3.1.1.5"

const KNOWN: Readonly<Record<string, TrapInput["trap"]>> = {
  [`${SNMP_TRAPS}.1`]: "coldStart",
  [`${SNMP_TRAPS}.2`]: "warmStart",
  [`${SNMP_TRAPS}.3`]: "linkDown",
  [`${SNMP_TRAPS}.4`]: "linkUp",
  [`${SNMP_TRAPS}.5`]: "authenticationFailure",
  "1.3.6.1.2.1.14.16.2.2": "ospfNbrStateChange",
  "1.3.6.1.2.1.14.16.2.16": "ospfIfStateChange",
  "1.3.6.1.2.1.15.0.1": "bgpEstablished",
  "1.3.6.1.2.1.15.0.2": "bgpBackwardTransition",
  "1.3.6.1.2.1.15.7.1": "bgpEstablished",
  "1.3.6.1.2.1.15.7.2": "bgpBackwardTransition",
}

const IF_INDEX = oid("1.3.6.1.2.1.2.2.1.1")
/** Objects whose instance is an ifIndex, for senders that leave ifIndex itself out. */
const BY_IF_INDEX: readonly Oid[] = [IF.ifOperStatus, IF.ifAdminStatus, IF.ifDescr, IF.ifName]
const OSPF_NBR_IP_ADDR = oid("1.3.6.1.2.1.14.10.1.1")
const OSPF_NBR_RTR_ID = oid("1.3.6.1.2.1.14.10.1.3")
const OSPF_NBR_STATE = oid("1.3.6.1.2.1.14.10.1.6")
/** Indexed by ospfIfIpAddress (4 arcs) and ospfAddressLessIf, which are its first two columns. */
const OSPF_IF_ENTRY = oid("1.3.6.1.2.1.14.7.1")
const OSPF_IF_STATE = oid("1.3.6.1.2.1.14.7.1.12")
/** RFC 4750 ospfIfState, from 1. */
const OSPF_IF_STATES = [
  "down",
  "loopback",
  "waiting",
  "pointToPoint",
  "designatedRouter",
  "backupDesignatedRouter",
  "otherDesignatedRouter",
] as const
const BGP_PEER_STATE = oid("1.3.6.1.2.1.15.3.1.2")
const BGP_PEER_ENTRY = oid("1.3.6.1.2.1.15.3.1")
const UP = 1

/** The input, or null when the PDU names no notification. */
export const trapInput = (pdu: Pdu, device: DeviceId, atMs: number): TrapInput | null => {
  const { varbinds } = pdu
  const name = notificationOid(pdu)
  if (name === null) return null
  const trap = KNOWN[name] ?? "other"
  const isLink = trap === "linkDown" || trap === "linkUp"
  const admin = isLink ? numberOf(varbinds, IF.ifAdminStatus) : null
  return {
    kind: "trap",
    device,
    atMs,
    trap,
    oid: name,
    ifIndex: isLink ? ifIndexOf(varbinds) : trap === "ospfIfStateChange" ? addressLessIf(varbinds) : null,
    ifName: isLink ? (textOf(varbinds, IF.ifName) ?? textOf(varbinds, IF.ifDescr)) : null,
    adminUp: admin === null ? null : admin === UP,
    remote: remoteOf(trap, varbinds),
    raw: rawOf(name, varbinds),
    state: stateOf(trap, varbinds),
  }
}

/** Of v1: generic traps 0-5 are the standard ones, 6 is the enterprise's own. */
const notificationOid = ({ trap, varbinds }: Pdu): string | null => {
  if (trap !== null) {
    if (trap.generic >= 0 && trap.generic <= 5) return `${SNMP_TRAPS}.${trap.generic + 1}`
    return trap.generic === 6 && trap.specific >= 0 ? `${trap.enterprise}.0.${trap.specific}` : null
  }
  for (let i = 0; i < varbinds.length; i++) {
    if (equalOid(varbinds.bytes, varbinds.oidStart(i), varbinds.oidEnd(i), SNMP_TRAP_OID)) return varbinds.oidValue(i)
  }
  return null
}

/** First binding of a column, or -1. */
const find = (varbinds: Varbinds, column: Oid): number => {
  for (let i = 0; i < varbinds.length; i++) {
    if (isUnder(varbinds.bytes, varbinds.oidStart(i), varbinds.oidEnd(i), column)) return i
  }
  return -1
}

const numberOf = (varbinds: Varbinds, column: Oid): number | null => {
  const i = find(varbinds, column)
  return i < 0 ? null : varbinds.number(i)
}

const textOf = (varbinds: Varbinds, column: Oid): string | null => {
  const i = find(varbinds, column)
  const octets = i < 0 ? null : varbinds.octets(i)
  return octets === null ? null : octetText(octets) || null
}

const instanceOf = (varbinds: Varbinds, i: number, column: Oid): number[] =>
  arcsOf(varbinds.bytes, varbinds.oidStart(i) + column.length, varbinds.oidEnd(i))

const ifIndexOf = (varbinds: Varbinds): number | null => {
  const named = numberOf(varbinds, IF_INDEX)
  if (named !== null && named > 0) return named
  for (const column of BY_IF_INDEX) {
    const i = find(varbinds, column)
    const arcs = i < 0 ? [] : instanceOf(varbinds, i, column)
    if (arcs.length === 1 && (arcs[0] as number) > 0) return arcs[0] as number
  }
  return null
}

/** OSPF neighbour: its router id, else its address. OSPF interface: the own address. BGP: remote address, which is the index of every peer object. */
const remoteOf = (trap: TrapInput["trap"], varbinds: Varbinds): string | null => {
  if (trap === "ospfNbrStateChange") return ipOf(varbinds, OSPF_NBR_RTR_ID) ?? ipOf(varbinds, OSPF_NBR_IP_ADDR)
  if (trap === "ospfIfStateChange") return dotted(ospfIfIndex(varbinds).slice(0, 4))
  if (trap !== "bgpEstablished" && trap !== "bgpBackwardTransition") return null
  const i = find(varbinds, BGP_PEER_ENTRY)
  return i < 0 ? null : dotted(instanceOf(varbinds, i, BGP_PEER_ENTRY).slice(1))
}

/** Four octets of an address, then the ifIndex of an interface that has none; empty when the notification has neither. */
const ospfIfIndex = (varbinds: Varbinds): readonly number[] => {
  const i = find(varbinds, OSPF_IF_ENTRY)
  const [, ...index] = i < 0 ? [] : instanceOf(varbinds, i, OSPF_IF_ENTRY)
  return index.length === 5 ? index : []
}

const addressLessIf = (varbinds: Varbinds): number | null => {
  const ifIndex = ospfIfIndex(varbinds)[4] ?? 0
  return ifIndex > 0 ? ifIndex : null
}

/** Null for 0.0.0.0 too, which is no address. */
const dotted = (arcs: readonly number[]): string | null => {
  const isAddress = arcs.length === 4 && arcs.every((octet) => octet < 256) && arcs.some((octet) => octet > 0)
  return isAddress ? arcs.join(".") : null
}

/** ospfNbrState 1..8, ospfIfState 1..7 and bgpPeerState 1..6 in the registry's words; null when the notification does not say. */
const stateOf = (trap: TrapInput["trap"], varbinds: Varbinds): string | null => {
  if (trap === "ospfNbrStateChange") return OSPF_STATES[(numberOf(varbinds, OSPF_NBR_STATE) ?? 0) - 1] ?? null
  if (trap === "ospfIfStateChange") return OSPF_IF_STATES[(numberOf(varbinds, OSPF_IF_STATE) ?? 0) - 1] ?? null
  if (trap === "bgpEstablished" || trap === "bgpBackwardTransition")
    return BGP_STATES[(numberOf(varbinds, BGP_PEER_STATE) ?? 0) - 1] ?? null
  return null
}

const ipOf = (varbinds: Varbinds, column: Oid): string | null => {
  const i = find(varbinds, column)
  const address = i < 0 ? null : varbinds.ip(i)
  return address === "0.0.0.0" ? null : address
}

/** Bounds of the text kept of a notification. */
const MAX_RAW_VARBINDS = 16
const MAX_RAW_LENGTH = 1_000

/** `<oid> a=b c=d`, for people; bindings beyond the bounds are left out. Never the community. */
const rawOf = (name: string, varbinds: Varbinds): string => {
  const parts = [name]
  for (let i = 0; i < Math.min(varbinds.length, MAX_RAW_VARBINDS); i++) {
    parts.push(`${oidText(varbinds.bytes, varbinds.oidStart(i), varbinds.oidEnd(i))}=${valueText(varbinds, i)}`)
  }
  return parts.join(" ").slice(0, MAX_RAW_LENGTH).toWellFormed()
}

const valueText = (varbinds: Varbinds, i: number): string => {
  const octets = varbinds.octets(i)
  if (octets !== null) return JSON.stringify(octetText(octets, 120))
  return String(varbinds.number(i) ?? varbinds.oidValue(i) ?? varbinds.ip(i) ?? "?")
}
