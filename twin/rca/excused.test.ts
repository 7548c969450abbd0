/** Alarms that a cause of before accounts for: they want no cause, speak for none, and count again when their time is over. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { excuse, isAlarm, observable } from "#twin/rca/board.ts"
import { explain } from "#twin/rca/explain.ts"
import type { Explanation } from "#twin/rca/explain.ts"
import { alarm, namedOf, randomBoard, small, write, writtenId } from "#twin/rca/rca.fixture.ts"

const said = ({ candidates, unexplained }: Explanation) => ({ candidates, unexplained })

test("[I9] what is accounted for is no evidence, and is evidence again afterwards", () => {
  const board = alarm(small(), "bgp 0", "bgp 1", "bgp 2", "bgp 3", "bgp 4", "bgp 5")
  let explanation = explain(board)
  assert.deepEqual(namedOf(board, explanation), ["router:1"])
  excuse(board, new Set(board.alarms))
  explanation = explain(board, explanation)
  assert.deepEqual(said(explanation), { candidates: [], unexplained: [] })
  excuse(board, new Set())
  assert.deepEqual(namedOf(board, explain(board, explanation)), ["router:1"])
})

test("[I9] beside what is accounted for, a fault is seen as what it is", () => {
  const board = alarm(small(), "ospf 4", "ospf 5", "bgp 2", "bgp 3", "port 2", "port 3", "ospf 2", "ospf 3")
  excuse(board, new Set(["ospf 4", "ospf 5", "bgp 2", "bgp 3"].map((one) => idOf(board, one))))
  const explanation = explain(board)
  assert.deepEqual(namedOf(board, explanation), ["link:1"])
  assert.ok(explanation.candidates.every(({ explained }) => explained.every((id) => isAlarm(board, id))))
})

const idOf = (board: ReturnType<typeof small>, word: string): number => {
  const [kind = "", index] = word.split(" ")
  return observable(board, kind, Number(index))
}

test("[I9] incremental is from scratch, whatever is accounted for meanwhile", () => {
  fc.assert(
    fc.property(
      randomBoard,
      fc.array(fc.array(fc.nat(100_000), { maxLength: 6 }), { maxLength: 24 }),
      (random, excuses) => {
        const { make, writes } = random
        const live = make()
        let explanation = explain(live)
        for (const [n, one] of writes.entries()) {
          write(live, one)
          excuse(live, new Set((excuses[n] ?? []).map((draw) => writtenId(live, draw))))
          explanation = explain(live, explanation)
        }
        const scratch = make()
        for (const one of writes) write(scratch, one)
        excuse(scratch, live.excused)
        assert.deepEqual(said(explanation), said(explain(scratch)))
      },
    ),
    { numRuns: 200 },
  )
})
