/**
 * Words and sentences of the RouterOS API (help.mikrotik.com, "API": protocol, API words): a word is a length in one to
 * five bytes and that many bytes; a word of length zero ends the sentence. The decoder is incremental: the same bytes
 * give the same sentences however TCP cut them. Everything a peer can make us hold has a cap, and bad bytes are a
 * returned fault, never a throw (notes/hostile.md section 2).
 */

/** A longer word is refused when its length is read, before a byte of it is kept. */
export const WORD_MAX_BYTES = 1 << 20
/** Words of one sentence together, with their lengths. */
export const SENTENCE_MAX_BYTES = 4 << 20
/** A sentence of a million one-byte words costs more memory than its bytes. */
export const SENTENCE_MAX_WORDS = 16_384

export type Sentence = readonly string[]

export interface SentenceDecoder {
  /**
   * Takes the next bytes and gives every sentence they complete to `emit`. Returns null, or what is wrong with the
   * stream: from then on it cannot be read, every later push says the same and emits nothing.
   */
  readonly push: (chunk: Uint8Array, emit: (sentence: Sentence) => void) => string | null
}

export const makeSentenceDecoder = (): SentenceDecoder => {
  let fault: string | null = null
  let words: string[] = []
  let sentenceBytes = 0
  /** Bytes of the length that are still missing, and the length read so far. */
  let lengthBytesLeft = 0
  let length = 0
  /** The word that a chunk's end cut in two; null between words. */
  let partial: Buffer | null = null
  let filled = 0

  /** The length is complete: says what is wrong with it, or null. */
  const checkLength = (): string | null => {
    if (length > WORD_MAX_BYTES) return `a word of ${length} bytes (at most ${WORD_MAX_BYTES})`
    sentenceBytes += length + 1
    if (sentenceBytes > SENTENCE_MAX_BYTES) return `a sentence of more than ${SENTENCE_MAX_BYTES} bytes`
    if (words.length >= SENTENCE_MAX_WORDS) return `a sentence of more than ${SENTENCE_MAX_WORDS} words`
    return null
  }

  const endSentence = (emit: (sentence: Sentence) => void): void => {
    const sentence = words
    words = []
    sentenceBytes = 0
    // An empty sentence means nothing (the protocol uses none); RouterOS ignores it too.
    if (sentence.length > 0) emit(sentence)
  }

  const push = (chunk: Uint8Array, emit: (sentence: Sentence) => void): string | null => {
    if (fault !== null) return fault
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    let at = 0
    while (at < bytes.length) {
      if (partial !== null) {
        const taken = bytes.copy(partial, filled, at, Math.min(bytes.length, at + partial.length - filled))
        at += taken
        filled += taken
        if (filled < partial.length) return null
        words.push(partial.toString("utf8"))
        partial = null
        continue
      }
      const byte = bytes[at++] as number
      if (lengthBytesLeft > 0) {
        length = length * 256 + byte
        lengthBytesLeft--
      } else if (byte >= 0xf8) return (fault = `a control byte 0x${byte.toString(16)}`)
      else {
        lengthBytesLeft = byte < 0x80 ? 0 : byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4
        length = byte & [0x7f, 0x3f, 0x1f, 0x0f, 0x07][lengthBytesLeft]!
      }
      if (lengthBytesLeft > 0) continue
      if (length === 0) {
        endSentence(emit)
        continue
      }
      fault = checkLength()
      if (fault !== null) return fault
      if (at + length <= bytes.length) {
        words.push(bytes.toString("utf8", at, at + length))
        at += length
      } else {
        partial = Buffer.allocUnsafe(length)
        filled = 0
      }
    }
    return null
  }
  return { push }
}

/**
 * The bytes of one sentence. An empty word would end it early and a word past the cap would be refused by our own
 * decoder: both are our bugs, never a device's, and throw.
 */
export const encodeSentence = (words: Sentence): Buffer => {
  const parts: Buffer[] = []
  for (const word of words) {
    const bytes = Buffer.from(word, "utf8")
    if (bytes.length === 0 || bytes.length > WORD_MAX_BYTES)
      throw new RangeError(`an API word of ${bytes.length} bytes`)
    parts.push(encodeLength(bytes.length), bytes)
  }
  parts.push(END)
  return Buffer.concat(parts)
}

const END = Buffer.of(0)

/** The shortest form, as RouterOS itself writes it. */
export const encodeLength = (length: number): Buffer => {
  if (length < 0x80) return Buffer.of(length)
  if (length < 0x4000) return Buffer.of((length >> 8) | 0x80, length & 0xff)
  if (length < 0x20_0000) return Buffer.of((length >> 16) | 0xc0, (length >> 8) & 0xff, length & 0xff)
  const low = [(length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff]
  if (length < 0x1000_0000) return Buffer.of((length >>> 24) | 0xe0, ...low)
  return Buffer.of(0xf0, (length >>> 24) & 0xff, ...low)
}
