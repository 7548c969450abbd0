/**
 * What the key ring and the data keys stand at, and which secrets are dead: sealed under a data key whose master key is
 * in the ring no more. Dead ones are named, so that an operator knows what to enter again, and can be forgotten.
 */
import * as Effect from "effect/Effect"
import type { TenantId } from "#protocol/id.ts"
import { recordAct, type Actor } from "#engine/audit/act.ts"
import type { DbError, DbShape, Tx } from "#engine/storage/db.ts"
import type { Log } from "#engine/log.ts"
import { asUnusable, openMasterKeys, type MasterKey, type MasterKeyUnusable } from "#engine/storage/master-keys.ts"
import { SEALED_COLUMNS } from "#engine/storage/sealed-columns.ts"
import { sealedPrefix } from "#engine/storage/seal.ts"
import { listTenants } from "#engine/storage/tenants.ts"
import { masterKeyFileOf, type VaultOptions } from "#engine/storage/vault.ts"

export interface DataKeyStatus {
  readonly version: number
  readonly masterKeyId: string
  /** Secrets that only this key opens. */
  readonly secrets: number
  readonly dead: boolean
}

export interface TenantVault {
  readonly keys: readonly DataKeyStatus[]
  /** Names of dead secrets, at most DEAD_NAMES_MAX. */
  readonly dead: readonly string[]
  readonly deadCount: number
}

export const DEAD_NAMES_MAX = 200

export const tenantVault = (
  db: DbShape,
  tenant: TenantId,
  ring: readonly MasterKey[],
): Effect.Effect<TenantVault, DbError> =>
  db.tenant(tenant)(async (tx) => {
    const keys: DataKeyStatus[] = []
    const dead: string[] = []
    for (const { version, masterKeyId } of await dataKeys(tx, tenant)) {
      const isDead = !ring.some((it) => it.id === masterKeyId)
      let secrets = 0
      for (const { table, column, name } of SEALED_COLUMNS) {
        const { rows } = await tx.query<{ count: string }>(
          `select count(*) from ${table} t where t.tenant_id = $1 and ${sealedBy(column)}`,
          [tenant, sealedPrefix(version), version],
        )
        secrets += Number(rows[0]!.count)
        if (!isDead || rows[0]!.count === "0") continue
        const named = await tx.query<{ name: string }>(
          `select ${name} as name from ${table} t where t.tenant_id = $1 and ${sealedBy(column)}
           order by 1 limit ${DEAD_NAMES_MAX}`,
          [tenant, sealedPrefix(version), version],
        )
        dead.push(...named.rows.map((row) => row.name))
      }
      keys.push({ version, masterKeyId, secrets, dead: isDead })
    }
    const deadCount = keys.reduce((sum, key) => sum + (key.dead ? key.secrets : 0), 0)
    return { keys, dead: dead.slice(0, DEAD_NAMES_MAX), deadCount }
  })

/** Names in the log what cannot be read, for an engine that was told to start all the same. */
export const tellDead = (
  db: DbShape,
  options: VaultOptions,
  log: Log,
): Effect.Effect<void, MasterKeyUnusable | DbError> =>
  Effect.gen(function* () {
    const keys = yield* Effect.try({ try: () => openMasterKeys(masterKeyFileOf(options)), catch: asUnusable })
    for (const tenant of yield* listTenants(db)) {
      const { dead, deadCount } = yield* tenantVault(db, tenant.id, keys.ring())
      if (deadCount === 0) continue
      log.error("stored secrets are dead, because their master key is lost: enter them again", {
        tenant: tenant.slug,
        secrets: deadCount,
      })
      for (const name of dead) log.error("dead secret", { tenant: tenant.slug, name })
    }
  })

/** Deletes dead secrets and their data keys; how many secrets went. */
export const forgetDead = (
  db: DbShape,
  tenant: TenantId,
  ring: readonly MasterKey[],
  by: Actor,
): Effect.Effect<number, DbError> =>
  db.tenant(tenant)(async (tx) => {
    let forgotten = 0
    const gone: number[] = []
    for (const { version, masterKeyId } of await dataKeys(tx, tenant)) {
      if (ring.some((it) => it.id === masterKeyId)) continue
      for (const { table, column } of SEALED_COLUMNS) {
        const { rowCount } = await tx.query(`delete from ${table} t where t.tenant_id = $1 and ${sealedBy(column)}`, [
          tenant,
          sealedPrefix(version),
          version,
        ])
        forgotten += rowCount
      }
      gone.push(version)
    }
    if (gone.length === 0) return 0
    await tx.query("delete from tenant_key where tenant_id = $1 and version = any($2)", [tenant, gone])
    await recordAct(tx, tenant, by, {
      action: "vault.forget",
      object: { kind: "tenant", id: tenant, name: "" },
      before: { versions: gone },
      after: { forgotten },
    })
    return forgotten
  })

const dataKeys = async (tx: Tx, tenant: TenantId) => {
  const { rows } = await tx.query<{ version: number; masterKeyId: string }>(
    `select version, master_key_id as "masterKeyId" from tenant_key where tenant_id = $1 order by version`,
    [tenant],
  )
  return rows
}

/** $2 = first bytes of format 2, $3 = the version; format 1 was only ever written by version 1. */
const sealedBy = (column: string): string =>
  `(substring(t.${column} from 1 for 5) = $2 or ($3::int = 1 and substring(t.${column} from 1 for 1) = '\\x01'))`
