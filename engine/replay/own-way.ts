/**
 * A replayed moment that goes its own way: a branch of it with its own place in the journal, which hears what comes there
 * through a filter, and inputs of its own between them. It folds like a replay, so that whoever shows one can show the other;
 * the replay that it was taken of stands still and is never touched.
 */
import { JournalReader } from "#engine/replay/journal-reader.ts"
import { refuseGap, type Replay } from "#engine/replay/replay.ts"
import type { ReplaySource } from "#engine/replay/source.ts"
import { hashSnapshot } from "#engine/tenant/state-hash.ts"
import { forkTwin } from "#twin/fork.ts"
import type { Input, Sequenced } from "#twin/input.ts"
import type { RoundResult } from "#twin/round.ts"
import { glancedTwin, snapshotTwin } from "#twin/snapshot.ts"

export interface OwnWay extends Replay {
  /** Takes inputs of its own; those of a later time are heard when the branch comes there. The round of the others. */
  readonly hear: (inputs: readonly Input[]) => RoundResult
  /** Inputs of its own that wait for their time. */
  readonly waiting: () => number
}

export interface OwnWayOptions {
  readonly source: ReplaySource
  /** What it hears for an input of the journal. */
  readonly instead: (input: Input) => readonly Input[]
  /** It hears nothing of the journal: time passes with its own inputs only. */
  readonly alone: boolean
}

/** Inputs per round, and between two breaths. */
const SLICE = 256

/** Between two rounds of `replay` only. */
export const ownWayOf = (replay: Replay, { source, instead, alone }: OwnWayOptions): OwnWay => {
  const branch = replay.fork()
  const forkSeq = replay.world.seq
  const { world, cells } = branch
  const journal = alone ? null : new JournalReader(source.readFrom(forkSeq + 1))
  let nextSeq = forkSeq + 1
  /** In the order of time. */
  let own: readonly Input[] = []

  const ownUntil = (atMs: number): readonly Input[] => {
    const count = own.findIndex((input) => input.atMs > atMs)
    const due = count === -1 ? own : own.slice(0, count)
    own = own.slice(due.length)
    return due
  }
  /** Of the same time, what was comes first. */
  const heardFor = ({ seq, input }: Sequenced): readonly Input[] => {
    refuseGap(seq, nextSeq)
    nextSeq++
    return [...ownUntil(input.atMs - 1), ...instead(ofThePast(input, forkSeq))]
  }
  const runTo: Replay["runTo"] = async (until, onRound, sliceMax = SLICE) => {
    let folded = 0
    const round = async (inputs: readonly Input[], slice: readonly Sequenced[]): Promise<boolean> => {
      folded += slice.length
      if (inputs.length === 0) return true
      const goesOn = await onRound?.(branch.apply(inputs), slice)
      await new Promise((resolve) => void setImmediate(resolve))
      return goesOn !== false
    }
    for (;;) {
      const slice = (await journal?.take(until, sliceMax)) ?? []
      if (slice.length === 0) break
      if (!(await round(slice.flatMap(heardFor), slice))) return folded
    }
    if ("atMs" in until) await round(ownUntil(until.atMs), [])
    return folded
  }
  return {
    world,
    cells,
    startSeq: forkSeq,
    runTo,
    snapshot: () => snapshotTwin(world, cells),
    hash: () => hashSnapshot(glancedTwin(world, cells)),
    fork: () => forkTwin(world, cells),
    hear: (inputs) => {
      const due = inputs.filter(({ atMs }) => atMs <= world.atMs)
      own = [...own, ...inputs.filter(({ atMs }) => atMs > world.atMs)].toSorted((a, b) => a.atMs - b.atMs)
      return branch.apply(due)
    },
    waiting: () => own.length,
    close: async () => void (await journal?.close()),
  }
}

/** What was said of an incident that opened after the branch began is not about one of the branch's: time passes. */
const ofThePast = (input: Input, forkSeq: number): Input => {
  if (input.kind !== "incident" && input.kind !== "probed") return input
  const openedSeq = Number(/^(\d+)-\d+$/.exec(input.incident)?.[1] ?? 0)
  return openedSeq > forkSeq ? { kind: "tick", atMs: input.atMs } : input
}
