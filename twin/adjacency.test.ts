/** [C7] [I5] Neighbours on their way up: a step that every one of them takes is no change of whether they are up. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { OSPF_STATES } from "#protocol/metric.ts"
import { DEVICE_ENTITY, ospfKey } from "#protocol/id.ts"
import { isAdjacencyUp, NO_ADJACENCIES, pollAdjacencies, tellAdjacency } from "#twin/adjacency.ts"
import type { Adjacency, AdjacencyTable } from "#twin/adjacency.ts"
import { stars } from "#twin/incident/incident.fixture.ts"
import { poll, trap } from "#twin/inventory.fixture.ts"
import { ruleOf } from "#twin/judge/pool.fixture.ts"
import { judgedNetwork } from "#twin/judge/judged.fixture.ts"
import { alertViews } from "#twin/judge/alert-view.ts"
import { at } from "#twin/network.fixture.ts"

const KEY = ospfKey("10.0.0.2")
const stateOf = (name: string): number => OSPF_STATES.indexOf(name as never)
const polled = (table: AdjacencyTable, name: string | null, second: number): AdjacencyTable =>
  pollAdjacencies(
    table,
    poll("r1", at(second), name === null ? {} : { [KEY]: { "ospf.neighbor.state": stateOf(name) } }, {
      startedMs: at(second),
      complete: ["ospf.neighbor"],
    }),
    { kinds: name === null ? [null] : ["ospf.neighbor"], answering: 1 },
  ).table
const told = (table: AdjacencyTable, name: string, second: number): AdjacencyTable =>
  tellAdjacency(table, KEY, stateOf(name), at(second), "syslog").table
const up = ([one]: AdjacencyTable): boolean => isAdjacencyUp(one as Adjacency)
const full = (): AdjacencyTable => polled(NO_ADJACENCIES, "full", 0)

describe("[I5] 2-Way", () => {
  test("passed on the way up to Full is not up, told or polled", () => {
    const down = told(full(), "down", 1)
    for (const passed of [told(told(down, "init", 2), "2way", 3), polled(down, "2way", 3)]) {
      assert.equal(up(passed), false)
      assert.equal(up(told(passed, "exstart", 4)), false)
      assert.equal(up(told(passed, "full", 5)), true)
    }
  })

  test("is up where a neighbour rests in it: found there, come from Full, or still there later", () => {
    assert.equal(up(polled(NO_ADJACENCIES, "2way", 0)), true)
    assert.equal(up(told(full(), "2way", 1)), true)
    const passed = told(told(full(), "down", 1), "2way", 3)
    assert.deepEqual(
      [5, 12, 13].map((second) => up(polled(passed, "2way", second))),
      [false, false, true],
    )
    assert.equal(up(polled(polled(polled(passed, "2way", 10), "2way", 20), "2way", 21)), true)
  })

  test("one cut and one mend are two changes of `up`, whatever steps are heard of between them", () => {
    const steps = ["down", "attempt", "init", "2way", "exstart", "exchange", "loading"] as const
    fc.assert(
      fc.property(fc.subarray([...steps], { minLength: 1 }), fc.integer({ min: 1, max: 9 }), (heard, lasts) => {
        let table = full()
        let changes = 0
        for (const [i, name] of [...heard, "full"].entries()) {
          const next = told(table, name, 10 + (i * lasts) / heard.length)
          changes += Number(up(next) !== up(table))
          table = next
        }
        // Nothing but 2-Way heard of, from Full: it never left.
        assert.equal(changes, heard.length === 1 && heard[0] === "2way" ? 0 : 2)
      }),
    )
  })
})

test("[I5] one cut and mend of a link, told step by step, is no alert of flapping; a second one is", () => {
  const flaps = ruleOf("flaps", { type: "flap", metric: "ospf.neighbor.up", transitions: 4, lookback_seconds: 600 })
  const net = judgedNetwork(stars({ s2: 2 }), [flaps])
  const neighbour = (second: number, name: string): void =>
    void net.apply(poll("s2-1", at(second), { [DEVICE_ENTITY]: {}, [KEY]: { "ospf.neighbor.state": stateOf(name) } }))
  const says = (second: number, state: string): void =>
    void net.apply(trap("s2-1", at(second), { trap: "ospfNbrStateChange", remote: "10.0.0.2", state }))
  for (const second of [1, 11, 21]) neighbour(second, "full")
  for (const [i, state] of ["down", "init", "2way", "exstart", "exchange", "loading", "full"].entries())
    says(30 + i / 10, state)
  for (const second of [41, 51]) neighbour(second, "full")
  assert.deepEqual(alertViews(net.world, net.cells), [])
  // Four real changes are still told.
  for (const [i, state] of ["down", "full"].entries()) says(60 + i, state)
  assert.equal(alertViews(net.world, net.cells).length, 1)
})
