/**
 * A walk over msgpack bytes that a stranger sent, before any library builds an object from them. msgpackr lets the sender
 * choose classes (ext: RegExp, Set, Error ...), nest and repeat; a client's frame needs none of that, so anything but
 * scalars, short strings and short arrays is refused here. Source: msgpack spec, "Formats"; notes/hostile.md section 3.
 */

/** Bounds of a scan. Counted before anything is allocated. */
export interface ScanLimits {
  readonly bytes: number
  /** Arrays inside arrays; the frame itself is depth 1. */
  readonly depth: number
  /** Elements of one array. */
  readonly items: number
  /** Bytes of one string. */
  readonly text: number
}

/** Why the bytes are refused, or null when they are one well-formed value within the limits. */
export const scan = (bytes: Uint8Array, limits: ScanLimits): string | null => {
  if (bytes.length > limits.bytes) return `more than ${limits.bytes} bytes`
  // Elements still to come at each open array; the frame itself is one element of an imagined outer array.
  const open = [1]
  let position = 0
  while (open.length > 0) {
    const left = open[open.length - 1] as number
    if (left === 0) {
      open.pop()
      continue
    }
    open[open.length - 1] = left - 1
    const head = readHead(bytes, position)
    if (typeof head === "string") return head
    position += head.size + head.text
    if (position > bytes.length) return "cut short"
    if (head.text > limits.text) return "string too long"
    if (head.items < 0) continue
    if (head.items > limits.items) return "array too long"
    if (open.length > limits.depth) return "nested too deep"
    open.push(head.items)
  }
  return position === bytes.length ? null : "bytes after the frame"
}

interface Head {
  /** Bytes of the head, with the value of a number. */
  readonly size: number
  /** Bytes of text that follow. */
  readonly text: number
  /** Elements that follow; -1 = not an array. */
  readonly items: number
}

const number = (size: number): Head => ({ size, text: 0, items: -1 })
/** Sizes of the formats 0xca (float 32) to 0xd3 (int 64). */
const NUMBER_SIZE = [5, 9, 2, 3, 5, 9, 2, 3, 5, 9]

const readHead = (bytes: Uint8Array, at: number): Head | string => {
  const format = bytes[at]
  if (format === undefined) return "cut short"
  if (format <= 0x7f || format >= 0xe0) return number(1)
  if (format >= 0xa0 && format <= 0xbf) return { size: 1, text: format & 0x1f, items: -1 }
  if (format >= 0x90 && format <= 0x9f) return { size: 1, text: 0, items: format & 0x0f }
  if (format === 0xc0 || format === 0xc2 || format === 0xc3) return number(1)
  if (format >= 0xca && format <= 0xd3) return number(NUMBER_SIZE[format - 0xca] as number)
  if (format === 0xd9) return { size: 2, text: bytes[at + 1] ?? 0, items: -1 }
  if (format === 0xda) return { size: 3, text: uint16(bytes, at + 1), items: -1 }
  if (format === 0xdc) return { size: 3, text: 0, items: uint16(bytes, at + 1) }
  // Maps, bin, ext, and the 32-bit lengths that no frame of 64 KiB needs.
  return `format 0x${format.toString(16)} is not allowed`
}

const uint16 = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
