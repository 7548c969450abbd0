/** What tells of the past (a restart, a change of configuration) weighs between causes of what lasts, and is never a fault of now. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { ALARM, isPast, observable, observe } from "#twin/rca/board.ts"
import type { Board } from "#twin/rca/board.ts"
import { elementOf } from "#twin/rca/cause.ts"
import { explain } from "#twin/rca/explain.ts"
import { alarm, FAULT_MS, randomBoard, small, write } from "#twin/rca/rca.fixture.ts"

/** 5, 6 and 7 stand at one site. */
const SITE = { siteOf: Int32Array.from([-1, -1, -1, -1, -1, 0, 0, 0]), sites: 1 }

const BEFORE_MS = FAULT_MS - 100_000
const restarted = (board: Board, silentMs: number, ...nodes: readonly number[]): Board => {
  for (const node of nodes) observe(board, observable(board, "reboot", node), ALARM, silentMs)
  return board
}

test("[I9] routers of one site that restarted and answer are no failure of its power, and nothing that wants a cause", () => {
  const board = restarted(small(SITE), BEFORE_MS, 5, 6, 7)
  assert.deepEqual([explain(board).candidates, explain(board).unexplained], [[], []])
  // Nor before anybody knows whether they answer.
  const unread = small(SITE)
  unread.state.fill(0)
  assert.deepEqual(explain(restarted(unread, BEFORE_MS, 5, 6, 7)).candidates, [])
})

test("[I9] a new fault where routers restarted before is that fault alone, and began when it began", () => {
  const board = alarm(restarted(small(SITE), BEFORE_MS, 5, 6, 7), "port 10", "port 11", "ospf 10", "ospf 11")
  const { candidates } = explain(board)
  assert.deepEqual(
    candidates.map(({ cause }) => elementOf(board.model, cause)),
    ["link:5"],
  )
  assert.equal(candidates[0]?.onsetMs, FAULT_MS)
})

test("[I9] a restart still tells the router from its link while something of the fault lasts", () => {
  const board = alarm(small(), "port 8", "ospf 8", "answer 4", "ping 4")
  assert.equal(explain(board).candidates[0]?.members.length, 2)
  restarted(board, FAULT_MS + 2_000, 4)
  assert.deepEqual(explain(board).candidates[0]?.members, [{ kind: "router", index: 4 }])
})

test("[I9] a router that restarted before another one of its site died says nothing of the site's power", () => {
  const board = restarted(small(SITE), BEFORE_MS, 5)
  for (const one of ["answer 7", "ping 7", "port 14", "ospf 14"]) alarm(board, one)
  const { candidates } = explain(board)
  assert.ok(candidates[0]?.members.every(({ kind, index }) => kind === "router" || (kind === "link" && index === 7)))
  assert.ok(candidates[0]?.explained.every((id) => !isPast(board, id)))
})

test("[I9] on any network, every cause explains something that lasts", () => {
  // The seed: two faults that cut a router off only together; neither alone explains its silence.
  for (const kept of [{ numRuns: 300 }, { numRuns: 220, seed: 145738385 }])
    fc.assert(
      fc.property(
        randomBoard,
        fc.array(fc.nat(8), { maxLength: 6 }),
        fc.boolean(),
        ({ make, writes }, nodes, isBefore) => {
          const board = make()
          for (const one of writes) write(board, one)
          restarted(board, isBefore ? BEFORE_MS : FAULT_MS, ...nodes.map((node) => node % board.model.graph.nodes))
          const { candidates, unexplained } = explain(board)
          for (const { explained } of candidates) assert.ok(explained.some((id) => !isPast(board, id)))
          assert.ok(unexplained.every((id) => !isPast(board, id)))
        },
      ),
      kept,
    )
})
