/**
 * An import that replaces: what the document does not name is removed, links before devices before sites. History and
 * events of removed devices stay for as long as their retention says; nothing new is written for them.
 */
import type { ImportDocument } from "#engine/import/document.ts"
import type { Tx } from "#engine/storage/db.ts"
import { pgText } from "#engine/storage/pg-text.ts"
import type { TenantId } from "#protocol/id.ts"
import type { Device, Link, Site } from "#protocol/inventory.ts"

/** What is stored, as the import plans on it: by site id, by device name, by pair of ends. */
export interface StoredMaps {
  readonly sites: Map<string, Site>
  readonly devices: Map<string, { readonly device: Device }>
  readonly links: Map<string, Link>
}

export interface Removed {
  readonly sites: readonly string[]
  readonly devices: readonly string[]
  readonly links: readonly string[]
}

/** Takes out of `stored` what the document does not name. Pure but for that; `removeRows` does it in the database. */
export const takeOutMissing = (stored: StoredMaps, document: ImportDocument): Removed => {
  const siteIds = new Set(document.sites.map((it) => pgText(it.id, 200)))
  const names = new Set(document.devices.map((it) => pgText(it.name, 200)))
  const ends = new Set(document.links.flatMap(({ a, b }) => [endsKey(a, b), endsKey(b, a)]))
  const nameOf = new Map([...stored.devices].map(([name, { device }]) => [device.id as string, name]))
  const named = (end: Link["a"]) => ({ device: nameOf.get(end.device) ?? "", interface: end.interface })
  return {
    links: takeOut(
      stored.links,
      (link) => !ends.has(endsKey(named(link.a), named(link.b))),
      (link) => link.id,
    ),
    devices: takeOut(
      stored.devices,
      (_, name) => !names.has(name),
      ({ device }) => device.id,
    ),
    sites: takeOut(
      stored.sites,
      (_, id) => !siteIds.has(id),
      (site) => site.id,
    ),
  }
}

export const removeRows = async (tx: Tx, tenant: TenantId, removed: Removed): Promise<void> => {
  const drop = (table: string, column: string, ids: readonly string[]) =>
    ids.length === 0
      ? Promise.resolve()
      : tx.query(`delete from ${table} where tenant_id = $1 and ${column}::text = any($2::text[])`, [tenant, ids])
  await drop("link", "link_id", removed.links)
  await drop("credential", "device_id", removed.devices)
  await drop("device", "device_id", removed.devices)
  await drop("site", "site_id", removed.sites)
}

interface NamedEnd {
  readonly device: string
  readonly interface: string
}
const endsKey = (a: NamedEnd, b: NamedEnd): string =>
  JSON.stringify([pgText(a.device, 200), pgText(a.interface, 200), pgText(b.device, 200), pgText(b.interface, 200)])

const takeOut = <V>(
  from: Map<string, V>,
  isGone: (value: V, key: string) => boolean,
  idOf: (value: V) => string,
): readonly string[] =>
  [...from].flatMap(([key, value]) => {
    if (!isGone(value, key)) return []
    from.delete(key)
    return [idOf(value)]
  })
