/**
 * The declared inventory in the database: imported as documents, read whole by the twin, and, with the credentials
 * opened, by the collectors. An import merges: what the document names is added or updated, nothing is removed unless the
 * caller asks to replace. A device is recognised by its name, a link by its unordered pair of interfaces, a site by its id.
 */
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type { RouterOsCredential, SnmpCredential, Target } from "#engine/collectors/target.ts"
import type {
  Change,
  ImportDevice,
  ImportDocument,
  ImportLink,
  ImportReport,
  ImportSite,
} from "#engine/import/document.ts"
import { deviceId, linkId, siteId, type TenantId } from "#protocol/id.ts"
import type { Device, Inventory, Link, Site } from "#protocol/inventory.ts"
import type { Role } from "#protocol/role.ts"
import type { DbError, DbShape, Tx } from "#engine/storage/db.ts"
import { removeRows, takeOutMissing, type Removed } from "#engine/storage/inventory-removal.ts"
import { pingPlan, type ServiceProbe } from "#engine/probes/plan.ts"
import { pgText } from "#engine/storage/pg-text.ts"
import { uuidv7 } from "#engine/storage/uuidv7.ts"
import { MasterKeyUnusable, VaultRefused, type TenantKey, type Vault } from "#engine/storage/vault.ts"

/** The document contradicts what is stored: it names a site or device that neither of them has. */
export class ImportRefused extends Data.TaggedError("ImportRefused")<{ readonly message: string }> {}

export interface ImportOptions {
  /** For devices whose document says nothing. */
  readonly defaultPollSeconds: number
  /** Says what would change and changes nothing. */
  readonly dryRun?: boolean
  /** Removes what the document does not name. */
  readonly replace?: boolean
}

export interface StoredInventory {
  /** 0 = nothing was ever imported. */
  readonly rev: number
  readonly inventory: Inventory
}

const NOTHING_REMOVED: Removed = { sites: [], devices: [], links: [] }
const KINDS = ["snmp", "routeros"] as const
type Kind = (typeof KINDS)[number]

/**
 * One transaction; imports of one tenant take turns. The revision grows by one exactly when something changed, be it only
 * a credential. A device without credentials in the document keeps the ones it has.
 */
export const importInventory = (
  db: DbShape,
  vault: Vault,
  tenant: TenantId,
  document: ImportDocument,
  options: ImportOptions,
): Effect.Effect<ImportReport, ImportRefused | VaultRefused | MasterKeyUnusable | DbError> =>
  db.tenant(tenant)<ImportReport, ImportRefused | VaultRefused | MasterKeyUnusable>(async (tx) => {
    await tx.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [tenant])
    const stored = await readStored(tx, tenant)
    const removed = options.replace === true ? takeOutMissing(stored, document) : NOTHING_REMOVED
    const key = document.devices.some((it) => it.snmp !== null || it.routeros !== null)
      ? await vault.tenantKey(tx, tenant)
      : null
    const plan = { sites: planSites(stored, document.sites), ...planRest(stored, document, options, key) }
    const touched = [plan.sites.rows, plan.devices.rows, plan.links.rows, removed.sites, removed.devices, removed.links]
    const changed = touched.some((rows) => rows.length > 0)
    const rev = stored.rev + (changed ? 1 : 0)
    const withRemoved = (change: Change, ids: readonly string[]): Change => ({ ...change, removed: ids.length })
    const report = {
      rev,
      sites: withRemoved(plan.sites.change, removed.sites),
      devices: withRemoved(plan.devices.change, removed.devices),
      links: withRemoved(plan.links.change, removed.links),
    }
    if (options.dryRun === true || !changed) return report
    await removeRows(tx, tenant, removed)
    await writeSites(tx, tenant, plan.sites.rows)
    await writeDevices(tx, tenant, plan.devices.rows)
    await writeCredentials(tx, tenant, plan.credentials, key)
    await writeLinks(tx, tenant, plan.links.rows)
    await tx.query("insert into inventory_revision (tenant_id, rev, at_ms, report) values ($1, $2, $3, $4)", [
      tenant,
      rev,
      Date.now(),
      JSON.stringify(report),
    ])
    return report
  })

/** The whole inventory at its newest revision, sorted as protocol/inventory.ts says. */
export const loadInventory = (db: DbShape, tenant: TenantId): Effect.Effect<StoredInventory, DbError> =>
  db.tenant(tenant)(async (tx) => {
    const stored = await readConsistent(tx, tenant)
    return {
      rev: stored.rev,
      inventory: {
        sites: sortedBy([...stored.sites.values()], (it) => it.id),
        devices: sortedBy([...stored.devices.values()], (it) => it.name).map(({ device }) => device),
        links: sortedBy([...stored.links.values()], (it) => it.id),
      },
    }
  })

/** Every device with its credentials opened, by name. What cannot be opened is told to `onRefused` and left null. */
export const loadTargets = (
  db: DbShape,
  vault: Vault,
  tenant: TenantId,
  onRefused: (refused: VaultRefused) => void,
): Effect.Effect<readonly Target[], MasterKeyUnusable | VaultRefused | DbError> =>
  db.tenant(tenant)<readonly Target[], MasterKeyUnusable | VaultRefused>(async (tx) => {
    const stored = await readConsistent(tx, tenant)
    const sealed = [...stored.devices.values()].some((it) => it.sealed.size > 0)
    const key = sealed ? await vault.tenantKey(tx, tenant) : null
    const open = <Credential>(it: StoredDevice, kind: Kind): Credential | null => {
      const blob = it.sealed.get(kind)
      if (blob === undefined || key === null) return null
      try {
        return JSON.parse(key.open(it.device.id, kind, blob)) as Credential
      } catch (error) {
        if (!(error instanceof VaultRefused)) throw error
        onRefused(error)
        return null
      }
    }
    return sortedBy([...stored.devices.values()], (it) => it.name).map((it) => ({
      device: it.device.id,
      name: it.device.name,
      address: it.device.address,
      pollSeconds: it.device.pollSeconds,
      snmp: open<SnmpCredential>(it, "snmp"),
      routeros: pinned(open<RouterOsCredential>(it, "routeros"), it.pin),
      ping: pingPlan(it.probing.pingSeconds, it.device.roles),
      probes: it.probing.probes,
    }))
  })

/** What the operator pinned counts; else what was seen first. */
const pinned = (credential: RouterOsCredential | null, pin: string | null): RouterOsCredential | null =>
  credential === null || pin === null || credential.fingerprint !== undefined || !credential.tls
    ? credential
    : { ...credential, fingerprint: pin }

// --- what is stored

interface StoredDevice {
  readonly name: string
  readonly device: Device
  readonly sealed: ReadonlyMap<Kind, Buffer>
  /** Of the router's API certificate, as seen first; null = none. */
  readonly pin: string | null
  readonly probing: Probing
}
/** How a device is probed; of it the inventory shows only whether it is pinged. */
interface Probing {
  /** 0 = never, null = by role. */
  readonly pingSeconds: number | null
  readonly probes: readonly ServiceProbe[]
}
interface Stored {
  readonly rev: number
  readonly sites: Map<string, Site>
  /** By name. */
  readonly devices: Map<string, StoredDevice>
  /** By pairKey. */
  readonly links: Map<string, Link>
}

/** No import may commit between our statements. */
const readConsistent = async (tx: Tx, tenant: TenantId): Promise<Stored> => {
  await tx.query("select pg_advisory_xact_lock_shared(hashtextextended($1, 0))", [tenant])
  return readStored(tx, tenant)
}

const readStored = async (tx: Tx, tenant: TenantId): Promise<Stored> => {
  const revs = await tx.query<{ rev: number | null }>(
    "select max(rev)::float8 as rev from inventory_revision where tenant_id = $1",
    [tenant],
  )
  const sites = await tx.query<{ site_id: string; name: string; latitude: number; longitude: number }>(
    "select site_id, name, latitude, longitude from site where tenant_id = $1",
    [tenant],
  )
  const devices = await tx.query<DeviceRow>(
    `select d.device_id, d.name, d.address, d.site_id, d.roles, d.poll_seconds, d.ping_seconds, d.probes,
       s.sealed as snmp, r.sealed as routeros, r.pin
     from device d
     left join credential s on s.tenant_id = d.tenant_id and s.device_id = d.device_id and s.kind = 'snmp'
     left join credential r on r.tenant_id = d.tenant_id and r.device_id = d.device_id and r.kind = 'routeros'
     where d.tenant_id = $1`,
    [tenant],
  )
  const links = await tx.query<LinkRow>(
    "select link_id, a_device, a_interface, b_device, b_interface, capacity_bps from link where tenant_id = $1",
    [tenant],
  )
  return {
    rev: revs.rows[0]?.rev ?? 0,
    sites: new Map(sites.rows.map(({ site_id, ...rest }) => [site_id, { id: siteId(site_id), ...rest }])),
    devices: new Map(devices.rows.map((row) => [row.name, deviceOf(row)])),
    links: new Map(links.rows.map(linkOf).map((link) => [pairKey(link), link])),
  }
}

interface DeviceRow {
  readonly device_id: string
  readonly name: string
  readonly address: string
  readonly site_id: string
  readonly roles: readonly string[]
  readonly poll_seconds: number
  readonly ping_seconds: number | null
  readonly probes: readonly ServiceProbe[]
  readonly snmp: Buffer | null
  readonly routeros: Buffer | null
  /** engine/storage/pins.ts */
  readonly pin: string | null
}
const deviceOf = (row: DeviceRow): StoredDevice => {
  const sealed = new Map<Kind, Buffer>()
  for (const kind of KINDS) {
    const blob = row[kind]
    if (blob !== null) sealed.set(kind, blob)
  }
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
    pin: row.pin,
    probing: { pingSeconds: row.ping_seconds, probes: row.probes },
  }
}

const sourcesOf = (sealed: ReadonlyMap<Kind, Buffer>, pingSeconds: number | null): Device["sources"] => {
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

// --- what an import changes

interface Plan<Row> {
  readonly rows: readonly Row[]
  readonly change: Change
}
interface SealedCredential {
  readonly device: string
  readonly kind: Kind
  readonly sealed: Buffer
}

const planSites = (stored: Stored, documents: readonly ImportSite[]): Plan<Site> =>
  planRows(documents, (it) => {
    const site = { ...it, id: siteId(pgText(it.id, 200)), name: pgText(it.name, 200) }
    const old = stored.sites.get(site.id)
    stored.sites.set(site.id, site)
    return outcome(old, site, same(old, site))
  })

const planRest = (
  stored: Stored,
  document: ImportDocument,
  options: ImportOptions,
  key: TenantKey | null,
): { devices: Plan<PlannedDevice>; links: Plan<Link>; credentials: readonly SealedCredential[] } => {
  const credentials: SealedCredential[] = []
  const devices = planRows(document.devices, (it) => planDevice(stored, it, options, key, credentials))
  return { devices, credentials, links: planRows(document.links, (it) => planLink(stored, it)) }
}

const planDevice = (
  stored: Stored,
  document: ImportDevice,
  options: ImportOptions,
  key: TenantKey | null,
  credentials: SealedCredential[],
): Outcome<PlannedDevice> => {
  const name = pgText(document.name, 200)
  const site = siteId(pgText(document.site, 200))
  if (!stored.sites.has(site)) throw new ImportRefused({ message: `device ${name}: there is no site ${site}` })
  const old = stored.devices.get(name)
  const id = old?.device.id ?? deviceId(uuidv7())
  const sealed = new Map(old?.sealed)
  const resealed = KINDS.filter((kind) => {
    const credential = document[kind]
    if (credential === null || key === null) return false
    const plaintext = canonical(credential)
    if (opens(key, id, kind, sealed.get(kind), plaintext)) return false
    sealed.set(kind, key.seal(id, kind, plaintext))
    credentials.push({ device: id, kind, sealed: sealed.get(kind)! })
    return true
  })
  const probing: Probing = { pingSeconds: document.pingSeconds ?? null, probes: document.probes ?? [] }
  const device: Device = {
    id,
    name,
    address: pgText(document.address, 64),
    site,
    roles: document.roles,
    pollSeconds: document.pollSeconds ?? options.defaultPollSeconds,
    sources: sourcesOf(sealed, probing.pingSeconds),
  }
  stored.devices.set(name, {
    name,
    device,
    sealed,
    pin: resealed.includes("routeros") ? null : (old?.pin ?? null),
    probing,
  })
  const isSame = resealed.length === 0 && same(old?.device, device) && same(old?.probing, probing)
  return outcome(old, { ...device, ...probing }, isSame)
}

type PlannedDevice = Device & Probing

/** A credential that no longer opens counts as changed: importing it again is how it is mended. */
const opens = (key: TenantKey, device: string, kind: Kind, sealed: Buffer | undefined, plaintext: string): boolean => {
  if (sealed === undefined) return false
  try {
    return key.open(device, kind, sealed) === plaintext
  } catch {
    return false
  }
}

const planLink = (stored: Stored, document: ImportLink): Outcome<Link> => {
  const end = (side: "a" | "b"): Link["a"] => {
    const name = pgText(document[side].device, 200)
    const device = stored.devices.get(name)
    if (device === undefined) {
      throw new ImportRefused({ message: `link ${name} ${document[side].interface}: there is no device ${name}` })
    }
    return { device: device.device.id, interface: pgText(document[side].interface, 200) }
  }
  const fresh: Link = { id: linkId(uuidv7()), a: end("a"), b: end("b"), capacityBps: document.capacityBps }
  const old = stored.links.get(pairKey(fresh))
  // The stored direction stays: utilisation A to B must not change its meaning because a file names the ends reversed.
  const link = old === undefined ? fresh : { ...old, capacityBps: fresh.capacityBps }
  stored.links.set(pairKey(link), link)
  return outcome(old, link, same(old, link))
}

interface Outcome<Row> {
  readonly kind: "added" | "updated" | "unchanged"
  readonly row: Row
}
const outcome = <Row>(old: unknown, row: Row, isSame: boolean): Outcome<Row> => ({
  kind: old === undefined ? "added" : isSame ? "unchanged" : "updated",
  row,
})

const planRows = <Document, Row>(documents: readonly Document[], plan: (it: Document) => Outcome<Row>): Plan<Row> => {
  const change = { added: 0, updated: 0, unchanged: 0, removed: 0 }
  const rows: Row[] = []
  for (const document of documents) {
    const { kind, row } = plan(document)
    change[kind]++
    if (kind !== "unchanged") rows.push(row)
  }
  return { rows, change }
}

const pairKey = (link: Pick<Link, "a" | "b">): string =>
  [link.a, link.b]
    .map((end) => `${end.device} ${end.interface}`)
    .toSorted()
    .join(" | ")

const same = (a: object | undefined, b: object): boolean => a !== undefined && canonical(a) === canonical(b)

/** Equal objects, equal text: keys in order. */
const canonical = (value: object): string =>
  JSON.stringify(value, (_, it: unknown) =>
    it !== null && typeof it === "object" && !Array.isArray(it)
      ? Object.fromEntries(Object.entries(it).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : it,
  )

const sortedBy = <T>(items: T[], key: (item: T) => string): readonly T[] =>
  items.toSorted((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0))

// --- writing: one statement per table

/** The same row twice in one statement is an error of PostgreSQL's: the last one counts. */
const lastById = <Row extends { readonly id: string }>(rows: readonly Row[]): readonly Row[] => [
  ...new Map(rows.map((row) => [row.id, row])).values(),
]

const writeSites = async (tx: Tx, tenant: TenantId, rows: readonly Site[]): Promise<void> => {
  await tx.query(
    `insert into site (tenant_id, site_id, name, latitude, longitude)
     select $1::uuid, id, name, latitude, longitude
     from jsonb_to_recordset($2::jsonb) as r(id text, name text, latitude float8, longitude float8)
     on conflict (tenant_id, site_id) do update
     set name = excluded.name, latitude = excluded.latitude, longitude = excluded.longitude`,
    [tenant, JSON.stringify(lastById(rows))],
  )
}

const writeDevices = async (tx: Tx, tenant: TenantId, rows: readonly PlannedDevice[]): Promise<void> => {
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

const writeCredentials = async (
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

const writeLinks = async (tx: Tx, tenant: TenantId, rows: readonly Link[]): Promise<void> => {
  await tx.query(
    `insert into link (tenant_id, link_id, a_device, a_interface, b_device, b_interface, capacity_bps)
     select $1::uuid, id, (a->>'device')::uuid, a->>'interface', (b->>'device')::uuid, b->>'interface', "capacityBps"
     from jsonb_to_recordset($2::jsonb) as r(id uuid, a jsonb, b jsonb, "capacityBps" float8)
     on conflict (tenant_id, link_id) do update set capacity_bps = excluded.capacity_bps`,
    [tenant, JSON.stringify(lastById(rows))],
  )
}
