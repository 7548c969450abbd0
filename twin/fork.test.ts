/** A branch is the same moment, and nothing that happens to it happens to the origin. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { plainCells } from "#twin/cells.ts"
import { forkTwin } from "#twin/fork.ts"
import { hashTwin } from "#twin/hash.ts"
import type { Sequenced } from "#twin/input.ts"
import { poll, T0 } from "#twin/inventory.fixture.ts"
import { at, FIRST, history, pair } from "#twin/network.fixture.ts"
import { newWorld, runRound, type World } from "#twin/round.ts"
import type { Cells } from "#twin/cells.ts"

const folded = (inputs: readonly Sequenced[]): { world: World; cells: Cells } => {
  const [world, cells] = [newWorld(), plainCells()]
  runRound(world, cells, inputs)
  return { world, cells }
}

describe("fork", () => {
  test("a branch that takes what the origin takes is the origin", () => {
    fc.assert(
      fc.property(history(), history(20), (past, future) => {
        const { world, cells } = folded([FIRST, ...past])
        const branch = forkTwin(world, cells)
        assert.equal(hashTwin(branch.world, branch.cells), hashTwin(world, cells))
        const inputs = future.map(({ input }) => input)
        const result = branch.apply(inputs)
        const same = runRound(
          world,
          cells,
          inputs.map((input, i) => ({ seq: world.seq + 1 + i, input })),
        )
        assert.deepEqual(result.events, same.events)
        assert.equal(hashTwin(branch.world, branch.cells), hashTwin(world, cells))
      }),
    )
  })

  test("whatever happens to a branch, the origin and other branches stay as they were", () => {
    fc.assert(
      fc.property(history(), history(20), (past, future) => {
        const { world, cells } = folded([FIRST, ...past])
        const before = hashTwin(world, cells)
        const [one, other] = [forkTwin(world, cells), forkTwin(world, cells)]
        one.apply(future.map(({ input }) => input))
        assert.equal(hashTwin(world, cells), before)
        assert.equal(hashTwin(other.world, other.cells), before)
        const twig = forkTwin(one.world, one.cells)
        const after = hashTwin(one.world, one.cells)
        twig.apply([{ kind: "tick", atMs: T0 * 2 }])
        assert.equal(hashTwin(one.world, one.cells), after)
      }),
    )
  })

  test("a branch may go where the origin never went: a poll that never came", () => {
    const net = pair()
    const branch = forkTwin(net.world, net.cells)
    branch.apply([poll("r1", at(10), {})])
    assert.deepEqual([branch.world.seq, net.world.seq], [2, 1])
    assert.equal(branch.world.atMs, at(10))
  })
})
