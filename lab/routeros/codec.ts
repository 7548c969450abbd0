/**
 * The RouterOS API's sentences (help.mikrotik.com, "API"): words prefixed by a length of one to five octets, ended by an
 * empty word. The lab's own, independent of the engine's client. Text is UTF-8 both ways.
 */

/** Clients send short commands: whoever sends more is no client. Octets. */
const WORD_MAX = 64 * 1024
const SENTENCE_MAX = 256 * 1024

export class ApiProtocolError extends Error {}

export const encodeSentence = (words: readonly string[]): Buffer => {
  const parts: Buffer[] = []
  for (const word of words) {
    const bytes = Buffer.from(word)
    parts.push(encodeLength(bytes.length), bytes)
  }
  parts.push(Buffer.from([0]))
  return Buffer.concat(parts)
}

export const encodeLength = (length: number): Buffer => {
  if (length < 0x80) return Buffer.from([length])
  if (length < 0x4000) return Buffer.from([(length >> 8) | 0x80, length & 255])
  if (length < 0x20_0000) return Buffer.from([(length >> 16) | 0xc0, (length >> 8) & 255, length & 255])
  const long = Buffer.alloc(5)
  long.writeUInt32BE(length, 1)
  if (length < 0x1000_0000) {
    long[1]! |= 0xe0
    return long.subarray(1)
  }
  long[0] = 0xf0
  return long
}

/** Puts sentences together from however TCP cut them. */
export class SentenceDecoder {
  private pending: Buffer = Buffer.alloc(0)
  private words: string[] = []
  private octets = 0

  /** The sentences that are complete now. Throws ApiProtocolError when the stream cannot be understood any more. */
  push(chunk: Buffer): readonly (readonly string[])[] {
    this.pending = this.pending.length === 0 ? chunk : Buffer.concat([this.pending, chunk])
    const sentences: string[][] = []
    let at = 0
    for (;;) {
      const head = decodeLength(this.pending, at)
      if (head === null) break
      const { length, size } = head
      if (length > WORD_MAX || (this.octets += length) > SENTENCE_MAX) throw new ApiProtocolError("sentence too long")
      if (this.pending.length - at - size < length) {
        this.octets -= length
        break
      }
      at += size
      if (length > 0) this.words.push(this.pending.toString("utf8", at, at + length))
      else {
        // An empty sentence is a keepalive of some clients.
        if (this.words.length > 0) sentences.push(this.words)
        this.words = []
        this.octets = 0
      }
      at += length
    }
    this.pending = this.pending.subarray(at)
    return sentences
  }
}

const decodeLength = (bytes: Buffer, at: number): { readonly length: number; readonly size: number } | null => {
  const first = bytes[at]
  if (first === undefined) return null
  if (first >= 0xf8) throw new ApiProtocolError(`control byte ${first}`)
  const size = first < 0x80 ? 1 : first < 0xc0 ? 2 : first < 0xe0 ? 3 : first < 0xf0 ? 4 : 5
  if (bytes.length - at < size) return null
  let length = size === 5 ? 0 : first & (0x7f >> (size - 1))
  for (let i = 1; i < size; i++) length = length * 256 + bytes[at + i]!
  return { length, size }
}
