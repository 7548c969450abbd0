/** UUID version 7 (RFC 9562 s5.7): opens with the Unix time in milliseconds, so that new ids land at an index's end. */
import { randomBytes } from "node:crypto"

export const uuidv7 = (atMs: number = Date.now()): string => {
  const bytes = randomBytes(16)
  bytes.writeUIntBE(atMs, 0, 6)
  bytes[6] = (bytes[6]! & 0x0f) | 0x70
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = bytes.toString("hex")
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
