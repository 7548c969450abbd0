/**
 * The declared inventory in the database: imported as documents, read whole by the twin, and, with the credentials
 * opened, by the collectors. An import merges: what the document names is added or updated, nothing is removed unless the
 * caller asks to replace. A device is recognised by its name, a link by its unordered pair of interfaces, a site by its id.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type { Actor } from "#engine/audit/act.ts"
import type { Target } from "#engine/collectors/target.ts"
import type {
  Change,
  ImportDevice,
  ImportDocument,
  ImportLink,
  ImportReport,
  ImportSite,
} from "#engine/import/document.ts"
import type { WrongAddress } from "#engine/net/reach.ts"
import type { QuotaPassed } from "#engine/quota/quotas.ts"
import { sortedJson } from "#engine/sorted-json.ts"
import type { DbError, DbShape } from "#engine/storage/db.ts"
import {
  changeInventory,
  NOTHING_REMOVED,
  type AddressRefused,
  type Planned,
} from "#engine/storage/inventory-change.ts"
import { takeOutMissing } from "#engine/storage/inventory-removal.ts"
import {
  inventoryOf,
  KINDS,
  pairKey,
  readConsistent,
  same,
  sourcesOf,
  type Kind,
  type PlannedDevice,
  type Probing,
  type SealedCredential,
  type Stored,
  type StoredDevice,
} from "#engine/storage/inventory-rows.ts"
import { makeTargetOpener, type TargetOpener } from "#engine/storage/targets.ts"
import { pgText } from "#engine/storage/pg-text.ts"
import { planStructure, type StructurePlan } from "#engine/topology/structure-import.ts"
import { StructureWrong } from "#engine/topology/structure-check.ts"
import { uuidv7 } from "#engine/storage/uuidv7.ts"
import type { MasterKeyUnusable, TenantKey, Vault, VaultRefused } from "#engine/storage/vault.ts"
import { deviceId, linkId, siteId, type TenantId } from "#protocol/id.ts"
import type { Device, Inventory, Link, Site } from "#protocol/inventory.ts"

/** The document contradicts what is stored: it names a site or device that neither of them has. */
export class ImportRefused extends Data.TaggedError("ImportRefused")<{ readonly message: string }> {}

export interface ImportOptions {
  /** For devices whose document says nothing. */
  readonly defaultPollSeconds: number
  /** Says what would change and changes nothing. */
  readonly dryRun?: boolean
  /** Removes what the document does not name. */
  readonly replace?: boolean
  /** False for somebody without credentials.manage. */
  readonly mayCredentials?: boolean
  /** Absent = any. */
  readonly wrongAddress?: WrongAddress
}

export interface StoredInventory {
  /** 0 = nothing was ever imported. */
  readonly rev: number
  readonly inventory: Inventory
}

export interface Imported {
  readonly report: ImportReport
  readonly preview: ImportPreview
}
/** Names of what an import adds, updates and removes: devices by name, sites by id, links by their ends. */
export interface ImportPreview {
  readonly added: readonly string[]
  readonly updated: readonly string[]
  readonly removed: readonly string[]
}
export const PREVIEW_MAX = 200

/** `heliograph import` on the machine itself. */
export const LOCAL_IMPORT: Actor = { kind: "local", id: "", name: "heliograph import", source: null }

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
): Effect.Effect<
  ImportReport,
  ImportRefused | AddressRefused | QuotaPassed | VaultRefused | MasterKeyUnusable | DbError
> =>
  Effect.map(
    changeInventory<Imported, ImportRefused>(
      db,
      vault,
      tenant,
      {
        by: LOCAL_IMPORT,
        ...(options.dryRun === undefined ? {} : { dryRun: options.dryRun }),
        ...(options.wrongAddress === undefined ? {} : { wrongAddress: options.wrongAddress }),
      },
      planImport(document, options),
    ),
    ({ answer }) => answer.report,
  )

/** The plan of a document, for changeInventory. Throws ImportRefused. */
export const planImport =
  (document: ImportDocument, options: ImportOptions) =>
  async (stored: Stored, keyOf: () => Promise<TenantKey>): Promise<Planned<Imported>> => {
    const before = new Map([...stored.devices.values()].map((it) => [it.device.id as string, it]))
    const linksBefore = new Map([...stored.links.values()].map((it) => [it.id as string, it]))
    const rev0 = stored.rev
    const removed = options.replace === true ? takeOutMissing(stored, document) : NOTHING_REMOVED
    const key = document.devices.some((it) => it.snmp !== null || it.routeros !== null) ? await keyOf() : null
    const sites = planSites(stored, document.sites)
    const { devices, links, credentials } = planRest(stored, document, options, key)
    const structure = structureFor(stored, document, options.replace === true)
    if (options.mayCredentials === false) refuseCredentials(document, devices.rows, before)
    const withRemoved = (change: Change, ids: readonly string[]): Change => ({ ...change, removed: ids.length })
    const report = (rev: number): ImportReport => ({
      rev,
      sites: withRemoved(sites.change, removed.sites),
      devices: withRemoved(devices.change, removed.devices),
      links: withRemoved(links.change, removed.links),
      ...(structure.change === undefined ? {} : { structure: structure.change }),
    })
    const nameOf = (id: string): string => before.get(id)?.name ?? devices.rows.find((row) => row.id === id)?.name ?? id
    const linkName = (link: Link): string =>
      `${nameOf(link.a.device)} ${link.a.interface} - ${nameOf(link.b.device)} ${link.b.interface}`
    const pick = (kind: "added" | "updated"): readonly string[] =>
      [
        ...sites.named(kind, (site) => `site ${site.id}`),
        ...devices.named(kind, (device) => device.name),
        ...links.named(kind, linkName),
        ...structure.named[kind],
      ].slice(0, PREVIEW_MAX)
    const preview: ImportPreview = {
      added: pick("added"),
      updated: pick("updated"),
      removed: [
        ...removed.devices.map(nameOf),
        ...removed.links.flatMap((id) => linksBefore.get(id) ?? []).map(linkName),
        ...removed.sites.map((id) => `site ${id}`),
        ...structure.named.removed,
      ].slice(0, PREVIEW_MAX),
    }
    return {
      edit: {
        sites: sites.rows,
        devices: devices.rows,
        links: links.rows,
        credentials,
        removed,
        removedCredentials: [],
        structure: structure.rows,
        removedStructure: structure.removed,
      },
      report,
      answer: (rev) => ({ report: report(rev), preview }),
      act: (rev) => ({
        action: "inventory.import",
        object: { kind: "inventory", id: String(rev), name: "import" },
        before: { rev: rev0 },
        after: { ...report(rev), preview },
      }),
    }
  }

const structureFor = (stored: Stored, document: ImportDocument, replace: boolean): StructurePlan => {
  try {
    return planStructure(stored, document, replace)
  } catch (cause) {
    throw cause instanceof StructureWrong ? new ImportRefused({ message: cause.message }) : cause
  }
}

/**
 * Whoever may not manage credentials neither sets them nor leads them elsewhere: a device that changes its address would
 * be sent its community or password at the new one.
 */
const refuseCredentials = (
  document: ImportDocument,
  rows: readonly PlannedDevice[],
  before: ReadonlyMap<string, StoredDevice>,
): void => {
  const given = document.devices.find((it) => it.snmp !== null || it.routeros !== null)
  if (given !== undefined)
    throw new ImportRefused({
      message: `device ${given.name}: setting credentials needs the permission credentials.manage`,
    })
  const led = rows.find((row) => leadsCredentials(before.get(row.id), row.address))
  if (led !== undefined)
    throw new ImportRefused({
      message: `device ${led.name} has credentials: changing its address needs the permission credentials.manage`,
    })
}
/** True when this address would make the stored credentials go somewhere else. */
export const leadsCredentials = (old: StoredDevice | undefined, address: string): boolean =>
  old !== undefined && old.sealed.size > 0 && old.device.address !== address

/** The whole inventory at its newest revision. */
export const loadInventory = (db: DbShape, tenant: TenantId): Effect.Effect<StoredInventory, DbError> =>
  db.tenant(tenant)(async (tx) => {
    const stored = await readConsistent(tx, tenant)
    return { rev: stored.rev, inventory: inventoryOf(stored) }
  })

/** Every device with its credentials opened, by name. What cannot be opened is told to `onRefused` and left null. */
export const loadTargets = (
  db: DbShape,
  vault: Vault,
  tenant: TenantId,
  onRefused: (refused: VaultRefused) => void,
  opener: TargetOpener = makeTargetOpener(),
): Effect.Effect<readonly Target[], MasterKeyUnusable | VaultRefused | DbError> =>
  db.tenant(tenant)<readonly Target[], MasterKeyUnusable | VaultRefused>(async (tx) => {
    const stored = await readConsistent(tx, tenant)
    const key = opener.needsKey(stored) ? await vault.tenantKey(tx, tenant) : null
    return opener.targets(stored, key, onRefused)
  })

// --- what an import changes

interface Plan<Row> {
  readonly rows: readonly Row[]
  readonly change: Change
  readonly named: (kind: "added" | "updated", name: (row: Row) => string) => readonly string[]
}

const planSites = (stored: Stored, documents: readonly ImportSite[]): Plan<Site> =>
  planRows(documents, (it) => {
    const { latitude, longitude } = it
    const guess = it.guessed === true ? ({ guessed: true } as const) : {}
    const site = { id: siteId(pgText(it.id, 200)), name: pgText(it.name, 200), latitude, longitude, ...guess }
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
    const plaintext = sortedJson(credential)
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
  const kinds: string[] = []
  for (const document of documents) {
    const { kind, row } = plan(document)
    change[kind]++
    if (kind === "unchanged") continue
    rows.push(row)
    kinds.push(kind)
  }
  return {
    rows,
    change,
    named: (kind, name) =>
      rows
        .filter((_, index) => kinds[index] === kind)
        .slice(0, PREVIEW_MAX)
        .map(name),
  }
}
