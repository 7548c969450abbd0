/**
 * What single edits of the inventory do: each is a plan on what is stored (engine/storage/inventory-change.ts), checked
 * like an import document, with the act that the audit keeps of it. Throws EditRefused.
 */
import { etagOf, fitsIfMatch } from "#engine/api/etag.ts"
import type { Act, Json } from "#engine/audit/act.ts"
import {
  checkedDevice,
  checkedLink,
  checkedSite,
  type DeviceFields,
  type SiteFields,
} from "#engine/inventory-api/check.ts"
import {
  declaredDevice,
  declaredLink,
  deviceById,
  deviceOf,
  linkOf,
  seesSite,
  siteOf,
  type DeclaredDevice,
  type DeclaredLink,
  type Reach,
} from "#engine/inventory-api/declared.ts"
import { changedMeanwhile, conflict, refused } from "#engine/inventory-api/edit-refused.ts"
import { NO_EDIT, NOTHING_REMOVED, type Edit, type Planned } from "#engine/storage/inventory-change.ts"
import { leadsCredentials } from "#engine/storage/inventory.ts"
import {
  pairKey,
  same,
  sourcesOf,
  type Probing,
  type Stored,
  type StoredDevice,
} from "#engine/storage/inventory-rows.ts"
import { uuidv7 } from "#engine/storage/uuidv7.ts"
import { deviceId, linkId, siteId } from "#protocol/id.ts"
import type { Device, Link, Site } from "#protocol/inventory.ts"

export type Plan<A> = (stored: Stored) => Planned<A>

export const putSite =
  (reach: Reach, id: string, fields: SiteFields, ifMatch: string | undefined): Plan<Site> =>
  (stored) => {
    if (!seesSite(reach, id)) throw refused("a site outside your sites cannot be made or changed")
    const old = stored.sites.get(id)
    careful(ifMatch, old ?? null)
    const site: Site = { ...checkedSite(id, fields), id: siteId(id) }
    stored.sites.set(id, site)
    const act = actOf(old === undefined ? "site.create" : "site.update", "site", site.id, site.name, old ?? null, site)
    return planned(old !== undefined && same(old, site) ? NO_EDIT : { ...NO_EDIT, sites: [site] }, act, site)
  }

export const removeSite =
  (reach: Reach, id: string): Plan<null> =>
  (stored) => {
    const site = siteOf(stored, reach, id)
    const there = [...stored.devices.values()].filter(({ device }) => device.site === id).length
    if (there > 0) throw conflict(`${there} devices stand there: move or remove them first`)
    stored.sites.delete(id)
    const act = actOf("site.delete", "site", site.id, site.name, site, null)
    return planned({ ...NO_EDIT, removed: { ...NOTHING_REMOVED, sites: [id] } }, act, null)
  }

export const createDevice =
  (reach: Reach, fields: DeviceFields): Plan<DeclaredDevice> =>
  (stored) => {
    const wanted = standing(stored, reach, fields)
    if (stored.devices.has(wanted.name)) throw conflict(`there is a device ${JSON.stringify(wanted.name)} already`)
    const made = placed(stored, wanted, { id: deviceId(uuidv7()), sealed: new Map(), pin: null, probes: [] })
    const after = declaredDevice(made)
    return planned(edited(made), actOf("device.create", "device", after.id, after.name, null, after), after)
  }

export const updateDevice =
  (reach: Reach, id: string, fields: Partial<DeviceFields>, ifMatch: string | undefined): Plan<DeclaredDevice> =>
  (stored) => {
    const old = deviceOf(stored, reach, id)
    const before = declaredDevice(old)
    careful(ifMatch, before)
    const wanted = standing(stored, reach, { ...before, ...fields })
    if (wanted.name !== old.name && stored.devices.has(wanted.name))
      throw conflict(`there is a device ${JSON.stringify(wanted.name)} already`)
    // Else a community or password would be sent to wherever the new address leads.
    if (!reach.mayCredentials && leadsCredentials(old, wanted.address))
      throw refused("this device has credentials: changing its address needs the permission credentials.manage")
    stored.devices.delete(old.name)
    const made = placed(stored, wanted, { ...old, id: old.device.id, probes: old.probing.probes })
    const after = declaredDevice(made)
    const act = actOf("device.update", "device", after.id, after.name, before, after)
    return planned(same(before, after) ? NO_EDIT : edited(made), act, after)
  }

export const removeDevice =
  (reach: Reach, id: string): Plan<null> =>
  (stored) => {
    const { device, ...old } = deviceOf(stored, reach, id)
    const links = [...stored.links.values()].filter(({ a, b }) => a.device === id || b.device === id)
    for (const link of links) stored.links.delete(pairKey(link))
    stored.devices.delete(device.name)
    const before = { ...declaredDevice({ device, ...old }), links: links.map(declaredLink) }
    const removed = { ...NOTHING_REMOVED, devices: [id], links: links.map((link) => link.id) }
    return planned({ ...NO_EDIT, removed }, actOf("device.delete", "device", id, device.name, before, null), null)
  }

export interface LinkFields {
  readonly a: DeclaredLink["a"]
  readonly b: DeclaredLink["b"]
  readonly capacityBps: number | null
}

export const createLink =
  (reach: Reach, fields: LinkFields): Plan<DeclaredLink> =>
  (stored) => {
    const end = (side: DeclaredLink["a"]) => {
      const found = deviceById(stored, side.device)
      if (found === undefined || !seesSite(reach, found.device.site))
        throw refused("one of the two devices is not there")
      return found
    }
    const [a, b] = [end(fields.a), end(fields.b)]
    const { capacityBps, ...ends } = checkedLink({
      a: { device: a.name, interface: fields.a.interface },
      b: { device: b.name, interface: fields.b.interface },
      capacityBps: fields.capacityBps,
    })
    const link: Link = {
      id: linkId(uuidv7()),
      a: { device: a.device.id, interface: ends.a.interface },
      b: { device: b.device.id, interface: ends.b.interface },
      capacityBps,
    }
    const taken = [...stored.links.values()].some((one) =>
      [one.a, one.b].some((theirs) => [link.a, link.b].some((ours) => same(theirs, ours))),
    )
    if (taken) throw conflict("an interface ends one link only, and one of these ends another already")
    stored.links.set(pairKey(link), link)
    const after = declaredLink(link)
    return planned(
      { ...NO_EDIT, links: [link] },
      actOf("link.create", "link", link.id, linkName(stored, link), null, after),
      after,
    )
  }

export const updateLink =
  (reach: Reach, id: string, capacityBps: number | null, ifMatch: string | undefined): Plan<DeclaredLink> =>
  (stored) => {
    const old = linkOf(stored, reach, id)
    const before = declaredLink(old)
    careful(ifMatch, before)
    const checked = checkedLink({ a: { device: "a", interface: "a" }, b: { device: "b", interface: "b" }, capacityBps })
    const link: Link = { ...old, capacityBps: checked.capacityBps }
    stored.links.set(pairKey(link), link)
    const after = declaredLink(link)
    const act = actOf("link.update", "link", id, linkName(stored, link), before, after)
    return planned(same(before, after) ? NO_EDIT : { ...NO_EDIT, links: [link] }, act, after)
  }

export const removeLink =
  (reach: Reach, id: string): Plan<null> =>
  (stored) => {
    const link = linkOf(stored, reach, id)
    stored.links.delete(pairKey(link))
    const act = actOf("link.delete", "link", id, linkName(stored, link), declaredLink(link), null)
    return planned({ ...NO_EDIT, removed: { ...NOTHING_REMOVED, links: [id] } }, act, null)
  }

// --- pieces

export const planned = <A>(edit: Edit, act: Act, answer: A): Planned<A> => ({
  edit,
  act: () => act,
  report: (rev) => ({ rev, act: act.action, object: act.object }),
  answer: () => answer,
})

export const actOf = (
  action: string,
  kind: string,
  id: string,
  name: string,
  before: object | null,
  after: object | null,
): Act => ({ action, object: { kind, id, name }, before: before as Json | null, after: after as Json | null })

const careful = (ifMatch: string | undefined, before: object | null): void => {
  if (!fitsIfMatch(ifMatch, before === null ? null : etagOf(before))) throw changedMeanwhile()
}

/** Checked fields of a device whose site is there and seen. */
const standing = (stored: Stored, reach: Reach, fields: DeviceFields) => {
  const { name, address, site, roles, pollSeconds, pingSeconds } = fields
  const wanted = checkedDevice({ name, address, site, roles, pollSeconds, pingSeconds })
  if (!seesSite(reach, wanted.site) || !stored.sites.has(wanted.site))
    throw refused(`there is no site ${JSON.stringify(wanted.site)}`)
  return { ...wanted, pollSeconds, pingSeconds }
}

type Kept = Pick<StoredDevice, "sealed" | "pin"> & { readonly id: Device["id"]; readonly probes: Probing["probes"] }
const placed = (
  stored: Stored,
  wanted: ReturnType<typeof standing>,
  { id, sealed, pin, probes }: Kept,
): StoredDevice => {
  const probing: Probing = { pingSeconds: wanted.pingSeconds, probes }
  const device: Device = {
    id,
    name: wanted.name,
    address: wanted.address,
    site: siteId(wanted.site),
    roles: wanted.roles,
    pollSeconds: wanted.pollSeconds,
    sources: sourcesOf(sealed, probing.pingSeconds),
  }
  const made: StoredDevice = { name: device.name, device, sealed, pin, probing }
  stored.devices.set(made.name, made)
  return made
}
const edited = ({ device, probing }: StoredDevice): Edit => ({ ...NO_EDIT, devices: [{ ...device, ...probing }] })

const linkName = (stored: Stored, { a, b }: Link): string =>
  [a, b].map((end) => `${deviceById(stored, end.device)?.name ?? ""} ${end.interface}`).join(" - ")
