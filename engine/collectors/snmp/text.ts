/**
 * Text of devices made fit to keep and show: UTF-8 if it is that, else Latin-1 (many agents), no control or bidirectional
 * formatting characters, bounded. The database refuses NUL, terminals obey escapes and screens obey bidi overrides, so
 * they end here (notes/hostile.md s3).
 */
const utf8 = new TextDecoder("utf-8", { fatal: true })
const latin1 = new TextDecoder("latin1")

/** C0, DEL, C1, line and paragraph separators, bidirectional controls, byte order mark. */
const UNFIT = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]+/gu

/** At most `max` UTF-16 units; never ends in half a surrogate pair; runs of unfit characters become one space. */
export const deviceText = (bytes: Uint8Array, max = 255): string => {
  const text = decode(bytes.length > max * 4 ? bytes.subarray(0, max * 4) : bytes)
    .replace(UNFIT, " ")
    .trim()
  return (text.length > max ? text.slice(0, max) : text).toWellFormed()
}

const decode = (bytes: Uint8Array): string => {
  try {
    return utf8.decode(bytes)
  } catch {
    return latin1.decode(bytes)
  }
}
