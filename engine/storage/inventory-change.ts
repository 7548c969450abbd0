/**
 * One change of the declared inventory, be it a whole document or one device by REST: planned on what is stored, written
 * with the next revision and its audit entry in one transaction. Changes of one tenant take turns, so that a plan is
 * never made on what another one is about to replace.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { recordAct, type Act, type Actor } from "#engine/audit/act.ts"
import type { WrongAddress } from "#engine/net/reach.ts"
import { pingPlan } from "#engine/probes/plan.ts"
import type { QuotaPassed } from "#engine/quota/quotas.ts"
import type { DbError, DbShape, Tx } from "#engine/storage/db.ts"
import { removeRows, type Removed } from "#engine/storage/inventory-removal.ts"
import {
  readStored,
  writeCredentials,
  writeDevices,
  writeLinks,
  writeSites,
  type Kind,
  type PlannedDevice,
  type SealedCredential,
  type Stored,
} from "#engine/storage/inventory-rows.ts"
import {
  removeStructure,
  writeStructure,
  type StructureName,
  type StructureRow,
} from "#engine/storage/structure-rows.ts"
import type { TenantKey, Vault, MasterKeyUnusable, VaultRefused } from "#engine/storage/vault.ts"
import type { TenantId } from "#protocol/id.ts"
import type { Link, Site } from "#protocol/inventory.ts"

export const NOTHING_REMOVED: Removed = { sites: [], devices: [], links: [] }

/** Rows to write and to remove; a row that is as it was is left out. */
export interface Edit {
  readonly sites: readonly Site[]
  readonly devices: readonly PlannedDevice[]
  readonly links: readonly Link[]
  readonly credentials: readonly SealedCredential[]
  readonly removed: Removed
  readonly removedCredentials: ReadonlyArray<{ readonly device: string; readonly kind: Kind }>
  readonly structure: readonly StructureRow[]
  readonly removedStructure: readonly StructureName[]
}
export const NO_EDIT: Edit = {
  sites: [],
  devices: [],
  links: [],
  credentials: [],
  removed: NOTHING_REMOVED,
  removedCredentials: [],
  structure: [],
  removedStructure: [],
}

/** What a planner made of the stored inventory. Its maps are left as they are to be after the change. */
export interface Planned<A> {
  readonly edit: Edit
  /** For the audit; without any secret. Not asked when nothing changes. */
  readonly act: (rev: number) => Act
  /** Kept with the revision. */
  readonly report: (rev: number) => object
  readonly answer: (rev: number) => A
  /** Written in the same transaction, also when the inventory stays as it is; not for a dry run. */
  readonly beside?: (tx: Tx) => Promise<void>
}

export interface Changing {
  readonly by: Actor
  /** Plans and writes nothing. */
  readonly dryRun?: boolean
  readonly quota?: InventoryQuota
  /** Asked for addresses that are new; what was declared before it was asked for may stay. */
  readonly wrongAddress?: WrongAddress
}

/** A device was to get an address where nothing would ever be polled. */
export class AddressRefused extends Data.TaggedError("AddressRefused")<{ readonly message: string }> {}

/** Null = there may be `wanted` of them in all; else what the change fails with. Asked only for what grows. */
export type InventoryQuota = (
  name: "max_devices" | "max_links" | "max_probe_targets",
  wanted: number,
) => QuotaPassed | null

export interface Changed<A> {
  readonly answer: A
  readonly rev: number
  /** What stands there now; null when everything was as wanted already, or for a dry run. */
  readonly stored: Stored | null
}

/** `plan` throws tagged errors of its own, which come out as E. `key` makes the tenant's data key. */
export const changeInventory = <A, E = never>(
  db: DbShape,
  vault: Vault,
  tenant: TenantId,
  changing: Changing,
  plan: (stored: Stored, key: () => Promise<TenantKey>) => Promise<Planned<A>>,
): Effect.Effect<Changed<A>, E | AddressRefused | QuotaPassed | VaultRefused | MasterKeyUnusable | DbError> =>
  db.tenant(tenant)<Changed<A>, E | AddressRefused | QuotaPassed | VaultRefused | MasterKeyUnusable>(async (tx) => {
    await tx.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [tenant])
    const stored = await readStored(tx, tenant)
    const before = { devices: stored.devices.size, links: stored.links.size, targets: probeTargets(stored) }
    const addresses = new Map([...stored.devices.values()].map(({ device }) => [device.id, device.address]))
    let key: Promise<TenantKey> | undefined
    const planned = await plan(stored, () => (key ??= vault.tenantKey(tx, tenant)))
    refuseAddresses(planned.edit.devices, addresses, changing.wrongAddress)
    const tooMany =
      (stored.devices.size > before.devices ? changing.quota?.("max_devices", stored.devices.size) : null) ??
      (stored.links.size > before.links ? changing.quota?.("max_links", stored.links.size) : null) ??
      (probeTargets(stored) > before.targets ? changing.quota?.("max_probe_targets", probeTargets(stored)) : null)
    if (tooMany !== null && tooMany !== undefined) throw tooMany
    const changes = isChange(planned.edit)
    const rev = stored.rev + (changes ? 1 : 0)
    const answer = planned.answer(rev)
    if (changing.dryRun === true) return { answer, rev, stored: null }
    await planned.beside?.(tx)
    if (!changes) {
      // What was decided stands in the audit also when it changed nothing here.
      if (planned.beside !== undefined) await recordAct(tx, tenant, changing.by, planned.act(rev))
      return { answer, rev, stored: null }
    }
    await write(tx, tenant, planned.edit, key === undefined ? null : await key)
    await tx.query("insert into inventory_revision (tenant_id, rev, at_ms, report) values ($1, $2, $3, $4)", [
      tenant,
      rev,
      Date.now(),
      JSON.stringify(planned.report(rev)),
    ])
    await recordAct(tx, tenant, changing.by, planned.act(rev))
    return { answer, rev, stored: { ...stored, rev } }
  })

const refuseAddresses = (
  rows: readonly PlannedDevice[],
  before: ReadonlyMap<string, string>,
  wrong: WrongAddress = () => null,
): void => {
  const mistakes = rows.flatMap(({ id, name, address }) => {
    const why = before.get(id) === address ? null : wrong(address)
    return why === null ? [] : [`device ${name}: address: ${why}`]
  })
  if (mistakes.length === 0) return
  const more = mistakes.length > ADDRESSES_SHOWN ? `; and ${mistakes.length - ADDRESSES_SHOWN} more` : ""
  throw new AddressRefused({ message: mistakes.slice(0, ADDRESSES_SHOWN).join("; ") + more })
}
const ADDRESSES_SHOWN = 5

/** Devices that are pinged, and probes of services. */
const probeTargets = ({ devices }: Stored): number => {
  let targets = 0
  for (const { device, probing } of devices.values())
    targets += probing.probes.length + (pingPlan(probing.pingSeconds, device.roles) === null ? 0 : 1)
  return targets
}

const isChange = ({ removed, ...edit }: Edit): boolean =>
  [...Object.values(edit), ...Object.values(removed)].some((rows: readonly unknown[]) => rows.length > 0)

const write = async (tx: Tx, tenant: TenantId, edit: Edit, key: TenantKey | null): Promise<void> => {
  await removeRows(tx, tenant, edit.removed)
  for (const { device, kind } of edit.removedCredentials)
    await tx.query("delete from credential where tenant_id = $1 and device_id = $2 and kind = $3", [
      tenant,
      device,
      kind,
    ])
  if (edit.sites.length > 0) await writeSites(tx, tenant, edit.sites)
  if (edit.devices.length > 0) await writeDevices(tx, tenant, edit.devices)
  await writeCredentials(tx, tenant, edit.credentials, key)
  if (edit.links.length > 0) await writeLinks(tx, tenant, edit.links)
  if (edit.removedStructure.length > 0) await removeStructure(tx, tenant, edit.removedStructure)
  if (edit.structure.length > 0) await writeStructure(tx, tenant, edit.structure)
}
