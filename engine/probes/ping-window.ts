/**
 * What the last pings of one address amount to: loss, round trip, jitter, and whether it answers. Pure; one step per
 * ping. The numbers are those that `ping` prints at its end (`packet loss`, `avg`, `mdev`), over a sliding window.
 */

/** Pings that count: 40 s of a core router, 200 s of others. */
export const WINDOW_PINGS = 20
/** Unanswered pings in a row that make a device silent (PRODUCT.md, "Detection budget"). */
export const LOSSES_TO_DOWN = 3

export interface PingState {
  /** Round trips in ms, oldest first, null = lost; at most WINDOW_PINGS. */
  readonly window: ReadonlyArray<number | null>
  readonly lostInRow: number
  /** Null until the first answer, or LOSSES_TO_DOWN losses. */
  readonly up: boolean | null
}

export const NO_PINGS: PingState = { window: [], lostInRow: 0, up: null }

/** `rttMs` null = no answer within the time-out. */
export const pinged = (state: PingState, rttMs: number | null): PingState => {
  const lostInRow = rttMs === null ? state.lostInRow + 1 : 0
  return {
    window: [...state.window.slice(1 - WINDOW_PINGS), rttMs],
    lostInRow,
    up: rttMs !== null ? true : lostInRow >= LOSSES_TO_DOWN ? false : state.up,
  }
}

export interface PingFigures {
  /** 0..100. */
  readonly lossPct: number
  /** Mean of the answered ones; null when none was. */
  readonly rttMs: number | null
  /** Their standard deviation (of the population, as ping's mdev); null when none was answered. */
  readonly jitterMs: number | null
}

/** Null for an empty window. */
export const figures = (window: ReadonlyArray<number | null>): PingFigures | null => {
  if (window.length === 0) return null
  const answered = window.filter((rttMs) => rttMs !== null)
  const lossPct = (100 * (window.length - answered.length)) / window.length
  if (answered.length === 0) return { lossPct, rttMs: null, jitterMs: null }
  const mean = answered.reduce((sum, rttMs) => sum + rttMs, 0) / answered.length
  const variance = answered.reduce((sum, rttMs) => sum + (rttMs - mean) ** 2, 0) / answered.length
  return { lossPct, rttMs: mean, jitterMs: Math.sqrt(variance) }
}
