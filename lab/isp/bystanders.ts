/**
 * Gear that stands in the ISP's wires and in nobody's inventory: microwave bridges that announce themselves by MNDP, old
 * switches that speak CDP only. Routers hear them on the port of the wire, beside the router at its far end. A plain function
 * of the router's number, so that the rest of the network is the same with and without them.
 */
import type { Isp, Port } from "#lab/isp/model.ts"
import type { Network } from "#lab/isp/network.ts"

export interface Bystander {
  readonly nth: number
  /** The router's own port on which it is heard. */
  readonly port: Port
  readonly by: "mndp" | "cdp"
  readonly identity: string
  readonly mac: string
  readonly address: string
  readonly interfaceName: string
  readonly platform: string
  readonly version: string
  /** Of a RouterOS licence; empty for everybody else's gear. */
  readonly softwareId: string
}

/** Whom a router hears now: the wire must carry, the far router need not live. */
export const bystandersOf = (network: Network, router: number): readonly Bystander[] =>
  standing(network.isp, router).filter(({ port }) => network.portUp[port.index] === 1)

const standing = (isp: Isp, router: number): readonly Bystander[] => {
  const ports = isp.routers[router]!.ports.map((port) => isp.ports[port]!).filter(({ kind }) => kind === "link")
  const [first] = ports
  const last = ports.at(-1)
  const name = isp.routers[router]!.name.toLowerCase()
  const host = `${(router >> 8) & 255}.${router & 255}`
  const mac = (kind: string): string => `02:${kind}:00:00:${hex(router >> 8)}:${hex(router)}`
  const found: Bystander[] = []
  if (first !== undefined && router % 3 === 0) {
    const serial = String(router).padStart(4, "0")
    found.push({
      nth: 0,
      port: first,
      by: "mndp",
      identity: `radio-${name}`,
      mac: mac("6A"),
      address: `192.168.${host}`,
      interfaceName: "bridge1/wlan60-1",
      platform: "MikroTik",
      version: "7.18.2 (stable)",
      softwareId: `RD10-${serial}`,
    })
  }
  if (last !== undefined && router % 5 === 0)
    found.push({
      nth: 1,
      port: last,
      by: "cdp",
      identity: `sw-${name}`,
      mac: mac("5C"),
      address: `172.20.${host}`,
      interfaceName: "GigabitEthernet0/1",
      platform: "cisco WS-C2960-24TT-L",
      version: "Cisco IOS Software, C2960 Software, Version 12.2(58)SE2",
      softwareId: "",
    })
  return found
}

const hex = (value: number): string => (value & 255).toString(16).toUpperCase().padStart(2, "0")
