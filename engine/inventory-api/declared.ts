/** What is declared of single sites, devices and links: read out of the stored rows, as one caller may see them. */
import { notFound } from "#engine/inventory-api/edit-refused.ts"
import { KINDS, type Kind, type Stored, type StoredDevice } from "#engine/storage/inventory-rows.ts"
import type { Link, Site } from "#protocol/inventory.ts"

/** What somebody may see and do beside the permission of the route. */
export interface Reach {
  /** Only these sites; null = all. */
  readonly sites: readonly string[] | null
  /** Holds credentials.manage. */
  readonly mayCredentials: boolean
}

export interface DeclaredDevice {
  readonly id: string
  readonly name: string
  readonly address: string
  readonly site: string
  readonly roles: readonly string[]
  readonly pollSeconds: number
  readonly pingSeconds: number | null
  readonly credentials: readonly Kind[]
}
export interface DeclaredLink {
  readonly id: string
  readonly a: { readonly device: string; readonly interface: string }
  readonly b: { readonly device: string; readonly interface: string }
  readonly capacityBps: number | null
}

export const declaredDevice = ({ device, sealed, probing }: StoredDevice): DeclaredDevice => ({
  id: device.id,
  name: device.name,
  address: device.address,
  site: device.site,
  roles: device.roles,
  pollSeconds: device.pollSeconds,
  pingSeconds: probing.pingSeconds,
  credentials: KINDS.filter((kind) => sealed.has(kind)),
})
export const declaredLink = ({ id, a, b, capacityBps }: Link): DeclaredLink => ({ id, a, b, capacityBps })

export const seesSite = ({ sites }: Reach, id: string): boolean => sites === null || sites.includes(id)

/** These throw notFound: what somebody may not see is not there. */
export const siteOf = (stored: Stored, reach: Reach, id: string): Site => {
  const site = seesSite(reach, id) ? stored.sites.get(id) : undefined
  if (site === undefined) throw notFound()
  return site
}
export const deviceOf = (stored: Stored, reach: Reach, id: string): StoredDevice => {
  const found = deviceById(stored, id)
  if (found === undefined || !seesSite(reach, found.device.site)) throw notFound()
  return found
}
/** Seen by whoever sees one of its ends. */
export const linkOf = (stored: Stored, reach: Reach, id: string): Link => {
  const link = [...stored.links.values()].find((one) => one.id === id)
  const sees = (device: string): boolean => seesSite(reach, deviceById(stored, device)?.device.site ?? "")
  if (link === undefined || (reach.sites !== null && !sees(link.a.device) && !sees(link.b.device))) throw notFound()
  return link
}

export const deviceById = (stored: Stored, id: string): StoredDevice | undefined =>
  [...stored.devices.values()].find(({ device }) => device.id === id)
