/**
 * Any kept moment of a tenant, rebuilt: the checkpoint before it, then the journal through the same runRound that the live
 * twin is made by (ARCHITECTURE.md, law 2). Plain arrays hold the actors here; a step that throws is told, as the live
 * supervisor is, and the state before it stays. Works in slices, so that whoever shares the thread may breathe.
 */
import * as Data from "effect/Data"
import { errorLine } from "#engine/actors/dead-letters.ts"
import type { ReplaySource } from "#engine/replay/source.ts"
import { decodeSnapshot } from "#engine/tenant/snapshot-codec.ts"
import { hashSnapshot, type TwinHash } from "#engine/tenant/state-hash.ts"
import { plainCells, NO_STATES, type Cells } from "#twin/cells.ts"
import { forkTwin, type Branch } from "#twin/fork.ts"
import type { Sequenced } from "#twin/input.ts"
import { newWorld, runRound, type RoundResult, type World } from "#twin/round.ts"
import { glancedTwin, restoreTwin, snapshotTwin, type TwinSnapshot } from "#twin/snapshot.ts"

/** The moment cannot be rebuilt from what is kept. `message` says from when on it can. */
export class ReplayImpossible extends Data.TaggedError("ReplayImpossible")<{ readonly message: string }> {}

/** Where to stop: before the first input that is later than `atMs`, or after the input `seq`. */
export type Until = { readonly atMs: number } | { readonly seq: number }

export interface Replay {
  readonly world: World
  readonly cells: Cells
  /** Of the snapshot that it began from; 0 = the journal's first input. */
  readonly startSeq: number
  /**
   * Folds on. Resolves with the number of inputs folded, also when the journal ends before. The twin's clock stands at the
   * last folded input; timers that are due later have not fired. Stops early when `onRound` answers false, which is called
   * in the same turn as its round. `slice` = inputs per round, at most (default SLICE).
   */
  readonly runTo: (
    until: Until,
    onRound?: (result: RoundResult, inputs: readonly Sequenced[]) => unknown,
    slice?: number,
  ) => Promise<number>
  readonly snapshot: () => TwinSnapshot
  /** It must stand still until this resolves. */
  readonly hash: () => Promise<TwinHash>
  readonly fork: () => Branch
  readonly close: () => Promise<void>
}

/** Inputs per round, and between two breaths. */
const SLICE = 256

/** A replay that stands at the newest checkpoint at or before `atMs`. Rejects with ReplayImpossible. */
export const openReplay = async (source: ReplaySource, atMs: number): Promise<Replay> => {
  const base = await restore(source, atMs)
  const stored = new Reader(source.readFrom(base.world.seq + 1))
  const { world } = base
  const cells = plainCells(base.states)
  return {
    world,
    cells,
    startSeq: base.world.seq,
    runTo: async (until, onRound, sliceMax = SLICE) => {
      let folded = 0
      for (;;) {
        const slice = await stored.take(until, sliceMax)
        if (slice.length === 0) return folded
        const result = fold(world, cells, slice)
        const goesOn = await onRound?.(result, slice)
        folded += slice.length
        if (goesOn === false) return folded
        await new Promise((resolve) => void setImmediate(resolve))
      }
    },
    snapshot: () => snapshotTwin(world, cells),
    hash: () => hashSnapshot(glancedTwin(world, cells)),
    fork: () => forkTwin(world, cells),
    close: () => stored.close(),
  }
}

const restore = async (source: ReplaySource, atMs: number) => {
  const stored = await source.checkpoint(atMs)
  if (stored === null) return { world: newWorld(), states: NO_STATES }
  if (stored.atMs > atMs)
    throw new ReplayImpossible({
      message: `nothing is kept of before ${new Date(stored.atMs).toISOString()}: ask for a later time, or keep the journal longer`,
    })
  try {
    return restoreTwin(await decodeSnapshot(stored.blob))
  } catch (error) {
    throw new ReplayImpossible({ message: `the checkpoint at input ${stored.seq} cannot be read: ${errorLine(error)}` })
  }
}

const fold = (world: World, cells: Cells, slice: readonly Sequenced[]): RoundResult => {
  const first = slice[0]!.seq
  if (first !== world.seq + 1)
    throw new ReplayImpossible({
      message: `the journal goes on at input ${first} where ${world.seq + 1} is needed: that part of it is gone`,
    })
  try {
    return runRound(world, cells, slice)
  } catch (error) {
    throw new ReplayImpossible({
      message: `input ${world.seq + 1} or one soon after it cannot be folded: ${errorLine(error)}`,
    })
  }
}

/** The journal, one piece at a time, without reading past what is asked for. */
class Reader {
  readonly #batches: AsyncIterator<readonly Sequenced[]>
  #batch: readonly Sequenced[] = []
  #at = 0
  #ended = false

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

  async close(): Promise<void> {
    await this.#batches.return?.()
  }

  async #next(): Promise<boolean> {
    while (!this.#ended) {
      const { done, value } = await this.#batches.next()
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
