/**
 * SNMP v3 client over the shared sockets (RFC 3412, USM of RFC 3414): discovery, the engine's clock, signing, encryption.
 * Our own code, because net-snmp's keeps pass-phrases and prints keys, believes answers below the configured level and
 * makes a dozen buffers of each packet (notes/hostile.md s1, docs/collectors.md). What the gate could not see, because it
 * was encrypted, passes the same strict decoder afterwards. The password is not kept: only keys derived off the main path.
 */
import { randomInt } from "node:crypto"
import { performance } from "node:perf_hooks"
import type { AuthProtocol, PrivProtocol, SnmpV3Credential } from "#engine/collectors/target.ts"
import type { Message, Pdu, V3 } from "#engine/collectors/snmp/ber.ts"
import { decodeScopedPdu, PDU } from "#engine/collectors/snmp/ber.ts"
import type { SnmpClient } from "#engine/collectors/snmp/client.ts"
import { answersBulk, answersGet, SnmpFailed, snmpFailed } from "#engine/collectors/snmp/client.ts"
import { encodeScopedPdu, encodeV3 } from "#engine/collectors/snmp/encode.ts"
import type { DropReason, GateCounts } from "#engine/collectors/snmp/gate.ts"
import { admitV3 } from "#engine/collectors/snmp/gate.ts"
import type { Oid } from "#engine/collectors/snmp/oid.ts"
import { isUnder, oid } from "#engine/collectors/snmp/oid.ts"
import { firstWaitMs, MAX_SENDS, smoothedMs, waitAfterMs } from "#engine/collectors/snmp/patience.ts"
import type { UdpPool } from "#engine/collectors/snmp/udp.ts"
import type { UserKeys } from "#engine/collectors/snmp/usm.ts"
import {
  AUTH,
  decrypt,
  encrypt,
  localise,
  passwordKey,
  privKeyOffMain,
  sign,
  verify,
} from "#engine/collectors/snmp/usm.ts"
import type { Varbinds } from "#engine/collectors/snmp/varbinds.ts"
import { TAG } from "#engine/collectors/snmp/varbinds.ts"

export interface V3Options {
  readonly pool: UdpPool
  readonly address: string
  readonly port: number
  readonly credential: SnmpV3Credential
  readonly counts: GateCounts
  /** Tolerate trailing padding and over-long integers of this device. */
  readonly lenient?: boolean
}

/** Packets that one request may send: discovery, the request, a time correction, and the repeats (S9 was endless). */
export const MAX_PACKETS_PER_REQUEST = 8
const REPORTABLE = 4
const MIN_ID = 1
const MAX_ID = 2 ** 31 - 1

/** The authoritative engine on the other side: who it is, our keys for it, and its clock. */
interface Engine {
  readonly id: Uint8Array
  readonly keys: UserKeys
  boots: number
  time: number
  heardMs: number
}

/** One message under way. */
interface Pending {
  readonly msgId: number
  readonly bytes: Buffer
  readonly untilMs: number
  readonly startMs: number
  readonly firstMs: number
  readonly resolve: (answer: Message & { readonly v3: V3 }) => void
  readonly reject: (failure: SnmpFailed) => void
  sends: number
  timer: NodeJS.Timeout | undefined
}

/** What a request wants, before it is sealed. */
interface Question {
  readonly type: number
  readonly first: number
  readonly second: number
  readonly oids: readonly Oid[]
  readonly untilMs: number
  readonly accepts: (answer: Varbinds) => boolean
}

export const v3Client = (options: V3Options): SnmpClient => {
  const { counts, lenient = false } = options
  const user = usmUser(options.credential)
  let engine: Engine | null = null
  let pending: Pending | null = null
  let roundTripMs: number | null = null
  let packetsLeft = 0
  let busy = false
  let isOpen = true
  let isCancelled = false

  const settle = (): Pending | null => {
    const settled = pending
    if (settled !== null) clearTimeout(settled.timer)
    pending = null
    return settled
  }

  /** The message that is waited for, or why these bytes are not it. */
  const judge = (bytes: Uint8Array): (Message & { readonly v3: V3 }) | DropReason => {
    const message = admitV3(bytes, { level: user.level, user: user.name, engineId: engine?.id ?? null, lenient })
    if (typeof message === "string") return message
    const { v3 } = message
    if (v3 === null) return "version"
    if (v3.msgId !== pending?.msgId) return "id"
    if ((v3.flags & 1) === 0) return { ...message, v3 }
    const auth = engine?.keys.auth ?? null
    if (auth === null || !verify(auth, bytes, v3.authOffset, v3.authParams.length)) return "level"
    return { ...message, v3 }
  }

  const receive = (bytes: Buffer): boolean => {
    const answer = judge(bytes)
    if (typeof answer === "string") {
      counts.dropped[answer]++
      return false
    }
    counts.accepted++
    const settled = settle()
    // Karn: the round trip of a repeated request is ambiguous.
    if (settled?.sends === 1) roundTripMs = smoothedMs(roundTripMs, performance.now() - settled.startMs)
    settled?.resolve(answer)
    return true
  }

  const peer = options.pool.open(options.address, options.port, receive)

  const send = (message: Pending): void => {
    if (packetsLeft === 0) {
      counts.dropped.budget++
      settle()?.reject(timedOut())
      return
    }
    packetsLeft--
    message.sends++
    counts.sent++
    peer.send(message.bytes, (code) => {
      if (pending === message) settle()?.reject(snmpFailed("refused", `cannot send: ${code}`))
    })
    const isLast = message.sends >= MAX_SENDS
    message.timer = setTimeout(
      () => {
        if (isLast || performance.now() >= message.untilMs) settle()?.reject(timedOut())
        else send(message)
      },
      Math.max(1, Math.min(waitAfterMs(message.sends, message.firstMs), message.untilMs - performance.now())),
    )
  }

  /** Sends until something with this id passes the gate. */
  const transact = (msgId: number, bytes: Buffer, untilMs: number): Promise<Message & { readonly v3: V3 }> => {
    if (!isOpen) return Promise.reject(snmpFailed("closed", "the session is closed"))
    if (isCancelled) return Promise.reject(snmpFailed("closed", "the request was cancelled"))
    const startMs = performance.now()
    if (startMs >= untilMs) return Promise.reject(snmpFailed("timeout", "no time left before the deadline"))
    return new Promise((resolve, reject) => {
      const firstMs = firstWaitMs(roundTripMs)
      pending = { msgId, bytes, untilMs, startMs, firstMs, resolve, reject, sends: 0, timer: undefined }
      send(pending)
    })
  }

  /** RFC 3414 s4: an empty engine id is answered with a Report that names the engine, its boots and its time. */
  const discover = async (untilMs: number): Promise<Engine> => {
    const msgId = randomInt(MIN_ID, MAX_ID)
    const scoped = encodeScopedPdu(NOTHING, PDU.get, msgId, 0, 0, [])
    const plain = { engineId: NOTHING, boots: 0, time: 0, user: "", authParams: NOTHING, privParams: NOTHING }
    const { bytes } = encodeV3({ msgId, flags: REPORTABLE, ...plain, scoped })
    const { v3 } = await transact(msgId, bytes, untilMs)
    const heardMs = performance.now()
    const id = Uint8Array.from(v3.engineId)
    return { id, keys: await user.keysFor(id), boots: v3.boots, time: v3.time, heardMs }
  }

  const exchange = async (question: Question): Promise<Varbinds> => {
    await user.ready
    const { type, first, second, oids, untilMs, accepts } = question
    engine ??= await discover(untilMs)
    const known = engine
    for (let corrections = 0; ; corrections++) {
      const msgId = randomInt(MIN_ID, MAX_ID)
      const varbinds = oids.map((name) => ({ oid: name, tag: TAG.null, value: null }))
      const scoped = encodeScopedPdu(known.id, type, msgId, first, second, varbinds)
      const answer = await transact(msgId, seal(user, known, msgId, scoped), untilMs)
      const pdu = opened(answer, known, user.level)
      if (pdu === null) throw snmpFailed("protocol", "the answer is malformed, or encrypted with another key")
      const report = pdu.type === PDU.report ? reportWords(pdu) : null
      if (report === null) {
        follow(known, answer.v3)
        return valuesOf(pdu, msgId, accepts, counts)
      }
      // RFC 3414 s3.2 step 7: the agent's clock is another than we think, after a restart or a discovery without time.
      if (report !== NOT_IN_TIME_WINDOW || corrections > 0) throw snmpFailed("auth", `the agent reports: ${report}`)
      Object.assign(known, { boots: answer.v3.boots, time: answer.v3.time, heardMs: performance.now() })
    }
  }

  const ask = async (question: Question): Promise<Varbinds> => {
    if (!isOpen) throw snmpFailed("closed", "the session is closed")
    if (busy) throw snmpFailed("protocol", "a request is already in flight")
    busy = true
    isCancelled = false
    packetsLeft = MAX_PACKETS_PER_REQUEST
    try {
      return await exchange(question)
    } catch (error) {
      // A fresh discovery is the way out of every confusion about engine, keys, boots and time.
      if (!(error instanceof SnmpFailed) || error.reason !== "status") engine = null
      throw error
    } finally {
      busy = false
    }
  }

  return {
    get: (oids, untilMs) =>
      ask({ type: PDU.get, first: 0, second: 0, oids, untilMs, accepts: (answer) => answersGet(oids, answer) }),
    bulk: (first, second, oids, untilMs) =>
      ask({
        type: PDU.getBulk,
        first,
        second,
        oids,
        untilMs,
        accepts: (answer) => answersBulk(oids.length, first, second, answer),
      }),
    cancel: () => {
      isCancelled = true
      settle()?.reject(snmpFailed("closed", "the request was cancelled"))
    },
    close: () => {
      isOpen = false
      settle()?.reject(snmpFailed("closed", "the session is closed"))
      peer.close()
    },
  }
}

const NOTHING = Buffer.alloc(0)

/** A USM user with its slow keys; the passwords are not kept. */
interface UsmUser {
  readonly name: string
  readonly level: 0 | 1 | 3
  /** Settled when the slow keys are there. */
  readonly ready: Promise<unknown>
  /** The keys for one engine: microseconds, but for Reeder's AES-256, which hashes a mebibyte on the thread pool. */
  readonly keysFor: (engineId: Uint8Array) => Promise<UserKeys>
}

const usmUser = (credential: SnmpV3Credential): UsmUser => {
  const { user, authProtocol = null, authPassword = "", privProtocol = null, privPassword = "" } = credential
  const level = authProtocol === null ? 0 : privProtocol === null ? 1 : 3
  const ready = slowKeys(authProtocol, authPassword, privProtocol, privPassword)
  // Awaited by each request; this only keeps a failure from being "unhandled" before the first one.
  ready.catch(() => {})
  const keysFor = async (engineId: Uint8Array): Promise<UserKeys> => {
    const { authKu, privKu } = await ready
    if (authProtocol === null || authKu === null) return { auth: null, priv: null }
    const auth = { protocol: authProtocol, key: localise(authProtocol, authKu, engineId) }
    if (privProtocol === null || privKu === null) return { auth, priv: null }
    const key = await privKeyOffMain(authProtocol, privProtocol, privKu, engineId)
    return { auth, priv: { protocol: privProtocol, key } }
  }
  return { name: user, level, ready, keysFor }
}

const slowKeys = async (
  authProtocol: AuthProtocol | null,
  authPassword: string,
  privProtocol: PrivProtocol | null,
  privPassword: string,
): Promise<{ readonly authKu: Buffer | null; readonly privKu: Buffer | null }> => {
  if (authProtocol === null) return { authKu: null, privKu: null }
  const authKu = await passwordKey(authProtocol, authPassword)
  return { authKu, privKu: privProtocol === null ? null : await passwordKey(authProtocol, privPassword) }
}

const seal = (user: UsmUser, engine: Engine, msgId: number, scoped: Buffer): Buffer => {
  const { auth, priv } = engine.keys
  const time = Math.min(MAX_ID, Math.floor(engine.time + (performance.now() - engine.heardMs) / 1_000))
  const sealed = priv === null ? null : encrypt(priv, engine.boots, time, scoped)
  const { bytes, authOffset } = encodeV3({
    msgId,
    flags: user.level | REPORTABLE,
    engineId: engine.id,
    boots: engine.boots,
    time,
    user: user.name,
    authParams: auth === null ? NOTHING : Buffer.alloc(AUTH[auth.protocol].digestBytes),
    privParams: sealed?.salt ?? NOTHING,
    scoped: sealed?.encrypted ?? scoped,
  })
  if (auth !== null) sign(auth, bytes, authOffset)
  return bytes
}

/** The PDU of a message that passed the gate; null when what was encrypted is no PDU, or one that may not come here. */
const opened = ({ v3, pdu }: Message & { readonly v3: V3 }, { keys }: Engine, level: number): Pdu | null => {
  if (v3.encrypted === null) return pdu
  if (keys.priv === null || level !== 3) return null
  const plain = decrypt(keys.priv, v3.boots, v3.time, v3.privParams, v3.encrypted)
  const inside = plain === null ? "truncated" : decodeScopedPdu(plain)
  if (typeof inside === "string") return null
  return inside.type === PDU.response || inside.type === PDU.report ? inside : null
}

/** The answer's values, when it is the answer: RFC 3412 s7.2 asks for the message's id, RFC 3416 for the request's too. */
const valuesOf = (
  { requestId, errorStatus, varbinds }: Pdu,
  msgId: number,
  accepts: Question["accepts"],
  counts: GateCounts,
): Varbinds => {
  if (requestId === msgId && errorStatus !== 0)
    throw snmpFailed("status", `SNMP error-status ${errorStatus}`, errorStatus)
  if (requestId === msgId && accepts(varbinds)) return varbinds
  counts.dropped.answer++
  throw snmpFailed("protocol", "an answer with other objects than were asked")
}

/** RFC 3414 s3.2 step 7b: forwards only. The random id of our request is in the signed part, so an old answer cannot come. */
const follow = (engine: Engine, { flags, boots, time }: V3): void => {
  if ((flags & 1) === 0 || boots < engine.boots || (boots === engine.boots && time < engine.time)) return
  Object.assign(engine, { boots, time, heardMs: performance.now() })
}

const USM_STATS = oid("1.3.6.1.6.3.15.1.1")
const NOT_IN_TIME_WINDOW = "Not In Time Window"
/** usmStats of RFC 3414 s5 by their last arc, from 1 on. */
const USM_WORDS = [
  "Unsupported Security Level",
  NOT_IN_TIME_WINDOW,
  "Unknown User Name",
  "Unknown Engine ID",
  "Wrong Digest",
  "Decryption Error",
] as const

const reportWords = ({ varbinds }: Pdu): string => {
  if (varbinds.length === 0 || !isUnder(varbinds.bytes, varbinds.oidStart(0), varbinds.oidEnd(0), USM_STATS))
    return OTHER
  return USM_WORDS[(varbinds.bytes[varbinds.oidStart(0) + USM_STATS.length] ?? 0) - 1] ?? OTHER
}
const OTHER = "an error that USM does not know"

const timedOut = (): SnmpFailed => snmpFailed("timeout", "no answer (a wrong privacy password looks the same)")
