/**
 * The user-based security model (RFC 3414, RFC 7860 for SHA-2, RFC 3826 for AES) from the agent's side: keys, digests,
 * ciphers. Pure functions over buffers; who may ask what, and the reports, are agent.ts's.
 */
import { createCipheriv, createDecipheriv, createHash, createHmac } from "node:crypto"
import type { SnmpV3 } from "#lab/isp/model.ts"

interface AuthAlgorithm {
  readonly hash: string
  /** Octets of the truncated digest on the wire. */
  readonly digest: number
}
const AUTH: Readonly<Record<SnmpV3["authProtocol"], AuthAlgorithm>> = {
  md5: { hash: "md5", digest: 12 },
  sha: { hash: "sha1", digest: 12 },
  sha224: { hash: "sha224", digest: 16 },
  sha256: { hash: "sha256", digest: 24 },
  sha384: { hash: "sha384", digest: 32 },
  sha512: { hash: "sha512", digest: 48 },
}

/** A user's secrets, bound to one engine. */
export interface UsmKeys {
  readonly user: SnmpV3
  readonly authKey: Buffer
  readonly privKey: Buffer
}

export const usmKeys = (user: SnmpV3, engineId: Buffer): UsmKeys => ({
  user,
  authKey: localise(user, user.authPassword, engineId),
  privKey: localise(user, user.privPassword, engineId),
})

const localise = (user: SnmpV3, password: string, engineId: Buffer): Buffer => {
  const ku = masterKey(user.authProtocol, password)
  const { hash } = AUTH[user.authProtocol]
  return createHash(hash).update(ku).update(engineId).update(ku).digest()
}

/**
 * Hashing a mebibyte takes milliseconds and depends on the password only. The lab has one password per purpose, so this
 * cache holds a handful of entries; it is cleared before it could grow.
 */
const masterKeys = new Map<string, Buffer>()
const MASTER_KEYS_MAX = 64

/** RFC 3414 A.2: the password repeated to 2^20 octets, hashed. */
const masterKey = (protocol: SnmpV3["authProtocol"], password: string): Buffer => {
  const name = `${protocol} ${password}`
  let key = masterKeys.get(name)
  if (key === undefined) {
    if (masterKeys.size >= MASTER_KEYS_MAX) masterKeys.clear()
    key = createHash(AUTH[protocol].hash)
      .update(Buffer.alloc(2 ** 20, password))
      .digest()
    masterKeys.set(name, key)
  }
  return key
}

export const digestLength = ({ user }: UsmKeys): number => AUTH[user.authProtocol].digest

/** Digest of a whole message whose authentication parameters are zeros. */
export const digestOf = ({ user, authKey }: UsmKeys, message: Buffer): Buffer => {
  const { hash, digest } = AUTH[user.authProtocol]
  return createHmac(hash, authKey).update(message).digest().subarray(0, digest)
}

export interface Salted {
  readonly salt: Buffer
  readonly cipher: Buffer
}

/** `counter` must not repeat under one key and boot: RFC 3414 s8.1.1.1, RFC 3826 s3.1.2.1. */
export const encrypt = (
  { user, privKey }: UsmKeys,
  boots: number,
  time: number,
  counter: number,
  plain: Buffer,
): Salted => {
  const salt = Buffer.alloc(8)
  salt.writeUInt32BE(boots, 0)
  salt.writeUInt32BE(counter, 4)
  if (user.privProtocol === "aes") {
    const aes = createCipheriv("aes-128-cfb", privKey.subarray(0, 16), aesIv(boots, time, salt))
    return { salt, cipher: Buffer.concat([aes.update(plain), aes.final()]) }
  }
  const des = createCipheriv("des-ede3-cbc", desKey(privKey), desIv(privKey, salt)).setAutoPadding(false)
  const padded = Buffer.concat([plain, Buffer.alloc((8 - (plain.length % 8)) % 8)])
  return { salt, cipher: Buffer.concat([des.update(padded), des.final()]) }
}

/** Null when the salt or the length is impossible; wrong keys give rubbish, which then fails to parse. */
export const decrypt = (
  { user, privKey }: UsmKeys,
  boots: number,
  time: number,
  salt: Buffer,
  cipher: Buffer,
): Buffer | null => {
  if (salt.length !== 8) return null
  if (user.privProtocol === "aes") {
    const aes = createDecipheriv("aes-128-cfb", privKey.subarray(0, 16), aesIv(boots, time, salt))
    return Buffer.concat([aes.update(cipher), aes.final()])
  }
  if (cipher.length === 0 || cipher.length % 8 !== 0) return null
  const des = createDecipheriv("des-ede3-cbc", desKey(privKey), desIv(privKey, salt)).setAutoPadding(false)
  return Buffer.concat([des.update(cipher), des.final()])
}

const aesIv = (boots: number, time: number, salt: Buffer): Buffer => {
  const iv = Buffer.alloc(16)
  iv.writeUInt32BE(boots, 0)
  iv.writeUInt32BE(time, 4)
  salt.copy(iv, 8)
  return iv
}

/** OpenSSL 3 has no plain DES; triple DES with three times the same key is plain DES. */
const desKey = (privKey: Buffer): Buffer => {
  const key = privKey.subarray(0, 8)
  return Buffer.concat([key, key, key])
}

const desIv = (privKey: Buffer, salt: Buffer): Buffer => {
  const iv = Buffer.from(privKey.subarray(8, 16))
  for (let i = 0; i < 8; i++) iv[i]! ^= salt[i]!
  return iv
}
