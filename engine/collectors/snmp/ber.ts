/**
 * A strict decoder of whole SNMP messages (RFC 1157, 3416, 3412, 3414): every length inside its parent, every type
 * within its size, nothing behind the end. It never throws: what it refuses it names. This is what stands between the
 * network and everything else, so nothing is guessed; `lenient` opens only the two habits that harmless agents have.
 * The limits answer what was found by attack (notes/hostile.md s1).
 */
import { checkOid } from "#engine/collectors/snmp/oid.ts"
import { FIELDS, TAG, Varbinds } from "#engine/collectors/snmp/varbinds.ts"

export const PDU = {
  get: 0xa0,
  getNext: 0xa1,
  response: 0xa2,
  set: 0xa3,
  trapV1: 0xa4,
  getBulk: 0xa5,
  inform: 0xa6,
  trapV2: 0xa7,
  report: 0xa8,
} as const

/** Bindings in one PDU: far above what fits a sane answer, far below what costs memory. */
export const MAX_VARBINDS = 2_000
/** Largest UDP payload over IPv4 is 65,507; offsets must fit 16 bits. */
const MAX_MESSAGE_BYTES = 65_535
/** RFC 3411 SnmpEngineID and RFC 3414 userName sizes. */
const MAX_ENGINE_ID_BYTES = 32
const MAX_USER_BYTES = 32
const MAX_AUTH_BYTES = 64
const MAX_COMMUNITY_BYTES = 255

export interface TrapV1 {
  readonly enterprise: string
  readonly agentAddress: string
  readonly generic: number
  readonly specific: number
  readonly uptimeTicks: number
}

export interface Pdu {
  readonly type: number
  /** Offset of the PDU's tag in the message: an inform is answered by changing this byte. */
  readonly offset: number
  /** 0 for a v1 trap. */
  readonly requestId: number
  /** GETBULK: non-repeaters. */
  readonly errorStatus: number
  /** GETBULK: max-repetitions. */
  readonly errorIndex: number
  readonly trap: TrapV1 | null
  readonly varbinds: Varbinds
}

/** Header and USM parameters of a v3 message. Byte fields are views of the datagram. */
export interface V3 {
  readonly msgId: number
  readonly maxSize: number
  /** Bit 0 auth, bit 1 priv, bit 2 reportable. */
  readonly flags: number
  readonly engineId: Uint8Array
  readonly boots: number
  readonly time: number
  readonly user: string
  readonly authParams: Uint8Array
  readonly authOffset: number
  readonly privParams: Uint8Array
  /** The encrypted scoped PDU, or null when it came in clear. */
  readonly encrypted: Uint8Array | null
}

export interface Message {
  readonly version: 0 | 1 | 3
  /** v1 and v2c; empty for v3. */
  readonly community: Uint8Array
  readonly v3: V3 | null
  /** Null while encrypted. */
  readonly pdu: Pdu | null
}

/** Why bytes are not a message. */
export type BerFault =
  | "too-long"
  | "truncated"
  | "tag"
  | "length"
  | "trailing"
  | "integer"
  | "range"
  | "oid"
  | "address"
  | "counter"
  | "varbinds"
  | "version"

/** One fault of each kind, made once: throwing them inside this file costs no stack trace per bad packet. */
class Refused extends Error {
  readonly fault: BerFault
  constructor(fault: BerFault) {
    super(fault)
    this.fault = fault
  }
}
const refuse = {
  tooLong: new Refused("too-long"),
  truncated: new Refused("truncated"),
  tag: new Refused("tag"),
  length: new Refused("length"),
  trailing: new Refused("trailing"),
  integer: new Refused("integer"),
  range: new Refused("range"),
  oid: new Refused("oid"),
  address: new Refused("address"),
  counter: new Refused("counter"),
  varbinds: new Refused("varbinds"),
  version: new Refused("version"),
}

/** The message, or the name of the first thing wrong with it. `lenient`: trailing padding and over-long integers pass. */
export const decodeMessage = (bytes: Uint8Array, lenient = false): Message | BerFault => {
  try {
    if (bytes.length > MAX_MESSAGE_BYTES) return "too-long"
    return message(new Cursor(bytes, 0, bytes.length, lenient))
  } catch (error) {
    return faultOf(error)
  }
}

/** A decrypted scoped PDU (RFC 3412 s6). DES pads its plain text, so bytes behind the end are no fault here. */
export const decodeScopedPdu = (bytes: Uint8Array): Pdu | BerFault => {
  try {
    if (bytes.length > MAX_MESSAGE_BYTES) return "too-long"
    return scopedPdu(new Cursor(bytes, 0, bytes.length, false))
  } catch (error) {
    return faultOf(error)
  }
}

const faultOf = (error: unknown): BerFault => {
  if (error instanceof Refused) return error.fault
  throw error
}

const message = (cursor: Cursor): Message => {
  const end = cursor.open(0x30)
  if (end !== cursor.end && !cursor.lenient) throw refuse.trailing
  cursor.end = end
  const version = cursor.int()
  if (version === 3) {
    const v3 = v3Header(cursor)
    if (v3.encrypted === null) return { version, community: EMPTY, v3, pdu: scopedPdu(cursor, true) }
    return { version, community: EMPTY, v3, pdu: null }
  }
  if (version !== 0 && version !== 1) throw refuse.version
  const community = cursor.octets(MAX_COMMUNITY_BYTES)
  return { version, community, v3: null, pdu: pdu(cursor, cursor.end) }
}

const EMPTY = new Uint8Array(0)

const v3Header = (cursor: Cursor): V3 => {
  const header = cursor.open(0x30)
  const msgId = cursor.int()
  const maxSize = cursor.int()
  const flagBytes = cursor.octets(1)
  const model = cursor.int()
  cursor.close(header)
  const flags = flagBytes[0]
  // RFC 3412 s6: msgID and msgMaxSize ranges; USM is the only model; priv without auth does not exist.
  if (flags === undefined || msgId < 0 || maxSize < 484 || model !== 3 || (flags & 3) === 2) throw refuse.range
  const outer = cursor.end
  const parametersEnd = cursor.open(TAG.octetString)
  cursor.end = parametersEnd
  const inner = cursor.open(0x30)
  const engineId = cursor.octets(MAX_ENGINE_ID_BYTES)
  const boots = cursor.int()
  const time = cursor.int()
  const user = Buffer.from(cursor.octets(MAX_USER_BYTES)).toString("utf8")
  const authParams = cursor.octets(MAX_AUTH_BYTES)
  const authOffset = cursor.at - authParams.length
  const privParams = cursor.octets(8)
  cursor.close(inner)
  cursor.close(parametersEnd)
  cursor.end = outer
  if (boots < 0 || time < 0) throw refuse.range
  let encrypted: Uint8Array | null = null
  if ((flags & 2) !== 0) {
    encrypted = cursor.octets(MAX_MESSAGE_BYTES)
    cursor.close(cursor.end)
  }
  return { msgId, maxSize, flags, engineId, boots, time, user, authParams, authOffset, privParams, encrypted }
}

/** `last`: nothing may follow inside the cursor's bounds. */
const scopedPdu = (cursor: Cursor, last = false): Pdu => {
  const end = cursor.open(0x30)
  if (last) {
    if (end !== cursor.end) throw refuse.trailing
  }
  cursor.end = end
  cursor.octets(MAX_ENGINE_ID_BYTES)
  cursor.octets(MAX_COMMUNITY_BYTES)
  return pdu(cursor, end)
}

const pdu = (cursor: Cursor, parentEnd: number): Pdu => {
  const offset = cursor.at
  const type = cursor.bytes[offset] as number
  if (offset >= cursor.end || type < PDU.get || type > PDU.report) throw refuse.tag
  const end = cursor.open(type)
  if (end !== parentEnd) throw refuse.trailing
  if (type === PDU.trapV1) {
    const trap = trapV1(cursor)
    return { type, offset, requestId: 0, errorStatus: 0, errorIndex: 0, trap, varbinds: varbinds(cursor, end) }
  }
  const requestId = cursor.int()
  const errorStatus = cursor.int()
  const errorIndex = cursor.int()
  if (errorStatus < 0 || errorIndex < 0) throw refuse.range
  return { type, offset, requestId, errorStatus, errorIndex, trap: null, varbinds: varbinds(cursor, end) }
}

/** RFC 1157 s4.1.6. */
const trapV1 = (cursor: Cursor): TrapV1 => {
  const enterprise = cursor.oidText()
  const addressEnd = cursor.open(TAG.ipAddress)
  if (addressEnd - cursor.at !== 4) throw refuse.address
  const agentAddress = cursor.bytes.subarray(cursor.at, addressEnd).join(".")
  cursor.at = addressEnd
  const generic = cursor.int()
  const specific = cursor.int()
  const ticksEnd = cursor.open(TAG.timeTicks)
  checkUnsigned(cursor.bytes, cursor.at, ticksEnd)
  let uptimeTicks = 0
  for (let at = cursor.at; at < ticksEnd; at++) uptimeTicks = uptimeTicks * 256 + (cursor.bytes[at] as number)
  cursor.at = ticksEnd
  return { enterprise, agentAddress, generic, specific, uptimeTicks }
}

const scratch = new Uint16Array(MAX_VARBINDS * FIELDS)

const varbinds = (cursor: Cursor, pduEnd: number): Varbinds => {
  const listEnd = cursor.open(0x30)
  if (listEnd !== pduEnd) throw refuse.trailing
  const { bytes } = cursor
  let fill = 0
  while (cursor.at < listEnd) {
    if (fill === scratch.length) throw refuse.varbinds
    cursor.end = listEnd
    const end = cursor.open(0x30)
    cursor.end = end
    const oidEnd = cursor.open(TAG.oid)
    const oidStart = cursor.at
    if (!checkOid(bytes, oidStart, oidEnd)) throw refuse.oid
    cursor.at = oidEnd
    if (oidEnd >= end) throw refuse.truncated
    const tag = bytes[oidEnd] as number
    const valueEnd = cursor.open(tag)
    if (valueEnd !== end) throw refuse.trailing
    checkValue(tag, bytes, cursor.at, valueEnd, cursor.lenient)
    scratch[fill++] = oidStart
    scratch[fill++] = oidEnd
    scratch[fill++] = tag
    scratch[fill++] = cursor.at
    scratch[fill++] = valueEnd
    cursor.at = valueEnd
  }
  return new Varbinds(bytes, kept(fill))
}

/**
 * A copy of the first `length` places of the scratch, out of a slab for many answers. An array of its own for each would be
 * a block outside the heap each, and V8 collects the whole heap at every 64 MiB of such blocks (docs/collectors.md). Who
 * keeps an answer keeps its slab: nobody does beyond a poll.
 */
const kept = (length: number): Uint16Array => {
  if (length > SLAB_PLACES / 4) return scratch.slice(0, length)
  if (slabAt + length > SLAB_PLACES) {
    slab = new Uint16Array(SLAB_PLACES)
    slabAt = 0
  }
  const view = slab.subarray(slabAt, slabAt + length)
  view.set(scratch.subarray(0, length))
  slabAt += length
  return view
}

/** 8 KiB: some twenty answers of a walk. */
const SLAB_PLACES = 4_096
let slab = new Uint16Array(SLAB_PLACES)
let slabAt = 0

const checkValue = (tag: number, bytes: Uint8Array, start: number, end: number, lenient: boolean): void => {
  switch (tag) {
    case TAG.counter32:
    case TAG.gauge32:
    case TAG.timeTicks:
    case TAG.uinteger32:
      return checkUnsigned(bytes, start, end)
    case TAG.counter64:
      if (end - start < 1 || end - start > 9 || (end - start === 9 && bytes[start] !== 0)) throw refuse.counter
      return
    case TAG.integer:
      return checkInteger(bytes, start, end, lenient)
    case TAG.octetString:
    case TAG.opaque:
      return
    case TAG.oid:
      if (!checkOid(bytes, start, end)) throw refuse.oid
      return
    case TAG.ipAddress:
      if (end - start !== 4) throw refuse.address
      return
    case TAG.null:
    case TAG.noSuchObject:
    case TAG.noSuchInstance:
    case TAG.endOfMibView:
      if (end !== start) throw refuse.length
      return
    default:
      throw refuse.tag
  }
}

const checkUnsigned = (bytes: Uint8Array, start: number, end: number): void => {
  const size = end - start
  if (size < 1 || size > 5 || (size === 5 && bytes[start] !== 0)) throw refuse.integer
}

/** `lenient`: up to 8 octets when the surplus only repeats the sign, so that the value still fits 32 bits. */
const checkInteger = (bytes: Uint8Array, start: number, end: number, lenient: boolean): void => {
  const size = end - start
  if (size >= 1 && size <= 4) return
  if (!lenient || size < 1 || size > 8) throw refuse.integer
  const sign = (bytes[end - 4] as number) >= 0x80 ? 0xff : 0
  for (let at = start; at < end - 4; at++) if (bytes[at] !== sign) throw refuse.integer
}

/** A place in the bytes and the end of the innermost thing around it. */
class Cursor {
  readonly bytes: Uint8Array
  readonly lenient: boolean
  at: number
  end: number

  constructor(bytes: Uint8Array, at: number, end: number, lenient: boolean) {
    this.bytes = bytes
    this.at = at
    this.end = end
    this.lenient = lenient
  }

  /** Steps over a tag and its length; returns where the contents end, which is inside the parent. */
  open(tag: number): number {
    const { bytes, end } = this
    let at = this.at
    if (at + 2 > end) throw refuse.truncated
    if (bytes[at] !== tag) throw refuse.tag
    let length = bytes[at + 1] as number
    at += 2
    if (length >= 0x80) {
      const size = length & 0x7f
      // 0x80 is the indefinite form, which RFC 3417 s8 forbids.
      if (size === 0 || size > 4) throw refuse.length
      if (at + size > end) throw refuse.truncated
      length = 0
      for (let i = 0; i < size; i++) length = length * 256 + (bytes[at + i] as number)
      at += size
    }
    if (length > end - at) throw refuse.length
    this.at = at
    return at + length
  }

  /** Demands that the thing that ends at `end` was read to its end. */
  close(end: number): void {
    if (this.at !== end) throw refuse.trailing
  }

  int(): number {
    const end = this.open(TAG.integer)
    checkInteger(this.bytes, this.at, end, this.lenient)
    let value = ((this.bytes[this.at] as number) << 24) >> 24
    for (let at = this.at + 1; at < end; at++) value = value * 256 + (this.bytes[at] as number)
    this.at = end
    return value
  }

  octets(max: number): Uint8Array {
    const end = this.open(TAG.octetString)
    if (end - this.at > max) throw refuse.range
    const bytes = this.bytes.subarray(this.at, end)
    this.at = end
    return bytes
  }

  oidText(): string {
    const end = this.open(TAG.oid)
    if (!checkOid(this.bytes, this.at, end)) throw refuse.oid
    const view = new Varbinds(this.bytes, Uint16Array.of(this.at, end, TAG.oid, this.at, end))
    this.at = end
    return view.oidValue(0) ?? ""
  }
}
