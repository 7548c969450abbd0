/**
 * The engine's own signature on what leaves it as proof: audit exports, audit anchors, the isolation report. Ed25519
 * (RFC 8032); the private key is `signing.key` in the data directory, its public half stands in `signing.pub` beside it,
 * which is what auditors keep. A key that was lost is never silently replaced: old proofs would then look forged.
 */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from "node:crypto"
import type { KeyObject } from "node:crypto"
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { readAnchors } from "#engine/signing/anchor-file.ts"

/** `message` names the file and says what to do; it never holds key material. */
export class SigningKeyUnusable extends Data.TaggedError("SigningKeyUnusable")<{
  readonly reason: "missing" | "other-key" | "readable-by-others" | "malformed"
  readonly message: string
}> {}

export interface Signature {
  /** base64url, 64 bytes. */
  readonly signature: string
  /** Names the public key: the first 16 hex digits of the SHA-256 of its DER (SPKI). */
  readonly keyId: string
}

export interface Signer {
  readonly sign: (bytes: Uint8Array) => Signature
  readonly keyId: string
  readonly publicKeyPem: string
  /** Every public key that this data directory ever signed with, by key id. */
  readonly publicKeys: ReadonlyMap<string, string>
}

const KEY_FILE = "signing.key"
const PUBLIC_FILE = "signing.pub"
/** More than a lifetime of rotations; a file beyond it is not ours. */
const KEY_FILE_BYTES_MAX = 16 * 1024

/** Opens the key of a data directory, which exists; makes the key when nothing there was ever signed. */
export const openSigner = (dataDir: string): Effect.Effect<Signer, SigningKeyUnusable> =>
  Effect.try({ try: () => openNow(dataDir), catch: asUnusable })

/** True when the bytes were signed by the private half of `publicKeyPem`. False for anything else; never throws. */
export const verifySignature = (publicKeyPem: string, bytes: Uint8Array, signature: string): boolean => {
  if (!/^[A-Za-z0-9_-]{86}$/.test(signature)) return false
  try {
    const key = createPublicKey(publicKeyPem)
    return key.asymmetricKeyType === "ed25519" && verify(null, bytes, key, Buffer.from(signature, "base64url"))
  } catch {
    return false
  }
}

/** Throws when the text is no public Ed25519 key. */
export const keyIdOf = (publicKeyPem: string): string => idOf(createPublicKey(publicKeyPem))

/** The public keys in the words of a file: PEM blocks one after another. Blocks that are no Ed25519 key are left out. */
export const readPublicKeys = (text: string): ReadonlyMap<string, string> => {
  const keys = new Map<string, string>()
  for (const [block] of text.matchAll(/-----BEGIN PUBLIC KEY-----[A-Za-z0-9+/=\s]{1,400}-----END PUBLIC KEY-----/g)) {
    try {
      const key = createPublicKey(block)
      if (key.asymmetricKeyType === "ed25519") keys.set(idOf(key), pemOf(key))
    } catch {
      // Not a key: whoever needs it will miss it by its id.
    }
  }
  return keys
}

const openNow = (dataDir: string): Signer => {
  const file = join(dataDir, KEY_FILE)
  const known = knownKeys(dataDir)
  if (!existsSync(file)) {
    const used = [...known.keys(), ...anchorKeys(dataDir)][0]
    if (used !== undefined) throw unusable("missing", lostKey(file, used))
    writeNewKey(file)
  }
  const key = readKey(file)
  const publicKey = createPublicKey(key)
  const [keyId, publicKeyPem] = [idOf(publicKey), pemOf(publicKey)]
  if (!known.has(keyId)) {
    const used = [...known.keys()][0] ?? anchorKeys(dataDir).find((id) => id !== keyId)
    if (used !== undefined) throw unusable("other-key", otherKey(dataDir, keyId, used))
    writeWhole(join(dataDir, PUBLIC_FILE), publicKeyPem, 0o644)
  }
  return {
    sign: (bytes) => ({ signature: sign(null, bytes, key).toString("base64url"), keyId }),
    keyId,
    publicKeyPem,
    publicKeys: new Map([...known, [keyId, publicKeyPem]]),
  }
}

const lostKey = (file: string, used: string): string =>
  `${file} is missing, and key ${used} has signed audit anchors or exports: restore it from a backup. To go on with a ` +
  `new key on purpose, put the new private key (openssl genpkey -algorithm ed25519) there and add its public half to ` +
  `${PUBLIC_FILE}`

const otherKey = (dataDir: string, keyId: string, used: string): string =>
  `${join(dataDir, KEY_FILE)} holds key ${keyId}, but ${used} has signed here before: restore that key, or add the ` +
  `public half of the new one to ${join(dataDir, PUBLIC_FILE)} to say that it was replaced on purpose`

/** The public keys that this data directory signed with; needs no private key, and makes none. */
export const knownKeys = (dataDir: string): ReadonlyMap<string, string> => {
  const file = join(dataDir, PUBLIC_FILE)
  return existsSync(file) ? readPublicKeys(readSmall(file)) : new Map()
}

/** Keys that anchors name, in case `signing.pub` was lost together with the key. */
const anchorKeys = (dataDir: string): readonly string[] => [
  ...new Set(readAnchors(dataDir).anchors.map(({ keyId }) => keyId)),
]

const readKey = (file: string): KeyObject => {
  const { mode } = statSync(file)
  if ((mode & 0o077) !== 0)
    throw unusable(
      "readable-by-others",
      `${file} may be read by others (mode ${(mode & 0o777).toString(8)}): chmod 600`,
    )
  const malformed = unusable("malformed", `${file} holds no Ed25519 private key in PEM`)
  try {
    const key = createPrivateKey(readSmall(file))
    if (key.asymmetricKeyType === "ed25519") return key
  } catch {
    // The parser's words may quote the file.
    throw malformed
  }
  throw malformed
}

const readSmall = (file: string): string => {
  if (statSync(file).size > KEY_FILE_BYTES_MAX) throw unusable("malformed", `${file} is too large to be a key`)
  return readFileSync(file, "utf8")
}

/** Durable before its first signature. When another process makes one at the same moment, the first of them stays. */
const writeNewKey = (file: string): void => {
  const { privateKey } = generateKeyPairSync("ed25519")
  const temporary = `${file}.${process.pid}.new`
  writeDurable(temporary, privateKey.export({ type: "pkcs8", format: "pem" }).toString(), 0o600)
  try {
    linkSync(temporary, file)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause
  } finally {
    rmSync(temporary, { force: true })
  }
}

const writeWhole = (file: string, text: string, mode: number): void => {
  const temporary = `${file}.${process.pid}.new`
  writeDurable(temporary, text, mode)
  renameSync(temporary, file)
}

const writeDurable = (file: string, text: string, mode: number): void => {
  rmSync(file, { force: true })
  const handle = openSync(file, "wx", mode)
  try {
    writeFileSync(handle, text)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

const idOf = (publicKey: KeyObject): string =>
  createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("hex")
    .slice(0, 16)

const pemOf = (publicKey: KeyObject): string => publicKey.export({ type: "spki", format: "pem" }).toString()

const unusable = (reason: SigningKeyUnusable["reason"], message: string): SigningKeyUnusable =>
  new SigningKeyUnusable({ reason, message })

const asUnusable = (error: unknown): SigningKeyUnusable =>
  error instanceof SigningKeyUnusable
    ? error
    : unusable(
        "malformed",
        `the signing key cannot be used: ${(error as NodeJS.ErrnoException).code ?? "unknown reason"}`,
      )
