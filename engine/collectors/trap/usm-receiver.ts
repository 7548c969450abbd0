/**
 * The receiving side of SNMPv3 notifications (RFC 3414 s3.2): level, engine, digest, time window, decryption. For traps
 * the sender's engine is authoritative, for informs ours is, so informs need discovery Reports from us and a signed answer.
 * Not net-snmp's Receiver: that one crashes on a msgID above 2^31 (R2, R3), takes traps of the empty user (R4), hashes
 * 1 MiB per invented engine, and has no time window.
 */
import { randomBytes } from "node:crypto"
import type { SnmpV3Credential } from "#engine/collectors/target.ts"
import type { Message, Pdu, V3 } from "#engine/collectors/snmp/ber.ts"
import { decodeScopedPdu, PDU } from "#engine/collectors/snmp/ber.ts"
import type { OutVarbind } from "#engine/collectors/snmp/encode.ts"
import { encodeScopedPdu, encodeV3 } from "#engine/collectors/snmp/encode.ts"
import { oid } from "#engine/collectors/snmp/oid.ts"
import type { UserKeys } from "#engine/collectors/snmp/usm.ts"
import { AUTH, decrypt, encrypt, localise, passwordKey, privKey, sign, verify } from "#engine/collectors/snmp/usm.ts"
import { TAG } from "#engine/collectors/snmp/varbinds.ts"

/** RFC 3414 s2.2.3. */
const TIME_WINDOW_SECONDS = 150
/** Engines remembered per sender: a router has one, a stack a few. The longest unused is forgotten. */
const MAX_ENGINES = 4
const MIN_ENGINE_ID_BYTES = 5

/** Our own engine. Its id is new with each start, so that boots need not be kept: senders discover it again. */
export interface OwnEngine {
  readonly id: Buffer
  readonly startMs: number
}

/** RFC 3411 SnmpEngineID: enterprise bit, an enterprise number (32473: RFC 5612, documentation), octets format, random. */
export const makeOwnEngine = (nowMs: number): OwnEngine => ({
  id: Buffer.concat([Buffer.from([0x80, 0x00, 0x7e, 0xd9, 0x05]), randomBytes(12)]),
  startMs: nowMs,
})

const OWN_BOOTS = 1

interface RemoteEngine {
  readonly keys: UserKeys
  boots: number
  time: number
  heardMs: number
}

/** Level, user, keys and engines of one sender. */
export interface UsmSender {
  readonly user: string
  readonly level: number
  /** Settled when the slow keys are there. */
  readonly ready: Promise<void>
  readonly isReady: () => boolean
  readonly keysFor: (engineId: Uint8Array) => UserKeys
  readonly engines: Map<string, RemoteEngine>
}

export const makeUsmSender = (credential: SnmpV3Credential): UsmSender => {
  const { user, authProtocol, authPassword = "", privProtocol, privPassword = "" } = credential
  let authKu: Buffer | null = null
  let privKu: Buffer | null = null
  let isReady = authProtocol === undefined
  const derive = async (): Promise<void> => {
    if (authProtocol === undefined) return
    authKu = await passwordKey(authProtocol, authPassword)
    if (privProtocol !== undefined) privKu = await passwordKey(authProtocol, privPassword)
    isReady = true
  }
  const keysFor = (engineId: Uint8Array): UserKeys => {
    if (authProtocol === undefined || authKu === null) return { auth: null, priv: null }
    const auth = { protocol: authProtocol, key: localise(authProtocol, authKu, engineId) }
    if (privProtocol === undefined || privKu === null) return { auth, priv: null }
    return { auth, priv: { protocol: privProtocol, key: privKey(authProtocol, privProtocol, privKu, engineId) } }
  }
  const level = authProtocol === undefined ? 0 : privProtocol === undefined ? 1 : 3
  const ready = derive()
  ready.catch(() => {})
  return { user, level, ready, isReady: () => isReady, keysFor, engines: new Map() }
}

export type UsmRefusal = "user" | "level" | "engine" | "digest" | "window" | "decrypt" | "pdu"

/** What to do with a v3 message: deliver its PDU, send `reply` first when there is one, or only that, or nothing. */
export type UsmVerdict =
  | { readonly kind: "notification"; readonly pdu: Pdu; readonly reply: Buffer | null }
  | { readonly kind: "report"; readonly reply: Buffer }
  | { readonly kind: "refused"; readonly why: UsmRefusal }

const refused = (why: UsmRefusal): UsmVerdict => ({ kind: "refused", why })

/** `bytes` is the whole datagram that `message` was decoded from; it is not changed. */
export const receiveV3 = (
  own: OwnEngine,
  sender: UsmSender,
  bytes: Uint8Array,
  message: Message & { readonly v3: V3 },
  nowMs: number,
): UsmVerdict => {
  const { v3 } = message
  const isOurs = Buffer.compare(v3.engineId, own.id) === 0
  // Only requests that want an answer are reportable: an inform, or the discovery before it.
  if (!isOurs && (v3.flags & REPORTABLE) !== 0) {
    return { kind: "report", reply: report(own, v3, message.pdu, UNKNOWN_ENGINE_IDS, null, nowMs) }
  }
  if (v3.user === "" || v3.user !== sender.user) return refused("user")
  if ((v3.flags & 3) !== sender.level) return refused("level")
  if (v3.engineId.length < MIN_ENGINE_ID_BYTES) return refused("engine")
  return isOurs ? receiveInform(own, sender, bytes, message, nowMs) : receiveTrap(sender, bytes, message, nowMs)
}

const REPORTABLE = 4

const receiveTrap = (
  sender: UsmSender,
  bytes: Uint8Array,
  message: Message & { readonly v3: V3 },
  nowMs: number,
): UsmVerdict => {
  const { v3 } = message
  const name = Buffer.from(v3.engineId).toString("hex")
  const known = sender.engines.get(name)
  const keys = known?.keys ?? sender.keysFor(v3.engineId)
  if (keys.auth !== null && !verify(keys.auth, bytes, v3.authOffset, v3.authParams.length)) return refused("digest")
  if (keys.auth !== null) {
    // Only now is the sender known to hold the key, so only now is anything remembered of it.
    const engine = known ?? { keys, boots: v3.boots, time: v3.time, heardMs: nowMs }
    if (!isFresh(engine, v3, nowMs)) return refused("window")
    remember(sender, name, engine)
  }
  const pdu = open(message, keys)
  if (pdu === null) return refused("decrypt")
  return pdu.type === PDU.trapV2 ? { kind: "notification", pdu, reply: null } : refused("pdu")
}

/** RFC 3414 s3.2 step 7b: follows the sender's clock forwards, refuses what lies more than the window behind it. */
const isFresh = (engine: RemoteEngine, { boots, time }: V3, nowMs: number): boolean => {
  const expected = engine.time + (nowMs - engine.heardMs) / 1_000
  if (boots > engine.boots || (boots === engine.boots && time > engine.time)) {
    engine.boots = boots
    engine.time = time
    engine.heardMs = nowMs
    return boots !== MAX_BOOTS
  }
  return boots === engine.boots && expected - time <= TIME_WINDOW_SECONDS
}

const MAX_BOOTS = 2_147_483_647

const remember = (sender: UsmSender, name: string, engine: RemoteEngine): void => {
  sender.engines.delete(name)
  if (sender.engines.size >= MAX_ENGINES) sender.engines.delete(sender.engines.keys().next().value ?? "")
  sender.engines.set(name, engine)
}

const receiveInform = (
  own: OwnEngine,
  sender: UsmSender,
  bytes: Uint8Array,
  message: Message & { readonly v3: V3 },
  nowMs: number,
): UsmVerdict => {
  const { v3 } = message
  const keys = sender.keysFor(own.id)
  if (keys.auth !== null) {
    if (!verify(keys.auth, bytes, v3.authOffset, v3.authParams.length)) return refused("digest")
    const isInWindow = v3.boots === OWN_BOOTS && Math.abs(v3.time - ownTime(own, nowMs)) <= TIME_WINDOW_SECONDS
    if (!isInWindow) return { kind: "report", reply: report(own, v3, message.pdu, NOT_IN_TIME_WINDOWS, keys, nowMs) }
  }
  const pdu = open(message, keys)
  if (pdu === null) return refused("decrypt")
  if (pdu.type !== PDU.inform) return refused("pdu")
  return { kind: "notification", pdu, reply: informReply(own, v3, pdu, keys, nowMs) }
}

/** The PDU in clear, or null when it cannot be decrypted. */
const open = ({ v3, pdu }: Message & { readonly v3: V3 }, keys: UserKeys): Pdu | null => {
  if (v3.encrypted === null) return pdu
  if (keys.priv === null) return null
  const plain = decrypt(keys.priv, v3.boots, v3.time, v3.privParams, v3.encrypted)
  const decoded = plain === null ? "length" : decodeScopedPdu(plain)
  return typeof decoded === "string" ? null : decoded
}

const ownTime = (own: OwnEngine, nowMs: number): number => Math.max(0, Math.floor((nowMs - own.startMs) / 1_000)) + 1

/** RFC 3416 s4.2.7: the response repeats the inform's bindings. */
const informReply = (own: OwnEngine, v3: V3, pdu: Pdu, keys: UserKeys, nowMs: number): Buffer => {
  const varbinds = pdu.varbinds.all().map((varbind, i): OutVarbind => ({ ...varbind, oid: pdu.varbinds.oid(i) }))
  return seal(own, v3, keys, encodeScopedPdu(own.id, PDU.response, pdu.requestId, 0, 0, varbinds), nowMs)
}

const UNKNOWN_ENGINE_IDS = oid("1.3.6.1.6.3.15.1.1.4.0")
const NOT_IN_TIME_WINDOWS = oid("1.3.6.1.6.3.15.1.1.2.0")

/** Tells a sender of informs our engine id, boots and time. Signed when `keys` are given. */
const report = (
  own: OwnEngine,
  v3: V3,
  pdu: Pdu | null,
  counter: Uint8Array,
  keys: UserKeys | null,
  nowMs: number,
): Buffer => {
  const varbinds = [{ oid: counter, tag: TAG.counter32, value: 1 }]
  const scoped = encodeScopedPdu(own.id, PDU.report, pdu?.requestId ?? 0, 0, 0, varbinds)
  return seal(own, v3, { auth: keys?.auth ?? null, priv: null }, scoped, nowMs)
}

const NOTHING = Buffer.alloc(0)

const seal = (own: OwnEngine, v3: V3, { auth, priv }: UserKeys, scoped: Buffer, nowMs: number): Buffer => {
  const time = ownTime(own, nowMs)
  const sealed = priv === null ? null : encrypt(priv, OWN_BOOTS, time, scoped)
  const { bytes, authOffset } = encodeV3({
    msgId: v3.msgId,
    flags: (auth === null ? 0 : 1) | (priv === null ? 0 : 2),
    engineId: own.id,
    boots: OWN_BOOTS,
    time,
    user: auth === null ? "" : v3.user,
    authParams: auth === null ? NOTHING : Buffer.alloc(AUTH[auth.protocol].digestBytes),
    privParams: sealed?.salt ?? NOTHING,
    scoped: sealed?.encrypted ?? scoped,
  })
  if (auth !== null) sign(auth, bytes, authOffset)
  return bytes
}
