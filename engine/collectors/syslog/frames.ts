/**
 * Frames of syslog over TCP (RFC 6587): octet counting (`83 <34>1 ...`) and lines ended by LF, told apart frame by
 * frame. RouterOS ends its messages with neither, so the listener flushes what it holds when a connection falls
 * silent, and where several messages came meanwhile they are divided where one visibly begins (glued.ts). The same bytes
 * give the same frames however TCP cut them; what is held is bounded.
 */
import { messageStarts } from "#engine/collectors/syslog/glued.ts"

/** Bytes kept of one message; the rest of a longer one is skipped, and the message counted as truncated. */
export const MESSAGE_MAX_BYTES = 8_192
/** An announced length above this is no syslog: the connection is closed. */
export const FRAME_MAX_BYTES = 65_536

export interface Framer {
  /** Gives each complete message to `emit`. Returns what is wrong with the stream, or null; after a fault it is useless. */
  readonly push: (chunk: Uint8Array, emit: (message: Buffer, truncated: boolean) => void) => string | null
  /** Emits an unended line as it is: the sender has fallen silent. */
  readonly flush: (emit: (message: Buffer, truncated: boolean) => void) => void
}

const LF = 0x0a
const SPACE = 0x20

export const makeFramer = (): Framer => {
  let held: Buffer = Buffer.alloc(0)
  /** Bytes of the current octet-counted frame that are still to come, beyond what is held; -1 = lines. */
  let counted = -1
  /** A line that was emitted at its cap: everything up to LF is skipped. */
  let skippingLine = false
  /** Tail of a counted frame beyond its cap. */
  let skipBytes = 0

  const push: Framer["push"] = (chunk, emit) => {
    let bytes: Buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    if (held.length > 0) bytes = Buffer.concat([held, bytes])
    held = Buffer.alloc(0)
    while (bytes.length > 0) {
      if (skipBytes > 0) {
        const skipped = Math.min(skipBytes, bytes.length)
        skipBytes -= skipped
        bytes = bytes.subarray(skipped)
        continue
      }
      if (skippingLine) {
        const end = bytes.indexOf(LF)
        if (end < 0) return null
        skippingLine = false
        bytes = bytes.subarray(end + 1)
        continue
      }
      if (counted < 0) {
        const start = frameStart(bytes)
        if (start === "more") break
        if (start.length > FRAME_MAX_BYTES) return `a frame of ${start.length} bytes`
        bytes = bytes.subarray(start.skip)
        counted = start.length
        if (bytes.length === 0) break
      }
      const rest = counted >= 0 ? takeCounted(bytes, emit) : takeLine(bytes, emit)
      if (rest === null) break
      bytes = rest
    }
    // A copy: the chunk belongs to the socket.
    if (bytes.length > 0) held = Buffer.from(bytes)
    return null
  }

  const takeCounted = (bytes: Buffer, emit: (message: Buffer, truncated: boolean) => void): Buffer | null => {
    const kept = Math.min(counted, MESSAGE_MAX_BYTES)
    if (bytes.length < kept) return null
    skipBytes = counted - kept
    if (kept > 0) emit(bytes.subarray(0, kept), skipBytes > 0)
    counted = -1
    return bytes.subarray(kept)
  }

  const takeLine = (bytes: Buffer, emit: (message: Buffer, truncated: boolean) => void): Buffer | null => {
    const end = bytes.indexOf(LF)
    if (end >= 0 && end <= MESSAGE_MAX_BYTES) {
      if (end > 0) emit(bytes.subarray(0, end), false)
      return bytes.subarray(end + 1)
    }
    if (bytes.length <= MESSAGE_MAX_BYTES) return null
    const lastStart = emitGlued(bytes.subarray(0, MESSAGE_MAX_BYTES), emit)
    if (lastStart > 0) return bytes.subarray(lastStart)
    emit(bytes.subarray(0, MESSAGE_MAX_BYTES), true)
    skippingLine = true
    return bytes.subarray(MESSAGE_MAX_BYTES)
  }

  const flush: Framer["flush"] = (emit) => {
    if (counted >= 0) return
    // A sender that ends no line has ended this one by its silence.
    skippingLine = false
    if (held.length === 0) return
    emit(held.subarray(emitGlued(held, emit)), false)
    held = Buffer.alloc(0)
  }
  return { push, flush }
}

/** Emits all messages but the last of bytes that hold no LF; gives where the last one begins. */
const emitGlued = (bytes: Buffer, emit: (message: Buffer, truncated: boolean) => void): number => {
  const starts = messageStarts(bytes)
  for (let i = 1; i < starts.length; i++) emit(bytes.subarray(starts[i - 1], starts[i]), false)
  return starts.at(-1) ?? 0
}

/** How the next frame begins: `length` >= 0 is octet counting. "more" = it takes another byte to tell. */
const frameStart = (bytes: Buffer): { readonly skip: number; readonly length: number } | "more" => {
  let at = 0
  while (at < 6) {
    const byte = bytes[at]
    if (byte === undefined) return at === 0 ? { skip: 0, length: -1 } : "more"
    if (byte < 0x30 || byte > 0x39) break
    at++
  }
  if (at === 0 || bytes[0] === 0x30 || at > 6 || bytes[at] !== SPACE) return { skip: 0, length: -1 }
  const next = bytes[at + 1]
  if (next === undefined) return "more"
  // The message of a counted frame begins with its PRI: "29 messages lost" is a line.
  return next === 0x3c ? { skip: at + 1, length: Number(bytes.toString("latin1", 0, at)) } : { skip: 0, length: -1 }
}
