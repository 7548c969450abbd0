/**
 * A whole twin as one plain object, and back. Restoring it and going on with the journal's tail gives the same twin as
 * never having stopped: that is what kill -9 and replay rest on. Pack it with protocol/codec.ts packStored.
 */
import type { Inventory } from "#protocol/inventory.ts"
import type { EventView } from "#protocol/view.ts"
import type { Cells, CellStates } from "#twin/cells.ts"
import type { World } from "#twin/round.ts"

export const SNAPSHOT_VERSION = 1

export interface TwinSnapshot {
  readonly version: number
  readonly seq: number
  readonly atMs: number
  readonly rev: number
  readonly inventory: Inventory
  readonly states: CellStates
  /** Wishes by actor number; null = none. */
  readonly timers: ReadonlyArray<number | null>
  readonly recent: readonly EventView[]
  readonly unknownDevice: number
}

export declare const snapshotTwin: (world: World, cells: Cells) => TwinSnapshot

/** Thrown for a snapshot of another version or a damaged one; the message says what and what to do. */
export class SnapshotUnusable extends Error {
  override readonly name = "SnapshotUnusable"
}

/** A new world, and the states for `plainCells` or the engine's banks. Takes what unpackStored gave; checks it. */
export declare const restoreTwin: (snapshot: unknown) => { readonly world: World; readonly states: CellStates }
