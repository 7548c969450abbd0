/** Devices as the tests of bridge tables speak of them: switches with one address, routers with one for each port. */
import type { BridgeHosts } from "#protocol/bridge.ts"
import type { Said } from "#twin/propose/said.ts"

export const mac = (device: number, port = 0): string =>
  `02:00:00:00:${device.toString(16).padStart(2, "0")}:${port.toString(16).padStart(2, "0")}`
export const hosts = (macs: readonly string[], more: Partial<BridgeHosts> = {}): BridgeHosts => ({
  macs,
  others: false,
  more: false,
  ...more,
})

interface Made {
  /** Ports and whom each hears, by number of the device; null = it has no table. */
  readonly table?: Readonly<Record<string, BridgeHosts>> | null
  readonly ports?: readonly string[]
  readonly site?: string
  readonly more?: Partial<Said>
}
/** A device: one address for all that a bridge sends, one for each port of a router. */
export const device = (
  n: number,
  { table = null, ports = ["p1", "p2", "p3"], site = `s${n}`, more = {} }: Made = {},
): Said => ({
  device: `d${n}`,
  name: `dev ${n}`,
  names: [`dev ${n}`],
  management: `10.0.0.${n}`,
  site,
  roles: [],
  interfaces: [...ports],
  lower: new Map(),
  addresses: [],
  heard: [],
  routing: [],
  subscribers: null,
  macs: new Map(ports.map((port, at) => [port, mac(n, table === null ? at : 0)])),
  ...(table === null ? {} : { bridge: new Map(Object.entries(table)) }),
  ...more,
})
/** It holds one end of a /31 on that port, and routes there with somebody whom nobody knows. */
export const routing = (said: Said, port = [...(said.macs ?? [])][0]![0]): Said => {
  const subnet = `10.9.${said.device.slice(1)}.0/31`
  return {
    ...said,
    addresses: [{ interface: port, address: `10.9.${said.device.slice(1)}.1`, subnet, hostBits: 1 }],
    routing: [{ kind: "ospf", remote: "10.255.0.9", up: true, interface: port, remoteAs: null }],
  }
}
