/**
 * Octet strings of devices as text: UTF-8 if they are that, else Latin-1 (many agents), then made safe like every text
 * that a device chose.
 */
import { deviceText } from "#engine/collectors/device-text.ts"

const utf8 = new TextDecoder("utf-8", { fatal: true })
const latin1 = new TextDecoder("latin1")

/** At most `max` UTF-16 units. */
export const octetText = (bytes: Uint8Array, max = 255): string =>
  deviceText(decode(bytes.length > max * 4 ? bytes.subarray(0, max * 4) : bytes), max)

const decode = (bytes: Uint8Array): string => {
  try {
    return utf8.decode(bytes)
  } catch {
    return latin1.decode(bytes)
  }
}
