/**
 * One sealed text: AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce and the full 128-bit tag, bound by its
 * associated data to where it stands. Format 1: nonce, tag, text. Format 2 names before them the version of the data key
 * that sealed it, so that both keys are readable while one replaces the other.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto"
import * as Data from "effect/Data"

/** Something sealed did not open: altered, moved to another row, or sealed with another key. */
export class VaultRefused extends Data.TaggedError("VaultRefused")<{ readonly what: string }> {
  override get message(): string {
    return `${this.what} cannot be opened: it was altered, moved or sealed with another key`
  }
}

const NONCE = 12
const TAG = 16
const VERSION = 4
const PLAIN_HEAD = 1
const VERSIONED_HEAD = 1 + VERSION

/** Format 1, for data keys: their row says which master key wrapped them. */
export const wrap = (key: Buffer, aad: string, plaintext: Buffer): Buffer =>
  Buffer.concat([Buffer.of(1), encrypt(key, aad, plaintext)])

/** Throws VaultRefused. */
export const unwrap = (key: Buffer, aad: string, wrapped: Buffer, what: string): Buffer => {
  if (wrapped[0] !== 1) throw new VaultRefused({ what })
  return decrypt(key, aad, wrapped.subarray(PLAIN_HEAD), what)
}

/** Format 2. */
export const sealText = (key: Buffer, version: number, aad: string, text: string): Buffer =>
  Buffer.concat([sealedPrefix(version), encrypt(key, aad, Buffer.from(text, "utf8"))])

/** What every text that was sealed by this version of a data key begins with. */
export const sealedPrefix = (version: number): Buffer => {
  const head = Buffer.alloc(VERSIONED_HEAD)
  head[0] = 2
  head.writeUInt32BE(version, 1)
  return head
}

/** Format 1 was only ever written by the first version. Null = neither format. */
export const versionOf = (sealed: Buffer): number | null =>
  sealed[0] === 1 ? 1 : sealed[0] === 2 && sealed.length >= VERSIONED_HEAD ? sealed.readUInt32BE(1) : null

/** Throws VaultRefused. `key` is of the version that versionOf says. */
export const openText = (key: Buffer, aad: string, sealed: Buffer, what: string): string =>
  decrypt(key, aad, sealed.subarray(sealed[0] === 1 ? PLAIN_HEAD : VERSIONED_HEAD), what).toString("utf8")

const encrypt = (key: Buffer, aad: string, plaintext: Buffer): Buffer => {
  const nonce = randomBytes(NONCE)
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG })
  cipher.setAAD(Buffer.from(aad))
  const text = Buffer.concat([cipher.update(plaintext), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), text])
}

const decrypt = (key: Buffer, aad: string, sealed: Buffer, what: string): Buffer => {
  if (sealed.length < NONCE + TAG) throw new VaultRefused({ what })
  // Without authTagLength, Node before 26 accepts a shortened tag.
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, NONCE), { authTagLength: TAG })
  decipher.setAAD(Buffer.from(aad))
  decipher.setAuthTag(sealed.subarray(NONCE, NONCE + TAG))
  try {
    return Buffer.concat([decipher.update(sealed.subarray(NONCE + TAG)), decipher.final()])
  } catch {
    throw new VaultRefused({ what })
  }
}
