/**
 * The journal as a replay or a branch of one reads it: one piece at a time, up to a moment or an input, and never past what
 * is asked for, so that whoever stops can go on from there.
 */
import type { Sequenced } from "#twin/input.ts"

/** Where to stop: before the first input that is later than `atMs`, or after the input `seq`. */
export type Until = { readonly atMs: number } | { readonly seq: number }

export class JournalReader {
  readonly #batches: AsyncIterator<readonly Sequenced[]>
  #batch: readonly Sequenced[] = []
  #at = 0
  #ended = false
  /** Asked for, and not yet taken. */
  #ahead: Promise<IteratorResult<readonly Sequenced[]>> | null = null

  constructor(batches: AsyncIterable<readonly Sequenced[]>) {
    this.#batches = batches[Symbol.asyncIterator]()
  }

  /** The next inputs up to `until`, at most `max`, of as many rows as that takes; empty = there are none. */
  async take(until: Until, max: number): Promise<readonly Sequenced[]> {
    const taken: Sequenced[] = []
    while (this.#at < this.#batch.length || (await this.#next())) {
      // Where inputs are missing nothing is folded past: the next call begins there, and is refused.
      if (taken.length > 0 && this.#batch[this.#at]!.seq !== taken.at(-1)!.seq + 1) break
      const limit = Math.min(this.#batch.length, this.#at + max - taken.length)
      while (this.#at < limit && isWithin(this.#batch[this.#at]!, until)) taken.push(this.#batch[this.#at++]!)
      if (this.#at < this.#batch.length || taken.length === max) break
    }
    return taken
  }

  /** The first piece is asked for now: whoever takes it finds it sooner. */
  readAhead(): void {
    this.#ahead ??= this.#batches.next()
    // Whoever takes it hears why it failed; nobody may ever take it.
    this.#ahead.catch(() => undefined)
  }

  async close(): Promise<void> {
    await this.#batches.return?.()
  }

  async #next(): Promise<boolean> {
    while (!this.#ended) {
      const { done, value } = await (this.#ahead ?? this.#batches.next())
      this.#ahead = null
      if (done === true) this.#ended = true
      else if (value.length > 0) {
        this.#batch = value
        this.#at = 0
        return true
      }
    }
    return false
  }
}

const isWithin = ({ seq, input }: Sequenced, until: Until): boolean =>
  "seq" in until ? seq <= until.seq : input.atMs <= until.atMs
