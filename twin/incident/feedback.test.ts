/** [I12] What confirmations teach: slowly, within bounds, with a log; taken back when somebody was mistaken; live = replay. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { FAULT_TYPES, type CauseMember, type CauseView, type Verdict } from "#protocol/incident.ts"
import type { Feedback } from "#twin/incident/feedback.ts"
import { learned, LOG_MAX, NO_FEEDBACK, SHIFT_MAX, SHIFT_STEP, shifted } from "#twin/incident/feedback.ts"
import { desk, linkDown, stars } from "#twin/incident/incident.fixture.ts"
import { confirmedWords, verdictOf } from "#twin/incident/verdict.ts"
import { plainCells } from "#twin/cells.ts"
import { hashTwin } from "#twin/hash.ts"

import { restoreTwin, snapshotTwin } from "#twin/snapshot.ts"
import type { Input } from "#twin/input.ts"
import type { IncidentRecord } from "#twin/round.ts"
import { COOLDOWN_MS, REOPEN_MS } from "#twin/incident/lifecycle.ts"

const BY = { atMs: 1, incident: "1-0", by: "ana" }
const said = (isRight: boolean, confidence = 0.97, fault: Verdict["fault"] = "link"): Verdict => ({
  fault,
  confidence,
  isRight,
})
const taught = (verdicts: readonly Verdict[]): Feedback =>
  verdicts.reduce((feedback, verdict) => learned(feedback, BY, verdict, null), NO_FEEDBACK)
const verdict = fc.record({
  fault: fc.constantFrom(null, ...FAULT_TYPES.slice(0, 3)),
  confidence: fc.double({ min: 0, max: 1, noNaN: true }),
  isRight: fc.boolean(),
})

test("[I12] a shift moves slowly: one mistake is no lesson, ten of them are a small one, and there is a bound", () => {
  const shift = (wrong: number) => taught(Array.from({ length: wrong }, () => said(false))).byFault.link?.shift ?? 0
  assert.ok(Math.abs(shift(1)) <= 0.2)
  assert.ok(shift(10) < shift(1))
  assert.equal(shift(1_000), -SHIFT_MAX)
  assert.ok(shifted(0.97, shift(1)) > 0.96)
  assert.ok(shifted(0.97, -SHIFT_MAX) > 0.9, "the most that it may ever do")
})

test("[I12] verdicts that are as sure as they are right shift nothing; the log has every change and only changes", () => {
  const fair = Array.from({ length: 200 }, (_, n) => said(n % 10 !== 0, 0.9))
  assert.ok(Math.abs(taught(fair).byFault.link!.shift) <= SHIFT_STEP)
  fc.assert(
    fc.property(fc.array(verdict, { maxLength: 300 }), (all) => {
      const { byFault, log } = taught(all)
      assert.ok(log.length <= LOG_MAX)
      const last = new Map<string, number>()
      for (const { fault, from, to } of log) {
        assert.notEqual(from, to)
        if (last.has(fault)) assert.equal(last.get(fault), from)
        last.set(fault, to)
      }
      for (const fault of FAULT_TYPES) {
        const shift = byFault[fault]?.shift ?? 0
        assert.ok(Math.abs(shift) <= SHIFT_MAX)
        assert.ok(Math.abs(shift / SHIFT_STEP - Math.round(shift / SHIFT_STEP)) < 1e-9)
        if (log.length < LOG_MAX) assert.equal(shift, last.get(fault) ?? 0)
      }
      assert.equal(
        FAULT_TYPES.reduce((sum, fault) => sum + (byFault[fault]?.confirmations ?? 0), 0),
        all.filter(({ fault }) => fault !== null).length,
      )
    }),
  )
})

test("[I12] a correction takes back what the mistake had taught, whatever was learned in between", () => {
  fc.assert(
    fc.property(verdict, fc.array(verdict, { maxLength: 20 }), verdict, (mistake, between, truth) => {
      const corrected = learned(taught([mistake, ...between]), BY, truth, mistake)
      const straight = taught([...between, truth])
      for (const fault of FAULT_TYPES) {
        const [one, other] = [corrected.byFault[fault], straight.byFault[fault]]
        assert.equal(one?.confirmations ?? 0, other?.confirmations ?? 0)
        assert.equal(one?.right ?? 0, other?.right ?? 0)
        assert.ok(Math.abs((one?.shift ?? 0) - (other?.shift ?? 0)) <= SHIFT_STEP + 1e-9)
      }
    }),
  )
})

const member = (id: string, kind: CauseMember["kind"] = "link", entity?: string): CauseMember => ({
  fault: "link",
  kind,
  id,
  name: id,
  ...(entity === undefined ? {} : { entity }),
})
const cause = (rank: CauseView["rank"], ...members: readonly CauseMember[]): CauseView => ({
  members,
  confidence: 0.8,
  rank,
  because: "",
  evidence: [],
  sinceMs: 0,
})

test("[I12] right is the element, in the class that was named first; a contributing cause is no verdict", () => {
  const causes = [cause("contributing", member("c")), cause("primary", member("a"), member("b"))]
  const isRight = (...confirmed: readonly CauseMember[]) => verdictOf(causes, confirmed).isRight
  assert.deepEqual(verdictOf(causes, [member("b")]), { fault: "link", confidence: 0.8, isRight: true })
  assert.equal(isRight({ ...member("a"), fault: "flapping" }), true)
  assert.equal(isRight(member("x"), member("a")), true, "one of several that were confirmed")
  assert.equal(isRight(member("c")), false)
  assert.equal(isRight(member("a", "device")), false)
  assert.equal(isRight(member("a", "link", "if:e1")), false)
  assert.deepEqual(verdictOf([], [member("a")]), { fault: null, confidence: null, isRight: false })
  assert.equal(confirmedWords({ members: [member("a"), member("b")], note: "cut" }), "true cause: a, b. cut")
})

test("[I12] confirmations are inputs: a snapshot and a replay know the same; storage hears what is over, and what opens again", () => {
  const net = desk(stars({ s2: 3 }))
  const heard: IncidentRecord[] = []
  const apply = net.apply
  const feed: typeof apply = (...inputs) => {
    const result = apply(...inputs)
    heard.push(...result.incidents)
    return result
  }
  for (let second = 1; second <= 30; second += 10) net.round(second)
  feed(linkDown("s2-1", "u1", 31), linkDown("c1", "s2-1", 31.2))
  net.tick(33)
  const { id } = net.one()
  assert.equal(heard.length, 0, "nothing is over yet")
  net.act(34, id, { act: "confirm", members: [{ ...member("s2-1-1") }], note: "cut" })
  assert.equal(net.one().confirmed?.verdict?.isRight, true)
  assert.equal(net.world.desk.feedback.byFault.link?.right, 1)
  net.act(35, id, { act: "confirm", members: [member("core")], note: "no" })
  assert.deepEqual(net.world.desk.feedback.byFault.link?.confirmations, 1)
  assert.equal(net.world.desk.feedback.byFault.link?.right, 0)
  // It closes by somebody's word: one record; a note afterwards: another; what fires anew opens it again: the third.
  const at = (second: number) =>
    ({ kind: "incident", atMs: net.world.atMs + second * 1_000, incident: id, by: "ana" }) as const
  feed({ ...at(1), act: { act: "close", note: "done" } })
  feed({ ...at(2), act: { act: "note", text: "late" } })
  assert.deepEqual(
    heard.map(({ incident }) => [incident.id, incident.state]),
    [
      [id, "closed"],
      [id, "closed"],
    ],
  )
  assert.ok(heard[1]!.seq > heard[0]!.seq)
  // Of one that it does not hold the twin learns by the verdict that comes with it.
  feed({
    ...at(3),
    incident: "999-0",
    act: { act: "confirm", members: [], note: "", verdict: said(true, 0.9, "router") },
  })
  feed({ ...at(4), incident: "999-0", act: { act: "confirm", members: [], note: "" } })
  assert.equal(net.world.desk.feedback.byFault.router?.confirmations, 1)
  const again = { ...restoreTwin(snapshotTwin(net.world, net.cells)) }
  assert.deepEqual(again.world.desk.feedback, net.world.desk.feedback)
  assert.equal(hashTwin(again.world, plainCells(again.states)), hashTwin(net.world, net.cells))
})

test("[I12] one that ends by itself and comes back: storage hears of the end, of the return, and of the next end", () => {
  const net = desk(stars({ s2: 3 }))
  const heard: string[] = []
  const feed = (...inputs: readonly Input[]): void => {
    for (const { incident } of net.apply(...inputs).incidents) heard.push(incident.state)
  }
  const round = (second: number, down: readonly string[] = []): void => net.round(second, [], down)
  for (let second = 1; second <= 30; second += 10) round(second)
  const DOWN = ["s2-1:u1", "c1:s2-1"]
  feed(linkDown("s2-1", "u1", 31), linkDown("c1", "s2-1", 31.2))
  for (const second of [41, 51]) round(second, DOWN)
  for (const second of [61, 71]) round(second)
  feed({ kind: "tick", atMs: net.world.atMs + COOLDOWN_MS + 11_000 })
  assert.deepEqual(heard, ["closed"])
  const second = (net.world.atMs - 1_760_000_000_000) / 1_000 + 10
  feed(linkDown("s2-1", "u1", second), linkDown("c1", "s2-1", second + 0.2))
  feed({ kind: "tick", atMs: net.world.atMs + 2_000 })
  assert.deepEqual(heard, ["closed", "open"])
  round(second + 10)
  round(second + 20)
  feed({ kind: "tick", atMs: net.world.atMs + COOLDOWN_MS + 31_000 })
  assert.deepEqual(heard, ["closed", "open", "closed"])
  feed({ kind: "tick", atMs: net.world.atMs + REOPEN_MS + 1_000 })
  assert.deepEqual(heard, ["closed", "open", "closed"], "forgetting is no news")
})
