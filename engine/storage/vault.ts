/**
 * Secrets at rest. A master key outside the database (master-keys.ts) wraps the data keys of each tenant; the newest data
 * key seals, all of them open; what is sealed is bound to tenant, owner, field and key version (seal.ts), so that a row
 * that was moved or swapped does not open. A tenant's data keys are rewrapped by the first master key when next used.
 */
import { randomBytes } from "node:crypto"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import type { TenantId } from "#protocol/id.ts"
import type { DbError, DbShape, Tx } from "#engine/storage/db.ts"
import {
  asUnusable,
  hasMasterKeys,
  makeMasterKeys,
  MasterKeyUnusable,
  openMasterKeys,
  unusable,
  type MasterKey,
  type MasterKeys,
} from "#engine/storage/master-keys.ts"
import { openText, sealText, unwrap, VaultRefused, versionOf, wrap } from "#engine/storage/seal.ts"

export { MasterKeyUnusable } from "#engine/storage/master-keys.ts"
export { VaultRefused } from "#engine/storage/seal.ts"

export interface Vault {
  /**
   * The tenant's data keys, made when there are none yet. Inside a transaction as that tenant; while it is open, no
   * rotation moves on to another version, so that nothing is sealed by a key that has just been retired.
   * Rejects with VaultRefused or MasterKeyUnusable.
   */
  readonly tenantKey: (tx: Tx, tenant: TenantId) => Promise<TenantKey>
}

/** `device` is any owner's id (a device, `user:<id>`, ...); with `field` it names where the secret stands. */
export interface TenantKey {
  /** Of the key that seals. */
  readonly version: number
  readonly seal: (device: string, field: string, plaintext: string) => Buffer
  /** Throws VaultRefused. */
  readonly open: (device: string, field: string, sealed: Buffer) => string
}

export interface VaultOptions {
  readonly dataDir: string
  /** HELIOGRAPH_MASTER_KEY_FILE; default master.key in the data directory. */
  readonly masterKeyFile?: string
  /**
   * HELIOGRAPH_DEAD_CREDENTIALS: `refuse` (default) does not start when a master key is lost; `allow` starts, and what
   * that key sealed stays unreadable until it is entered again.
   */
  readonly dead?: "refuse" | "allow"
}

export const masterKeyFileOf = ({ dataDir, masterKeyFile }: VaultOptions): string =>
  masterKeyFile ?? join(dataDir, "master.key")

/** Reads the key ring; makes one at the very first start, and never again once anything is sealed. */
export const openVault = (db: DbShape, options: VaultOptions): Effect.Effect<Vault, MasterKeyUnusable | DbError> =>
  Effect.gen(function* () {
    const file = masterKeyFileOf(options)
    const allowsDead = options.dead === "allow"
    const inUse = yield* masterKeysInUse(db)
    if (!hasMasterKeys(file)) {
      if (inUse.length > 0 && !allowsDead) return yield* unusable("missing", missingFile(file, inUse))
      yield* Effect.try({ try: () => makeMasterKeys(file), catch: asUnusable })
    }
    const keys = yield* Effect.try({ try: () => openMasterKeys(file), catch: asUnusable })
    const unknown = inUse.find((id) => !keys.ring().some((it) => it.id === id))
    if (unknown !== undefined && !allowsDead) return yield* unusable("unknown-key", unknownKey(file, unknown))
    return { tenantKey: (tx, tenant) => loadTenantKey(tx, tenant, keys, allowsDead) }
  })

const unknownKey = (file: string, id: string): string =>
  `${file} has no master key ${id}, which sealed this database's credentials: restore the right file from a backup` +
  `${START_WITHOUT}`

const missingFile = (file: string, ids: readonly string[]): string =>
  `${file} is missing, and the database holds credentials sealed with it (master key ${ids.join(", ")}): ` +
  `restore it from a backup, or name it with HELIOGRAPH_MASTER_KEY_FILE${START_WITHOUT}`

const START_WITHOUT =
  ". If it is lost for good, HELIOGRAPH_DEAD_CREDENTIALS=allow starts without what it sealed (docs/security/vault.md)"

/** Of every database that tenants live in. A tenant that is being offboarded has destroyed its own. */
const masterKeysInUse = (db: DbShape): Effect.Effect<readonly string[], DbError> =>
  Effect.map(
    Effect.forEach(db.engines, (engine) =>
      engine(async (tx) => {
        const { rows } = await tx.query<{ id: string }>(
          "select distinct master_key_id as id from tenant_key where master_key_id <> 'destroyed' order by 1",
        )
        return rows.map((row) => row.id)
      }),
    ),
    (lists) => [...new Set(lists.flat())],
  )

export interface KeyRow {
  readonly version: number
  readonly master_key_id: string
  readonly wrapped: Buffer
}

/** Held by whoever seals or opens; a rotation that brings in a new version waits for them (vault-rotation.ts). */
const lockShared = "select pg_advisory_xact_lock_shared(hashtextextended('vault ' || $1, 0))"

const loadTenantKey = async (tx: Tx, tenant: TenantId, keys: MasterKeys, allowsDead: boolean): Promise<TenantKey> => {
  await tx.query(lockShared, [tenant])
  const ring = keys.ring()
  const rows = await readKeys(tx, tenant)
  if (rows.length === 0) {
    await addDataKey(tx, tenant, 1, ring[0]!)
    // Of two transactions that make the first key at once, one wins and both read it.
    return openKeys(tx, tenant, await readKeys(tx, tenant), keys.ring())
  }
  const newest = rows[0]!
  if (ring.some((it) => it.id === newest.master_key_id)) return openKeys(tx, tenant, rows, ring)
  if (!allowsDead)
    throw unusable(
      "unknown-key",
      `no master key ${newest.master_key_id} for a tenant's data key: restore it to the key file`,
    )
  await addDataKey(tx, tenant, newest.version + 1, ring[0]!)
  return openKeys(tx, tenant, await readKeys(tx, tenant), ring)
}

const readKeys = async (tx: Tx, tenant: TenantId): Promise<readonly KeyRow[]> => {
  const { rows } = await tx.query<KeyRow>(
    "select version, master_key_id, wrapped from tenant_key where tenant_id = $1 order by version desc",
    [tenant],
  )
  return rows
}

/** Does nothing when that version is there already. */
export const addDataKey = async (tx: Tx, tenant: TenantId, version: number, master: MasterKey): Promise<void> => {
  await tx.query(
    `insert into tenant_key (tenant_id, version, master_key_id, wrapped, created_ms) values ($1, $2, $3, $4, $5)
     on conflict do nothing`,
    [tenant, version, master.id, wrap(master.key, wrapAad(tenant, version), randomBytes(32)), Date.now()],
  )
}

/** Opens every data key whose master key is known; the others are dead, and what they sealed is refused. */
const openKeys = async (
  tx: Tx,
  tenant: TenantId,
  rows: readonly KeyRow[],
  ring: readonly MasterKey[],
): Promise<TenantKey> => {
  const dataKeys = new Map<number, Buffer>()
  for (const row of rows) {
    const master = ring.find((it) => it.id === row.master_key_id)
    if (master === undefined) continue
    dataKeys.set(row.version, unwrap(master.key, wrapAad(tenant, row.version), row.wrapped, "the tenant's data key"))
    if (master !== ring[0]) await rewrap(tx, tenant, row.version, dataKeys.get(row.version)!, ring[0]!)
  }
  const version = rows[0]!.version
  const key = dataKeys.get(version)
  if (key === undefined) throw unusable("unknown-key", "the tenant's newest data key has no master key in the key file")
  return tenantKeyOf(tenant, version, key, dataKeys)
}

export const rewrap = async (
  tx: Tx,
  tenant: TenantId,
  version: number,
  key: Buffer,
  master: MasterKey,
): Promise<void> => {
  await tx.query("update tenant_key set master_key_id = $3, wrapped = $4 where tenant_id = $1 and version = $2", [
    tenant,
    version,
    master.id,
    wrap(master.key, wrapAad(tenant, version), key),
  ])
}

const tenantKeyOf = (
  tenant: TenantId,
  version: number,
  key: Buffer,
  dataKeys: ReadonlyMap<number, Buffer>,
): TenantKey => {
  const aad = (device: string, field: string, by: number): string =>
    JSON.stringify(["field", tenant, device, field, by])
  return {
    version,
    seal: (device, field, plaintext) => sealText(key, version, aad(device, field, version), plaintext),
    open: (device, field, sealed) => {
      const what = `the ${field} credential of device ${device}`
      const by = versionOf(sealed)
      const opener = by === null ? undefined : dataKeys.get(by)
      if (by === null || opener === undefined) throw new VaultRefused({ what })
      return openText(opener, aad(device, field, by), sealed, what)
    },
  }
}

export const wrapAad = (tenant: TenantId, version: number): string => JSON.stringify(["data key", tenant, version])
