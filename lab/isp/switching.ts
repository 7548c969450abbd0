/**
 * Which devices of the ISP switch, and what their bridges have learned. RouterOS devices are layer-3 switches here: their
 * cables are ports of one bridge, and all that they send carries the bridge's own address, that of its first port. Linux
 * servers only route, have no bridge table, and send from each port with its own. Tables follow from who lives and which
 * wires carry: routers, the gear in the wires, and some households on the subscribers' ports.
 */
import { bystandersOf } from "#lab/isp/bystanders.ts"
import type { Isp, Port, Router } from "#lab/isp/model.ts"
import type { Network } from "#lab/isp/network.ts"

/** A host of a forwarding table: who it is, and the port it was learned on. */
export interface LearnedHost {
  readonly port: Port
  readonly mac: string
}

/** Households that a table shows on a subscribers' port, at most: real ones have thousands, and all are alike here. */
const HOUSEHOLDS_MAX = 24

export const isSwitch = ({ persona }: Router): boolean => persona !== "frr"

/** Ports of its bridge, in ifIndex order; none for who only routes. */
export const bridgePorts = (isp: Isp, router: number): readonly Port[] => {
  const own = isp.routers[router] as Router
  return isSwitch(own) ? own.ports.map((port) => isp.ports[port] as Port).filter(({ kind }) => kind !== "loopback") : []
}

/** What a device sends frames with out of a port. */
export const senderMac = (isp: Isp, port: Port): string => bridgePorts(isp, port.router)[0]?.mac ?? port.mac

/** So many of the switches, spread over all of them, that somebody has muted: neither neighbours nor addresses by any protocol. */
export const quietSwitches = (isp: Isp, count: number): ReadonlySet<number> => {
  const switches = isp.routers.filter(isSwitch)
  const step = Math.max(1, Math.floor(switches.length / Math.max(1, count)))
  return new Set(
    switches
      .filter((_, nth) => nth % step === 0)
      .slice(0, count)
      .map(({ index }) => index),
  )
}

/** Everybody but the bridge itself, in the order of its ports. */
export const learnedHosts = (network: Network, router: number): readonly LearnedHost[] => {
  const { isp } = network
  const ports = bridgePorts(isp, router)
  if (ports.length === 0) return []
  const gear = bystandersOf(network, router)
  return ports.flatMap((port): LearnedHost[] => {
    if (network.portUp[port.index] !== 1) return []
    if (port.kind === "subscribers") return householdsBehind(isp, port)
    const others = gear.filter((one) => one.port === port).map(({ mac }) => ({ port, mac }))
    const link = isp.links[port.wire]
    if (link === undefined || port.kind !== "link") return others
    const far = isp.ports[link.a === port.index ? link.b : link.a] as Port
    return network.alive[far.router] === 1 ? [{ port, mac: senderMac(isp, far) }, ...others] : others
  })
}

const householdsBehind = (isp: Isp, port: Port): LearnedHost[] => {
  const count = Math.min((isp.routers[port.router] as Router).subscribers, HOUSEHOLDS_MAX)
  return Array.from({ length: count }, (_, nth) => ({ port, mac: householdMac(port.index, nth) }))
}

/** Locally administered, and of no router: its second octet is 5a. */
const householdMac = (port: number, nth: number): string =>
  [0x02, 0x5a, 0x00, (port >> 8) & 255, port & 255, nth & 255]
    .map((octet) => octet.toString(16).padStart(2, "0").toUpperCase())
    .join(":")
