/**
 * Text that a device chose (names, comments, trap messages), made safe to show, log and store: no control characters,
 * no terminal escapes, no direction overrides, no lone surrogates, and an end. Decoders already replaced bad UTF-8.
 */

/** Longest text kept from a device, UTF-16 units. Names are at most a few dozen. */
export const DEVICE_TEXT_MAX = 256

// C0 and C1 controls, DEL, and the explicit bidirectional formatting characters of Unicode UAX #9.
// oxlint-disable-next-line no-control-regex
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]+/g

/** Unsafe characters become one space; ends are trimmed (an identity may be padded with NULs). Linear time. */
export const deviceText = (text: string, max: number = DEVICE_TEXT_MAX): string =>
  text.slice(0, max).replace(UNSAFE, " ").trim().toWellFormed()

/** Longest joined text. Below the 256 units that the twin keeps. */
const JOINED_MAX = 240

/** `a, b, c`; where that is too long, whole parts and then how many more there are: `a, b, +38`. */
export const joinBounded = (parts: readonly string[]): string => {
  let text = ""
  for (const [i, one] of parts.entries()) {
    const longer = i === 0 ? one.slice(0, JOINED_MAX) : `${text}, ${one}`
    if (longer.length > JOINED_MAX) return `${text}, +${parts.length - i}`
    text = longer
  }
  return text
}
