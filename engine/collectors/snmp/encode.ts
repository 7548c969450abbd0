/**
 * The few SNMP messages that this program writes: v2c GET and GETBULK, answers of the test agent, v3 messages around a
 * scoped PDU. Written backwards into one scratch buffer, because a BER length stands before contents that are not known yet.
 */
import type { Oid } from "#engine/collectors/snmp/oid.ts"
import { oid } from "#engine/collectors/snmp/oid.ts"
import type { VarbindValue } from "#engine/collectors/snmp/varbinds.ts"
import { TAG } from "#engine/collectors/snmp/varbinds.ts"

/** A binding to write. Integers take number or bigint, OIDs and addresses dotted text, strings bytes, exceptions null. */
export interface OutVarbind {
  readonly oid: Oid
  readonly tag: number
  readonly value: VarbindValue
}

/** A GET, GETNEXT or GETBULK of v2c (`first` = non-repeaters, `second` = max-repetitions, else both 0). */
export const encodeRequest = (
  community: Uint8Array,
  type: number,
  requestId: number,
  first: number,
  second: number,
  oids: readonly Oid[],
): Buffer => {
  const out = start()
  for (let i = oids.length - 1; i >= 0; i--) {
    const end = out.at
    out.byte(0)
    out.byte(TAG.null)
    out.item(TAG.oid, oids[i] as Oid)
    out.header(0x30, end)
  }
  pduHeader(out, type, requestId, first, second)
  return community2c(out, community)
}

/** A v2c message with values: what an agent answers or notifies. */
export const encodeMessage = (
  community: Uint8Array,
  type: number,
  requestId: number,
  errorStatus: number,
  errorIndex: number,
  varbinds: readonly OutVarbind[],
): Buffer => {
  const out = start()
  pduBody(out, type, requestId, errorStatus, errorIndex, varbinds)
  return community2c(out, community)
}

/** A scoped PDU (RFC 3412 s6), the inside of a v3 message. */
export const encodeScopedPdu = (
  contextEngineId: Uint8Array,
  type: number,
  requestId: number,
  errorStatus: number,
  errorIndex: number,
  varbinds: readonly OutVarbind[],
): Buffer => {
  const out = start()
  pduBody(out, type, requestId, errorStatus, errorIndex, varbinds)
  out.item(TAG.octetString, new Uint8Array(0))
  out.item(TAG.octetString, contextEngineId)
  out.header(0x30, out.bytes.length)
  return out.done()
}

export interface OutV3 {
  readonly msgId: number
  readonly flags: number
  readonly engineId: Uint8Array
  readonly boots: number
  readonly time: number
  readonly user: string
  /** Zeros of the digest's size; the signer overwrites them. */
  readonly authParams: Uint8Array
  readonly privParams: Uint8Array
  /** Scoped PDU in clear, or the octets of the encrypted one. */
  readonly scoped: Uint8Array
}

/** A v3 message (RFC 3412 s6, USM parameters RFC 3414 s2.4) and where its digest belongs. */
export const encodeV3 = (message: OutV3): { readonly bytes: Buffer; readonly authOffset: number } => {
  const out = start()
  const total = out.bytes.length
  if ((message.flags & 2) !== 0) out.item(TAG.octetString, message.scoped)
  else out.raw(message.scoped)
  const security = out.at
  out.item(TAG.octetString, message.privParams)
  out.raw(message.authParams)
  const authFromEnd = total - out.at
  out.header(TAG.octetString, out.at + message.authParams.length)
  out.item(TAG.octetString, Buffer.from(message.user, "utf8"))
  out.int(message.time)
  out.int(message.boots)
  out.item(TAG.octetString, message.engineId)
  out.header(0x30, security)
  out.header(TAG.octetString, security)
  const header = out.at
  out.int(3)
  out.item(TAG.octetString, Uint8Array.of(message.flags))
  out.int(MAX_MESSAGE_SIZE)
  out.int(message.msgId)
  out.header(0x30, header)
  out.int(3)
  out.header(0x30, total)
  const bytes = out.done()
  return { bytes, authOffset: bytes.length - authFromEnd }
}

const MAX_MESSAGE_SIZE = 65_507

/** One scratch for all messages: they are built in one go and copied out. */
class Writer {
  readonly bytes = Buffer.allocUnsafe(65_536)
  at = this.bytes.length

  byte(value: number): void {
    this.bytes[--this.at] = value
  }

  raw(bytes: Uint8Array): void {
    if (bytes.length > this.at) throw new RangeError("an SNMP message of more than 64 KiB")
    this.at -= bytes.length
    this.bytes.set(bytes, this.at)
  }

  /** Length and tag of what was written since `end`. */
  header(tag: number, end: number): void {
    const length = end - this.at
    if (this.at < 8) throw new RangeError("an SNMP message of more than 64 KiB")
    if (length < 0x80) this.byte(length)
    else {
      this.byte(length & 0xff)
      if (length > 0xff) this.byte(length >> 8)
      this.byte(length > 0xff ? 0x82 : 0x81)
    }
    this.byte(tag)
  }

  item(tag: number, contents: Uint8Array): void {
    const end = this.at
    this.raw(contents)
    this.header(tag, end)
  }

  /** INTEGER of 32 bits, minimal. */
  int(value: number): void {
    const end = this.at
    let rest = value
    do {
      this.byte(rest & 0xff)
      rest >>= 8
    } while ((rest !== 0 && rest !== -1) || (rest & 0x80) !== ((this.bytes[this.at] as number) & 0x80))
    this.header(TAG.integer, end)
  }

  /** Unsigned of up to 64 bits under any tag, minimal. */
  unsigned(tag: number, value: bigint): void {
    const end = this.at
    let rest = value
    do {
      this.byte(Number(rest & 0xffn))
      rest >>= 8n
    } while (rest !== 0n)
    if ((this.bytes[this.at] as number) >= 0x80) this.byte(0)
    this.header(tag, end)
  }

  done(): Buffer {
    return Buffer.from(this.bytes.subarray(this.at))
  }
}

let writer: Writer | null = null

const start = (): Writer => {
  writer ??= new Writer()
  writer.at = writer.bytes.length
  return writer
}

const community2c = (out: Writer, community: Uint8Array): Buffer => {
  out.item(TAG.octetString, community)
  out.int(1)
  out.header(0x30, out.bytes.length)
  return out.done()
}

/** `out` ends with the bindings: puts list, integers and PDU header before them. */
const pduHeader = (out: Writer, type: number, requestId: number, first: number, second: number): void => {
  out.header(0x30, out.bytes.length)
  out.int(second)
  out.int(first)
  out.int(requestId)
  out.header(type, out.bytes.length)
}

const pduBody = (
  out: Writer,
  type: number,
  requestId: number,
  errorStatus: number,
  errorIndex: number,
  varbinds: readonly OutVarbind[],
): void => {
  for (const varbind of varbinds.toReversed()) {
    const end = out.at
    value(out, varbind)
    out.item(TAG.oid, varbind.oid)
    out.header(0x30, end)
  }
  pduHeader(out, type, requestId, errorStatus, errorIndex)
}

/** Throws TypeError when the value does not suit its tag. */
const value = (out: Writer, { tag, value }: OutVarbind): void => {
  if (value === null && (tag === TAG.null || tag >= TAG.noSuchObject)) return out.item(tag, new Uint8Array(0))
  if (value instanceof Uint8Array && (tag === TAG.octetString || tag === TAG.opaque)) return out.item(tag, value)
  if (typeof value === "string" && tag === TAG.oid) return out.item(tag, oid(value))
  if (typeof value === "string" && tag === TAG.ipAddress)
    return out.item(tag, Uint8Array.from(value.split("."), Number))
  if (typeof value === "number" && Number.isSafeInteger(value)) {
    if (tag === TAG.integer && (value | 0) === value) return out.int(value)
    if (UNSIGNED.has(tag) && value >= 0) return out.unsigned(tag, BigInt(value))
  }
  if (typeof value === "bigint" && UNSIGNED.has(tag) && value >= 0n) return out.unsigned(tag, value)
  throw new TypeError(`a value that does not suit ASN.1 tag ${tag}`)
}

const UNSIGNED: ReadonlySet<number> = new Set([
  TAG.counter32,
  TAG.gauge32,
  TAG.timeTicks,
  TAG.counter64,
  TAG.uinteger32,
])
