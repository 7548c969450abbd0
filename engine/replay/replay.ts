/**
 * Any kept moment of a tenant, rebuilt: the checkpoint before it, then the journal through the same runRound that the live
 * twin is made by (ARCHITECTURE.md, law 2). Plain arrays hold the actors here; a step that throws is told, as the live
 * supervisor is, and the state before it stays. Works in slices, so that whoever shares the thread may breathe.
 */
import * as Data from "effect/Data"
import { errorLine } from "#engine/actors/dead-letters.ts"
import { JournalReader, type Until } from "#engine/replay/journal-reader.ts"
import type { AtHand, CheckpointSource } from "#engine/replay/waypoints.ts"
import type { StoredSnapshot } from "#engine/tenant/ports.ts"
import { decodeSnapshot } from "#engine/tenant/snapshot-codec.ts"
import { hashSnapshot, type TwinHash } from "#engine/tenant/state-hash.ts"
import { plainCells, NO_STATES, type Cells } from "#twin/cells.ts"
import { forkTwin, type Branch } from "#twin/fork.ts"
import type { Sequenced } from "#twin/input.ts"
import { newWorld, runRound, type RoundResult, type World } from "#twin/round.ts"
import { glancedTwin, restoreTwin, snapshotTwin, type TwinSnapshot } from "#twin/snapshot.ts"

/** The moment cannot be rebuilt from what is kept. `message` says from when on it can. */
export class ReplayImpossible extends Data.TaggedError("ReplayImpossible")<{ readonly message: string }> {}

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
export const openReplay = async (source: CheckpointSource, atMs: number): Promise<Replay> => {
  const checkpoint = await checkpointFor(source, atMs)
  const stored = new JournalReader(source.readFrom((checkpoint?.seq ?? 0) + 1))
  // The database looks for the journal while the checkpoint is unpacked.
  stored.readAhead()
  const base = await restore(checkpoint).catch(async (error: unknown) => {
    await stored.close()
    throw error
  })
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

const checkpointFor = async (source: CheckpointSource, atMs: number): Promise<StoredSnapshot | AtHand | null> => {
  const stored = await source.checkpoint(atMs)
  if (stored !== null && stored.atMs > atMs)
    throw new ReplayImpossible({
      message: `nothing is kept of before ${new Date(stored.atMs).toISOString()}: ask for a later time, or keep the journal longer`,
    })
  return stored
}

const restore = async (stored: StoredSnapshot | AtHand | null) => {
  if (stored === null) return { world: newWorld(), states: NO_STATES }
  if ("twin" in stored) return restoreTwin(stored.twin)
  try {
    return restoreTwin(await decodeSnapshot(stored.blob))
  } catch (error) {
    throw new ReplayImpossible({ message: `the checkpoint at input ${stored.seq} cannot be read: ${errorLine(error)}` })
  }
}

/** Throws ReplayImpossible where the journal has another input than the one that comes next. */
export const refuseGap = (seq: number, nextSeq: number): void => {
  if (seq !== nextSeq)
    throw new ReplayImpossible({
      message: `the journal goes on at input ${seq} where ${nextSeq} is needed: that part of it is gone`,
    })
}

const fold = (world: World, cells: Cells, slice: readonly Sequenced[]): RoundResult => {
  refuseGap(slice[0]!.seq, world.seq + 1)
  try {
    return runRound(world, cells, slice)
  } catch (error) {
    throw new ReplayImpossible({
      message: `input ${world.seq + 1} or one soon after it cannot be folded: ${errorLine(error)}`,
    })
  }
}
