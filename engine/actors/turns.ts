/**
 * The event loop as an argument, for the code that takes turns with everybody else or waits for a while: the process's own
 * loop by default, and a simulation's, where one scheduler owns every turn and every pause (lab/sim). Beside the clock
 * (clock.ts), which says what time it is, this says when something goes on.
 */
export interface Turns {
  /** On the next turn of the loop, in the order of asking. */
  readonly soon: (action: () => void) => void
  /** Once, `ms` from now; the result cancels it. */
  readonly later: (ms: number, action: () => void) => () => void
  /** Fractional milliseconds for measuring how long something took; never goes back. */
  readonly monoMs: () => number
}

export const PROCESS_TURNS: Turns = {
  soon: (action) => void setImmediate(action),
  later: (ms, action) => {
    const timer = setTimeout(action, ms)
    return () => clearTimeout(timer)
  },
  monoMs: () => performance.now(),
}

/** Resolves on the next turn. */
export const nextTurn = ({ soon }: Turns): Promise<void> => new Promise((resolve) => soon(resolve))
