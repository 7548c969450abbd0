/** The hash of everything that happened in a run, in order: two runs are the same when it is. FNV-1a in two lanes. */
export class Trace {
  #a = 0x811c9dc5
  #b = 0x9747b28c

  number(value: number): void {
    this.#word(value | 0)
  }
  text(text: string): void {
    for (let i = 0; i < text.length; i++) this.#word(text.charCodeAt(i))
    this.#word(-1)
  }
  bytes(bytes: Uint8Array): void {
    for (const byte of bytes) this.#word(byte)
    this.#word(-2)
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
