/**
 * A recording of a real device's SNMP view: the .snmprec format of snmpsim and LibreNMS, one `OID|TAG|VALUE` per line,
 * the tag a BER tag in decimal, with `x` behind it for a value in hexadecimal. Values keep every recorded octet and all
 * 64 bits. A line that cannot be served exactly as it was recorded is left out and counted, never guessed at.
 */
import { oidBytes, TAG } from "#lab/snmp/ber.ts"
import type { Oid } from "#lab/snmp/ber.ts"
import { compareOid, parseOid } from "#lab/snmp/mib.ts"

/** RFC 1155 Opaque, which the lab's own agents never send. */
const OPAQUE = 0x44
/** RFC 2578 s3.5. */
const ARCS_MAX = 128
const ARC_MAX = 0xffff_ffff
/** Octets of one value; what is longer does not fit into a UDP answer with its name. */
const VALUE_MAX = 60_000
/** How many unreadable lines are named; the rest is only counted. */
const NAMED_LINES_MAX = 5

export interface RecordedValue {
  readonly oid: Oid
  readonly tag: number
  /** BER contents, without tag and length. */
  readonly content: Buffer
}

export interface Recording {
  /** In OID order, each OID once. */
  readonly values: readonly RecordedValue[]
  /** Lines that are no value of SNMP, blank ones aside. */
  readonly unreadable: number
  /** Numbers of the first of them, from 1. */
  readonly unreadableLines: readonly number[]
  /** Lines whose OID came before; the last one counts. */
  readonly repeated: number
}

/** The file's bytes; read as Latin-1, because recorded texts are octets of any encoding. */
export const parseRecording = (file: Buffer): Recording => {
  const values = new Map<string, RecordedValue>()
  const unreadableLines: number[] = []
  let unreadable = 0
  let repeated = 0
  for (const [at, raw] of file.toString("latin1").split("\n").entries()) {
    const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw
    if (line.trim() === "") continue
    const value = parseLine(line)
    if (value === null) {
      unreadable++
      if (unreadableLines.length < NAMED_LINES_MAX) unreadableLines.push(at + 1)
      continue
    }
    const name = value.oid.join(".")
    if (values.has(name)) repeated++
    values.set(name, value)
  }
  const sorted = [...values.values()].sort((x, y) => compareOid(x.oid, y.oid))
  return { values: sorted, unreadable, unreadableLines, repeated }
}

const parseLine = (line: string): RecordedValue | null => {
  const [name = "", kind = "", ...rest] = line.split("|")
  const oid = readOid(name)
  const [, digits, hex] = /^(\d{1,3})(x?)$/.exec(kind) ?? []
  if (oid === null || digits === undefined || rest.length === 0) return null
  const tag = Number(digits)
  const content = contentOf(tag, hex === "x", rest.join("|"))
  return content === null || content.length > VALUE_MAX ? null : { oid, tag, content }
}

const readOid = (text: string): Oid | null => {
  if (!/^\.?\d+(\.\d+)+$/.test(text)) return null
  const arcs = parseOid(text.replace(/^\./, ""))
  const [first = 3, second = 0] = arcs
  const legal = first <= 2 && (first === 2 || second < 40) && arcs.length <= ARCS_MAX
  return legal && arcs.every((arc) => arc <= ARC_MAX) ? arcs : null
}

const contentOf = (tag: number, isHex: boolean, text: string): Buffer | null => {
  switch (tag) {
    case TAG.octetString:
    case OPAQUE:
      return isHex ? octets(text) : Buffer.from(text, "latin1")
    case TAG.null:
      return Buffer.alloc(0)
    case TAG.oid: {
      const oid = readOid(text)
      return oid === null ? null : oidBytes(oid)
    }
    case TAG.ipAddress:
      return isHex ? ofLength(octets(text), 4) : ipAddress(text)
    case TAG.integer:
      return isHex ? null : integer(text, -(2n ** 31n), 2n ** 31n - 1n)
    case TAG.counter32:
    case TAG.gauge32:
    case TAG.timeTicks:
      return isHex ? null : integer(text, 0n, 2n ** 32n - 1n)
    case TAG.counter64:
      return isHex ? null : integer(text, 0n, 2n ** 64n - 1n)
    default:
      return null
  }
}

const octets = (hex: string): Buffer | null =>
  hex.length % 2 === 0 && /^[0-9a-fA-F]*$/.test(hex) ? Buffer.from(hex, "hex") : null

const ofLength = (bytes: Buffer | null, length: number): Buffer | null => (bytes?.length === length ? bytes : null)

const ipAddress = (text: string): Buffer | null => {
  const parts = text.split(".")
  const legal = parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255)
  return legal ? Buffer.from(parts.map(Number)) : null
}

/** Two's complement, as short as it can be (X.690 s8.3.2). */
const integer = (text: string, min: bigint, max: bigint): Buffer | null => {
  if (!/^-?\d{1,20}$/.test(text)) return null
  const value = BigInt(text)
  if (value < min || value > max) return null
  const bytes: number[] = []
  let rest = value
  do {
    bytes.unshift(Number(rest & 255n))
    rest >>= 8n
  } while (!(rest === 0n && bytes[0]! < 128) && !(rest === -1n && bytes[0]! >= 128))
  return Buffer.from(bytes)
}
