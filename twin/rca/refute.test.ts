/** Refuting at a glance: never anybody whom a whole assessment would let be a rival, and at the cost of a few witnesses. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { assess } from "#twin/rca/assess.ts"
import { CLEAR, observable, observe, UNKNOWN } from "#twin/rca/board.ts"
import { causeOf } from "#twin/rca/cause.ts"
import { explain } from "#twin/rca/explain.ts"
import { islandsOf } from "#twin/rca/island.ts"
import { alarm, FAULT_MS, healthy, net, randomBoard, READ_MS, small, write } from "#twin/rca/rca.fixture.ts"
import { isRefuted } from "#twin/rca/refute.ts"

/** One hub and `leaves` routers around it, all at one site. */
const star = (leaves: number) =>
  healthy(
    net(
      leaves + 1,
      Array.from({ length: leaves }, (_, leaf) => [0, leaf + 1] as const),
      { siteOf: new Int32Array(leaves + 1), sites: 1 },
    ),
  )

test("[I9] a site whose routers answer has power: a few of them are asked, and no more", () => {
  const board = alarm(star(500), "port 3", "ospf 3")
  const asked = new Set<number>()
  const accusers = [observable(board, "port", 3), observable(board, "ospf", 3)]
  assert.equal(
    isRefuted(board, { kind: "site", index: 0 }, accusers, -8, (id) => asked.add(id)),
    true,
  )
  // Of all it is asked whether they changed; of few whether they answer.
  assert.ok(asked.size <= 501 + 6, String(asked.size))
})

test("[I9] who answered before the fault only, or is not known to answer, refutes nobody", () => {
  const board = alarm(star(20), "port 3", "ospf 3")
  const accusers = [observable(board, "port", 3), observable(board, "ospf", 3)]
  const refuted = () => isRefuted(board, { kind: "site", index: 0 }, accusers, -8, () => {})
  assert.equal(refuted(), true)
  for (let node = 0; node <= 20; node++)
    for (const kind of ["answer", "ping"]) observe(board, observable(board, kind, node), CLEAR, FAULT_MS - 1)
  assert.equal(refuted(), false)
  for (let node = 0; node <= 20; node++)
    for (const kind of ["answer", "ping"]) observe(board, observable(board, kind, node), UNKNOWN, 0)
  assert.equal(refuted(), false)
})

test("[I9] BGP of a reflector is refuted by sessions that stand, and by nothing when they fell", () => {
  const stands = alarm(small(), "port 2")
  const one = observable(stands, "port", 2)
  assert.equal(
    isRefuted(stands, { kind: "bgp", index: 1 }, [one], -8, () => {}),
    true,
  )
  const fell = alarm(small(), "bgp 0", "bgp 1", "bgp 2", "bgp 3", "bgp 4", "bgp 5")
  const all = [0, 1, 2, 3, 4, 5].map((index) => observable(fell, "bgp", index))
  assert.equal(
    isRefuted(fell, { kind: "bgp", index: 1 }, all, -8, () => {}),
    false,
  )
})

test("[I9] on any board: whoever is refuted would come below the floor in a whole assessment, too", () => {
  fc.assert(
    fc.property(randomBoard, fc.integer({ min: -12, max: 12 }), ({ make, writes }, floor) => {
      const board = make()
      for (const one of writes) write(board, one)
      for (const { suspects } of islandsOf(board))
        for (const [id, accusers] of suspects) {
          const cause = causeOf(board.model, id)
          const own = cause.kind === "site" ? (board.model.nodesOf[cause.index] ?? []) : [cause.index]
          // Where we stand: node 0.
          if (cause.kind !== "bgp" && own.includes(0)) continue
          const whole = assess(board, [cause])
          if (isRefuted(board, cause, accusers, floor, () => {}) && whole.explained > 0)
            assert.ok(whole.score < floor, `${cause.kind} ${cause.index}: ${whole.score} of ${floor}`)
        }
    }),
    { numRuns: 200 },
  )
})

test("[I9] what was read clear long after the fault and is read clear again makes nobody think anew", () => {
  const board = alarm(small(), "port 2", "port 3", "ospf 2", "ospf 3")
  const first = explain(board)
  for (let id = 0; id < board.state.length; id++)
    if (board.state[id] === CLEAR) observe(board, id, CLEAR, READ_MS + 30_000)
  const second = explain(board, first)
  assert.equal(second.islands[0], first.islands[0])
  // An alarm that ends is news, and so is a witness that alarms.
  observe(board, observable(board, "ospf", 2), CLEAR, READ_MS + 60_000)
  assert.notEqual(explain(board, second).islands[0], first.islands[0])
})
