/**
 * Who stands behind a pseudonym, for tenants that opted in: sealed by the vault, kept for `subscriberDays`, opened only by
 * `reveal`, which is an act with a reason (PRODUCT.md S11). An identity is sealed twice: by the tenant's key in the vault,
 * bound to its pseudonym, and, inside that, by its month's key, so that destroying the month's key shuts it everywhere.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto"
import * as Data from "effect/Data"
import { recordAct, type Actor } from "#engine/audit/act.ts"
import { monthOfPseudonym, SUBJECT, type MonthKey } from "#engine/privacy/pseudonym.ts"
import type { Tx } from "#engine/storage/db.ts"
import type { Vault } from "#engine/storage/vault.ts"
import type { TenantId } from "#protocol/id.ts"

/** Unknown, past its days, or of a month whose key was destroyed: all told alike. */
export class NobodyKnown extends Data.TaggedError("NobodyKnown")<{ readonly pseudonym: string }> {}
/** More reveals within the hour than one person may make. */
export class RevealedTooOften extends Data.TaggedError("RevealedTooOften")<{ readonly max: number }> {
  override get message(): string {
    return `at most ${this.max} subscribers are revealed to one person within an hour`
  }
}

export const REVEALS_PER_HOUR = 60
const HOUR_MS = 3_600_000

/** As the tenant. What was there before is seen again. */
export const rememberIdentities = async (
  tx: Tx,
  vault: Vault,
  tenant: TenantId,
  month: MonthKey,
  seen: ReadonlyMap<string, string>,
  atMs: number,
): Promise<void> => {
  if (seen.size === 0) return
  const sealing = await vault.tenantKey(tx, tenant)
  const [pseudonyms, sealed]: [string[], Buffer[]] = [[], []]
  // In one order, so that two engines never wait for each other's rows crosswise.
  for (const [pseudonym, identity] of [...seen].sort(([a], [b]) => (a < b ? -1 : 1))) {
    pseudonyms.push(pseudonym)
    sealed.push(sealing.seal(SUBJECT, pseudonym, close(month, identity)))
  }
  await tx.query(
    `insert into subscriber_identity (tenant_id, pseudonym, key_version, sealed, seen_ms)
     select $1, p, $2, s, $3 from unnest($4::text[], $5::bytea[]) as given (p, s)
     on conflict (tenant_id, pseudonym) do update set seen_ms = excluded.seen_ms`,
    [tenant, sealing.version, atMs, pseudonyms, sealed],
  )
}

export interface Revealed {
  readonly identity: string
  readonly seenMs: number
}

/** As the tenant, with its row in the audit. Rejects with NobodyKnown, RevealedTooOften, or as the vault does. */
export const reveal = async (
  tx: Tx,
  vault: Vault,
  tenant: TenantId,
  actor: Actor,
  asked: { readonly pseudonym: string; readonly reason: string; readonly sinceMs: number; readonly nowMs: number },
): Promise<Revealed> => {
  const { pseudonym, reason, nowMs } = asked
  await bounded(tx, tenant, actor, nowMs)
  const month = monthOfPseudonym(pseudonym)
  const { rows } = await tx.query<{ sealed: Buffer; seen_ms: string; key: Buffer }>(
    `select i.sealed, i.seen_ms, k.sealed as key
     from subscriber_identity i join subscriber_key k on k.tenant_id = i.tenant_id and k.month = $4
     where i.tenant_id = $1 and i.pseudonym = $2 and i.seen_ms >= $3`,
    [tenant, pseudonym.slice(0, 64), asked.sinceMs, month],
  )
  const row = rows[0]
  if (row === undefined || month === null) throw new NobodyKnown({ pseudonym })
  const sealing = await vault.tenantKey(tx, tenant)
  const key = Buffer.from(sealing.open(SUBJECT, month, row.key), "base64url")
  const identity = unclose({ month, key }, sealing.open(SUBJECT, pseudonym, row.sealed))
  // The identity itself is not in the audit: it would outlive its days there.
  await recordAct(tx, tenant, actor, {
    action: "subscriber.reveal",
    object: { kind: "subscriber", id: pseudonym, name: pseudonym },
    before: null,
    after: null,
    reason,
  })
  return { identity, seenMs: Number(row.seen_ms) }
}

/** Counted in the audit itself, which nobody can shorten. */
const bounded = async (tx: Tx, tenant: TenantId, actor: Actor, nowMs: number): Promise<void> => {
  const { rows } = await tx.query<{ count: string }>(
    `select count(*) from audit_entry
     where tenant_id = $1 and action = 'subscriber.reveal' and actor_id = $2 and at_ms > $3`,
    [tenant, actor.id, nowMs - HOUR_MS],
  )
  if (Number(rows[0]!.count) >= REVEALS_PER_HOUR) throw new RevealedTooOften({ max: REVEALS_PER_HOUR })
}

/** Those not seen since. How many. */
export const forgetIdentities = async (tx: Tx, tenant: TenantId, beforeMs: number): Promise<number> => {
  const { rowCount } = await tx.query("delete from subscriber_identity where tenant_id = $1 and seen_ms < $2", [
    tenant,
    beforeMs,
  ])
  return rowCount
}

/** All of them and all keys: the tenant opted out. */
export const forgetEverybody = async (tx: Tx, tenant: TenantId): Promise<number> => {
  const { rowCount } = await tx.query("delete from subscriber_identity where tenant_id = $1", [tenant])
  await tx.query("delete from subscriber_key where tenant_id = $1", [tenant])
  return rowCount
}

// --- the inner seal, by the month's key: AES-256-GCM under a key of its own (RFC 5869)

const sealKey = ({ month, key }: MonthKey): Buffer =>
  Buffer.from(hkdfSync("sha256", key, "", `heliograph subscriber identity ${month}`, 32))

const close = (month: MonthKey, identity: string): string => {
  const nonce = randomBytes(12)
  const cipher = createCipheriv("aes-256-gcm", sealKey(month), nonce, { authTagLength: 16 })
  const text = Buffer.concat([cipher.update(identity, "utf8"), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), text]).toString("base64url")
}

const unclose = (month: MonthKey, closed: string): string => {
  const bytes = Buffer.from(closed, "base64url")
  const decipher = createDecipheriv("aes-256-gcm", sealKey(month), bytes.subarray(0, 12), { authTagLength: 16 })
  decipher.setAuthTag(bytes.subarray(12, 28))
  return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString("utf8")
}
