/** IF-MIB (RFC 2863): ifTable with its 32-bit counters, ifXTable with the 64-bit ones. Rows are the router's ports. */
import { TAG } from "#lab/snmp/ber.ts"
import type { Writer } from "#lab/snmp/ber.ts"
import { row, scalars, sortRows, table } from "#lab/snmp/mib.ts"
import type { Cell, Row, Subject, Table } from "#lab/snmp/mib.ts"
import { OCTETS_PER_PACKET } from "#lab/isp/flows.ts"
import type { Isp, Port } from "#lab/isp/model.ts"
import { ticksSinceBoot } from "#lab/snmp/tables/system.ts"

const ETHERNET_CSMACD = 6
const SOFTWARE_LOOPBACK = 24
const BRIDGE = 209
const UP = 1
const DOWN = 2
const GAUGE32_MAX = 4294967295

const portOf = ({ network }: Subject, key: number): Port => network.isp.ports[key]!

const text =
  (of: (port: Port, subject: Subject) => string): Cell =>
  (out, subject, key) =>
    out.text(of(portOf(subject, key), subject))
const counter64 =
  (of: (subject: Subject, port: number) => number): Cell =>
  (out, subject, key) =>
    out.unsigned(of(subject, key), TAG.counter64)
/** The low half of the same counter: it wraps, as the standard says it does. */
const counter32 =
  (of: (subject: Subject, port: number) => number): Cell =>
  (out, subject, key) =>
    out.unsigned(of(subject, key) % 4294967296, TAG.counter32)
const zero32: Cell = (out) => out.unsigned(0, TAG.counter32)
const zero64: Cell = (out) => out.unsigned(0, TAG.counter64)

const inOctets = ({ network }: Subject, port: number) => network.inOctets(port)
const outOctets = ({ network }: Subject, port: number) => network.outOctets(port)
export const inPackets = ({ network }: Subject, port: number) => Math.floor(network.inOctets(port) / OCTETS_PER_PACKET)
export const outPackets = ({ network }: Subject, port: number) =>
  Math.floor(network.outOctets(port) / OCTETS_PER_PACKET)

const ifType: Cell = (out, subject, key) => {
  const port = portOf(subject, key)
  const bridged = port.kind === "loopback" && subject.network.isp.routers[port.router]!.persona === "routeros6"
  out.integer(bridged ? BRIDGE : port.kind === "loopback" ? SOFTWARE_LOOPBACK : ETHERNET_CSMACD)
}

const physAddress: Cell = (out, subject, key) =>
  out.octets(Buffer.from(portOf(subject, key).mac.replaceAll(":", ""), "hex"))

export const adminStatus = (subject: Subject, port: number): number => (portOf(subject, port).adminUp ? UP : DOWN)
export const operStatus = (subject: Subject, port: number): number => (subject.network.portUp[port] === 1 ? UP : DOWN)

/** TimeTicks of sysUpTime at the last change; 0 for what happened before the agent started. */
const ifLastChange: Cell = (out, subject, key) =>
  out.unsigned(ticksSinceBoot(subject, subject.network.portChangedMs[key]!), TAG.timeTicks)

/** What a user wrote on the port. net-snmp on Linux does not export the kernel's alias: empty there. */
const ifAlias = (port: Port, { network, router }: Subject): string =>
  network.isp.routers[router]!.persona === "frr" ? "" : port.alias

const ifColumns: Readonly<Record<number, Cell>> = {
  1: (out, subject, key) => out.integer(portOf(subject, key).ifIndex),
  2: text((port) => port.name),
  3: ifType,
  4: (out, subject, key) => out.integer(portOf(subject, key).kind === "loopback" ? 65535 : 1500),
  5: (out, subject, key) => out.unsigned(Math.min(portOf(subject, key).speedBps, GAUGE32_MAX), TAG.gauge32),
  6: physAddress,
  7: (out, subject, key) => out.integer(adminStatus(subject, key)),
  8: (out, subject, key) => out.integer(operStatus(subject, key)),
  9: ifLastChange,
  10: counter32(inOctets),
  11: counter32(inPackets),
  13: zero32,
  14: zero32,
  16: counter32(outOctets),
  17: counter32(outPackets),
  19: counter32(({ network }, port) => network.outDiscards(port)),
  20: zero32,
}

const ifXColumns: Readonly<Record<number, Cell>> = {
  1: text((port) => port.name),
  2: zero32,
  3: zero32,
  4: zero32,
  5: zero32,
  6: counter64(inOctets),
  7: counter64(inPackets),
  8: zero64,
  9: zero64,
  10: counter64(outOctets),
  11: counter64(outPackets),
  12: zero64,
  13: zero64,
  15: (out, subject, key) => out.unsigned(portOf(subject, key).speedBps / 1e6, TAG.gauge32),
  17: (out, subject, key) => out.integer(portOf(subject, key).kind === "loopback" ? 2 : 1),
  18: text(ifAlias),
  19: (out) => out.unsigned(0, TAG.timeTicks),
}

/** Ports never come or go: their rows are made once per ISP and router. */
const portRows = (): ((subject: Subject) => readonly Row[]) => {
  const cache = new WeakMap<Isp, Array<readonly Row[] | undefined>>()
  return ({ network: { isp }, router }) => {
    let byRouter = cache.get(isp)
    if (byRouter === undefined) cache.set(isp, (byRouter = []))
    return (byRouter[router] ??= sortRows(
      isp.routers[router]!.ports.map((port) => row([isp.ports[port]!.ifIndex], port)),
    ))
  }
}

export const portTableRows = portRows()

const ifNumber = (out: Writer, { network, router }: Subject): void =>
  out.integer(network.isp.routers[router]!.ports.length)

export const interfaceTables: readonly Table[] = [
  scalars("1.3.6.1.2.1.2", { 1: ifNumber }),
  table("1.3.6.1.2.1.2.2.1", portTableRows, ifColumns),
  table("1.3.6.1.2.1.31.1.1.1", portTableRows, ifXColumns),
  // ifTableLastChange: ports never come or go here.
  scalars("1.3.6.1.2.1.31.1", { 5: (out) => out.unsigned(0, TAG.timeTicks) }),
]

/** IP-MIB's old but universal ipAddrTable: which address is on which port. */
const addressRows = ({ network: { isp, quiet }, router }: Subject): readonly Row[] =>
  sortRows(
    (quiet.has(router) ? [] : isp.routers[router]!.ports).flatMap((port) => {
      const address = isp.ports[port]!.address
      return address === null ? [] : [row(address.split("/")[0]!.split(".").map(Number), port)]
    }),
  )

const hostOf = (port: Port): string => port.address!.split("/")[0]!
const maskOf = (port: Port): string => (port.address!.endsWith("/32") ? "255.255.255.255" : "255.255.255.254")

export const addressTables: readonly Table[] = [
  table("1.3.6.1.2.1.4.20.1", addressRows, {
    1: (out, subject, key) => out.ipAddress(hostOf(portOf(subject, key))),
    2: (out, subject, key) => out.integer(portOf(subject, key).ifIndex),
    3: (out, subject, key) => out.ipAddress(maskOf(portOf(subject, key))),
  }),
]
