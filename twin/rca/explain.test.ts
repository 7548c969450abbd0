/** Root cause by abduction: the faults of PRODUCT.md on a small network, and the properties that hold on any. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { ALARM, CLEAR, observable, observe } from "#twin/rca/board.ts"
import { elementOf } from "#twin/rca/cause.ts"
import type { Cause } from "#twin/rca/cause.ts"
import { explain } from "#twin/rca/explain.ts"
import type { Explanation } from "#twin/rca/explain.ts"
import {
  alarm,
  break_,
  FAULT_MS,
  healthy,
  namedOf,
  net,
  randomBoard,
  READ_MS,
  small,
  write,
  writtenId,
} from "#twin/rca/rca.fixture.ts"

const membersOf = ({ candidates }: Explanation): readonly string[] =>
  candidates
    .map(({ members }) =>
      members
        .map(({ kind, index }) => `${kind} ${index}`)
        .toSorted()
        .join("|"),
    )
    .toSorted()

const said = (explanation: Explanation) => ({
  candidates: explanation.candidates,
  unexplained: explanation.unexplained,
})

test("[I9] a healthy network has no cause, and one lonely alarm is none either", () => {
  assert.deepEqual(said(explain(small())), { candidates: [], unexplained: [] })
  for (const one of ["port 4", "ospf 9", "answer 4", "ping 5", "bgp 2", "flap 3", "hot 3", "queue 2", "change 4"]) {
    const board = alarm(small(), one)
    assert.deepEqual(namedOf(board, explain(board)), [], one)
  }
})

test("[I9] the cut of a redundant link is named although everybody is reached", () => {
  const board = alarm(small(), "port 2", "port 3", "ospf 2", "ospf 3")
  const { candidates } = explain(board)
  assert.deepEqual(namedOf(board, { candidates, unexplained: [], islands: [] }), ["link:1"])
  assert.deepEqual(candidates[0]?.members, [{ kind: "link", index: 1 }])
  assert.equal(candidates[0]?.explained.length, 4)
})

test("[I9] one end of a redundant link is enough where the other end's router is not read", () => {
  const polled = Uint8Array.from([1, 1, 0, 1, 1, 1, 1, 1])
  const board = alarm(small({ polled }), "port 2", "ospf 2")
  assert.deepEqual(namedOf(board, explain(board)), ["link:1"])
})

test("[I9] a dead router takes its whole neighbourhood along, and is one cause", () => {
  const board = break_(small(), { kind: "router", index: 3 })
  const { candidates, unexplained } = explain(board)
  assert.deepEqual(
    candidates.map(({ cause }) => elementOf(board.model, cause)),
    ["router:3"],
  )
  assert.deepEqual(unexplained, [])
})

test("[I9] a leaf and its only link look alike: one candidate with both as members", () => {
  const board = break_(small(), { kind: "link", index: 4 })
  const { candidates } = explain(board)
  assert.equal(candidates.length, 1)
  assert.deepEqual(candidates[0]?.members.map(({ kind, index }) => `${kind} ${index}`).toSorted(), [
    "link 4",
    "router 4",
  ])
})

test("[I9] evidence that comes later separates them: the router restarted, the verdict is the router alone", () => {
  const board = break_(small(), { kind: "link", index: 4 })
  const before = explain(board)
  observe(board, observable(board, "reboot", 4), ALARM, FAULT_MS)
  const after = explain(board, before)
  assert.deepEqual(after.candidates[0]?.members, [{ kind: "router", index: 4 }])
})

test("[I9] a port that stays lit tells the dead router from the cut", () => {
  const board = break_(small(), { kind: "router", index: 4 })
  observe(board, observable(board, "port", 8), CLEAR, READ_MS)
  assert.deepEqual(explain(board).candidates[0]?.cause, { kind: "router", index: 4 })
})

test("[I8] two faults at once are two causes; the second is not hidden by the first", () => {
  const board = break_(small(), { kind: "link", index: 1 }, { kind: "router", index: 7 })
  assert.deepEqual(membersOf(explain(board)), ["link 1", "link 7|router 7"])
})

test("[I9] two cuts that only together cut somebody off are both named", () => {
  const ring: ReadonlyArray<readonly [number, number]> = [
    [0, 1],
    [1, 2],
    [2, 3],
    [3, 0],
  ]
  const board = break_(healthy(net(4, ring)), { kind: "link", index: 0 }, { kind: "link", index: 2 })
  assert.deepEqual([...namedOf(board, explain(board))].toSorted(), ["link:0", "link:2"])
})

test("[I9] loss, flapping, congestion, a shut port, a deaf agent and a dead BGP are told by the way they show", () => {
  const cases: ReadonlyArray<readonly [Cause, readonly string[]]> = [
    [{ kind: "loss", index: 1 }, ["ospf 2", "ospf 3"]],
    [{ kind: "flap", index: 1 }, ["flap 2", "flap 3", "port 2"]],
    [{ kind: "congestion", index: 2 }, ["hot 4", "hot 5", "queue 4"]],
    [{ kind: "shut", index: 2 }, ["shut 2", "port 2", "port 3", "ospf 2", "ospf 3"]],
    [{ kind: "bgp", index: 1 }, ["bgp 0", "bgp 1", "bgp 2", "bgp 3", "bgp 4", "bgp 5"]],
  ]
  for (const [cause, alarms] of cases) {
    const board = alarm(small(), ...alarms)
    assert.deepEqual(
      explain(board).candidates.map((one) => one.cause),
      [cause],
      alarms.join(),
    )
  }
})

test("[I9] site power and a duct are one cause each, not one for each router or link", () => {
  const siteOf = Int32Array.from([-1, -1, -1, -1, -1, 0, 0, 0])
  const site = break_(small({ siteOf, sites: 1 }), { kind: "site", index: 0 })
  assert.deepEqual(namedOf(site, explain(site)), ["site:0"])
  const duct = break_(small({ groups: [{ name: "duct", links: [1, 3] }] }), { kind: "group", index: 0 })
  assert.deepEqual(namedOf(duct, explain(duct)), ["group:0"])
})

test("[I9] an upstream is named by its session and ping, though nobody reads it and our port stays up", () => {
  const external = Uint8Array.from([0, 0, 0, 0, 0, 1, 0, 0])
  const polled = Uint8Array.from([1, 1, 1, 1, 1, 0, 1, 1])
  const board = alarm(small({ external, polled, sessions: [{ a: 3, b: 5, link: 5 }] }), "bgp 0", "ping 5")
  assert.deepEqual(namedOf(board, explain(board)), ["router:5"])
})

test("[W5] an operator's dependency decides where the graph does not", () => {
  const dependencies = [{ node: 4, members: [1, 2], need: 1 }]
  const one = break_(small({ dependencies }), { kind: "router", index: 1 })
  assert.deepEqual(namedOf(one, explain(one)), ["router:1"])
  assert.ok(!one.alarms.has(observable(one, "answer", 4)))
  // 6 is not behind 5 in the graph, but its power is.
  const hung = break_(small({ dependencies: [{ node: 6, members: [5], need: 1 }] }), { kind: "router", index: 5 })
  assert.ok(hung.alarms.has(observable(hung, "answer", 6)))
  assert.deepEqual(membersOf(explain(hung)), ["link 5|router 5"])
})

test("[I9] a poll from before the fault is no evidence against it", () => {
  const lost = (readMs: number) => {
    const board = alarm(small(), "port 2", "ospf 2")
    for (const id of ["port 3", "ospf 3"]) {
      const [kind = "", index] = id.split(" ")
      observe(board, observable(board, kind, Number(index)), CLEAR, readMs)
    }
    return explain(board).candidates[0]?.features.margin ?? 0
  }
  assert.ok(lost(FAULT_MS - 1_000) > lost(READ_MS) + 2)
})

test("[I9] incremental is from scratch, on any network and in any history", () => {
  fc.assert(
    fc.property(randomBoard, fc.array(fc.nat(3), { maxLength: 24 }), ({ make, writes }, pauses) => {
      const live = make()
      let explanation = explain(live)
      for (const [n, one] of writes.entries()) {
        write(live, one)
        // Several changes may come between two evaluations.
        if ((pauses[n] ?? 0) > 0) explanation = explain(live, explanation)
      }
      explanation = explain(live, explanation)
      const scratch = make()
      for (const one of writes) write(scratch, one)
      assert.deepEqual(said(explanation), said(explain(scratch)))
    }),
    { numRuns: 300 },
  )
})

/** Break one thing, then read and re-read, with a second alarm now and then: one explanation after the other. */
const polled = fc.record({
  link: fc.nat(8),
  router: fc.option(fc.integer({ min: 1, max: 7 })),
  polls: fc.array(
    fc.record({ stepMs: fc.nat(60_000), from: fc.nat(100), alarm: fc.option(fc.nat(1_000), { freq: 6 }) }),
    { minLength: 1, maxLength: 30 },
  ),
})

test("[I9] incremental is from scratch while what is well is read again and again", () => {
  fc.assert(
    fc.property(polled, ({ link, router, polls }) => {
      const causes: Cause[] = [{ kind: "link", index: link }]
      if (router !== null) causes.push({ kind: "router", index: router })
      const live = break_(small(), ...causes)
      // Nobody has read anything since the fault.
      for (const [id, state] of live.state.entries()) if (state === CLEAR) observe(live, id, CLEAR, FAULT_MS - 5_000)
      let explanation = explain(live)
      let nowMs = FAULT_MS
      for (const { stepMs, from, alarm: second } of polls) {
        nowMs += stepMs
        for (const [id, state] of live.state.entries())
          if (state === CLEAR && id % 100 >= from) observe(live, id, CLEAR, nowMs)
        if (second !== null && live.state[second % live.state.length] === CLEAR)
          observe(live, second % live.state.length, ALARM, nowMs)
        explanation = explain(live, explanation)
        const scratch = small()
        for (const [id, state] of live.state.entries())
          observe(scratch, id, state as typeof CLEAR, live.atMs[id] as number)
        assert.deepEqual(said(explanation), said(explain(scratch)))
      }
    }),
    { numRuns: 100 },
  )
})

test("[I9] a fault that lasts is not thought through again at every poll of what is well", () => {
  const board = break_(small(), { kind: "link", index: 1 })
  const first = explain(board)
  const read = (atMs: number): void => {
    for (const [id, state] of board.state.entries()) if (state === CLEAR) observe(board, id, CLEAR, atMs)
  }
  // Every alarm could have come by then.
  read(READ_MS + 600_000)
  const settled = explain(board, first)
  read(READ_MS + 630_000)
  assert.ok(board.changed.size > 10)
  assert.equal(explain(board, settled).islands[0], settled.islands[0])
  assert.notEqual(first.islands.length, 0)
})

test("[I9] the order of the symptoms does not matter", () => {
  fc.assert(
    fc.property(randomBoard, fc.nat(), ({ make, writes }, turn) => {
      const distinct = [...new Map(writes.map((one) => [writtenId(make(), one[0]), one])).values()]
      const [there, back] = [make(), make()]
      for (const one of distinct) write(there, one)
      const at = turn % (distinct.length + 1)
      for (const one of [...distinct.slice(at), ...distinct.slice(0, at)].toReversed()) write(back, one)
      assert.deepEqual(said(explain(there)), said(explain(back)))
    }),
    { numRuns: 200 },
  )
})

test("[I9] any single fault that is seen whole is named, or one of its class", () => {
  const board = small({ siteOf: Int32Array.from([-1, 0, 0, 1, 1, 2, 2, 3]), sites: 4 })
  const faults: Cause[] = [
    ...Array.from({ length: 9 }, (_, index): Cause => ({ kind: "link", index })),
    ...[1, 2, 3, 4, 5, 6, 7].map((index): Cause => ({ kind: "router", index })),
    ...[0, 1, 2, 3].map((index): Cause => ({ kind: "site", index })),
  ]
  for (const fault of faults) {
    const broken = break_(small({ siteOf: board.model.network.siteOf, sites: 4 }), fault)
    const { candidates } = explain(broken)
    assert.equal(candidates.length, 1, JSON.stringify(fault))
    assert.ok(
      candidates[0]?.members.some(({ kind, index }) => kind === fault.kind && index === fault.index),
      `${JSON.stringify(fault)} ${JSON.stringify(candidates[0]?.members)}`,
    )
  }
})
