/**
 * One router's SNMP agent: a datagram in, a datagram or silence out. v2c by community (RFC 1901), v3 by USM (RFC 3412,
 * 3414) with discovery, time window and reports. It never throws at what comes from the network; what it cannot use it
 * drops, as the standards ask, and counts.
 */
import { timingSafeEqual } from "node:crypto"
import { BerError, Reader, TAG, Writer } from "#lab/snmp/ber.ts"
import type { Oid } from "#lab/snmp/ber.ts"
import type { Subject, Table } from "#lab/snmp/mib.ts"
import { PDU, VARBIND_MAX, readRequest, respond } from "#lab/snmp/pdu.ts"
import { ANSWER_MAX, TABLES } from "#lab/snmp/personas.ts"
import { decrypt, digestLength, digestOf, encrypt, usmKeys } from "#lab/snmp/usm.ts"
import type { UsmKeys } from "#lab/snmp/usm.ts"
import type { Network } from "#lab/isp/network.ts"

/** Answers are built here and copied out: one datagram at a time, one buffer for all agents. */
const OUT = new Writer(65_507 + VARBIND_MAX)
const SCOPED = new Writer(65_507 + VARBIND_MAX)

const V2C = 1
const V3 = 3
const USM = 3
const AUTH = 1
const PRIV = 2
const REPORTABLE = 4
/** RFC 3414 s2.2.3. */
const TIME_WINDOW_S = 150
/** RFC 3412 s6: a message size below this may not be announced. */
const MESSAGE_SIZE_MIN = 484
const MESSAGE_SIZE_MAX = 65_507

/** usmStats, RFC 3414 s5. */
const REPORTS = {
  unsupportedSecLevels: [1, 3, 6, 1, 6, 3, 15, 1, 1, 1, 0],
  notInTimeWindows: [1, 3, 6, 1, 6, 3, 15, 1, 1, 2, 0],
  unknownUserNames: [1, 3, 6, 1, 6, 3, 15, 1, 1, 3, 0],
  unknownEngineIds: [1, 3, 6, 1, 6, 3, 15, 1, 1, 4, 0],
  wrongDigests: [1, 3, 6, 1, 6, 3, 15, 1, 1, 5, 0],
  decryptionErrors: [1, 3, 6, 1, 6, 3, 15, 1, 1, 6, 0],
} as const satisfies Readonly<Record<string, Oid>>
type ReportName = keyof typeof REPORTS

interface V3Message {
  readonly id: number
  readonly maxSize: number
  readonly flags: number
  readonly engineId: Buffer
  readonly boots: number
  readonly time: number
  readonly user: string
  readonly authParams: Buffer
  readonly privParams: Buffer
  /** The rest: a ScopedPDU, or an OCTET STRING with an encrypted one. */
  readonly data: Reader
  readonly whole: Buffer
}

export class SnmpAgent {
  readonly engineId: Buffer
  /** Datagrams that were no message for this agent. */
  dropped = 0
  private readonly subject: Subject
  private readonly tables: readonly Table[]
  private readonly answerMax: number
  private readonly community: Buffer | null
  private readonly keys: UsmKeys | null
  private readonly reports: Record<ReportName, number>
  private salt: number

  constructor(network: Network, router: number) {
    const { persona, snmp } = network.isp.routers[router]!
    this.subject = { network, router }
    this.tables = TABLES[persona]
    this.answerMax = ANSWER_MAX[persona]
    this.engineId = engineIdOf(router)
    this.community = snmp.version === "2c" ? Buffer.from(snmp.community) : null
    this.keys = snmp.version === "3" ? usmKeys(snmp, this.engineId) : null
    this.salt = (router * 2654435761) >>> 0
    this.reports = {
      unsupportedSecLevels: 0,
      notInTimeWindows: 0,
      unknownUserNames: 0,
      unknownEngineIds: 0,
      wrongDigests: 0,
      decryptionErrors: 0,
    }
  }

  /** The answer, or null when there is none to give. A view into a shared buffer: send or copy it at once. */
  answer(datagram: Buffer): Buffer | null {
    try {
      const message = new Reader(datagram).into(TAG.sequence)
      const version = message.integer()
      if (version === V2C && this.community !== null) return this.answerV2c(message)
      if (version === V3 && this.keys !== null) return this.answerV3(message, datagram)
    } catch (cause) {
      if (!(cause instanceof BerError)) throw cause
    }
    return this.drop()
  }

  /** A notification from this router, ready to send: `varbinds` is the body of the VarBindList. */
  notification(varbinds: Buffer, requestId: number): Buffer {
    const out = this.keys === null ? OUT : SCOPED
    out.at = 0
    const pdu = (): void => {
      const opened = out.open(PDU.trapV2)
      out.integer(requestId)
      out.integer(0)
      out.integer(0)
      const list = out.open(TAG.sequence)
      out.raw(varbinds)
      out.close(list)
      out.close(opened)
    }
    if (this.keys === null) return Buffer.from(this.wrapV2c(pdu))
    this.writeScoped(pdu)
    return Buffer.from(this.wrapV3(requestId, AUTH | PRIV, SCOPED.bytes.subarray(0, SCOPED.at)))
  }

  private drop(): null {
    this.dropped++
    return null
  }

  // ---- v2c

  private answerV2c(message: Reader): Buffer | null {
    const community = message.octets()
    if (!community.equals(this.community!)) return this.drop()
    const request = readRequest(message)
    OUT.at = 0
    return this.wrapV2c(() => respond(request, this.tables, this.subject, OUT, this.answerMax))
  }

  private wrapV2c(pdu: () => void): Buffer {
    const message = OUT.open(TAG.sequence)
    OUT.integer(V2C)
    OUT.octets(this.community ?? Buffer.alloc(0))
    pdu()
    OUT.close(message)
    return OUT.bytes.subarray(0, OUT.at)
  }

  // ---- v3

  private answerV3(reader: Reader, whole: Buffer): Buffer | null {
    const message = readV3(reader, whole)
    const keys = this.keys!
    if (!message.engineId.equals(this.engineId)) return this.report(message, "unknownEngineIds", 0)
    if (message.user !== keys.user.user) return this.report(message, "unknownUserNames", 0)
    // VACM of the lab: its users may read with authentication and privacy, and not with less.
    if ((message.flags & (AUTH | PRIV)) !== (AUTH | PRIV)) return this.report(message, "unsupportedSecLevels", 0)
    if (!this.isAuthentic(message)) return this.report(message, "wrongDigests", 0)
    if (!this.isInTime(message)) return this.report(message, "notInTimeWindows", AUTH)
    const plain = decrypt(keys, message.boots, message.time, message.privParams, message.data.octets())
    if (plain === null || plain[0] !== TAG.sequence) return this.report(message, "decryptionErrors", AUTH)
    return this.answerScoped(message, plain)
  }

  private answerScoped(message: V3Message, plain: Buffer): Buffer | null {
    const scoped = new Reader(plain).into(TAG.sequence)
    scoped.octets()
    scoped.octets()
    const request = readRequest(scoped)
    const header = 200
    const limit = Math.min(this.answerMax, Math.max(message.maxSize, MESSAGE_SIZE_MIN)) - header
    this.writeScoped(() => respond(request, this.tables, this.subject, SCOPED, limit))
    return this.wrapV3(message.id, AUTH | PRIV, SCOPED.bytes.subarray(0, SCOPED.at))
  }

  private isAuthentic(message: V3Message): boolean {
    if (message.authParams.length !== digestLength(this.keys!)) return false
    const zeroed = Buffer.from(message.whole)
    const at = message.authParams.byteOffset - message.whole.byteOffset
    zeroed.fill(0, at, at + message.authParams.length)
    return timingSafeEqual(digestOf(this.keys!, zeroed), message.authParams)
  }

  private isInTime({ boots, time }: V3Message): boolean {
    return boots === this.boots() && Math.abs(time - this.engineTime()) <= TIME_WINDOW_S
  }

  private boots(): number {
    return this.subject.network.boots[this.subject.router]!
  }

  /** Seconds since boot, RFC 3414 s2.2.2. */
  private engineTime(): number {
    const { network, router } = this.subject
    return Math.floor(Math.max(0, network.nowMs - network.bootedMs[router]!) / 1000) % 2147483648
  }

  /** Counts an error and, when the sender can take one, tells it by a Report-PDU. */
  private report(message: V3Message, name: ReportName, flags: number): Buffer | null {
    const count = ++this.reports[name]
    if ((message.flags & REPORTABLE) === 0) return this.drop()
    this.writeScoped(() => {
      const pdu = SCOPED.open(PDU.report)
      SCOPED.integer(requestIdOf(message))
      SCOPED.integer(0)
      SCOPED.integer(0)
      const list = SCOPED.open(TAG.sequence)
      const varbind = SCOPED.open(TAG.sequence)
      SCOPED.oid(REPORTS[name])
      SCOPED.unsigned(count % 4294967296, TAG.counter32)
      SCOPED.close(varbind)
      SCOPED.close(list)
      SCOPED.close(pdu)
    })
    return this.wrapV3(message.id, flags, SCOPED.bytes.subarray(0, SCOPED.at), message.user)
  }

  private writeScoped(pdu: () => void): void {
    SCOPED.at = 0
    const scoped = SCOPED.open(TAG.sequence)
    SCOPED.octets(this.engineId)
    SCOPED.text("")
    pdu()
    SCOPED.close(scoped)
  }

  private wrapV3(id: number, flags: number, scoped: Buffer, user = this.keys!.user.user): Buffer {
    const [boots, time] = [this.boots(), this.engineTime()]
    const secret = (flags & PRIV) === 0 ? null : encrypt(this.keys!, boots, time, this.salt++ >>> 0, scoped)
    OUT.at = 0
    const message = OUT.open(TAG.sequence)
    OUT.integer(V3)
    const header = OUT.open(TAG.sequence)
    OUT.integer(id)
    OUT.integer(MESSAGE_SIZE_MAX)
    OUT.octets(Buffer.from([flags]))
    OUT.integer(USM)
    OUT.close(header)
    const wrapped = OUT.open(TAG.octetString)
    const parameters = OUT.open(TAG.sequence)
    OUT.octets(this.engineId)
    OUT.integer(boots)
    OUT.integer(time)
    OUT.text(user)
    const digest = (flags & AUTH) === 0 ? 0 : digestLength(this.keys!)
    OUT.octets(Buffer.alloc(digest))
    const digestEnd = OUT.at
    OUT.octets(secret === null ? Buffer.alloc(0) : secret.salt)
    OUT.close(parameters)
    OUT.close(wrapped)
    if (secret === null) OUT.raw(scoped)
    else OUT.octets(secret.cipher)
    OUT.close(message)
    const bytes = OUT.bytes.subarray(0, OUT.at)
    if (digest > 0) digestOf(this.keys!, bytes).copy(bytes, digestEnd - digest)
    return bytes
  }
}

/** RFC 3411 SnmpEngineID: MikroTik's enterprise number, format 5 (octets), the router's number. */
const engineIdOf = (router: number): Buffer => {
  const id = Buffer.from("80003a8c05000000000000", "hex")
  id.writeUInt32BE(router + 1, id.length - 4)
  return id
}

const readV3 = (message: Reader, whole: Buffer): V3Message => {
  const header = message.into(TAG.sequence)
  const id = header.integer()
  const maxSize = header.integer()
  const flags = header.octets()
  const model = header.integer()
  if (id < 0 || flags.length !== 1 || model !== USM) throw new BerError("not a USM message")
  const octets = message.octets()
  const parameters = new Reader(octets).into(TAG.sequence)
  return {
    id,
    maxSize,
    flags: flags[0]!,
    engineId: parameters.octets(),
    boots: parameters.integer(),
    time: parameters.integer(),
    user: parameters.octets().toString("utf8"),
    authParams: parameters.octets(),
    privParams: parameters.octets(),
    data: message,
    whole,
  }
}

/** The request-id of a clear message that gets a report; 0 when it cannot be read. */
const requestIdOf = ({ flags, data }: V3Message): number => {
  if ((flags & PRIV) !== 0) return 0
  try {
    const scoped = new Reader(data.bytes, data.at, data.end).into(TAG.sequence)
    scoped.octets()
    scoped.octets()
    return scoped.into(scoped.peek()).integer()
  } catch (cause) {
    if (cause instanceof BerError) return 0
    throw cause
  }
}
