/** Who hears of each round. A listener that throws is counted and costs the others nothing; the first time is told. */
import { errorLine } from "#engine/actors/dead-letters.ts"
import type { RoundNotice } from "#engine/tenant/live-twin.ts"

export interface RoundListeners {
  /** Returns the function that removes the listener again. */
  readonly add: (listener: (notice: RoundNotice) => void) => () => void
  readonly notify: (notice: RoundNotice) => void
  readonly threw: () => number
}

export const makeRoundListeners = (onFirstThrow: (detail: string) => void): RoundListeners => {
  const listeners = new Set<(notice: RoundNotice) => void>()
  let threw = 0
  return {
    add: (listener) => {
      // A function of its own, so that a listener may be added twice and each addition has its own end.
      const own = (notice: RoundNotice): void => listener(notice)
      listeners.add(own)
      return () => void listeners.delete(own)
    },
    notify: (notice) => {
      for (const listener of listeners) {
        try {
          listener(notice)
        } catch (error) {
          if (threw++ === 0) onFirstThrow(errorLine(error))
        }
      }
    },
    threw: () => threw,
  }
}
