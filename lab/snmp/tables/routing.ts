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
import { OSPF_GONE } from "#lab/isp/ospf.ts"

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

const thisRouter = ({ network: { isp }, router }: Subject): Router => isp.routers[router]!

export const ospfTables: readonly Table[] = [
  scalars("1.3.6.1.2.1.14.1", {
    1: (out, subject) => out.ipAddress(thisRouter(subject).loopback),
    2: (out) => out.integer(1),
    3: (out) => out.integer(2),
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
