/**
 * New keys while everything goes on. A new master key rewraps the data keys, one short transaction a tenant; a new data
 * key seals a tenant's secrets anew in batches, and both versions open until the last one is done. Every step is a whole
 * by itself: whoever is killed in the middle leaves two readable keys, and the same command again goes on from there.
 */
import * as Effect from "effect/Effect"
import type { TenantId } from "#protocol/id.ts"
import { recordAct, type Actor } from "#engine/audit/act.ts"
import type { DbError, DbShape, Tx } from "#engine/storage/db.ts"
import { addMasterKey, type MasterKey, type MasterKeys, type MasterKeyUnusable } from "#engine/storage/master-keys.ts"
import { SEALED_COLUMNS, type SealedColumn } from "#engine/storage/sealed-columns.ts"
import { sealedPrefix, unwrap, VaultRefused } from "#engine/storage/seal.ts"
import { addDataKey, rewrap, wrapAad, type KeyRow, type Vault } from "#engine/storage/vault.ts"

/** Secrets sealed anew in one transaction: some milliseconds, so that nobody waits for a lock. */
export const BATCH = 500

/** Puts a new key on top of the ring and rewraps all data keys. Its id, and how many data keys it took over. */
export const rotateMaster = (
  db: DbShape,
  keys: MasterKeys,
  tenants: readonly TenantId[],
  by: Actor,
): Effect.Effect<{ readonly id: string; readonly rewrapped: number }, MasterKeyUnusable | VaultRefused | DbError> =>
  Effect.gen(function* () {
    const id = yield* Effect.try({ try: () => addMasterKey(keys.file), catch: (cause) => cause as MasterKeyUnusable })
    return { id, rewrapped: yield* rewrapEach(db, keys, tenants, by, true) }
  })

/** Every data key that another master key than the first wraps, and that can be opened, is wrapped by the first; on record in each tenant that it touched. */
export const rewrapAll = (
  db: DbShape,
  keys: MasterKeys,
  tenants: readonly TenantId[],
  by: Actor,
): Effect.Effect<number, MasterKeyUnusable | VaultRefused | DbError> => rewrapEach(db, keys, tenants, by, false)

/** `always`: on record also where a running engine, which sees the new key in the file, was first. */
const rewrapEach = (
  db: DbShape,
  keys: MasterKeys,
  tenants: readonly TenantId[],
  by: Actor,
  always: boolean,
): Effect.Effect<number, MasterKeyUnusable | VaultRefused | DbError> =>
  Effect.gen(function* () {
    let rewrapped = 0
    for (const tenant of tenants)
      rewrapped += yield* db.tenant(tenant)<number, MasterKeyUnusable | VaultRefused>((tx) =>
        rewrapTenant(tx, tenant, keys.ring(), by, always),
      )
    return rewrapped
  })

const rewrapTenant = async (
  tx: Tx,
  tenant: TenantId,
  ring: readonly MasterKey[],
  by: Actor,
  always: boolean,
): Promise<number> => {
  const [first] = ring
  const { rows } = await tx.query<KeyRow>(
    `select version, master_key_id, wrapped from tenant_key where tenant_id = $1 and master_key_id <> $2
     order by version for update`,
    [tenant, first!.id],
  )
  let rewrapped = 0
  for (const { version, master_key_id, wrapped } of rows) {
    const master = ring.find((it) => it.id === master_key_id)
    if (master === undefined) continue
    const key = unwrap(master.key, wrapAad(tenant, version), wrapped, "the tenant's data key")
    await rewrap(tx, tenant, version, key, first!)
    rewrapped += 1
  }
  if (always || rewrapped > 0)
    await recordAct(tx, tenant, by, {
      action: "vault.rewrap",
      object: { kind: "tenant", id: tenant, name: "" },
      before: { masterKeys: [...new Set(rows.map((row) => row.master_key_id))] },
      after: { masterKey: first!.id, dataKeys: rewrapped },
    })
  return rewrapped
}

export interface Rotated {
  readonly version: number
  /** Secrets sealed anew. */
  readonly resealed: number
  /** Secrets that no key opens; they stay as they are. */
  readonly dead: number
  /** Older data keys that were destroyed: nothing needed them any more, and old copies of rows open no more. */
  readonly retired: number
}

/**
 * A new data key for a tenant, and all its secrets under it. With `resume`, the newest key there is: for what a killed
 * rotation left behind. `pace` runs between batches.
 */
export const rotateTenant = (
  db: DbShape,
  vault: Vault,
  keys: MasterKeys,
  tenant: TenantId,
  by: Actor,
  options: { readonly resume?: boolean; readonly pace?: Effect.Effect<void> } = {},
): Effect.Effect<Rotated, MasterKeyUnusable | VaultRefused | DbError> =>
  Effect.gen(function* () {
    const as = db.tenant(tenant)
    const version = yield* as<number, MasterKeyUnusable | VaultRefused>((tx) =>
      beginRotation(tx, vault, keys, tenant, options.resume === true),
    )
    let [resealed, dead] = [0, 0]
    for (const column of SEALED_COLUMNS) {
      const done = yield* resealColumn(db, vault, tenant, column, options.pace ?? Effect.void)
      resealed += done.resealed
      dead += done.dead
    }
    const retired = yield* as<number>(async (tx) => {
      // Who has just read rows of the last version may not have asked for its key yet: that one goes with the next turn.
      const gone =
        dead === 0 ? await retireKeys(tx, tenant, version, options.resume === true ? version : version - 1) : 0
      await recordAct(tx, tenant, by, {
        action: "vault.rotate",
        object: { kind: "tenant", id: tenant, name: "" },
        before: null,
        after: { version, resealed, dead, retired: gone },
      })
      return gone
    })
    return { version, resealed, dead, retired }
  })

/** Waits for everybody who may still seal with the old version: their transactions hold the lock shared. */
const beginRotation = async (
  tx: Tx,
  vault: Vault,
  keys: MasterKeys,
  tenant: TenantId,
  resume: boolean,
): Promise<number> => {
  await tx.query("select pg_advisory_xact_lock(hashtextextended('vault ' || $1, 0))", [tenant])
  const { version } = await vault.tenantKey(tx, tenant)
  if (resume) return version
  await addDataKey(tx, tenant, version + 1, keys.ring()[0]!)
  return version + 1
}

interface Pass {
  readonly resealed: number
  readonly dead: number
}

/** Goes through a table until a whole pass finds nothing that can be sealed anew: rows move while others write them. */
const resealColumn = (
  db: DbShape,
  vault: Vault,
  tenant: TenantId,
  column: SealedColumn,
  pace: Effect.Effect<void>,
): Effect.Effect<Pass, MasterKeyUnusable | VaultRefused | DbError> =>
  Effect.gen(function* () {
    let resealed = 0
    while (true) {
      let pass: Pass = { resealed: 0, dead: 0 }
      let after: string | null = "(0,0)"
      while (after !== null) {
        const from: string = after
        const batch: Batch = yield* db.tenant(tenant)<Batch, MasterKeyUnusable | VaultRefused>((tx) =>
          resealBatch(tx, vault, tenant, column, from),
        )
        pass = { resealed: pass.resealed + batch.resealed, dead: pass.dead + batch.dead }
        after = batch.last
        yield* pace
      }
      resealed += pass.resealed
      if (pass.resealed === 0) return { resealed, dead: pass.dead }
    }
  })

interface Batch extends Pass {
  /** Where the next one begins; null = the table's end. */
  readonly last: string | null
}

/** By place in the table (ctid): an update moves its row, and what was sealed anew is left out by its first bytes. */
const resealBatch = async (
  tx: Tx,
  vault: Vault,
  tenant: TenantId,
  { table, column, owner, field, version }: SealedColumn,
  after: string,
): Promise<Batch> => {
  const key = await vault.tenantKey(tx, tenant)
  const { rows } = await tx.query<{ at: string; owner: string; field: string; sealed: Buffer }>(
    `select t.ctid::text as at, ${owner} as owner, ${field} as field, t.${column} as sealed from ${table} t
     where t.tenant_id = $1 and t.ctid > $2::tid and substring(t.${column} from 1 for 5) <> $3
     order by t.ctid limit ${BATCH} for update`,
    [tenant, after, sealedPrefix(key.version)],
  )
  const [places, sealed]: [string[], Buffer[]] = [[], []]
  for (const row of rows) {
    const anew = resealed(key, row)
    if (anew === null) continue
    places.push(row.at)
    sealed.push(anew)
  }
  if (places.length > 0)
    await tx.query(
      `update ${table} t set ${column} = given.sealed${version === null ? "" : `, ${version} = $4`}
       from unnest($2::text[]::tid[], $3::bytea[]) as given (at, sealed)
       where t.tenant_id = $1 and t.ctid = given.at`,
      version === null ? [tenant, places, sealed] : [tenant, places, sealed, key.version],
    )
  const last = rows.length < BATCH ? null : rows.at(-1)!.at
  return { resealed: places.length, dead: rows.length - places.length, last }
}

const resealed = (
  key: Awaited<ReturnType<Vault["tenantKey"]>>,
  row: { readonly owner: string; readonly field: string; readonly sealed: Buffer },
): Buffer | null => {
  try {
    return key.seal(row.owner, row.field, key.open(row.owner, row.field, row.sealed))
  } catch (error) {
    if (error instanceof VaultRefused) return null
    throw error
  }
}

/** Only when no row is left that an older version sealed; the foreign key of credential holds it too. */
const retireKeys = async (tx: Tx, tenant: TenantId, version: number, below: number): Promise<number> => {
  await tx.query("select pg_advisory_xact_lock(hashtextextended('vault ' || $1, 0))", [tenant])
  for (const { table, column } of SEALED_COLUMNS) {
    const { rows } = await tx.query(
      `select 1 from ${table} where tenant_id = $1 and substring(${column} from 1 for 5) <> $2 limit 1`,
      [tenant, sealedPrefix(version)],
    )
    if (rows.length > 0) return 0
  }
  const { rowCount } = await tx.query("delete from tenant_key where tenant_id = $1 and version < $2", [tenant, below])
  return rowCount
}
