/** The real-router lab as the document that `heliograph import` reads. Pure. */
import type { FrrSecrets } from "#lab/frr/configs.ts"
import type { FrrIsp, FrrPort } from "#lab/frr/isp.ts"
import { LINK_CAPACITY_BPS } from "#lab/frr/isp.ts"

export interface FrrImport extends Record<string, unknown> {
  readonly sites: ReadonlyArray<{ id: string; name: string; latitude: number; longitude: number }>
  readonly devices: ReadonlyArray<{
    name: string
    address: string
    site: string
    roles: readonly string[]
    snmp:
      | { version: "2c"; port: number; community: string }
      | {
          version: "3"
          port: number
          user: string
          authProtocol: "sha256"
          authPassword: string
          privProtocol: "aes"
          privPassword: string
        }
  }>
  readonly links: ReadonlyArray<{
    a: { device: string; interface: string }
    b: { device: string; interface: string }
    capacityBps: number
  }>
}

export const frrImport = (isp: FrrIsp, secrets: FrrSecrets): FrrImport => ({
  sites: isp.sites.map((site) => ({ ...site })),
  devices: isp.routers.map(({ name, management, site, roles, snmp }) => ({
    name,
    address: management,
    site,
    roles,
    snmp:
      snmp === "2c"
        ? { version: "2c", port: 161, community: secrets.community }
        : {
            version: "3",
            port: 161,
            user: secrets.user,
            authProtocol: "sha256",
            authPassword: secrets.authPassword,
            privProtocol: "aes",
            privPassword: secrets.privPassword,
          },
  })),
  links: isp.links.map(({ a, b }) => ({ a: end(a), b: end(b), capacityBps: LINK_CAPACITY_BPS })),
})

const end = ({ router, interface: name }: FrrPort): { device: string; interface: string } => ({
  device: router,
  interface: name,
})
