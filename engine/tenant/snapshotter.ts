/**
 * Saves the twin now and then, so that a restart folds a minute of journal instead of a year, and a busy one after so many
 * inputs, so that a jump into the past folds few. A snapshot is offered to storage only when the journal is durable up to
 * it: a snapshot must never know more than the journal.
 */
import { errorLine } from "#engine/actors/dead-letters.ts"
import type { Timers } from "#engine/actors/timers.ts"
import type { Turns } from "#engine/actors/turns.ts"
import { nextTurn } from "#engine/actors/turns.ts"
import { checkpointEveryMs } from "#engine/tenant/checkpoint-pace.ts"
import type { SnapshotPort } from "#engine/tenant/ports.ts"
import { hashSnapshot } from "#engine/tenant/state-hash.ts"
import { encodeSnapshot } from "#engine/tenant/snapshot-codec.ts"
import type { TwinSnapshot } from "#twin/snapshot.ts"

export const SNAPSHOT_EVERY_MS = 60_000
/** So many inputs are reason for one, if it has at most BYTES_PER_INPUT for each of them: it is written, too. */
export const SNAPSHOT_INPUTS = 500
const BYTES_PER_INPUT = 2_048

export interface Snapshotter {
  /** Takes one now unless nothing changed since the last; waits for one that is under way. Never rejects. */
  readonly take: () => Promise<void>
  /** To be told when inputs were applied: takes one when they are many, and the last is no nearer than a checkpoint may be. */
  readonly applied: () => void
  readonly stop: () => void
  readonly stats: () => {
    readonly savedSeq: number
    readonly saved: number
    readonly failures: number
    readonly bytes: number
  }
}

export interface SnapshotterOptions {
  readonly port: SnapshotPort
  readonly turns: Turns
  readonly timers: Timers
  /** On the average; each time between half and one and a half of it. */
  readonly everyMs: number
  /** Of the snapshot that the twin was restored from; 0 = none. */
  readonly savedSeq: number
  /** [0, 1), each time: tenants must not save together, and each snapshot is a mark that a replay must reach, at any instant. */
  readonly dice: () => number
  readonly seq: () => number
  readonly capture: () => TwinSnapshot
  readonly whenDurable: (seq: number) => Promise<void>
  readonly onProblem: (detail: string) => void
}

export const makeSnapshotter = (options: SnapshotterOptions): Snapshotter => {
  let savedSeq = options.savedSeq
  let underWay: Promise<void> | null = null
  let stopped = false
  let begunMs = options.turns.monoMs()
  let isWell = true
  const stats = { saved: 0, failures: 0, bytes: 0 }

  const save = async (): Promise<void> => {
    begunMs = options.turns.monoMs()
    try {
      const snapshot = options.capture()
      const breathe = (): Promise<void> => nextTurn(options.turns)
      const blob = await encodeSnapshot(snapshot, breathe, options.turns.monoMs)
      const hash = await hashSnapshot(snapshot, breathe, options.turns.monoMs)
      await options.whenDurable(snapshot.seq)
      await options.port.save(snapshot.seq, snapshot.atMs, blob, hash.all)
      savedSeq = snapshot.seq
      stats.saved++
      stats.bytes = blob.length
      isWell = true
    } catch (error) {
      stats.failures++
      isWell = false
      options.onProblem(errorLine(error))
    } finally {
      underWay = null
    }
  }

  const take = async (): Promise<void> => {
    if (underWay !== null) await underWay
    if (underWay !== null || options.seq() === savedSeq) return
    underWay = save()
    await underWay
  }

  const applied = (): void => {
    const inputs = options.seq() - savedSeq
    if (inputs < SNAPSHOT_INPUTS || inputs * BYTES_PER_INPUT < stats.bytes) return
    // After one that failed the next is tried at its time.
    if (underWay !== null || stopped || !isWell) return
    if (options.turns.monoMs() - begunMs >= checkpointEveryMs(stats.bytes)) void take()
  }

  const again = (): void => {
    if (stopped) return
    options.timers.after(options.everyMs * (0.5 + options.dice()), again)
    // One that still waits for the journal is not joined by a second.
    if (underWay === null) void take()
  }
  options.timers.after(options.everyMs * (0.5 + options.dice() / 2), again)

  return {
    take,
    applied,
    stop: () => {
      stopped = true
    },
    stats: () => ({ savedSeq, ...stats }),
  }
}
