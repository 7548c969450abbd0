/**
 * Credentials at rest. A master key outside the database (data/master.key) wraps one data key per tenant, which seals
 * every credential: AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce and a full 128-bit tag, bound by its
 * associated data to tenant, device, field and key version, so that a row that was moved or swapped does not open.
 * The file is a ring: its first key is used for wrapping, the others still open; a tenant's data key is rewrapped
 * by the first key when it is next used.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto"
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, statSync, writeSync } from "node:fs"
import { join } from "node:path"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type { TenantId } from "#protocol/id.ts"
import type { DbError, DbShape, Tx } from "#engine/storage/db.ts"

/** The master key cannot be used; `message` says which file or key and what to do. Never holds key material. */
export class MasterKeyUnusable extends Data.TaggedError("MasterKeyUnusable")<{
  readonly reason: "missing" | "unknown-key" | "readable-by-others" | "malformed"
  readonly message: string
}> {}

/** Something sealed did not open: altered, moved to another row, or sealed with another key. */
export class VaultRefused extends Data.TaggedError("VaultRefused")<{ readonly what: string }> {
  override get message(): string {
    return `${this.what} cannot be opened: it was altered, moved or sealed with another key`
  }
}

export interface Vault {
  /**
   * The tenant's data key, made when there is none yet. Inside a transaction as that tenant.
   * Rejects with VaultRefused or MasterKeyUnusable.
   */
  readonly tenantKey: (tx: Tx, tenant: TenantId) => Promise<TenantKey>
}

export interface TenantKey {
  readonly version: number
  readonly seal: (device: string, field: string, plaintext: string) => Buffer
  /** Throws VaultRefused. */
  readonly open: (device: string, field: string, sealed: Buffer) => string
}

export interface VaultOptions {
  readonly dataDir: string
  /** HELIOGRAPH_MASTER_KEY_FILE; default master.key in the data directory. */
  readonly masterKeyFile?: string
}

interface MasterKey {
  readonly id: string
  readonly key: Buffer
}

/** Reads the key ring; makes one at the very first start, and never again once anything is sealed. */
export const openVault = (db: DbShape, options: VaultOptions): Effect.Effect<Vault, MasterKeyUnusable | DbError> =>
  Effect.gen(function* () {
    const file = options.masterKeyFile ?? join(options.dataDir, "master.key")
    const inUse = yield* masterKeysInUse(db)
    const ring = yield* Effect.try({ try: () => readRing(file, inUse), catch: asUnusable })
    for (const id of inUse) {
      if (!ring.some((it) => it.id === id)) return yield* unusable("unknown-key", unknownKey(file, id))
    }
    return { tenantKey: (tx, tenant) => loadTenantKey(tx, tenant, ring) }
  })

const unknownKey = (file: string, id: string): string =>
  `${file} has no master key ${id}, which sealed this database's credentials: restore the right file from a backup`

const masterKeysInUse = (db: DbShape): Effect.Effect<readonly string[], DbError> =>
  db.engine(async (tx) => {
    const { rows } = await tx.query<{ id: string }>("select distinct master_key_id as id from tenant_key order by 1")
    return rows.map((row) => row.id)
  })

const readRing = (file: string, inUse: readonly string[]): readonly MasterKey[] => {
  if (!existsSync(file)) {
    if (inUse.length > 0) {
      throw unusable(
        "missing",
        `${file} is missing, and the database holds credentials sealed with it (master key ${inUse.join(", ")}): ` +
          "restore it from a backup, or name it with HELIOGRAPH_MASTER_KEY_FILE",
      )
    }
    writeNewRing(file)
  }
  const { mode } = statSync(file)
  if ((mode & 0o077) !== 0) {
    throw unusable(
      "readable-by-others",
      `${file} may be read by others (mode ${(mode & 0o777).toString(8)}): chmod 600`,
    )
  }
  const keys = readFileSync(file, "utf8")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line, index) => {
      const encoded = /^heliograph-master-key-1 ([A-Za-z0-9_-]{43})$/.exec(line)?.[1]
      if (encoded === undefined) throw unusable("malformed", `${file}: key ${index + 1} is not of the form expected`)
      const key = Buffer.from(encoded, "base64url")
      return { id: keyId(key), key }
    })
  if (keys.length === 0) throw unusable("malformed", `${file} holds no key`)
  return keys
}

/** Durable before the first thing is sealed with it. Fails when another process has just made one. */
const writeNewRing = (file: string): void => {
  const handle = openSync(file, "wx", 0o600)
  try {
    writeSync(
      handle,
      "# Opens the credentials in the database. Keep a copy where the database's backups are not.\n" +
        "# To rotate: put a new key above the old one; both stay until every tenant has been used once.\n" +
        `heliograph-master-key-1 ${randomBytes(32).toString("base64url")}\n`,
    )
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

/** Names a key without telling of it. */
const keyId = (key: Buffer): string =>
  createHash("sha256").update("heliograph key id").update(key).digest("hex").slice(0, 16)

const loadTenantKey = async (tx: Tx, tenant: TenantId, ring: readonly MasterKey[]): Promise<TenantKey> => {
  const { rows } = await tx.query<{ version: number; master_key_id: string; wrapped: Buffer }>(
    "select version, master_key_id, wrapped from tenant_key where tenant_id = $1 order by version desc limit 1",
    [tenant],
  )
  const current = ring[0]!
  const row = rows[0]
  if (row === undefined) {
    const version = 1
    const key = randomBytes(32)
    await tx.query(
      "insert into tenant_key (tenant_id, version, master_key_id, wrapped, created_ms) values ($1, $2, $3, $4, $5)",
      [tenant, version, current.id, encrypt(current.key, wrapAad(tenant, version), key), Date.now()],
    )
    return tenantKeyOf(tenant, version, key)
  }
  const master = ring.find((it) => it.id === row.master_key_id)
  if (master === undefined) {
    throw unusable(
      "unknown-key",
      `no master key ${row.master_key_id} for a tenant's data key: restore it to the key file`,
    )
  }
  const key = decrypt(master.key, wrapAad(tenant, row.version), row.wrapped, "the tenant's data key")
  if (master !== current) {
    await tx.query("update tenant_key set master_key_id = $3, wrapped = $4 where tenant_id = $1 and version = $2", [
      tenant,
      row.version,
      current.id,
      encrypt(current.key, wrapAad(tenant, row.version), key),
    ])
  }
  return tenantKeyOf(tenant, row.version, key)
}

const tenantKeyOf = (tenant: TenantId, version: number, key: Buffer): TenantKey => {
  const aad = (device: string, field: string): string => JSON.stringify(["field", tenant, device, field, version])
  return {
    version,
    seal: (device, field, plaintext) => encrypt(key, aad(device, field), Buffer.from(plaintext, "utf8")),
    open: (device, field, sealed) =>
      decrypt(key, aad(device, field), sealed, `the ${field} credential of device ${device}`).toString("utf8"),
  }
}

const wrapAad = (tenant: TenantId, version: number): string => JSON.stringify(["data key", tenant, version])

/** Layout: format 1, nonce (12), tag (16), ciphertext. */
const FORMAT = 1
const NONCE = 12
const TAG = 16

const encrypt = (key: Buffer, aad: string, plaintext: Buffer): Buffer => {
  const nonce = randomBytes(NONCE)
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG })
  cipher.setAAD(Buffer.from(aad))
  const text = Buffer.concat([cipher.update(plaintext), cipher.final()])
  return Buffer.concat([Buffer.from([FORMAT]), nonce, cipher.getAuthTag(), text])
}

const decrypt = (key: Buffer, aad: string, sealed: Buffer, what: string): Buffer => {
  if (sealed.length < 1 + NONCE + TAG || sealed[0] !== FORMAT) throw new VaultRefused({ what })
  // Without authTagLength, Node before 26 accepts a shortened tag.
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(1, 1 + NONCE), { authTagLength: TAG })
  decipher.setAAD(Buffer.from(aad))
  decipher.setAuthTag(sealed.subarray(1 + NONCE, 1 + NONCE + TAG))
  try {
    return Buffer.concat([decipher.update(sealed.subarray(1 + NONCE + TAG)), decipher.final()])
  } catch {
    throw new VaultRefused({ what })
  }
}

const unusable = (reason: MasterKeyUnusable["reason"], message: string): MasterKeyUnusable =>
  new MasterKeyUnusable({ reason, message })

const asUnusable = (error: unknown): MasterKeyUnusable =>
  error instanceof MasterKeyUnusable
    ? error
    : unusable("malformed", `the master key file cannot be used: ${(error as Error).message}`)
