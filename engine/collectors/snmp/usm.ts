/**
 * User-based Security Model arithmetic (RFC 3414, 7860 for SHA-2, 3826 for AES): keys from passwords, digests, and the
 * encrypted scoped PDU. The slow step, hashing 1 MiB of repeated password, depends on the password alone: it is done
 * once per password, off the main thread where the platform can, and each engine then costs one small hash (90 ms for
 * 10,000 engines, lab.md s7). DES is written as 3DES with one key thrice, because OpenSSL 3 no longer offers it bare.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  randomBytes,
  timingSafeEqual,
  webcrypto,
} from "node:crypto"
import type { AuthProtocol, PrivProtocol } from "#engine/collectors/target.ts"

interface AuthAlgorithm {
  readonly hash: string
  /** Name in WebCrypto, whose digests run on the thread pool; null where it has none. */
  readonly web: string | null
  readonly digestBytes: number
}

export const AUTH: Readonly<Record<AuthProtocol, AuthAlgorithm>> = {
  md5: { hash: "md5", web: null, digestBytes: 12 },
  sha: { hash: "sha1", web: "SHA-1", digestBytes: 12 },
  sha224: { hash: "sha224", web: null, digestBytes: 16 },
  sha256: { hash: "sha256", web: "SHA-256", digestBytes: 24 },
  sha384: { hash: "sha384", web: "SHA-384", digestBytes: 32 },
  sha512: { hash: "sha512", web: "SHA-512", digestBytes: 48 },
}

/** Bytes of key that each cipher takes from the localised key; DES: 8 of key and 8 of pre-IV. */
const PRIV_KEY_BYTES: Readonly<Record<PrivProtocol, number>> = { des: 16, aes: 16, aes256b: 32, aes256r: 32 }

const MEBIBYTE = 1_048_576
/** Passwords whose slow key is kept; the oldest goes first. */
const MAX_PASSWORD_KEYS = 4_096
const passwordKeys = new Map<string, Promise<Buffer>>()

/** Ku of RFC 3414 s2.6. The password must not be empty. Cached under a hash of the password, never under itself. */
export const passwordKey = (protocol: AuthProtocol, password: string): Promise<Buffer> => {
  const name = createHash("sha256").update(`${protocol}\0${password}`).digest("base64")
  const known = passwordKeys.get(name)
  if (known !== undefined) return known
  const made = hashPassword(protocol, Buffer.from(password, "utf8"))
  if (passwordKeys.size >= MAX_PASSWORD_KEYS) passwordKeys.delete(passwordKeys.keys().next().value ?? "")
  passwordKeys.set(name, made)
  return made
}

const hashPassword = async (protocol: AuthProtocol, password: Uint8Array): Promise<Buffer> => {
  const { web } = AUTH[protocol]
  if (web === null) return hashRepeated(protocol, password)
  return Buffer.from(await webcrypto.subtle.digest(web, Buffer.alloc(MEBIBYTE, password)))
}

const hashRepeated = (protocol: AuthProtocol, password: Uint8Array): Buffer =>
  createHash(AUTH[protocol].hash).update(Buffer.alloc(MEBIBYTE, password)).digest()

/** Kul: the password's key for one engine (RFC 3414 A.2). */
export const localise = (protocol: AuthProtocol, ku: Uint8Array, engineId: Uint8Array): Buffer =>
  createHash(AUTH[protocol].hash).update(ku).update(engineId).update(ku).digest()

/** What a user signs and encrypts with towards one engine. */
export interface UserKeys {
  readonly auth: { readonly protocol: AuthProtocol; readonly key: Buffer } | null
  readonly priv: { readonly protocol: PrivProtocol; readonly key: Buffer } | null
}

/**
 * The localised privacy key stretched to the cipher's need: Blumenthal (draft-blumenthal-aes-usm) hashes what it has,
 * Reeder (draft-reeder-snmpv3-usm-3desede) localises it again as if it were a password, which costs 1 MiB of hash.
 */
export const privKey = (auth: AuthProtocol, priv: PrivProtocol, ku: Uint8Array, engineId: Uint8Array): Buffer => {
  let last = localise(auth, ku, engineId)
  let key = last
  while (key.length < PRIV_KEY_BYTES[priv]) {
    last = priv === "aes256r" ? reederRound(auth, last, engineId) : hash(auth, key)
    key = Buffer.concat([key, last])
  }
  return key.subarray(0, PRIV_KEY_BYTES[priv])
}

/** The same with Reeder's mebibyte hashed on the thread pool: for the polling of ten thousand engines. */
export const privKeyOffMain = async (
  auth: AuthProtocol,
  priv: PrivProtocol,
  ku: Uint8Array,
  engineId: Uint8Array,
): Promise<Buffer> => {
  if (priv !== "aes256r") return privKey(auth, priv, ku, engineId)
  let last = localise(auth, ku, engineId)
  let key = last
  while (key.length < PRIV_KEY_BYTES[priv]) {
    last = localise(auth, await hashPassword(auth, last), engineId)
    key = Buffer.concat([key, last])
  }
  return key.subarray(0, PRIV_KEY_BYTES[priv])
}

const reederRound = (auth: AuthProtocol, key: Uint8Array, engineId: Uint8Array): Buffer =>
  localise(auth, hashRepeated(auth, key), engineId)

const hash = (auth: AuthProtocol, bytes: Uint8Array): Buffer => createHash(AUTH[auth].hash).update(bytes).digest()

/** Digest of the whole message with the digest's own place zeroed. */
const digest = (protocol: AuthProtocol, key: Uint8Array, bytes: Uint8Array, offset: number): Buffer => {
  const size = AUTH[protocol].digestBytes
  const hmac = createHmac(AUTH[protocol].hash, key)
  hmac
    .update(bytes.subarray(0, offset))
    .update(new Uint8Array(size))
    .update(bytes.subarray(offset + size))
  return hmac.digest().subarray(0, size)
}

/** Whether the digest at `offset` (of `length` octets) is the one that `key` makes. */
export const verify = (
  auth: NonNullable<UserKeys["auth"]>,
  bytes: Uint8Array,
  offset: number,
  length: number,
): boolean =>
  length === AUTH[auth.protocol].digestBytes &&
  timingSafeEqual(digest(auth.protocol, auth.key, bytes, offset), bytes.subarray(offset, offset + length))

/** Writes the digest into the message. */
export const sign = (auth: NonNullable<UserKeys["auth"]>, bytes: Buffer, offset: number): void => {
  digest(auth.protocol, auth.key, bytes, offset).copy(bytes, offset)
}

export interface Sealed {
  readonly encrypted: Buffer
  /** msgPrivacyParameters. */
  readonly salt: Buffer
}

export const encrypt = (
  priv: NonNullable<UserKeys["priv"]>,
  boots: number,
  time: number,
  plain: Uint8Array,
): Sealed => {
  const salt = randomBytes(8)
  if (priv.protocol === "des") {
    const padded = Buffer.alloc(Math.ceil(plain.length / 8) * 8)
    padded.set(plain)
    const cipher = createCipheriv("des-ede3-cbc", desKey(priv.key), desIv(priv.key, salt)).setAutoPadding(false)
    return { encrypted: Buffer.concat([cipher.update(padded), cipher.final()]), salt }
  }
  const cipher = createCipheriv(aesName(priv.protocol), priv.key, aesIv(boots, time, salt))
  return { encrypted: Buffer.concat([cipher.update(plain), cipher.final()]), salt }
}

/** The scoped PDU, or null when sizes are impossible. A wrong key gives noise, which the BER decoder refuses. */
export const decrypt = (
  priv: NonNullable<UserKeys["priv"]>,
  boots: number,
  time: number,
  salt: Uint8Array,
  encrypted: Uint8Array,
): Buffer | null => {
  if (salt.length !== 8 || encrypted.length === 0) return null
  if (priv.protocol === "des") {
    if (encrypted.length % 8 !== 0) return null
    const decipher = createDecipheriv("des-ede3-cbc", desKey(priv.key), desIv(priv.key, salt)).setAutoPadding(false)
    return Buffer.concat([decipher.update(encrypted), decipher.final()])
  }
  const decipher = createDecipheriv(aesName(priv.protocol), priv.key, aesIv(boots, time, salt))
  return Buffer.concat([decipher.update(encrypted), decipher.final()])
}

const desKey = (key: Uint8Array): Buffer => {
  const single = key.subarray(0, 8)
  return Buffer.concat([single, single, single])
}

/** RFC 3414 s8.1.1.1: the second half of the key, xor the salt. */
const desIv = (key: Uint8Array, salt: Uint8Array): Buffer =>
  Buffer.from(salt.map((byte, i) => byte ^ (key[8 + i] as number)))

const aesName = (protocol: PrivProtocol): string => (protocol === "aes" ? "aes-128-cfb" : "aes-256-cfb")

/** RFC 3826 s3.1.2.1. */
const aesIv = (boots: number, time: number, salt: Uint8Array): Buffer => {
  const iv = Buffer.alloc(16)
  iv.writeUInt32BE(boots, 0)
  iv.writeUInt32BE(time, 4)
  iv.set(salt, 8)
  return iv
}
