/**
 * What a router writes to its remote syslog, in the words and formats of each system: RouterOS 7 in its own default
 * format (topics and message, no header), RouterOS 6 set to `bsd-syslog=yes` (RFC 3164), FRR and the kernel through
 * rsyslog (RFC 5424). The wording follows MikroTik's manual and FRR's sources; names are real ones of the device.
 */
import type { Network, NetworkEvent } from "#lab/isp/network.ts"
import type { Persona, Port, Router } from "#lab/isp/model.ts"
import { OSPF_FULL, OSPF_GONE, OSPF_STATE_NAMES } from "#lab/isp/ospf.ts"
import { hostOf, nearPort, farPort, peerView } from "#lab/snmp/tables/routing.ts"

export interface LogLine {
  readonly router: number
  readonly atMs: number
  /** RouterOS topics; for FRR the program that speaks. */
  readonly topics: string
  readonly message: string
}

/** Lines of living routers only: a dead one takes its last words with it. */
export const linesOf = (network: Network, event: NetworkEvent): readonly LogLine[] =>
  endsOf(network, event)
    .filter((router) => network.alive[router] === 1)
    .flatMap((router) => {
      const words = wordsOf(network, router, event)
      return words === null ? [] : [{ router, atMs: event.atMs, ...words }]
    })

interface Words {
  readonly topics: string
  readonly message: string
}

const endsOf = ({ isp }: Network, event: NetworkEvent): readonly number[] => {
  switch (event.kind) {
    case "port":
      return [isp.ports[event.port]!.router]
    case "boot":
      return [event.router]
    case "ospf":
      return [isp.links[event.link]!.a, isp.links[event.link]!.b].map((port) => isp.ports[port]!.router)
    case "bgp":
      return [isp.sessions[event.session]!.a, isp.sessions[event.session]!.b]
  }
}

const wordsOf = (network: Network, router: number, event: NetworkEvent): Words | null => {
  const { isp } = network
  const { persona } = isp.routers[router]!
  switch (event.kind) {
    case "port":
      return portWords(persona, isp.ports[event.port]!, event.up)
    case "boot":
      return persona === "frr"
        ? { topics: "systemd", message: "Reached target multi-user.target - Multi-User System." }
        : {
            topics: "system,error,critical",
            message: "router was rebooted without proper shutdown, probably power outage",
          }
    case "ospf": {
      const link = isp.links[event.link]!
      const [near, far] = [nearPort(isp, link, router), farPort(isp, link, router)]
      return ospfWords(isp.routers[router]!, near, isp.routers[far.router]!, far, event.from, event.to)
    }
    case "bgp": {
      const peer = peerView(isp, isp.sessions[event.session]!, router)
      const reason = isp.sessions[event.session]!.link < 0 ? "hold timer expired" : "interface down"
      return bgpWords(persona, peer.remoteAddress, peer.remote, event.established ? null : reason)
    }
  }
}

const portWords = (persona: Persona, port: Port, up: boolean): Words => {
  if (persona === "frr") return { topics: "kernel", message: `${port.name}: NIC Link is ${up ? "Up" : "Down"}` }
  const speed = port.speedBps >= 1e9 ? `${port.speedBps / 1e9}Gbps` : `${port.speedBps / 1e6}Mbps`
  const state = up ? `up (speed ${speed.replace("1Gbps", "1G").replace("Gbps", "G")}, full duplex)` : "down"
  return { topics: "interface,info", message: `${port.name} link ${state}` }
}

const ospfWords = (us: Router, near: Port, them: Router, far: Port, from: number, to: number): Words | null => {
  const gone = to === OSPF_GONE
  // FRR logs the way to and from Full only; RouterOS every step.
  if (us.persona === "frr") {
    if (!gone && to !== OSPF_FULL) return null
    const change = gone ? `${OSPF_STATE_NAMES[from]} -> Deleted (KillNbr)` : `Loading -> Full (LoadingDone)`
    return {
      topics: "ospfd",
      message: `AdjChg: Nbr ${them.loopback}(default) on ${near.name}:${hostOf(near)}: ${change}`,
    }
  }
  const [was, is] = [OSPF_STATE_NAMES[from] || "Down", gone ? "Down" : OSPF_STATE_NAMES[to]]
  if (us.persona === "routeros6")
    return { topics: "route,ospf,info", message: `OSPFv2 neighbor ${them.loopback}: state change from ${was} to ${is}` }
  const message =
    `ospf-instance-1 { version: 2 router-id: ${us.loopback} } backbone { 0.0.0.0 } ` +
    `interface { p2p ${hostOf(near)}%${near.name} } ` +
    `neighbor { router-id: ${them.loopback} state: ${was} } state change to ${is}`
  return { topics: "route,ospf,info", message }
}

/** `reason` is why the session fell; null when it came up. */
const bgpWords = (persona: Persona, address: string, peer: Router, reason: string | null): Words => {
  if (persona === "frr") {
    const change =
      reason === null ? "Up" : `Down ${reason === "interface down" ? "Interface down" : "BGP Notification send"}`
    return { topics: "bgpd", message: `%ADJCHANGE: neighbor ${address}(${peer.name}) in vrf default ${change}` }
  }
  if (persona === "routeros6")
    return {
      topics: "route,bgp,info",
      message: `Peer ${peer.name} ${reason === null ? "established" : `closed, ${reason}`}`,
    }
  if (reason === null)
    return { topics: "route,bgp,info", message: `{instance: bgp-instance-1 peer: ${address}} Established` }
  return { topics: "route,bgp,error", message: `${reason} {peer: ${address}}` }
}

const LOCAL0 = 16
const SEVERITY: Readonly<Record<string, number>> = { info: 6, error: 3, critical: 3, warning: 4 }

/** RouterOS takes the severity from the topics, and `error,critical` is an error to it; everything that FRR says about adjacencies is a notice or a warning. */
export const severityOf = (topics: string): number => {
  const found = topics.split(",").map((topic) => SEVERITY[topic] ?? 99)
  return Math.min(...found, 6)
}

/** The datagram. */
export const formatLine = (line: LogLine, router: Router): string => {
  const priority = `<${LOCAL0 * 8 + severityOf(line.topics)}>`
  if (router.persona === "routeros7") return `${line.topics} ${line.message}`
  if (router.persona === "routeros6")
    return `${priority}${bsdTime(line.atMs)} ${router.name} ${line.topics} ${line.message}`
  return `${priority}1 ${new Date(line.atMs).toISOString()} ${router.name} ${line.topics} - - - ${line.message}`
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

/** RFC 3164 s4.1.2: local time without a zone, day padded with a space. The lab's devices live in UTC. */
const bsdTime = (atMs: number): string => {
  const at = new Date(atMs)
  return `${MONTHS[at.getUTCMonth()]} ${String(at.getUTCDate()).padStart(2)} ${at.toISOString().slice(11, 19)}`
}
