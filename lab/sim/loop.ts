/**
 * The one clock and the one scheduler of a simulation: every turn of the event loop, every wait and every delay of engine,
 * storage, network and viewers goes through here, so that a seed is a run. Nothing here reads the machine's clock or dice.
 * The only thing borrowed from the real event loop is that all promises that can go on have gone on before its next turn:
 * Node runs what process.nextTick was given only when no promise has anything left to do.
 */
import process from "node:process"
import type { Turns } from "#engine/actors/turns.ts"
import { dice } from "#lab/isp/random.ts"
import type { Dice } from "#lab/isp/random.ts"

/** More waiting entries than this, and something starts waits without end. */
const ENTRIES_MAX = 1_000_000
/** Turns that follow each other without time passing: more is a livelock. */
const TURNS_MAX = 100_000
/** The real event loop has its own turn now and then: unhandled rejections are told there, and a Ctrl-C is heard. */
const REAL_TURN_EVERY = 4_096

/** A piece of the simulation that can be killed: after that nothing that it asked for happens any more. */
export interface Life {
  alive: boolean
}
export const FOREVER: Life = { alive: true }

interface Entry {
  readonly atMs: number
  /** Orders entries of the same millisecond: by lot, as a real machine's interrupts come. */
  readonly lot: number
  readonly order: number
  readonly life: Life
  readonly action: () => void
  cancelled: boolean
}

export class Loop {
  /** Virtual milliseconds since the Unix epoch; what a perfect clock shows. */
  nowMs: number
  /** Turns run so far. */
  turns = 0
  readonly #heap: Entry[] = []
  readonly #lots: Dice
  #soon: Array<{ readonly life: Life; readonly action: () => void }> = []
  #order = 0
  #settled = 0

  constructor(seed: number, startMs: number) {
    this.nowMs = startMs
    this.#lots = dice(seed, "scheduler")
  }

  /** Runs `action` in `ms` (whole, at least 0) from now; the result cancels it. */
  after(ms: number, life: Life, action: () => void): () => void {
    if (this.#heap.length >= ENTRIES_MAX) throw new RangeError("the simulation waits for too many things")
    const atMs = this.nowMs + Math.max(0, Math.ceil(ms))
    const entry: Entry = { atMs, lot: this.#lots.next(), order: this.#order++, life, action, cancelled: false }
    push(this.#heap, entry)
    return () => {
      entry.cancelled = true
    }
  }

  /** The event loop as one life of the engine sees it. */
  turnsOf(life: Life): Turns {
    const startMs = this.nowMs
    return {
      soon: (action) => void this.#soon.push({ life, action }),
      later: (ms, action) => this.after(Math.max(1, ms), life, action),
      // Work takes no virtual time: a slice never ends because the machine is slow.
      monoMs: () => this.nowMs - startMs,
    }
  }

  /** Everything up to and including this moment, then the time is `untilMs`. */
  async runTo(untilMs: number): Promise<void> {
    await this.#settle()
    for (let first = this.#heap[0]; first !== undefined && first.atMs <= untilMs; first = this.#heap[0]) {
      pop(this.#heap)
      if (first.cancelled || !first.life.alive) continue
      this.nowMs = Math.max(this.nowMs, first.atMs)
      first.action()
      await this.#settle()
    }
    this.nowMs = Math.max(this.nowMs, untilMs)
  }

  /** Lets promises and asked-for turns go on until there are none, without time passing. */
  async #settle(): Promise<void> {
    for (let turn = 0; ; turn++) {
      if (turn > TURNS_MAX) throw new RangeError("turns follow each other without end")
      if (++this.#settled % REAL_TURN_EVERY === 0) await new Promise((resolve) => void setImmediate(resolve))
      await new Promise<void>((resolve) => process.nextTick(resolve))
      if (this.#soon.length === 0) return
      const due = this.#soon
      this.#soon = []
      for (const { life, action } of due) if (life.alive) action()
      this.turns++
    }
  }
}

const before = (a: Entry, b: Entry): boolean =>
  a.atMs < b.atMs || (a.atMs === b.atMs && (a.lot < b.lot || (a.lot === b.lot && a.order < b.order)))

const push = (heap: Entry[], entry: Entry): void => {
  let place = heap.push(entry) - 1
  while (place > 0) {
    const up = (place - 1) >> 1
    if (!before(entry, heap[up] as Entry)) break
    heap[place] = heap[up] as Entry
    place = up
  }
  heap[place] = entry
}

const pop = (heap: Entry[]): void => {
  const last = heap.pop() as Entry
  if (heap.length === 0) return
  let place = 0
  for (;;) {
    let down = 2 * place + 1
    if (down >= heap.length) break
    if (down + 1 < heap.length && before(heap[down + 1] as Entry, heap[down] as Entry)) down++
    if (!before(heap[down] as Entry, last)) break
    heap[place] = heap[down] as Entry
    place = down
  }
  heap[place] = last
}
