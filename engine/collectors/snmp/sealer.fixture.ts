/** Seals SNMP v3 messages as the holder of a user's keys would, whatever is inside; and opens what such a user sent. */
import type { SnmpV3Credential } from "#engine/collectors/target.ts"
import type { Message, Pdu } from "#engine/collectors/snmp/ber.ts"
import { decodeScopedPdu } from "#engine/collectors/snmp/ber.ts"
import { encodeV3 } from "#engine/collectors/snmp/encode.ts"
import { AUTH, decrypt, encrypt, localise, passwordKey, privKey, sign } from "#engine/collectors/snmp/usm.ts"

export interface Sealer {
  readonly seal: (msgId: number, flags: number, boots: number, time: number, scoped: Buffer) => Buffer
  /** Null when it was not encrypted by this user for this engine. */
  readonly open: (message: Message) => Pdu | null
}

export const makeSealer = async (
  credential: Required<Omit<SnmpV3Credential, "lenient" | "others">>,
  engineId: Buffer,
): Promise<Sealer> => {
  const { user, authProtocol, authPassword, privProtocol, privPassword } = credential
  const auth = {
    protocol: authProtocol,
    key: localise(authProtocol, await passwordKey(authProtocol, authPassword), engineId),
  }
  const priv = {
    protocol: privProtocol,
    key: privKey(authProtocol, privProtocol, await passwordKey(authProtocol, privPassword), engineId),
  }
  return {
    seal: (msgId, flags, boots, time, scoped) => {
      const { encrypted, salt } = encrypt(priv, boots, time, scoped)
      const authParams = Buffer.alloc(AUTH[authProtocol].digestBytes)
      const whole = { msgId, flags, engineId, boots, time, user, authParams, privParams: salt, scoped: encrypted }
      const { bytes, authOffset } = encodeV3(whole)
      sign(auth, bytes, authOffset)
      return bytes
    },
    open: ({ v3 }) => {
      if (v3?.encrypted === undefined || v3.encrypted === null) return null
      const plain = decrypt(priv, v3.boots, v3.time, v3.privParams, v3.encrypted)
      const pdu = plain === null ? "size" : decodeScopedPdu(plain)
      return typeof pdu === "string" ? null : pdu
    },
  }
}
