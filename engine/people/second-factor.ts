/**
 * The second factor: TOTP (RFC 6238: SHA-1, 6 digits, 30 s, one step either way for clocks that differ) and recovery codes.
 * A code is taken once: the step of the last one taken is kept, and one UPDATE compares and raises it, so that of two
 * requests at the same moment one is refused (RFC 6238 s5.2, ASVS 6.5.1). The secret is sealed by the vault.
 */
import { randomBytes } from "node:crypto"
import { Secret, TOTP } from "otpauth"
import type { Tx } from "#engine/storage/db.ts"
import { sha256 } from "#engine/storage/tenant-token.ts"
import type { User } from "#engine/storage/users.ts"
import type { Vault } from "#engine/storage/vault.ts"

export const STEP_MS = 30_000
const WINDOW_STEPS = 1
/** RFC 4226 s4 R6 recommends 160 bits. */
const SECRET_BYTES = 20
/** A secret that was begun and not confirmed within this time is none. */
export const CONFIRM_WITHIN_MS = 15 * 60_000
export const RECOVERY_CODES = 10
const RECOVERY_BYTES = 10

type Who = Pick<User, "id" | "tenant" | "name">

/** `unset`: this person has no second factor. `missing`: they have, and gave no code. */
export type Factor = "unset" | "missing" | "wrong" | "right"

/** Takes the code, if it fits: it never fits again. */
export const checkFactor = async (
  tx: Tx,
  vault: Vault,
  user: Who,
  code: string | null,
  nowMs: number,
): Promise<Factor> => {
  const kept = await readSecret(tx, user)
  if (kept === null || kept.confirmedMs === null) return "unset"
  if (code === null || code.trim() === "") return "missing"
  if (isRecoveryCode(code)) return (await useRecoveryCode(tx, user, code)) ? "right" : "wrong"
  const step = stepOf(await open(tx, vault, user, kept), code, nowMs)
  return step !== null && (await useStep(tx, user, step)) ? "right" : "wrong"
}

/** A new secret, in force once it is confirmed; null when one is in force already. */
export const beginFactor = async (
  tx: Tx,
  vault: Vault,
  user: Who,
  nowMs: number,
): Promise<{ readonly secret: string; readonly uri: string } | null> => {
  const secret = new Secret({ buffer: new Uint8Array(randomBytes(SECRET_BYTES)).buffer })
  const key = await vault.tenantKey(tx, user.tenant)
  const { rowCount } = await tx.query(
    `insert into user_totp (tenant_id, user_id, key_version, sealed, begun_ms) values ($1, $2, $3, $4, $5)
     on conflict (tenant_id, user_id) do update set key_version = $3, sealed = $4, begun_ms = $5, last_step = 0
       where user_totp.confirmed_ms is null`,
    [user.tenant, user.id, key.version, key.seal(`user:${user.id}`, "totp", secret.base32), nowMs],
  )
  return rowCount === 0 ? null : { secret: secret.base32, uri: totp(secret.base32, user.name).toString() }
}

/** The recovery codes, told this once. `none`: nothing was begun lately, or it is in force already. */
export const confirmFactor = async (
  tx: Tx,
  vault: Vault,
  user: Who,
  code: string,
  nowMs: number,
): Promise<readonly string[] | "none" | "wrong"> => {
  const kept = await readSecret(tx, user)
  if (kept === null || kept.confirmedMs !== null || nowMs - kept.begunMs > CONFIRM_WITHIN_MS) return "none"
  const step = stepOf(await open(tx, vault, user, kept), code, nowMs)
  if (step === null || !(await useStep(tx, user, step))) return "wrong"
  await tx.query("update user_totp set confirmed_ms = $3 where tenant_id = $1 and user_id = $2", [
    user.tenant,
    user.id,
    nowMs,
  ])
  const codes = Array.from({ length: RECOVERY_CODES }, newRecoveryCode)
  await tx.query("delete from user_recovery_code where tenant_id = $1 and user_id = $2", [user.tenant, user.id])
  await tx.query(
    "insert into user_recovery_code (tenant_id, user_id, code_sha256) select $1, $2, unnest($3::bytea[])",
    [user.tenant, user.id, codes.map((one) => sha256(plain(one)))],
  )
  return codes
}

/** False = there was none in force. */
export const removeFactor = async (tx: Tx, user: Pick<User, "id" | "tenant">): Promise<boolean> => {
  const who = [user.tenant, user.id]
  await tx.query("delete from user_recovery_code where tenant_id = $1 and user_id = $2", who)
  const { rows } = await tx.query<{ confirmed: boolean }>(
    `delete from user_totp where tenant_id = $1 and user_id = $2 returning confirmed_ms is not null as confirmed`,
    who,
  )
  return rows[0]?.confirmed === true
}

/** 16 characters of RFC 4648 base32 with any spaces, dashes and case: 80 random bits, which need no limit on guessing. */
export const isRecoveryCode = (code: string): boolean => /^[A-Z2-7]{16}$/.test(plain(code))

/** The time step that this code is of, within the window; null = of none. */
export const stepOf = (secret: string, code: string, nowMs: number): number | null => {
  const digits = plain(code)
  if (!/^\d{6}$/.test(digits)) return null
  const delta = totp(secret, "").validate({ token: digits, timestamp: nowMs, window: WINDOW_STEPS })
  return delta === null ? null : Math.floor(nowMs / STEP_MS) + delta
}

const totp = (secret: string, name: string): TOTP =>
  new TOTP({
    issuer: "Heliograph",
    label: name === "" ? "user" : name,
    algorithm: "SHA1",
    digits: 6,
    period: STEP_MS / 1000,
    secret: Secret.fromBase32(secret),
  })

interface Kept {
  readonly keyVersion: number
  readonly sealed: Buffer
  readonly begunMs: number
  readonly confirmedMs: number | null
}

const readSecret = async (tx: Tx, user: Who): Promise<Kept | null> => {
  const { rows } = await tx.query<Kept>(
    `select key_version as "keyVersion", sealed, begun_ms::float8 as "begunMs", confirmed_ms::float8 as "confirmedMs"
     from user_totp where tenant_id = $1 and user_id = $2`,
    [user.tenant, user.id],
  )
  return rows[0] ?? null
}

const open = async (tx: Tx, vault: Vault, user: Who, kept: Kept): Promise<string> =>
  (await vault.tenantKey(tx, user.tenant)).open(`user:${user.id}`, "totp", kept.sealed)

/** Concurrent takers of one step wait for each other's row lock; the second then finds its step used. */
const useStep = async (tx: Tx, user: Who, step: number): Promise<boolean> => {
  const { rowCount } = await tx.query(
    "update user_totp set last_step = $3 where tenant_id = $1 and user_id = $2 and last_step < $3",
    [user.tenant, user.id, step],
  )
  return rowCount === 1
}

const useRecoveryCode = async (tx: Tx, user: Who, code: string): Promise<boolean> => {
  const { rowCount } = await tx.query(
    "delete from user_recovery_code where tenant_id = $1 and user_id = $2 and code_sha256 = $3",
    [user.tenant, user.id, sha256(plain(code))],
  )
  return rowCount === 1
}

const newRecoveryCode = (): string =>
  new Secret({ buffer: new Uint8Array(randomBytes(RECOVERY_BYTES)).buffer }).base32
    .match(/.{4}/g)!
    .join("-")
    .toLowerCase()

const plain = (code: string): string => code.replace(/[\s-]/g, "").toUpperCase()
