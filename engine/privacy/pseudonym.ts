/**
 * Names for subscribers that tell them apart and nothing else: HMAC-SHA-256 (RFC 2104) of the identity under a random key
 * of this tenant and this month. The key lies in the database, sealed by the vault; when it is destroyed, nobody can link
 * the month's pseudonyms to people any more, wherever those were copied to. Only a backup that still has the key can.
 */
import { createHmac, randomBytes } from "node:crypto"
import type { Tx } from "#engine/storage/db.ts"
import type { Vault } from "#engine/storage/vault.ts"
import type { TenantId } from "#protocol/id.ts"

export interface MonthKey {
  /** `2026-11`, UTC. */
  readonly month: string
  readonly key: Buffer
}

export const monthOf = (atMs: number): string => new Date(atMs).toISOString().slice(0, 7)

/** `~2611-` and 80 bits: no two of a tenant's 10^9 subscribers of a month collide (p < 10^-6). */
export const pseudonymOf = ({ month, key }: MonthKey, identity: string): string => {
  const digest = createHmac("sha256", key).update(identity.normalize("NFC")).digest("hex")
  return `~${month.slice(2, 4)}${month.slice(5)}-${digest.slice(0, 20)}`
}

/** The month of a pseudonym of ours; null for any other text. */
export const monthOfPseudonym = (pseudonym: string): string | null => {
  const found = /^~(\d\d)(\d\d)-[0-9a-f]{20}$/.exec(pseudonym)
  return found === null ? null : `20${found[1]}-${found[2]}`
}

/** The key of a month, made when there is none. As the tenant; rejects as the vault does. */
export const openMonthKey = async (tx: Tx, vault: Vault, tenant: TenantId, atMs: number): Promise<MonthKey> => {
  const month = monthOf(atMs)
  const sealing = await vault.tenantKey(tx, tenant)
  const made = sealing.seal(SUBJECT, month, randomBytes(32).toString("base64url"))
  // Of two engines that make it at once, one wins and both read it.
  await tx.query(
    `insert into subscriber_key (tenant_id, month, key_version, sealed, created_ms) values ($1, $2, $3, $4, $5)
     on conflict do nothing`,
    [tenant, month, sealing.version, made, atMs],
  )
  const { rows } = await tx.query<{ sealed: Buffer }>(
    "select sealed from subscriber_key where tenant_id = $1 and month = $2",
    [tenant, month],
  )
  return { month, key: Buffer.from(sealing.open(SUBJECT, month, rows[0]!.sealed), "base64url") }
}

/** What the seal is bound to, in the place of a device. */
export const SUBJECT = "subscribers"

/** Destroys the keys of whole months that ended before. How many. */
export const destroyKeysBefore = async (tx: Tx, tenant: TenantId, beforeMs: number): Promise<number> => {
  const { rowCount } = await tx.query("delete from subscriber_key where tenant_id = $1 and month < $2", [
    tenant,
    monthOf(beforeMs),
  ])
  return rowCount
}
