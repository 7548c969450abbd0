/**
 * Time for actors, as an argument. The engine uses the process clock, a twin uses the time inside its messages, tests
 * and simulations use a virtual clock that moves only when told: the same actors give the same results under each.
 * Whole milliseconds only: a fraction can make "wait for the rest" spin for ever.
 */
export interface ActorClock {
  /** Milliseconds, whole, never going backwards within one system. */
  readonly nowMs: () => number
  /** Calls `fire` once at `atMs` or soon after; the result cancels it. A system holds at most one such timer. */
  readonly wakeAt: (atMs: number, fire: () => void) => () => void
}

/** Longest delay that setTimeout takes without wrapping to 1 ms. */
const SET_TIMEOUT_MAX_MS = 2 ** 31 - 1

/** Unix time of the machine, held still when the machine's clock is set back. */
export const makeProcessClock = (): ActorClock => {
  let newest = 0
  const nowMs = (): number => (newest = Math.max(newest, Date.now()))
  return {
    nowMs,
    wakeAt: (atMs, fire) => {
      const delay = Math.min(SET_TIMEOUT_MAX_MS, Math.max(0, atMs - nowMs()))
      const timer = setTimeout(fire, delay)
      return () => clearTimeout(timer)
    },
  }
}

export interface ManualClock extends ActorClock {
  /** Moves the time forward, firing what falls due on the way, each at its own time. Going back does nothing. */
  readonly advanceTo: (atMs: number) => void
}

/** A clock that moves only by `advanceTo`: for tests, simulations, and twins whose time arrives in messages. */
export const makeManualClock = (startMs = 0): ManualClock => {
  let now = startMs
  let wake: { readonly atMs: number; readonly fire: () => void } | null = null
  return {
    nowMs: () => now,
    wakeAt: (atMs, fire) => {
      const mine = { atMs, fire }
      wake = mine
      return () => {
        if (wake === mine) wake = null
      }
    },
    advanceTo: (atMs) => {
      while (wake !== null && wake.atMs <= atMs) {
        const due = wake
        wake = null
        now = Math.max(now, due.atMs)
        due.fire()
      }
      now = Math.max(now, atMs)
    },
  }
}
