/**
 * What a router notifies by itself: linkDown, linkUp (RFC 2863), coldStart (RFC 3418), and from FRR also
 * ospfNbrStateChange (RFC 4750) and the BGP transitions (RFC 4273). Only the VarBinds are made here; the agent wraps them
 * in v2c or v3.
 */
import { TAG, Writer } from "#lab/snmp/ber.ts"
import type { Oid } from "#lab/snmp/ber.ts"
import { parseOid } from "#lab/snmp/mib.ts"
import type { Subject } from "#lab/snmp/mib.ts"
import { adminStatus, operStatus } from "#lab/snmp/tables/interfaces.ts"
import { farPort, hostOf, ospfIndex, peerView } from "#lab/snmp/tables/routing.ts"
import { ticksSinceBoot } from "#lab/snmp/tables/system.ts"
import type { Network, NetworkEvent } from "#lab/isp/network.ts"
import { BGP_ACTIVE, BGP_ESTABLISHED } from "#lab/isp/bgp.ts"
import { OSPF_FULL, OSPF_GONE } from "#lab/isp/ospf.ts"

/** VarBindList bodies to be sent from a router. */
export interface Notification {
  readonly router: number
  readonly varbinds: Buffer
}

/** A dead router sends nothing; whether what a living one sends arrives is the sender's business. */
export const notificationsOf = (network: Network, event: NetworkEvent): readonly Notification[] => {
  switch (event.kind) {
    case "port":
      return [portNotification(network, event.port, event.up)]
    case "boot":
      return [build({ network, router: event.router }, COLD_START, () => {})]
    case "ospf": {
      if (event.to !== OSPF_GONE && event.to !== OSPF_FULL) return []
      const { a, b } = network.isp.links[event.link]!
      const ends = [a, b].map((port) => network.isp.ports[port]!.router)
      return ends
        .filter((end) => isFrr(network, end))
        .map((end) => ospfNotification(network, end, event.link, event.to))
    }
    case "bgp": {
      const { a, b } = network.isp.sessions[event.session]!
      const ends = [a, b].filter((end) => isFrr(network, end))
      return ends.map((end) => bgpNotification(network, end, event.session, event.established))
    }
  }
}

const SYS_UP_TIME = parseOid("1.3.6.1.2.1.1.3.0")
const SNMP_TRAP_OID = parseOid("1.3.6.1.6.3.1.1.4.1.0")
const COLD_START = parseOid("1.3.6.1.6.3.1.1.5.1")
const LINK_DOWN = parseOid("1.3.6.1.6.3.1.1.5.3")
const LINK_UP = parseOid("1.3.6.1.6.3.1.1.5.4")
const OSPF_NBR_STATE_CHANGE = parseOid("1.3.6.1.2.1.14.16.2.2")
const BGP_ESTABLISHED_NOTIFICATION = parseOid("1.3.6.1.2.1.15.0.1")
const BGP_BACKWARD_TRANSITION = parseOid("1.3.6.1.2.1.15.0.2")
const IF_ENTRY = parseOid("1.3.6.1.2.1.2.2.1")
const IF_NAME = parseOid("1.3.6.1.2.1.31.1.1.1.1")
const OSPF_ROUTER_ID = parseOid("1.3.6.1.2.1.14.1.1.0")
const OSPF_NBR_ENTRY = parseOid("1.3.6.1.2.1.14.10.1")
const BGP_PEER_ENTRY = parseOid("1.3.6.1.2.1.15.3.1")

const isFrr = (network: Network, router: number): boolean =>
  network.alive[router] === 1 && network.isp.routers[router]!.persona === "frr"

const portNotification = (network: Network, port: number, up: boolean): Notification => {
  const { router, ifIndex, name } = network.isp.ports[port]!
  const subject = { network, router }
  return build(subject, up ? LINK_UP : LINK_DOWN, (out) => {
    varbind(out, [...IF_ENTRY, 1, ifIndex], () => out.integer(ifIndex))
    varbind(out, [...IF_ENTRY, 7, ifIndex], () => out.integer(adminStatus(subject, port)))
    varbind(out, [...IF_ENTRY, 8, ifIndex], () => out.integer(operStatus(subject, port)))
    // RouterOS 7 names the interface too; the others leave the manager with the ifIndex.
    if (network.isp.routers[router]!.persona === "routeros7") varbind(out, [...IF_NAME, ifIndex], () => out.text(name))
  })
}

/** ospfNbrState says down(1) in the notification although the row has gone. */
const ospfNotification = (network: Network, router: number, link: number, state: number): Notification => {
  const { isp } = network
  const far = farPort(isp, isp.links[link]!, router)
  const index = ospfIndex(far)
  return build({ network, router }, OSPF_NBR_STATE_CHANGE, (out) => {
    varbind(out, OSPF_ROUTER_ID, () => out.ipAddress(isp.routers[router]!.loopback))
    varbind(out, [...OSPF_NBR_ENTRY, 1, ...index], () => out.ipAddress(hostOf(far)))
    varbind(out, [...OSPF_NBR_ENTRY, 2, ...index], () => out.integer(0))
    varbind(out, [...OSPF_NBR_ENTRY, 3, ...index], () => out.ipAddress(isp.routers[far.router]!.loopback))
    varbind(out, [...OSPF_NBR_ENTRY, 6, ...index], () => out.integer(state === OSPF_GONE ? 1 : state))
  })
}

const bgpNotification = (network: Network, router: number, session: number, established: boolean): Notification => {
  const { remoteAddress } = peerView(network.isp, network.isp.sessions[session]!, router)
  const index = remoteAddress.split(".").map(Number)
  return build({ network, router }, established ? BGP_ESTABLISHED_NOTIFICATION : BGP_BACKWARD_TRANSITION, (out) => {
    varbind(out, [...BGP_PEER_ENTRY, 7, ...index], () => out.ipAddress(remoteAddress))
    varbind(out, [...BGP_PEER_ENTRY, 14, ...index], () => out.octets(Buffer.from([established ? 0 : 4, 0])))
    varbind(out, [...BGP_PEER_ENTRY, 2, ...index], () => out.integer(established ? BGP_ESTABLISHED : BGP_ACTIVE))
  })
}

const build = (subject: Subject, trap: Oid, rest: (out: Writer) => void): Notification => {
  const out = new Writer(1024)
  varbind(out, SYS_UP_TIME, () => out.unsigned(ticksSinceBoot(subject, subject.network.nowMs), TAG.timeTicks))
  varbind(out, SNMP_TRAP_OID, () => out.oid(trap))
  rest(out)
  return { router: subject.router, varbinds: out.take() }
}

const varbind = (out: Writer, name: Oid, value: () => void): void => {
  const opened = out.open(TAG.sequence)
  out.oid(name)
  value()
  out.close(opened)
}
