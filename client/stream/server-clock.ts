/**
 * The server's clock as the browser can know it: from PONGs, trusting the one with the shortest round trip (Cristian's
 * algorithm). Ages on screen are shown by it, so that a wrong clock on the desk does not make fresh data look old.
 */
export interface ServerClock {
  /** A reply that left the server at `serverMs` to a question of `sentMs`, back at `nowMs` (both local). */
  readonly answered: (sentMs: number, nowMs: number, serverMs: number) => void
  /** A one-way time stamp (WELCOME): a first guess, until a PONG is better. */
  readonly told: (nowMs: number, serverMs: number) => void
  readonly now: (localMs: number) => number
  readonly roundTripMs: () => number | null
}

/** A kept round trip loses its lead by this share per answer, so that clock drift is followed. */
const AGEING = 1.15

export const makeServerClock = (): ServerClock => {
  let offset = 0
  let best = Number.POSITIVE_INFINITY
  let roundTrip: number | null = null
  return {
    answered: (sentMs, nowMs, serverMs) => {
      roundTrip = nowMs - sentMs
      best *= AGEING
      if (roundTrip > best) return
      best = roundTrip
      offset = serverMs + roundTrip / 2 - nowMs
    },
    told: (nowMs, serverMs) => {
      if (best === Number.POSITIVE_INFINITY) offset = serverMs - nowMs
    },
    now: (localMs) => localMs + offset,
    roundTripMs: () => roundTrip,
  }
}
