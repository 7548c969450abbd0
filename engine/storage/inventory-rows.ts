/**
 * The rows of the declared inventory: read whole into maps that a change is planned on, and written one statement per
 * table. Who plans: engine/storage/inventory.ts (documents) and engine/inventory-api (single edits).
 */
import type { ServiceProbe } from "#engine/probes/plan.ts"
import { sortedJson } from "#engine/sorted-json.ts"
import type { Tx } from "#engine/storage/db.ts"
import { readStructure, structureOf, type StructureRow } from "#engine/storage/structure-rows.ts"
import type { TenantKey } from "#engine/storage/vault.ts"
import { deviceId, linkId, siteId, type TenantId } from "#protocol/id.ts"
import type { Device, Inventory, Link, Site } from "#protocol/inventory.ts"
import type { Role } from "#protocol/role.ts"

export const KINDS = ["snmp", "routeros"] as const
export type Kind = (typeof KINDS)[number]

export interface SealedCredential {
  readonly device: string
  readonly kind: Kind
  readonly sealed: Buffer
}
export type PlannedDevice = Device & Probing

export interface StoredDevice {
  readonly name: string
  readonly device: Device
  readonly sealed: ReadonlyMap<Kind, Buffer>
  /** Of the router's API certificate, as seen first; null = none. */
  readonly pin: string | null
  readonly probing: Probing
}
/** How a device is probed; of it the inventory shows only whether it is pinged. */
export interface Probing {
  /** 0 = never, null = by role. */
  readonly pingSeconds: number | null
  readonly probes: readonly ServiceProbe[]
}
export interface Stored {
  readonly rev: number
  readonly sites: Map<string, Site>
  /** By name. */
  readonly devices: Map<string, StoredDevice>
  /** By pairKey. */
  readonly links: Map<string, Link>
  /** By structureKey. */
  readonly structure: Map<string, StructureRow>
}

/** No import may commit between our statements. */
export const readConsistent = async (tx: Tx, tenant: TenantId): Promise<Stored> => {
  await tx.query("select pg_advisory_xact_lock_shared(hashtextextended($1, 0))", [tenant])
  return readStored(tx, tenant)
}

export const readStored = async (tx: Tx, tenant: TenantId): Promise<Stored> => {
  const revs = await tx.query<{ rev: number | null }>(
    "select max(rev)::float8 as rev from inventory_revision where tenant_id = $1",
    [tenant],
  )
  const sites = await tx.query<SiteDbRow>(
    "select site_id, name, latitude, longitude, guessed from site where tenant_id = $1",
    [tenant],
  )
  const devices = await tx.query<DeviceRow>(
    `select device_id, name, address, site_id, roles, poll_seconds, ping_seconds, probes from device
     where tenant_id = $1`,
    [tenant],
  )
  // Joined here: right after a large import PostgreSQL knows nothing of the tables' sizes yet, and its join of three of
  // them under row security took seconds for 5,000 devices.
  const credentials = await tx.query<CredentialRow>(
    "select device_id, kind, sealed, pin from credential where tenant_id = $1",
    [tenant],
  )
  const links = await tx.query<LinkRow>(
    "select link_id, a_device, a_interface, b_device, b_interface, capacity_bps from link where tenant_id = $1",
    [tenant],
  )
  const sealed = Map.groupBy(credentials.rows, (row) => row.device_id)
  return {
    rev: revs.rows[0]?.rev ?? 0,
    sites: new Map(sites.rows.map((row) => [row.site_id, siteOf(row)])),
    devices: new Map(devices.rows.map((row) => [row.name, deviceOf(row, sealed.get(row.device_id) ?? [])])),
    links: new Map(links.rows.map(linkOf).map((link) => [pairKey(link), link])),
    structure: await readStructure(tx, tenant),
  }
}

interface SiteDbRow {
  readonly site_id: string
  readonly name: string
  readonly latitude: number
  readonly longitude: number
  readonly guessed: boolean
}
const siteOf = ({ site_id, name, latitude, longitude, guessed }: SiteDbRow): Site => ({
  id: siteId(site_id),
  name,
  latitude,
  longitude,
  ...(guessed ? { guessed: true as const } : {}),
})

interface DeviceRow {
  readonly device_id: string
  readonly name: string
  readonly address: string
  readonly site_id: string
  readonly roles: readonly string[]
  readonly poll_seconds: number
  readonly ping_seconds: number | null
  readonly probes: readonly ServiceProbe[]
}
interface CredentialRow {
  readonly device_id: string
  readonly kind: Kind
  readonly sealed: Buffer
  /** engine/storage/pins.ts */
  readonly pin: string | null
}
const deviceOf = (row: DeviceRow, credentials: readonly CredentialRow[]): StoredDevice => {
  const sealed = new Map(credentials.map((it) => [it.kind, it.sealed]))
  const device: Device = {
    id: deviceId(row.device_id),
    name: row.name,
    address: row.address,
    site: siteId(row.site_id),
    roles: row.roles as readonly Role[],
    pollSeconds: row.poll_seconds,
    sources: sourcesOf(sealed, row.ping_seconds),
  }
  return {
    name: row.name,
    device,
    sealed,
    pin: credentials.find(({ kind }) => kind === "routeros")?.pin ?? null,
    probing: { pingSeconds: row.ping_seconds, probes: row.probes },
  }
}

/** As protocol/inventory.ts says: sites and links by id, devices by name. */
export const inventoryOf = ({ sites, devices, links, structure }: Stored): Inventory => ({
  sites: sortedBy([...sites.values()], (it) => it.id),
  devices: sortedBy([...devices.values()], (it) => it.name).map(({ device }) => device),
  links: sortedBy([...links.values()], (it) => it.id),
  ...structureOf(structure),
})

const sortedBy = <T>(items: T[], key: (item: T) => string): readonly T[] =>
  items.sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0))

export const sourcesOf = (sealed: ReadonlyMap<Kind, Buffer>, pingSeconds: number | null): Device["sources"] => {
  const collectors = KINDS.filter((kind) => sealed.has(kind))
  return pingSeconds === 0 ? collectors : [...collectors, "probe"]
}

interface LinkRow {
  readonly link_id: string
  readonly a_device: string
  readonly a_interface: string
  readonly b_device: string
  readonly b_interface: string
  readonly capacity_bps: number | null
}
const linkOf = (row: LinkRow): Link => ({
  id: linkId(row.link_id),
  a: { device: deviceId(row.a_device), interface: row.a_interface },
  b: { device: deviceId(row.b_device), interface: row.b_interface },
  capacityBps: row.capacity_bps,
})

export const pairKey = (link: Pick<Link, "a" | "b">): string =>
  [link.a, link.b]
    .map((end) => `${end.device} ${end.interface}`)
    .toSorted()
    .join(" | ")

export const same = (a: object | undefined, b: object): boolean => a !== undefined && sortedJson(a) === sortedJson(b)

/** The same row twice in one statement is an error of PostgreSQL's: the last one counts. */
const lastById = <Row extends { readonly id: string }>(rows: readonly Row[]): readonly Row[] => [
  ...new Map(rows.map((row) => [row.id, row])).values(),
]

export const writeSites = async (tx: Tx, tenant: TenantId, rows: readonly Site[]): Promise<void> => {
  await tx.query(
    `insert into site (tenant_id, site_id, name, latitude, longitude, guessed)
     select $1::uuid, id, name, latitude, longitude, coalesce(guessed, false)
     from jsonb_to_recordset($2::jsonb) as r(id text, name text, latitude float8, longitude float8, guessed boolean)
     on conflict (tenant_id, site_id) do update
     set name = excluded.name, latitude = excluded.latitude, longitude = excluded.longitude, guessed = excluded.guessed`,
    [tenant, JSON.stringify(lastById(rows))],
  )
}

export const writeDevices = async (tx: Tx, tenant: TenantId, rows: readonly PlannedDevice[]): Promise<void> => {
  await tx.query(
    `insert into device (tenant_id, device_id, name, address, site_id, roles, poll_seconds, ping_seconds, probes)
     select $1::uuid, id, name, address, site, array(select jsonb_array_elements_text(roles)), "pollSeconds",
       "pingSeconds", probes
     from jsonb_to_recordset($2::jsonb)
       as r(id uuid, name text, address text, site text, roles jsonb, "pollSeconds" integer, "pingSeconds" integer,
         probes jsonb)
     on conflict (tenant_id, device_id) do update
     set name = excluded.name, address = excluded.address, site_id = excluded.site_id, roles = excluded.roles,
       poll_seconds = excluded.poll_seconds, ping_seconds = excluded.ping_seconds, probes = excluded.probes`,
    [tenant, JSON.stringify(lastById(rows))],
  )
}

export const writeCredentials = async (
  tx: Tx,
  tenant: TenantId,
  credentials: readonly SealedCredential[],
  key: TenantKey | null,
): Promise<void> => {
  if (credentials.length === 0 || key === null) return
  const last = new Map(credentials.map((it) => [`${it.device} ${it.kind}`, it]))
  const rows = [...last.values()].map((it) => ({ ...it, sealed: it.sealed.toString("hex") }))
  await tx.query(
    `insert into credential (tenant_id, device_id, kind, key_version, sealed)
     select $1::uuid, device, kind, $2::int, decode(sealed, 'hex')
     from jsonb_to_recordset($3::jsonb) as r(device uuid, kind text, sealed text)
     on conflict (tenant_id, device_id, kind) do update
     set key_version = excluded.key_version, sealed = excluded.sealed, pin = null`,
    [tenant, key.version, JSON.stringify(rows)],
  )
}

export const writeLinks = async (tx: Tx, tenant: TenantId, rows: readonly Link[]): Promise<void> => {
  await tx.query(
    `insert into link (tenant_id, link_id, a_device, a_interface, b_device, b_interface, capacity_bps)
     select $1::uuid, id, (a->>'device')::uuid, a->>'interface', (b->>'device')::uuid, b->>'interface', "capacityBps"
     from jsonb_to_recordset($2::jsonb) as r(id uuid, a jsonb, b jsonb, "capacityBps" float8)
     on conflict (tenant_id, link_id) do update
     set a_device = excluded.a_device, a_interface = excluded.a_interface, b_device = excluded.b_device,
       b_interface = excluded.b_interface, capacity_bps = excluded.capacity_bps`,
    [tenant, JSON.stringify(lastById(rows))],
  )
}
