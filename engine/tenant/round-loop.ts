/**
 * When rounds run: as soon as something is in the inbox (on the next turn of the event loop, no timer in between), and
 * once a second when nothing came, so that time passes in the twin. A batch grows while rounds are quick and shrinks
 * when one holds the event loop too long; grouping never changes the result (twin/round.ts).
 */
import type { Timers } from "#engine/actors/timers.ts"
import type { Inbox } from "#engine/tenant/inbox.ts"
import type { Input, Sequenced } from "#twin/input.ts"

export const ROUND_INPUTS_MAX = 1_024
export const HEARTBEAT_MS = 1_000
/** A round above this halves the next batch; below a quarter of it, the batch doubles again. */
const ROUND_TARGET_MS = 12

export interface RoundLoop {
  /** Something arrived, or there is room again. */
  readonly wake: () => void
  /** Runs one round now, on this stack; false when there was nothing to do or it may not run. */
  readonly runOnce: () => boolean
  readonly stop: () => void
  readonly stats: () => { readonly rounds: number; readonly inputs: number; readonly slowestMs: number }
}

export interface RoundLoopOptions {
  readonly inbox: Inbox
  readonly timers: Timers
  /** Last seq given out. */
  readonly seq: number
  readonly nowMs: () => number
  readonly monoMs: () => number
  readonly soon: (action: () => void) => void
  /** The journal cannot take more: inputs stay in the inbox until `wake`. */
  readonly isFull: () => boolean
  /** Applies and journals a batch; false = the runtime has failed, nothing runs any more. */
  readonly apply: (batch: readonly Sequenced[]) => boolean
}

export const makeRoundLoop = (options: RoundLoopOptions): RoundLoop => {
  const { inbox, timers, nowMs, monoMs } = options
  let seq = options.seq
  let scheduled = false
  let stopped = false
  let batchMax = ROUND_INPUTS_MAX
  let lastRoundMs = nowMs()
  const stats = { rounds: 0, inputs: 0, slowestMs: 0 }

  const wake = (): void => {
    if (scheduled || stopped || options.isFull()) return
    scheduled = true
    options.soon(() => {
      scheduled = false
      if (runOnce() && inbox.size() > 0) wake()
    })
  }

  const runOnce = (): boolean => !stopped && !options.isFull() && run(inbox.take(batchMax))

  const run = (inputs: readonly Input[]): boolean => {
    if (inputs.length === 0) return false
    const startMs = monoMs()
    lastRoundMs = nowMs()
    const goesOn = options.apply(inputs.map((input) => ({ seq: ++seq, input })))
    const tookMs = monoMs() - startMs
    stats.rounds++
    stats.inputs += inputs.length
    stats.slowestMs = Math.max(stats.slowestMs, tookMs)
    // One slow input (an inventory) says nothing about batches.
    if (tookMs > ROUND_TARGET_MS && inputs.length > 1) batchMax = Math.max(8, Math.min(batchMax, inputs.length) >> 1)
    else if (tookMs < ROUND_TARGET_MS / 4) batchMax = Math.min(ROUND_INPUTS_MAX, batchMax * 2)
    if (!goesOn) stopped = true
    return goesOn
  }

  const beat = (): void => {
    if (stopped) return
    timers.after(HEARTBEAT_MS, beat)
    const now = nowMs()
    if (now - lastRoundMs >= HEARTBEAT_MS && inbox.size() === 0 && !options.isFull()) run([{ kind: "tick", atMs: now }])
  }
  timers.after(HEARTBEAT_MS, beat)

  return {
    wake,
    runOnce,
    stop: () => {
      stopped = true
    },
    stats: () => ({ ...stats }),
  }
}
