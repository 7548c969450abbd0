/** A branch is the same moment, and nothing that happens to it happens to the origin. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { plainCells } from "#twin/cells.ts"
import { forkTwin } from "#twin/fork.ts"
import { hashTwin, stateHash } from "#twin/hash.ts"
import type { Sequenced } from "#twin/input.ts"
import { poll, T0 } from "#twin/inventory.fixture.ts"
import { at, FIRST, history, pair } from "#twin/network.fixture.ts"
import { newWorld, runRound, type World } from "#twin/round.ts"
import { snapshotTwin } from "#twin/snapshot.ts"
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

  test("a snapshot that is kept stays as it was, whatever the origin goes on to hear", () => {
    let written = 0
    fc.assert(
      fc.property(history(), history(30), (past, future) => {
        const { world, cells } = folded([FIRST, ...past])
        const kept = snapshotTwin(world, cells)
        const rows = kept.states.routers.flatMap(
          ({ judgement }) => judgement?.device.entities.map(({ row }) => row) ?? [],
        )
        const before = stateHash(kept)
        // Other rules would make the twin copy everything anyway.
        const heard = future.filter(({ input }) => !["rules", "silences", "topology"].includes(input.kind))
        for (const { input } of heard) {
          runRound(world, cells, [{ seq: world.seq + 1, input }])
          runRound(world, cells, [{ seq: world.seq + 1, input: { kind: "tick", atMs: world.atMs + 1 } }])
        }
        assert.equal(stateHash(kept), before)
        written += rows.length
      }),
    )
    assert.ok(written > 100, `${written} rows could have been written to`)
  })

  test("a branch may go where the origin never went: a poll that never came", () => {
    const net = pair()
    const branch = forkTwin(net.world, net.cells)
    branch.apply([poll("r1", at(10), {})])
    assert.deepEqual([branch.world.seq, net.world.seq], [2, 1])
    assert.equal(branch.world.atMs, at(10))
  })
})
