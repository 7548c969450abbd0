/**
 * The ISP as the document that `heliograph import FILE` reads: what an operator would have written down about it.
 * Nothing here says how a device is doing; that the engine has to find out from the devices.
 */
import type { Isp, SnmpV2c, SnmpV3 } from "#lab/isp/model.ts"

/** Where a device's agents listen. Decided when the sockets are bound, hence not part of the Isp. */
export interface Endpoint {
  readonly address: string
  readonly snmpPort: number
  /** Null for devices without the RouterOS API. */
  readonly apiPort: number | null
}

export interface ImportDocument {
  readonly sites: ReadonlyArray<{
    readonly id: string
    readonly name: string
    readonly latitude: number
    readonly longitude: number
  }>
  readonly devices: ReadonlyArray<{
    readonly name: string
    readonly address: string
    readonly site: string
    readonly roles: readonly string[]
    readonly snmp: (SnmpV2c | SnmpV3) & { readonly port: number }
    readonly routeros?: {
      readonly port: number
      readonly user: string
      readonly password: string
      readonly tls: boolean
    }
    readonly pollSeconds?: number
    readonly ping: false
  }>
  readonly links: ReadonlyArray<{
    readonly a: { readonly device: string; readonly interface: string }
    readonly b: { readonly device: string; readonly interface: string }
    readonly capacityBps: number
  }>
}

/** `pollSeconds` null leaves the interval to the engine's own default. */
export const importDocument = (
  isp: Isp,
  endpoints: readonly Endpoint[],
  pollSeconds: number | null,
): ImportDocument => ({
  sites: isp.sites.map(({ id, name, latitude, longitude }) => ({ id, name, latitude, longitude })),
  devices: isp.routers.map((router) => {
    const { address, snmpPort, apiPort } = endpoints[router.index]!
    return {
      name: router.name,
      address,
      site: isp.sites[router.site]!.id,
      roles: router.roles,
      snmp: { ...router.snmp, port: snmpPort },
      ...(router.routeros !== null && apiPort !== null
        ? { routeros: { port: apiPort, ...router.routeros, tls: false } }
        : {}),
      ...(pollSeconds === null ? {} : { pollSeconds }),
      // Every 127/8 address is this machine's own: the kernel answers pings for an emulated router that is dead. Such an
      // answer would be no evidence of the router, so the engine is told not to ask (law 1, honesty).
      ping: false,
    }
  }),
  links: isp.links.map((link) => ({
    a: end(isp, link.a),
    b: end(isp, link.b),
    capacityBps: link.capacityBps,
  })),
})

const end = (isp: Isp, port: number): { readonly device: string; readonly interface: string } => ({
  device: isp.routers[isp.ports[port]!.router]!.name,
  interface: isp.ports[port]!.name,
})
