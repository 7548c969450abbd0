/**
 * The variable bindings of one PDU as a view over the datagram: five offsets per binding, values read when asked for.
 * Nothing is allocated per binding on the polling path. The decoder (ber.ts) checked every length and type before.
 */
import type { Oid } from "#engine/collectors/snmp/oid.ts"
import { oidText } from "#engine/collectors/snmp/oid.ts"

/** BER tags of RFC 3416 s3 (ObjectSyntax and the three exceptions). */
export const TAG = {
  integer: 0x02,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  ipAddress: 0x40,
  counter32: 0x41,
  gauge32: 0x42,
  timeTicks: 0x43,
  opaque: 0x44,
  counter64: 0x46,
  uinteger32: 0x47,
  noSuchObject: 0x80,
  noSuchInstance: 0x81,
  endOfMibView: 0x82,
} as const

/** oidStart, oidEnd, tag, valueStart, valueEnd: all below 2^16 because a UDP payload is. */
export const FIELDS = 5

export type VarbindValue = number | bigint | string | Uint8Array | null

/** One binding, unpacked. Counter64 as bigint, OID and IpAddress as text, OctetString and Opaque as bytes, exceptions null. */
export interface Varbind {
  readonly oid: string
  readonly tag: number
  readonly value: VarbindValue
}

export class Varbinds {
  readonly bytes: Uint8Array
  readonly length: number
  readonly #index: Uint16Array

  constructor(bytes: Uint8Array, index: Uint16Array) {
    this.bytes = bytes
    this.#index = index
    this.length = index.length / FIELDS
  }

  oidStart(i: number): number {
    return this.#index[i * FIELDS] as number
  }
  oidEnd(i: number): number {
    return this.#index[i * FIELDS + 1] as number
  }
  tag(i: number): number {
    return this.#index[i * FIELDS + 2] as number
  }
  valueStart(i: number): number {
    return this.#index[i * FIELDS + 3] as number
  }
  valueEnd(i: number): number {
    return this.#index[i * FIELDS + 4] as number
  }

  /** A view, good as long as the datagram. */
  oid(i: number): Oid {
    return this.bytes.subarray(this.oidStart(i), this.oidEnd(i))
  }

  /** noSuchObject, noSuchInstance or endOfMibView. */
  isException(i: number): boolean {
    return this.tag(i) >= TAG.noSuchObject
  }

  /** Integers, gauges, ticks and counters; Counter64 rounds above 2^53. Null for every other type and for exceptions. */
  number(i: number): number | null {
    const tag = this.tag(i)
    const start = this.valueStart(i)
    const end = this.valueEnd(i)
    if (tag === TAG.integer) return signed(this.bytes, start, end)
    if ((tag >= TAG.counter32 && tag <= TAG.timeTicks) || tag === TAG.counter64 || tag === TAG.uinteger32) {
      return unsigned(this.bytes, start, end)
    }
    return null
  }

  /** Contents of an OctetString, as a view; null for every other type. */
  octets(i: number): Uint8Array | null {
    return this.tag(i) === TAG.octetString ? this.bytes.subarray(this.valueStart(i), this.valueEnd(i)) : null
  }

  /** Dotted OID value; null for every other type. */
  oidValue(i: number): string | null {
    return this.tag(i) === TAG.oid ? oidText(this.bytes, this.valueStart(i), this.valueEnd(i)) : null
  }

  /** IPv4 text of an IpAddress; null for every other type. */
  ip(i: number): string | null {
    const start = this.valueStart(i)
    return this.tag(i) === TAG.ipAddress ? this.bytes.subarray(start, start + 4).join(".") : null
  }

  at(i: number): Varbind {
    return { oid: oidText(this.bytes, this.oidStart(i), this.oidEnd(i)), tag: this.tag(i), value: this.#value(i) }
  }

  all(): Varbind[] {
    return Array.from({ length: this.length }, (_, i) => this.at(i))
  }

  #value(i: number): VarbindValue {
    switch (this.tag(i)) {
      case TAG.oid:
        return this.oidValue(i)
      case TAG.ipAddress:
        return this.ip(i)
      case TAG.counter64:
        return this.bytes.subarray(this.valueStart(i), this.valueEnd(i)).reduce((sum, b) => sum * 256n + BigInt(b), 0n)
      case TAG.octetString:
      case TAG.opaque:
        return this.bytes.subarray(this.valueStart(i), this.valueEnd(i))
      default:
        return this.number(i)
    }
  }
}

const signed = (bytes: Uint8Array, start: number, end: number): number => {
  let value = ((bytes[start] as number) << 24) >> 24
  for (let at = start + 1; at < end; at++) value = value * 256 + (bytes[at] as number)
  return value
}

/** Contents read as unsigned even when the sender forgot the leading zero octet, as many agents do. */
const unsigned = (bytes: Uint8Array, start: number, end: number): number => {
  let value = bytes[start] as number
  for (let at = start + 1; at < end; at++) value = value * 256 + (bytes[at] as number)
  return value
}
