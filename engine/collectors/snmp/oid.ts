/**
 * Object identifiers as the bytes that travel: the BER contents of X.690 s8.19, without tag and length. Comparing and
 * continuing a walk needs no text, so text is made only where a person or a table of names wants it.
 * Every Oid that came from a device passed `checkOid`; the functions here rely on it.
 */
export type Oid = Uint8Array

/** RFC 3416 s2.1 / RFC 2578 s3.5: at most 128 sub-identifiers of at most 2^32-1. */
const MAX_ARCS = 128
const MAX_ARC_BYTES = 5
const MAX_ARC = 4_294_967_295

/** `oid("1.3.6.1.2.1.1.3.0")`. For constants and tests; throws RangeError on text that is not an OID. */
export const oid = (text: string): Oid => {
  const arcs = text.replace(/^\./, "").split(".").map(Number)
  const [first = Number.NaN, second = Number.NaN, ...rest] = arcs
  const legal = (arc: number): boolean => Number.isInteger(arc) && arc >= 0 && arc <= MAX_ARC
  if (arcs.length < 2 || arcs.length > MAX_ARCS || !arcs.every(legal) || first > 2 || (first < 2 && second > 39)) {
    throw new RangeError(`not an object identifier: ${text}`)
  }
  const bytes: number[] = []
  pushArc(bytes, first * 40 + second)
  for (const arc of rest) pushArc(bytes, arc)
  return Uint8Array.from(bytes)
}

/** The OID followed by more sub-identifiers: an instance of a column. */
export const under = (base: Oid, ...arcs: readonly number[]): Oid => {
  const tail: number[] = []
  for (const arc of arcs) pushArc(tail, arc)
  const bytes = new Uint8Array(base.length + tail.length)
  bytes.set(base)
  bytes.set(tail, base.length)
  return bytes
}

/** Dotted text of checked contents. */
export const oidText = (bytes: Uint8Array, start = 0, end = bytes.length): string => {
  const arcs = arcsOf(bytes, start, end)
  const head = arcs[0] ?? 0
  const first = Math.min(2, Math.floor(head / 40))
  arcs.splice(0, 1, first, head - first * 40)
  return arcs.join(".")
}

/** Sub-identifiers of a part of an OID that does not hold the first one (an index after its column). */
export const arcsOf = (bytes: Uint8Array, start: number, end: number): number[] => {
  const arcs: number[] = []
  let arc = 0
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number
    arc = arc * 128 + (byte & 0x7f)
    if (byte < 0x80) {
      arcs.push(arc)
      arc = 0
    }
  }
  return arcs
}

/**
 * RFC 3416 s2.1 order: below 0 when a comes first, 0 when equal. Bytes alone would order wrongly (16383 is `ff 7f`,
 * 16384 is `81 80 00`), so the longer sub-identifier is the larger; minimal encoding, which checkOid demands, makes it so.
 */
export const compareOid = (a: Uint8Array, aStart: number, aEnd: number, b: Oid): number => {
  const length = Math.min(aEnd - aStart, b.length)
  let same = 0
  while (same < length && a[aStart + same] === b[same]) same++
  if (same === length) return aEnd - aStart - b.length
  let arc = same
  while (arc > 0 && (b[arc - 1] as number) >= 0x80) arc--
  const sizes = arcBytes(a, aStart + arc) - arcBytes(b, arc)
  return sizes === 0 ? (a[aStart + same] as number) - (b[same] as number) : sizes
}

/** Whether bytes[start, end) lies strictly below `base`. */
export const isUnder = (bytes: Uint8Array, start: number, end: number, base: Oid): boolean => {
  if (end - start <= base.length) return false
  for (let i = base.length - 1; i >= 0; i--) if (bytes[start + i] !== base[i]) return false
  return true
}

export const equalOid = (bytes: Uint8Array, start: number, end: number, other: Oid): boolean => {
  if (end - start !== other.length) return false
  for (let i = other.length - 1; i >= 0; i--) if (bytes[start + i] !== other[i]) return false
  return true
}

/** Whether the contents are a legal OID: not empty, terminated, minimal, arcs below 2^32, at most 128 of them. */
export const checkOid = (bytes: Uint8Array, start: number, end: number): boolean => {
  if (start >= end || (bytes[end - 1] as number) >= 0x80) return false
  let arcs = 1
  let from = start
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number
    if (at === from && byte === 0x80) return false
    if (byte >= 0x80) continue
    const size = at - from + 1
    if (size >= MAX_ARC_BYTES && (size > MAX_ARC_BYTES || (bytes[from] as number) > 0x8f)) return false
    from = at + 1
    arcs++
  }
  return arcs <= MAX_ARCS
}

const arcBytes = (bytes: Uint8Array, start: number): number => {
  let at = start
  while ((bytes[at] as number) >= 0x80) at++
  return at - start
}

const pushArc = (bytes: number[], arc: number): void => {
  let shift = 1
  while (arc >= shift * 128) shift *= 128
  for (; shift > 1; shift /= 128) bytes.push((Math.floor(arc / shift) % 128) | 0x80)
  bytes.push(arc % 128)
}
