/** Alarms that could have a cause in common: each accuses a suspect once, in the order of the observables, by whatever road. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { islandsOf } from "#twin/rca/island.ts"
import { alarm, randomBoard, small, write } from "#twin/rca/rca.fixture.ts"

test("[I9] whoever accuses a suspect accuses it once, in order, and belongs to its island", () => {
  let borders = 0
  fc.assert(
    fc.property(randomBoard, ({ make, writes }) => {
      const board = make()
      for (const one of writes) write(board, one)
      const islands = islandsOf(board)
      for (const { alarms, suspects, silent } of islands) {
        borders += Number(silent)
        for (const accusers of [alarms, ...suspects.values()]) {
          assert.ok(accusers.every((id, i) => i === 0 || (accusers[i - 1] as number) < id))
          assert.ok(accusers.every((id) => alarms.includes(id)))
        }
      }
      assert.equal(
        islands.reduce((sum, { alarms }) => sum + alarms.length, 0),
        board.alarms.size,
      )
    }),
    { numRuns: 200 },
  )
  assert.ok(borders > 0)
})

test("[I9] a border accuses again whom the silence itself accused, and counts once", () => {
  const board = alarm(small(), "answer 4", "answer 5", "answer 6", "answer 7")
  const accusers = islandsOf(board).flatMap(({ suspects }) => [...suspects.values()])
  assert.ok(accusers.some(({ length }) => length > 1))
  for (const ids of accusers)
    assert.deepEqual(
      ids,
      [...new Set(ids)].toSorted((x, y) => x - y),
    )
})
