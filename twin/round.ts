/**
 * The one algorithm that turns inputs into a new twin, live and in replay. Each input is processed to quiescence before
 * the next (timers that are due, then routers, then links, then the tenant), so that it does not matter how inputs are
 * grouped into rounds: a round only groups what the outside is told. Order inside an input: phase, slot, emission.
 */
import type { EventView } from "#protocol/view.ts"
import type { Cells } from "#twin/cells.ts"
import type { Columns } from "#twin/columns.ts"
import type { Sequenced } from "#twin/input.ts"
import type { Timers } from "#twin/timers.ts"
import type { Topology } from "#twin/topology.ts"

/** Everything of a twin that is not inside an actor. Written by runRound only. */
export interface World {
  topology: Topology
  columns: Columns
  timers: Timers
  /** Of the last input applied; 0 = none. */
  seq: number
  /** The twin's clock: newest input time, never goes back. */
  atMs: number
  /** Newest last, at most RECENT_EVENTS. */
  recent: EventView[]
  /** Inputs for devices that the inventory does not have. */
  unknownDevice: number
}

export const RECENT_EVENTS = 512

/** What a round did, for whoever tells viewers and storage. */
export interface RoundResult {
  /** Of the last input applied. */
  readonly seq: number
  readonly atMs: number
  /** Slots whose columns changed, ascending, no duplicates. All slots after a change of topology. */
  readonly nodes: readonly number[]
  readonly links: readonly number[]
  readonly events: readonly EventView[]
  readonly topologyChanged: boolean
  /** Ids of devices and links whose state may have changed. */
  readonly touched: ReadonlySet<string>
}

/**
 * Applies inputs in order. An input whose seq is not above world.seq has been applied before and is skipped, so a replay
 * may overlap its snapshot.
 */
export declare const runRound: (world: World, cells: Cells, inputs: readonly Sequenced[]) => RoundResult
/** A twin before its first input. */
export declare const newWorld: () => World
