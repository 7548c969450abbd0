/**
 * Who may write to the rows of a device's judgement, and to when its alerts were last known to be so. States are immutable for everybody who looks at them, but copying every
 * row at every poll is most of what judgement costs, and hardly ever is anybody looking: only a snapshot, a branch or a replay
 * keeps a state. So the twin has a hand for each device that knows which rows the newest state alone holds; these are
 * written in place, any other is copied first. A hand is never part of a state, and changes no result.
 */
import type { DeviceState } from "#twin/alert/state.ts"

/** How often all states were given to somebody who keeps them. */
export interface Shares {
  count: number
}

export interface Hand {
  readonly shares: Shares
  /** At this count the rest was true. */
  at: number
  /** The state that it made last; no other state's rows are its own. Null while one is being made, and after a throw. */
  device: DeviceState | null
  /** By entity: 1 = nobody else has this row. */
  rows: Uint8Array
}

export const newHand = (shares: Shares = { count: 0 }): Hand => ({
  shares,
  at: -1,
  device: null,
  rows: new Uint8Array(0),
})

const NONE = new Uint8Array(0)

/** Takes the state's rows in hand: which of them may be written to. The hand has none until the work is done. */
export const rowsInHand = (hand: Hand | null, state: DeviceState): Uint8Array => {
  const entities = state.entities.length
  if (hand === null) return entities === 0 ? NONE : new Uint8Array(entities)
  const held = hand.device === state && hand.at === hand.shares.count ? hand.rows : null
  hand.device = null
  return held !== null && held.length === entities ? held : new Uint8Array(entities)
}

/** The work is done: this state is the newest, and these of its rows are nobody else's. */
export const handBack = (hand: Hand | null, state: DeviceState, rows: Uint8Array): void => {
  if (hand === null) return
  hand.device = state
  hand.at = hand.shares.count
  hand.rows = rows
}
