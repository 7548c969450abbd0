/**
 * The hash of everything that happened in a run, in order: two runs are the same when it is. CRC-32 (of zlib, the same on
 * every machine) of each piece, mixed into two lanes.
 */
import { crc32 } from "node:zlib"

export class Trace {
  #a = 0x811c9dc5
  #b = 0x9747b28c

  number(value: number): void {
    this.#word(value | 0)
  }
  text(text: string): void {
    this.#word(crc32(text))
    this.#word(-1 - text.length)
  }
  bytes(bytes: Uint8Array): void {
    this.#word(crc32(bytes))
    this.#word(bytes.length)
  }
  /** 16 hex digits. */
  digest(): string {
    return [this.#a, this.#b].map((lane) => (lane >>> 0).toString(16).padStart(8, "0")).join("")
  }

  #word(word: number): void {
    this.#a = Math.imul(this.#a ^ word, 0x01000193)
    this.#b = Math.imul(((this.#b << 13) | (this.#b >>> 19)) ^ word, 0x5bd1e995)
  }
}
