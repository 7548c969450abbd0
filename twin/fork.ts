/**
 * A branch of a twin: the same moment, free to go another way (PRODUCT.md, fork and what-if). States are immutable, so a
 * branch shares them with its origin until it changes them; nothing that is fed to a branch can ever reach the origin.
 */
import { plainCells, type Cells, type OnThrow } from "#twin/cells.ts"
import type { Input } from "#twin/input.ts"
import { runRound, type RoundResult, type World } from "#twin/round.ts"
import { restoreTwin, snapshotTwin } from "#twin/snapshot.ts"

export interface Branch {
  readonly world: World
  readonly cells: Cells
  /** Takes further inputs; their seq follows the origin's. */
  readonly apply: (inputs: readonly Input[]) => RoundResult
}

/** Between rounds only. `onThrow` hears of defects of the steps. */
export const forkTwin = (world: World, cells: Cells, onThrow?: OnThrow): Branch => {
  // Through the very door of a restart: what a branch is, a snapshot is.
  const { world: own, states } = restoreTwin(snapshotTwin(world, cells))
  const ownCells = plainCells(states, onThrow)
  return {
    world: own,
    cells: ownCells,
    apply: (inputs) =>
      runRound(
        own,
        ownCells,
        inputs.map((input, i) => ({ seq: own.seq + 1 + i, input })),
      ),
  }
}
