/**
 * A twin alone, with all shipped rules, that says what each input costs: no sockets, no journal, no other thread. What a
 * stall costs is what everybody else waits for, whoever brought it.
 */
import { PACKS } from "#twin/alert/packs/registry.ts"
import type { Cells } from "#twin/cells.ts"
import { plainCells } from "#twin/cells.ts"
import type { Inventory } from "#protocol/inventory.ts"
import type { Input } from "#twin/input.ts"
import { newWorld, runRound } from "#twin/round.ts"
import type { World } from "#twin/round.ts"

export interface TimedTwin {
  readonly world: World
  readonly cells: Cells
  /** CPU milliseconds of this thread: what the machine does beside it does not count, nor do the collector's threads. */
  readonly apply: (input: Input) => number
}

/** Of this inventory; it has heard nothing yet. A cell that throws ends the run. */
export const timedTwin = (inventory: Inventory, startMs: number): TimedTwin => {
  const world = newWorld()
  const cells = plainCells(undefined, (_bank, _slot, error) => {
    throw error
  })
  const apply = (input: Input): number => {
    const before = process.threadCpuUsage()
    runRound(world, cells, [{ seq: world.seq + 1, input }])
    const { user, system } = process.threadCpuUsage(before)
    return (user + system) / 1000
  }
  apply({ kind: "topology", atMs: startMs, rev: 1, inventory })
  apply({ kind: "rules", atMs: startMs, rev: 1, rules: SHIPPED })
  return { world, cells, apply }
}

const SHIPPED = PACKS.flatMap(({ rules }) => rules.map(({ rule }) => rule))
