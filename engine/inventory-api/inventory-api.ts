/**
 * The inventory as people and programs change it by REST: every edit goes the way of an import (one transaction with its
 * revision and its audit entry, then twin and fleet follow), and answers what is declared now.
 */
import * as Effect from "effect/Effect"
import { Unavailable } from "#engine/api/ports.ts"
import type { Actor } from "#engine/audit/act.ts"
import type { ImportDocument, ImportMode } from "#engine/import/document.ts"
import type { DeviceFields, SiteFields } from "#engine/inventory-api/check.ts"
import { putCredential, removeCredential } from "#engine/inventory-api/credentials.ts"
import {
  declaredDevice,
  deviceOf,
  seesSite,
  siteOf,
  type DeclaredDevice,
  type DeclaredLink,
  type Reach,
} from "#engine/inventory-api/declared.ts"
import { EditRefused, refused } from "#engine/inventory-api/edit-refused.ts"
import {
  createDevice,
  createLink,
  putSite,
  removeDevice,
  removeLink,
  removeSite,
  updateDevice,
  updateLink,
  type LinkFields,
} from "#engine/inventory-api/edits.ts"
import { exportDocument } from "#engine/inventory-api/export.ts"
import type { WrongAddress } from "#engine/net/reach.ts"
import { QuotaPassed, type Quotas } from "#engine/quota/quotas.ts"
import type { DbError, DbShape } from "#engine/storage/db.ts"
import { AddressRefused, type InventoryQuota, type Planned } from "#engine/storage/inventory-change.ts"
import { readConsistent, type Kind, type Stored } from "#engine/storage/inventory-rows.ts"
import { ImportRefused, planImport, type Imported } from "#engine/storage/inventory.ts"
import type { TenantKey } from "#engine/storage/vault.ts"
import type { ChangeInventory } from "#engine/tenant-services.ts"
import type { TenantId } from "#protocol/id.ts"
import type { Site } from "#protocol/inventory.ts"

/** Who changes, and how far they reach. */
export interface Editor extends Reach {
  readonly tenant: TenantId
  readonly by: Actor
}
export type EditError = EditRefused | QuotaPassed | Unavailable

export interface InventoryApi {
  readonly site: (who: Editor, id: string) => Effect.Effect<Site, EditError>
  readonly putSite: (
    who: Editor,
    id: string,
    fields: SiteFields,
    ifMatch: string | undefined,
  ) => Effect.Effect<Site, EditError>
  readonly removeSite: (who: Editor, id: string) => Effect.Effect<null, EditError>
  readonly device: (who: Editor, id: string) => Effect.Effect<DeclaredDevice, EditError>
  readonly createDevice: (who: Editor, fields: DeviceFields) => Effect.Effect<DeclaredDevice, EditError>
  readonly updateDevice: (
    who: Editor,
    id: string,
    fields: Partial<DeviceFields>,
    ifMatch: string | undefined,
  ) => Effect.Effect<DeclaredDevice, EditError>
  /** Its links go with it. */
  readonly removeDevice: (who: Editor, id: string) => Effect.Effect<null, EditError>
  readonly putCredential: (who: Editor, id: string, kind: Kind, given: unknown) => Effect.Effect<null, EditError>
  readonly removeCredential: (who: Editor, id: string, kind: Kind) => Effect.Effect<null, EditError>
  readonly createLink: (who: Editor, fields: LinkFields) => Effect.Effect<DeclaredLink, EditError>
  readonly updateLink: (
    who: Editor,
    id: string,
    capacityBps: number | null,
    ifMatch: string | undefined,
  ) => Effect.Effect<DeclaredLink, EditError>
  readonly removeLink: (who: Editor, id: string) => Effect.Effect<null, EditError>
  readonly import: (who: Editor, document: ImportDocument, mode: ImportMode) => Effect.Effect<Imported, EditError>
  readonly export: (who: Editor) => Effect.Effect<string, EditError>
  /** For edits that stand elsewhere (engine/topology): what is stored, consistent; and a plan on it, applied like any edit. */
  readonly read: <A>(who: Editor, pick: (stored: Stored) => A) => Effect.Effect<A, EditError>
  readonly edit: <A>(
    who: Editor,
    plan: (stored: Stored) => Planned<A> | Promise<Planned<A>>,
  ) => Effect.Effect<A, EditError>
  /** Which addresses a device of the tenant cannot have, and why. */
  readonly wrongAddress: (tenant: TenantId) => WrongAddress
  /** What an import by CSV may name without saying where it is. */
  readonly sites: (who: Editor) => Effect.Effect<ReadonlyMap<string, Site>, EditError>
}

export interface InventoryApiOptions {
  readonly db: DbShape
  /** Null while the tenant does not run here. */
  readonly changeOf: (tenant: TenantId) => ChangeInventory | null
  readonly wrongAddressOf: (tenant: TenantId) => WrongAddress
  readonly defaultPollSeconds: number
  /** Absent = nothing is limited. */
  readonly quotas?: Pick<Quotas, "refusal">
}

export const makeInventoryApi = (options: InventoryApiOptions): InventoryApi => {
  const read = <A>(who: Editor, pick: (stored: Stored) => A): Effect.Effect<A, EditError> =>
    options.db
      .tenant(who.tenant)<A, EditRefused>(async (tx) => pick(await readConsistent(tx, who.tenant)))
      .pipe(Effect.catchTag("DbError", away))
  const change = <A>(
    who: Editor,
    plan: (stored: Stored, key: () => Promise<TenantKey>) => Planned<A> | Promise<Planned<A>>,
    dryRun = false,
  ): Effect.Effect<A, EditError> => {
    const apply = options.changeOf(who.tenant)
    if (apply === null) return Effect.fail(new Unavailable({ detail: "the tenant is being restarted" }))
    const { quotas } = options
    const quota: InventoryQuota = (name, wanted) => quotas?.refusal(who.tenant, name, wanted) ?? null
    const changing = { by: who.by, dryRun, quota }
    return apply<A, EditRefused | ImportRefused>(changing, async (stored, key) => plan(stored, key)).pipe(
      Effect.map(({ answer }) => answer),
      Effect.mapError(asEditError),
    )
  }
  return {
    site: (who, id) => read(who, (stored) => siteOf(stored, who, id)),
    putSite: (who, id, fields, ifMatch) => change(who, putSite(who, id, fields, ifMatch)),
    removeSite: (who, id) => change(who, removeSite(who, id)),
    device: (who, id) => read(who, (stored) => declaredDevice(deviceOf(stored, who, id))),
    createDevice: (who, fields) => change(who, createDevice(who, fields)),
    updateDevice: (who, id, fields, ifMatch) => change(who, updateDevice(who, id, fields, ifMatch)),
    removeDevice: (who, id) => change(who, removeDevice(who, id)),
    putCredential: (who, id, kind, given) => change(who, putCredential(who, id, kind, given)),
    removeCredential: (who, id, kind) => change(who, removeCredential(who, id, kind)),
    createLink: (who, fields) => change(who, createLink(who, fields)),
    updateLink: (who, id, capacityBps, ifMatch) => change(who, updateLink(who, id, capacityBps, ifMatch)),
    removeLink: (who, id) => change(who, removeLink(who, id)),
    import: (who, document, mode) => {
      // A document speaks of the whole network, and `replace` of what it leaves out.
      if (who.sites !== null) return Effect.fail(refused("whoever sees some sites only cannot import documents"))
      const { defaultPollSeconds } = options
      const plan = planImport(document, { ...mode, defaultPollSeconds, mayCredentials: who.mayCredentials })
      return change(who, plan, mode.dryRun)
    },
    export: (who) => read(who, (stored) => exportDocument(stored, who)),
    read,
    edit: (who, plan) => change(who, plan),
    wrongAddress: options.wrongAddressOf,
    sites: (who) => read(who, (stored) => new Map([...stored.sites].filter(([id]) => seesSite(who, id)))),
  }
}

const away = ({ message }: DbError): Effect.Effect<never, Unavailable> =>
  Effect.fail(new Unavailable({ detail: message.split("\n")[0] ?? "the database did not answer" }))

/** What the caller can do something about, as it is; the rest is of the engine and told as being away. */
const asEditError = (
  error: EditRefused | AddressRefused | ImportRefused | QuotaPassed | { readonly message: string },
): EditError => {
  if (error instanceof EditRefused || error instanceof QuotaPassed) return error
  if (error instanceof ImportRefused || error instanceof AddressRefused) return refused(error.message)
  return new Unavailable({ detail: error.message.split("\n")[0] ?? "it could not be stored" })
}
