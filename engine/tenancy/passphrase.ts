/**
 * Device credentials under a passphrase while they travel: scrypt (RFC 7914) makes the key, AES-256-GCM seals each
 * credential, bound to tenant, device and kind, so that a line moved to another device does not open.
 */
import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from "node:crypto"

export interface Sealer {
  readonly salt: string
  readonly seal: (place: readonly string[], plain: string) => string
  /** Null = another passphrase, or altered. */
  readonly open: (place: readonly string[], sealed: string) => string | null
}

/** About 128 MiB and half a second each guess. */
const COST = { N: 131_072, r: 8, p: 1, maxmem: 256 * 1024 * 1024 }

export const sealerOf = (passphrase: string, salt: string = randomBytes(16).toString("base64url")): Sealer => {
  const key = scryptSync(passphrase.normalize("NFKC"), Buffer.from(salt, "base64url"), 32, COST)
  const aad = (place: readonly string[]): Buffer => Buffer.from(JSON.stringify(["heliograph tenant file", ...place]))
  return {
    salt,
    seal: (place, plain) => {
      const nonce = randomBytes(12)
      const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: 16 })
      cipher.setAAD(aad(place))
      const text = Buffer.concat([cipher.update(plain, "utf8"), cipher.final()])
      return Buffer.concat([nonce, cipher.getAuthTag(), text]).toString("base64url")
    },
    open: (place, sealed) => {
      const bytes = Buffer.from(sealed, "base64url")
      if (bytes.length < 28) return null
      const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, 12), { authTagLength: 16 })
      decipher.setAAD(aad(place))
      decipher.setAuthTag(bytes.subarray(12, 28))
      try {
        return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString("utf8")
      } catch {
        return null
      }
    },
  }
}
