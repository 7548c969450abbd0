/**
 * net-snmp 3.29.2 asks OpenSSL for `des-cbc`, which OpenSSL 3 (every Node since 17) refuses, so its DES privacy fails on
 * each message (measured on Node 26.10). Old RouterOS offers nothing else. This replaces the two functions of its
 * cipher table by ours; the table is one per process, so it happens once.
 */
import snmp from "net-snmp"
import { decrypt, encrypt } from "#engine/collectors/snmp/usm.ts"

interface Engine {
  readonly engineID: Buffer
  readonly engineBoots: number
  readonly engineTime: number
}
interface Cipher {
  encryptPdu: (plain: Buffer, priv: number, password: string, auth: number, engine: Engine) => unknown
  decryptPdu: (bytes: Buffer, priv: number, salt: Buffer, password: string, auth: number, engine: Engine) => Buffer
}
const library = snmp as unknown as {
  readonly Encryption: { readonly algorithms: Record<number, Cipher> }
  readonly Authentication: { readonly passwordToKey: (auth: number, password: string, engineId: Buffer) => Buffer }
}

let mended = false

export const mendDes = (): void => {
  if (mended) return
  mended = true
  const cipher = library.Encryption.algorithms[snmp.PrivProtocols.des]
  if (cipher === undefined) return
  const keyOf = (auth: number, password: string, engine: Engine) =>
    ({ protocol: "des", key: library.Authentication.passwordToKey(auth, password, engine.engineID) }) as const
  cipher.encryptPdu = (plain, _priv, password, auth, engine) => {
    const { encrypted, salt } = encrypt(keyOf(auth, password, engine), engine.engineBoots, engine.engineTime, plain)
    return { encryptedPdu: encrypted, msgPrivacyParameters: salt }
  }
  cipher.decryptPdu = (bytes, _priv, salt, password, auth, engine) => {
    const plain = decrypt(keyOf(auth, password, engine), engine.engineBoots, engine.engineTime, salt, bytes)
    if (plain === null) throw new Error("impossible sizes")
    return plain
  }
}
