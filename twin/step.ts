/**
 * What every actor of the twin is: a total, pure function from (state, message) to the next state and what it says.
 * No clock, no dice, no I/O, no exception on purpose; a throw is a defect that costs the actor a restart.
 * States are never mutated: the old one stays good when a step throws.
 */
import type { Status } from "#protocol/status.ts"
import type { EventView } from "#protocol/view.ts"

/** A change of the map's columns. Absolute values. Slots index the inventory's devices / links. */
export type ColumnDelta =
  | { readonly column: "node"; readonly slot: number; readonly status: Status; readonly seenS: number }
  | {
      readonly column: "link"
      readonly slot: number
      readonly status: Status
      readonly utilAB: number | null
      readonly utilBA: number | null
    }

/** An event before the round gives it its id (`<seq>-<index>`). */
export type Happening = Omit<EventView, "id">

export interface Step<State, Fact> {
  readonly state: State
  readonly deltas: readonly ColumnDelta[]
  /** For the actors of later phases in the same round. */
  readonly facts: readonly Fact[]
  readonly events: readonly Happening[]
  /** Absolute time at which this actor wants a `timer` message, replacing its earlier wish; null = none. */
  readonly timerMs: number | null
}
