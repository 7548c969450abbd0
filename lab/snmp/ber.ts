/**
 * BER as SNMP uses it (X.690, RFC 3417 s8): definite lengths, small tags. Written for the lab alone, independent of the
 * engine's decoder, so that a mistake in one is not excused by the other. Reading bad bytes throws BerError, which the
 * agents catch and count; nothing read here is ever larger than the datagram it came in.
 */
export const TAG = {
  integer: 0x02,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  sequence: 0x30,
  ipAddress: 0x40,
  counter32: 0x41,
  gauge32: 0x42,
  timeTicks: 0x43,
  counter64: 0x46,
  noSuchObject: 0x80,
  noSuchInstance: 0x81,
  endOfMibView: 0x82,
} as const

/** RFC 2578 s3.5: at most 128 sub-identifiers of at most 2^32-1. */
const OID_ARCS_MAX = 128
const ARC_MAX = 0xffffffff

export class BerError extends Error {}

export type Oid = readonly number[]

/** Reads one datagram from front to back. */
export class Reader {
  at: number
  readonly end: number
  readonly bytes: Buffer

  constructor(bytes: Buffer, at = 0, end = bytes.length) {
    this.bytes = bytes
    this.at = at
    this.end = end
  }

  get done(): boolean {
    return this.at >= this.end
  }

  peek(): number {
    if (this.done) throw new BerError("message ends too early")
    return this.bytes[this.at]!
  }

  /** Enters a constructed value; this reader goes on behind it. */
  into(tag: number): Reader {
    const length = this.header(tag)
    const inner = new Reader(this.bytes, this.at, this.at + length)
    this.at += length
    return inner
  }

  /** Two's complement, at most 4 octets (RFC 2578 Integer32). */
  integer(): number {
    const length = this.header(TAG.integer)
    if (length < 1 || length > 4) throw new BerError(`an INTEGER of ${length} octets`)
    const value = this.bytes.readIntBE(this.at, length)
    this.at += length
    return value
  }

  /** A view of the octets, valid as long as the datagram is. */
  octets(): Buffer {
    const length = this.header(TAG.octetString)
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }

  oid(): number[] {
    const length = this.header(TAG.oid)
    if (length === 0) throw new BerError("an empty OBJECT IDENTIFIER")
    const end = this.at + length
    const arcs: number[] = []
    let arc = 0
    for (; this.at < end; this.at++) {
      const octet = this.bytes[this.at]!
      arc = arc * 128 + (octet & 0x7f)
      if (arc > ARC_MAX) throw new BerError("a sub-identifier above 2^32-1")
      if (octet >= 0x80) continue
      if (arcs.length === 0) arcs.push(arc < 80 ? Math.floor(arc / 40) : 2, arc < 80 ? arc % 40 : arc - 80)
      else arcs.push(arc)
      arc = 0
    }
    if (this.bytes[end - 1]! >= 0x80) throw new BerError("an unfinished sub-identifier")
    if (arcs.length > OID_ARCS_MAX) throw new BerError(`an OBJECT IDENTIFIER of ${arcs.length} arcs`)
    return arcs
  }

  /** Jumps over one value of any type. */
  skip(): void {
    const length = this.header(this.peek())
    this.at += length
  }

  private header(tag: number): number {
    if (this.peek() !== tag) throw new BerError(`tag ${this.peek()} where ${tag} belongs`)
    this.at++
    const first = this.octet()
    let length = first
    if (first >= 0x80) {
      const octets = first & 0x7f
      if (octets === 0 || octets > 4) throw new BerError(`a length of ${octets} octets`)
      length = 0
      for (let i = 0; i < octets; i++) length = length * 256 + this.octet()
    }
    if (length > this.end - this.at) throw new BerError("a value longer than its message")
    return length
  }

  private octet(): number {
    if (this.done) throw new BerError("message ends too early")
    return this.bytes[this.at++]!
  }
}

/** Body of an OBJECT IDENTIFIER, without tag and length. */
export const oidBytes = (arcs: Oid): Buffer => {
  const bytes: number[] = []
  encodeArc(bytes, arcs[0]! * 40 + arcs[1]!)
  for (let i = 2; i < arcs.length; i++) encodeArc(bytes, arcs[i]!)
  return Buffer.from(bytes)
}

/** The bytes that more arcs add to an already encoded OBJECT IDENTIFIER. */
export const arcBytes = (arcs: Oid): Buffer => {
  const bytes: number[] = []
  for (const arc of arcs) encodeArc(bytes, arc)
  return Buffer.from(bytes)
}

const encodeArc = (bytes: number[], arc: number): void => {
  for (let power = 128 ** 4; power >= 128; power /= 128)
    if (arc >= power) bytes.push((Math.floor(arc / power) % 128) | 0x80)
  bytes.push(arc % 128)
}

/** Writes into one fixed buffer; writing past its end throws RangeError, which callers prevent by `room`. */
export class Writer {
  readonly bytes: Buffer
  at = 0

  constructor(size: number) {
    this.bytes = Buffer.allocUnsafe(size)
  }

  get room(): number {
    return this.bytes.length - this.at
  }

  take(): Buffer {
    return Buffer.from(this.bytes.subarray(0, this.at))
  }

  /** Begins a value whose length is filled in by `close`: three length octets, which BER allows for any length. */
  open(tag: number): number {
    this.bytes[this.at] = tag
    this.bytes[this.at + 1] = 0x82
    this.at += 4
    return this.at
  }

  close(opened: number): void {
    this.bytes.writeUInt16BE(this.at - opened, opened - 2)
  }

  /** Signed, 32 bits. */
  integer(value: number, tag: number = TAG.integer): void {
    const bytes = this.bytes
    const length =
      value >= -128 && value < 128
        ? 1
        : value >= -32768 && value < 32768
          ? 2
          : value >= -8388608 && value < 8388608
            ? 3
            : 4
    bytes[this.at++] = tag
    bytes[this.at++] = length
    for (let shift = 8 * (length - 1); shift >= 0; shift -= 8) bytes[this.at++] = (value >> shift) & 255
  }

  /** Counters, gauges and ticks: whole, 0 .. 2^53. */
  unsigned(value: number, tag: number): void {
    const bytes = this.bytes
    const high = Math.floor(value / 4294967296)
    const low = value >>> 0
    bytes[this.at++] = tag
    const lengthAt = this.at++
    let started = false
    for (let shift = 24; shift >= 0; shift -= 8) started = this.digit((high >>> shift) & 255, started)
    for (let shift = 24; shift > 0; shift -= 8) started = this.digit((low >>> shift) & 255, started)
    this.digit(low & 255, true, !started)
    bytes[lengthAt] = this.at - lengthAt - 1
  }

  /** One base-256 digit, without leading zeros but with the zero octet that keeps the number positive. */
  private digit(octet: number, started: boolean, first = !started): boolean {
    if (!started && octet === 0) return false
    if (first && octet >= 128) this.bytes[this.at++] = 0
    this.bytes[this.at++] = octet
    return true
  }

  octets(value: Buffer, tag: number = TAG.octetString): void {
    this.length(tag, value.length)
    this.at += value.copy(this.bytes, this.at)
  }

  text(value: string): void {
    this.length(TAG.octetString, Buffer.byteLength(value))
    this.at += this.bytes.write(value, this.at)
  }

  /** `1.2.3.4`. */
  ipAddress(value: string): void {
    this.bytes[this.at++] = TAG.ipAddress
    this.bytes[this.at++] = 4
    for (const part of value.split(".")) this.bytes[this.at++] = Number(part)
  }

  oid(value: Oid): void {
    this.octets(oidBytes(value), TAG.oid)
  }

  /** A value without content: NULL and the three exceptions of RFC 3416. */
  empty(tag: number): void {
    this.bytes[this.at++] = tag
    this.bytes[this.at++] = 0
  }

  raw(value: Buffer): void {
    this.at += value.copy(this.bytes, this.at)
  }

  private length(tag: number, length: number): void {
    this.bytes[this.at++] = tag
    if (length < 128) this.bytes[this.at++] = length
    else if (length < 256) {
      this.bytes[this.at++] = 0x81
      this.bytes[this.at++] = length
    } else {
      this.bytes[this.at++] = 0x82
      this.at = this.bytes.writeUInt16BE(length, this.at)
    }
  }
}
