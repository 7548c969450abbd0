/**
 * OSPF-MIB's neighbours (RFC 4750) and BGP4-MIB's peers (RFC 4273), as FRRouting's agents show them. A lost OSPF
 * neighbour's row disappears (measured on FRR: it never says down); a BGP peer's row stays and changes its state.
 */
import { TAG } from "#lab/snmp/ber.ts"
import type { Oid } from "#lab/snmp/ber.ts"
import { row, scalars, sortRows, table } from "#lab/snmp/mib.ts"
import type { Row, Subject, Table } from "#lab/snmp/mib.ts"
import { BGP_ESTABLISHED, HOLD_MS, KEEPALIVE_MS } from "#lab/isp/bgp.ts"
import type { BgpSession, Isp, Link, Port, Router } from "#lab/isp/model.ts"
import { OSPF_FULL, OSPF_GONE } from "#lab/isp/ospf.ts"

/** The far port of a link, seen from one of its routers. */
export const farPort = (isp: Isp, link: Link, router: number): Port =>
  isp.ports[link.a]!.router === router ? isp.ports[link.b]! : isp.ports[link.a]!
export const nearPort = (isp: Isp, link: Link, router: number): Port =>
  isp.ports[link.a]!.router === router ? isp.ports[link.a]! : isp.ports[link.b]!
export const hostOf = (port: Port): string => port.address!.split("/")[0]!

/** ospfNbrIpAddr and ospfNbrAddressLessIndex (0 on numbered links). */
export const ospfIndex = (neighbour: Port): Oid => [...hostOf(neighbour).split(".").map(Number), 0]

const neighbourRows = ({ network, router }: Subject): readonly Row[] => {
  const { isp, ospf } = network
  const rows: Row[] = []
  for (const link of network.linksOf(router))
    if (ospf.state[link] !== OSPF_GONE) rows.push(row(ospfIndex(farPort(isp, isp.links[link]!, router)), link))
  return sortRows(rows)
}

const neighbourPort = ({ network: { isp }, router }: Subject, link: number): Port =>
  farPort(isp, isp.links[link]!, router)
const neighbourRouter = (subject: Subject, link: number): Router =>
  subject.network.isp.routers[neighbourPort(subject, link).router]!

/** ospfIfMetricTable as FRR 8 shows it, measured: always 1, under TOS 1 while ospfIfMetricTOS says 0. */
const metricRows = ({ network: { isp }, router }: Subject): readonly Row[] =>
  sortRows(ospfPorts(isp, router).map((port) => row([...ospfIndex(port), 1], port.index)))

const ospfPorts = (isp: Isp, router: number): readonly Port[] =>
  isp.routers[router]!.ports.flatMap((index) => {
    const port = isp.ports[index]!
    return port.wire >= 0 && isp.links[port.wire]?.ospf === true ? [port] : []
  })

const AREA = [0, 0, 0, 0]
const AREA_ROWS = [row(AREA, 0)]
/** Its own router-LSA. A real router has those of its whole area; nobody asks the lab for them. */
const lsdbRows = (subject: Subject): readonly Row[] => {
  const id = thisRouter(subject).loopback.split(".").map(Number)
  return [row([...AREA, 1, ...id, ...id], subject.router)]
}

/** RFC 2328 sA.4.2: two entries for each numbered point-to-point link with a neighbour, one for each without. */
const routerLsa = (subject: Subject): Buffer => {
  const { network, router } = subject
  const { isp, ospf } = network
  const entry = (id: string, data: string, type: number, metric: number): Buffer =>
    Buffer.from([...id.split(".").map(Number), ...data.split(".").map(Number), type, 0, metric >> 8, metric & 0xff])
  const entries = ospfPorts(isp, router).flatMap((port) => {
    const { cost } = isp.links[port.wire]!
    const far = neighbourRouter(subject, port.wire).loopback
    const stub = entry(networkOf(port.address!), maskOf(port.address!), 3, cost)
    return ospf.state[port.wire] === OSPF_FULL ? [entry(far, hostOf(port), 1, cost), stub] : [stub]
  })
  const body = Buffer.concat([Buffer.from([0, 0, entries.length >> 8, entries.length & 0xff]), ...entries])
  const id = thisRouter(subject).loopback.split(".").map(Number)
  const head = Buffer.from([0, 1, 2, 1, ...id, ...id, 0x80, 0, 0, 1, 0, 0, 0, 0])
  head.writeUInt16BE(head.length + body.length, 18)
  return Buffer.concat([head, body])
}

const maskOf = (address: string): string => dotted((0xffff_ffff << (32 - Number(address.split("/")[1]))) >>> 0)
const networkOf = (address: string): string => {
  const [host, length] = address.split("/") as [string, string]
  const number = host.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0)
  return dotted((number & (0xffff_ffff << (32 - Number(length)))) >>> 0)
}
const dotted = (number: number): string => [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join(".")

const thisRouter = ({ network: { isp }, router }: Subject): Router => isp.routers[router]!

export const ospfTables: readonly Table[] = [
  scalars("1.3.6.1.2.1.14.1", {
    1: (out, subject) => out.ipAddress(thisRouter(subject).loopback),
    2: (out) => out.integer(1),
    3: (out) => out.integer(2),
  }),
  table("1.3.6.1.2.1.14.2.1", () => AREA_ROWS, {
    1: (out) => out.ipAddress("0.0.0.0"),
    3: (out) => out.integer(1),
  }),
  table("1.3.6.1.2.1.14.4.1", lsdbRows, {
    1: (out) => out.ipAddress("0.0.0.0"),
    2: (out) => out.integer(1),
    3: (out, subject) => out.ipAddress(thisRouter(subject).loopback),
    4: (out, subject) => out.ipAddress(thisRouter(subject).loopback),
    8: (out, subject) => out.octets(routerLsa(subject)),
  }),
  table("1.3.6.1.2.1.14.8.1", metricRows, {
    1: (out, { network }, port) => out.ipAddress(hostOf(network.isp.ports[port]!)),
    2: (out) => out.integer(0),
    3: (out) => out.integer(0),
    4: (out) => out.integer(1),
    5: (out) => out.integer(1),
  }),
  table("1.3.6.1.2.1.14.10.1", neighbourRows, {
    1: (out, subject, link) => out.ipAddress(hostOf(neighbourPort(subject, link))),
    2: (out) => out.integer(0),
    3: (out, subject, link) => out.ipAddress(neighbourRouter(subject, link).loopback),
    4: (out) => out.integer(2),
    5: (out) => out.integer(1),
    6: (out, { network }, link) => out.integer(network.ospf.state[link]!),
    7: (out, { network }, link) => out.unsigned(network.ospf.changes[link]!, TAG.counter32),
    8: (out) => out.unsigned(0, TAG.gauge32),
    9: (out) => out.integer(1),
    10: (out) => out.integer(1),
    11: (out) => out.integer(2),
  }),
]

/** What one end of a session sees. */
export interface PeerView {
  readonly remote: Router
  readonly localAddress: string
  readonly remoteAddress: string
}
export const peerView = (isp: Isp, session: BgpSession, router: number): PeerView =>
  session.a === router
    ? { remote: isp.routers[session.b]!, localAddress: session.aAddress, remoteAddress: session.bAddress }
    : { remote: isp.routers[session.a]!, localAddress: session.bAddress, remoteAddress: session.aAddress }

/** Sessions never come or go: found once per ISP. */
const sessionCache = new WeakMap<Isp, ReadonlyArray<readonly BgpSession[]>>()
export const sessionsOf = (isp: Isp, router: number): readonly BgpSession[] => {
  let byRouter = sessionCache.get(isp)
  if (byRouter === undefined) {
    const lists: BgpSession[][] = isp.routers.map(() => [])
    for (const session of isp.sessions) {
      lists[session.a]!.push(session)
      lists[session.b]!.push(session)
    }
    sessionCache.set(isp, (byRouter = lists))
  }
  return byRouter[router]!
}

const peerCache = new WeakMap<Isp, Array<readonly Row[] | undefined>>()
const peerRows = ({ network: { isp }, router }: Subject): readonly Row[] => {
  let byRouter = peerCache.get(isp)
  if (byRouter === undefined) peerCache.set(isp, (byRouter = []))
  return (byRouter[router] ??= sortRows(
    sessionsOf(isp, router).map((session) =>
      row(peerView(isp, session, router).remoteAddress.split(".").map(Number), session.index),
    ),
  ))
}

const peer = ({ network: { isp }, router }: Subject, session: number): PeerView =>
  peerView(isp, isp.sessions[session]!, router)

const isUp = ({ network }: Subject, session: number): boolean => network.bgp.state[session] === BGP_ESTABLISHED

/** Keepalives since the session came up; updates are few in a quiet network. */
export const messages = (subject: Subject, session: number): number =>
  isUp(subject, session) ? Math.floor(secondsSince(subject, session) / (KEEPALIVE_MS / 1000)) : 0
export const secondsSince = ({ network }: Subject, session: number): number =>
  Math.max(0, Math.floor((network.nowMs - network.bgp.sinceMs[session]!) / 1000))

/** Two octets, RFC 4271 s4.5: hold timer expired (4/0) while down, nothing while up. */
const lastError = (subject: Subject, session: number): Buffer => Buffer.from([isUp(subject, session) ? 0 : 4, 0])

export const bgpTables: readonly Table[] = [
  scalars("1.3.6.1.2.1.15", {
    1: (out) => out.octets(Buffer.from([0x10])),
    2: (out, subject) => out.integer(thisRouter(subject).asn),
  }),
  table("1.3.6.1.2.1.15.3.1", peerRows, {
    1: (out, subject, session) =>
      out.ipAddress(isUp(subject, session) ? peer(subject, session).remote.loopback : "0.0.0.0"),
    2: (out, { network }, session) => out.integer(network.bgp.state[session]!),
    3: (out) => out.integer(2),
    4: (out) => out.integer(4),
    5: (out, subject, session) => out.ipAddress(peer(subject, session).localAddress),
    6: (out) => out.integer(179),
    7: (out, subject, session) => out.ipAddress(peer(subject, session).remoteAddress),
    8: (out) => out.integer(179),
    9: (out, subject, session) => out.integer(peer(subject, session).remote.asn),
    10: (out, subject, session) => out.unsigned(messages(subject, session), TAG.counter32),
    11: (out, subject, session) => out.unsigned(messages(subject, session), TAG.counter32),
    12: (out, subject, session) => out.unsigned(messages(subject, session), TAG.counter32),
    13: (out, subject, session) => out.unsigned(messages(subject, session), TAG.counter32),
    14: (out, subject, session) => out.octets(lastError(subject, session)),
    15: (out, { network }, session) => out.unsigned(network.bgp.transitions[session]!, TAG.counter32),
    16: (out, subject, session) => out.unsigned(secondsSince(subject, session), TAG.gauge32),
    18: (out) => out.integer(HOLD_MS / 1000),
    19: (out) => out.integer(KEEPALIVE_MS / 1000),
  }),
  scalars("1.3.6.1.2.1.15", { 4: (out, subject) => out.ipAddress(thisRouter(subject).loopback) }),
]
