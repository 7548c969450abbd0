/** Probes separate what observations leave open; blind spots are the confusions that would happen; words and corrections. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { blindSpots, singleFaults } from "#twin/rca/blind.ts"
import { kindAt, newBoard } from "#twin/rca/board.ts"
import { causeWords } from "#twin/rca/cause.ts"
import { explain, signature } from "#twin/rca/explain.ts"
import { assess } from "#twin/rca/assess.ts"
import { buildModel } from "#twin/rca/model.ts"
import { confirm, decider, whatToProbe } from "#twin/rca/probe.ts"
import { alarm, break_, FAULT_MS, namedOf, net, randomBoard, READ_MS, small } from "#twin/rca/rca.fixture.ts"
import { corrected, tell } from "#twin/rca/words.ts"

test("[issue 7.3] a lonely alarm is asked again: confirmed it is a cause, denied it is gone", () => {
  for (const real of [true, false]) {
    const board = alarm(small(), "port 2")
    const before = explain(board)
    assert.deepEqual(namedOf(board, before), [])
    const [probe] = whatToProbe(board, before)
    assert.ok(probe)
    assert.match(probe.words, /^read the port of R1 on R1 - R2 now$/)
    confirm(board, probe.id, real, real ? FAULT_MS : READ_MS)
    let after = explain(board, before)
    // The next questions are what else should be down.
    for (let round = 0; round < 3; round++) {
      for (const next of whatToProbe(board, after)) confirm(board, next.id, real, real ? FAULT_MS : READ_MS)
      after = explain(board, after)
    }
    assert.deepEqual(namedOf(board, after), real ? ["link:1"] : [])
    if (!real) assert.deepEqual([after.candidates, after.unexplained], [[], []])
  }
})

test("[issue 7.3] the far end is pinged, though nobody pings it by habit, and its answer decides", () => {
  // 4 is neither read nor pinged: all that is known is the port and the neighbour at 2.
  const dark = Uint8Array.from([1, 1, 1, 1, 0, 1, 1, 1])
  const groups = [{ name: "duct", links: [1, 4] }]
  const board = alarm(small({ polled: dark, pinged: dark, groups }), "port 8", "ospf 8")
  const before = explain(board)
  const [candidate] = before.candidates
  assert.ok(candidate && candidate.members.length > 1)
  assert.ok(whatToProbe(board, before).every(({ separates }) => separates.length !== 1))
})

test("[9] the classes are exactly the equal predictions; an added vantage point only ever splits them", () => {
  fc.assert(
    fc.property(randomBoard, fc.nat(8), ({ make }, at) => {
      const board = make()
      const { network } = board.model
      const node = at % network.graph.nodes
      const more = newBoard(buildModel({ ...network, vantages: [...network.vantages, [node]] }))
      const word = (of: typeof board) =>
        new Map(
          singleFaults(of.model).map((cause) => [`${cause.kind} ${cause.index}`, signature(of, assess(of, [cause]))]),
        )
      const [few, many] = [word(board), word(more)]
      const names = [...few.keys()]
      for (const x of names)
        for (const y of names) if (many.get(x) === many.get(y)) assert.equal(few.get(x), few.get(y), `${x} ${y}`)
      const spots = blindSpots(board)
      for (const group of spots.classes) {
        const words = new Set(group.map(({ kind, index }) => few.get(`${kind} ${index}`)))
        assert.equal(words.size, 1)
      }
      const alone = names.filter(
        (x) => names.filter((y) => few.get(x) === few.get(y)).length === 1 && few.get(x) !== "",
      )
      assert.equal(spots.faults, spots.invisible.length + spots.classes.flat().length + alone.length)
    }),
    { numRuns: 60 },
  )
})

test("[9] predicted classes are the confusions that are observed", () => {
  const board = small()
  const { classes } = blindSpots(board)
  for (const group of classes)
    for (const fault of group) {
      const [candidate] = explain(break_(small(), fault)).candidates
      const members = new Set(candidate?.members.map(({ kind, index }) => `${kind} ${index}`))
      assert.deepEqual(
        group.map(({ kind, index }) => `${kind} ${index}`).toSorted(),
        [...members].filter((one) => !/^(loss|session|shut|agent|flap)/.test(one)).toSorted(),
      )
    }
  assert.ok(classes.some((group) => group.some(({ kind, index }) => kind === "router" && index === 4)))
})

test("[9] the cheapest watch that splits a class comes first", () => {
  // Two routers in a row that nobody reads or pings: whichever of them fails looks the same.
  const dark = Uint8Array.from([1, 0, 0])
  const board = net(
    3,
    [
      [0, 1],
      [1, 2],
    ],
    { polled: dark, pinged: dark, ospf: new Uint8Array(2) },
  )
  const { invisible, suggestions } = blindSpots(board)
  assert.ok(invisible.length > 0)
  assert.equal(suggestions[0]?.watch, "ping")
  const pinged = dark.slice()
  pinged[suggestions[0].node] = 1
  const after = blindSpots(
    net(
      3,
      [
        [0, 1],
        [1, 2],
      ],
      { polled: dark, pinged, ospf: new Uint8Array(2) },
    ),
  )
  assert.ok(after.invisible.length < invisible.length)
})

test("[I9] a verdict is told in words: for, against, missing", () => {
  const board = break_(small(), { kind: "link", index: 4 })
  const [candidate] = explain(board).candidates
  assert.ok(candidate)
  const told = tell(board, candidate)
  assert.equal(told.title, "the link R2 - R4, or the router R4")
  assert.ok(told.for.includes("R4 does not answer its collector"))
  assert.ok(told.for.includes("the port of R2 on R2 - R4 is down"))
  assert.deepEqual(told.against, [])
  const weak = alarm(small(), "port 2", "ospf 2", "ospf 3")
  const [other] = explain(weak).candidates
  assert.ok(other)
  assert.deepEqual(tell(weak, other).against, ["the port of R2 on R1 - R2 is up"])
  for (const id of [0, 20, 40, 60]) assert.ok(kindAt(board, id)[0].words(board.model, 0).length > 1)
  for (const cause of singleFaults(board.model)) assert.match(causeWords(board.model, cause), /^(the|BGP)/)
})

test("[I9] the record is corrected: who restarted was down, who ran through was cut off", () => {
  const board = small()
  const cause = { kind: "link", index: 4 } as const
  const members = [cause, { kind: "router", index: 4 } as const]
  assert.deepEqual(corrected(board.model, { cause, members }, new Map([[4, true]])), members[1])
  assert.equal(corrected(board.model, { cause, members }, new Map([[4, false]])), null)
  assert.equal(corrected(board.model, { cause, members }, new Map()), null)
  assert.deepEqual(
    corrected(board.model, { cause: members[1]!, members: [members[1]!, cause] }, new Map([[4, false]])),
    cause,
  )
})

test("[I9] what would decide is what one reading tells and is not known to alarm; nothing where nothing fits as well", () => {
  const candidate = { cause: { kind: "router", index: 4 }, rivals: [{ kind: "agent", index: 4 }] } as const
  const board = alarm(small(), "answer 4")
  assert.match(decider(board, candidate) ?? "", /^(ping R4|read .+ now)$/)
  alarm(board, "ping 4")
  assert.match(decider(board, candidate) ?? "", /^read .+ now$/, "the ping is lost already")
  assert.equal(decider(board, { ...candidate, rivals: [] }), null)
  // Whether a port flaps is told by several readings.
  assert.equal(
    decider(small(), { cause: { kind: "congestion", index: 1 }, rivals: [{ kind: "congestion", index: 2 }] }),
    null,
  )
})
