/**
 * The bounded mailbox of one actor: first in, first out. A full mailbox refuses and the teller decides (keep, retry,
 * drop). Telemetry may be coalesced by key: a waiting message is replaced by the newer one with the same key, in the
 * place of the older, so that a slow actor reads the last value instead of a queue of old ones.
 */
export type CoalesceKey = string | number

export type Offered = "queued" | "coalesced" | "full"

export class Mailbox<M> {
  readonly max: number
  #items: M[] = []
  #head = 0
  /** Absolute number of the oldest waiting message: places in #places survive compaction. */
  #first = 0
  #places: Map<CoalesceKey, number> | null = null
  #keys: Array<CoalesceKey | null> | null = null

  constructor(max: number) {
    if (!(max >= 1)) throw new RangeError(`a mailbox holds at least one message, not ${max}`)
    this.max = max
  }

  get size(): number {
    return this.#items.length - this.#head
  }

  /** `key` null = never coalesced. O(1). */
  offer(message: M, key: CoalesceKey | null = null): Offered {
    if (key !== null) {
      const place = this.#places?.get(key)
      if (place !== undefined) {
        this.#items[this.#head + place - this.#first] = message
        return "coalesced"
      }
    }
    if (this.size >= this.max) return "full"
    this.#append(message, key)
    return "queued"
  }

  /** Ignores the limit: for an actor's own timers and answers, which have limits of their own. */
  force(message: M): void {
    this.#append(message, null)
  }

  /** Call only while size > 0. */
  take(): M {
    const head = this.#head++
    const message = this.#items[head] as M
    const key = this.#keys?.[head] ?? null
    if (key !== null) this.#places?.delete(key)
    this.#first++
    if (this.#head === this.#items.length) this.#reset()
    else if (this.#head >= 1024) this.#compact()
    else this.#items[head] = undefined as M
    return message
  }

  /** Empties the mailbox and returns what waited, oldest first. */
  clear(): M[] {
    const waiting = this.#items.slice(this.#head)
    this.#first += waiting.length
    this.#places?.clear()
    this.#reset()
    return waiting
  }

  #append(message: M, key: CoalesceKey | null): void {
    if (key !== null) {
      this.#places ??= new Map()
      // Holes of earlier, keyless messages read as undefined: no key.
      this.#keys ??= []
      this.#keys[this.#items.length] = key
      this.#places.set(key, this.#first + this.size)
    }
    this.#items.push(message)
  }

  #reset(): void {
    this.#items.length = 0
    if (this.#keys !== null) this.#keys.length = 0
    this.#head = 0
  }

  #compact(): void {
    this.#items.splice(0, this.#head)
    this.#keys?.splice(0, this.#head)
    this.#head = 0
  }
}
