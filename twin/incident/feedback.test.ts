/** [I12] What confirmations teach: slowly, within bounds, with a log; taken back when somebody was mistaken; live = replay. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { FAULT_TYPES, type CauseMember, type CauseView, type Verdict } from "#protocol/incident.ts"
import type { IncidentAct } from "#twin/incident/act.ts"
import type { Feedback } from "#twin/incident/feedback.ts"
import {
  DAY_MAX,
  learned,
  LOG_MAX,
  NO_FEEDBACK,
  SHIFT_MAX,
  SHIFT_STEP,
  shifted,
  unlearned,
} from "#twin/incident/feedback.ts"
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

/** Each on a day of its own, unless told otherwise. */
const DAY_MS = 86_400_000
const daily = (verdicts: readonly Verdict[], days = 1): Feedback =>
  verdicts.reduce(
    (feedback, verdict, n) => learned(feedback, { ...BY, atMs: n * days * DAY_MS }, verdict, null),
    NO_FEEDBACK,
  )

test("[I12] a shift moves slowly: one mistake is no lesson, ten of them are a small one, and there is a bound", () => {
  const shift = (wrong: number) => daily(Array.from({ length: wrong }, () => said(false))).byFault.link?.shift ?? 0
  assert.equal(shift(1), 0)
  assert.ok(shift(10) < 0 && shift(10) >= -0.2)
  assert.equal(shift(1_000), -SHIFT_MAX)
  assert.ok(shifted(0.97, -SHIFT_MAX) > 0.95, "the most that it may ever do")
})

test("[I12] a day goes no further than DAY_MAX away from what was fitted, however many are confirmed on it", () => {
  const many = Array.from({ length: 500 }, () => said(false))
  const { shift, wanted } = taught(many).byFault.link!
  assert.deepEqual([shift, wanted], [-DAY_MAX, -SHIFT_MAX])
  fc.assert(
    fc.property(fc.array(verdict, { maxLength: 200 }), fc.double({ min: 0, max: 0.2, noNaN: true }), (all, days) => {
      const away = new Map<string, number>()
      for (const { atMs, fault, from, to } of daily(all, days).log) {
        const key = `${fault} ${Math.floor(atMs / DAY_MS)}`
        const further = Math.max(0, Math.abs(to) - (from * to > 0 ? Math.abs(from) : 0))
        away.set(key, (away.get(key) ?? 0) + further)
      }
      for (const [key, went] of away) assert.ok(went <= DAY_MAX + 1e-9, `${key}: ${went}`)
    }),
  )
})

test("[I12] verdicts that are as sure as they are right shift nothing; the log has every change and only changes", () => {
  const fair = Array.from({ length: 200 }, (_, n) => said(n % 10 !== 0, 0.9))
  assert.ok(Math.abs(daily(fair).byFault.link!.shift) <= SHIFT_STEP)
  fc.assert(
    fc.property(fc.array(verdict, { maxLength: 300 }), (all) => {
      const { byFault, log } = daily(all)
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
        assert.ok(Math.abs((one?.residual ?? 0) - (other?.residual ?? 0)) < 1e-9)
        assert.ok(Math.abs((one?.wanted ?? 0) - (other?.wanted ?? 0)) <= SHIFT_STEP + 1e-9)
      }
    }),
  )
})

test("[I12] one act takes back all that was learned of a kind of fault, and says who did", () => {
  const before = daily(Array.from({ length: 40 }, (_, n) => said(false, 0.97, n % 2 === 0 ? "link" : "router")))
  const after = unlearned(before, { atMs: 9, incident: "", by: "bob" }, "link")
  assert.deepEqual([after.byFault.link?.shift, after.byFault.link?.confirmations], [0, 0])
  assert.deepEqual(after.byFault.router, before.byFault.router)
  assert.deepEqual(after.log.at(-1), {
    atMs: 9,
    incident: "",
    by: "bob",
    fault: "link",
    from: before.byFault.link!.shift,
    to: 0,
  })
  assert.ok(before.byFault.link!.shift < 0)
})

const CLEAN: ReadonlyArray<readonly [id: string, silent: readonly string[], down: readonly string[]]> = [
  ["s2-1-1", [], ["s2-1:u1", "c1:s2-1"]],
  ["id-s2-2", ["s2-2"], ["c1:s2-2", "c2:s2-2"]],
  ["s2", ["s2-1", "s2-2", "s2-3"], [1, 2, 3].flatMap((n) => [`c1:s2-${n}`, `c2:s2-${n}`])],
]

test("[I12] whatever anybody confirms, a clean fault is named; what was learned is in what is said, in every replay", () => {
  const named = fc.record({
    fault: fc.constantFrom(...FAULT_TYPES),
    confidence: fc.constant(0.98),
    isRight: fc.boolean(),
  })
  fc.assert(
    fc.property(
      fc.array(named, { maxLength: 60 }),
      fc.constantFrom(...CLEAN),
      fc.boolean(),
      (words, fault, hostile) => {
        const net = desk(stars({ s2: 3 }))
        for (let second = 1; second <= 30; second += 10) net.round(second)
        const says = (what: Verdict, day: number): void =>
          void net.apply({
            kind: "incident",
            atMs: net.world.atMs + day * DAY_MS,
            incident: "999-0",
            by: "ana",
            act: { act: "confirm", members: [], note: "", verdict: what },
          })
        for (const word of words) says(word, 0)
        if (hostile) for (const one of FAULT_TYPES) for (let n = 0; n < 30; n++) says(said(false, 0.98, one), 1)
        const second = (net.world.atMs - 1_760_000_000_000) / 1_000
        const [id, silent, down] = fault
        for (const later of [10, 20]) net.round(second + later, [])
        for (const later of [30, 40]) net.round(second + later, silent, down)
        net.tick(second + 45)
        const [cause] = net.one().causes
        assert.equal(cause?.members[0]?.id, id)
        const kind = cause!.members[0]!.fault
        const { shift } = net.world.desk.feedback.byFault[kind] ?? { shift: 0 }
        if (hostile) assert.equal(shift, -SHIFT_MAX)
        const fitted = net.world.desk.sight!.explanation!.candidates[0]!.confidence
        assert.ok(Math.abs(cause!.confidence - shifted(fitted, shift)) < 1e-9)
        const again = restoreTwin(snapshotTwin(net.world, net.cells))
        assert.equal(hashTwin(again.world, plainCells(again.states)), hashTwin(net.world, net.cells))
      },
    ),
    { numRuns: 12 },
  )
})

test("[I12] taking back is an input as well: the twin forgets, in the open", () => {
  const net = desk(stars({ s2: 1 }))
  net.round(1)
  const says = (seconds: number, act: IncidentAct): void =>
    void net.apply({ kind: "incident", atMs: net.world.atMs + seconds * 1_000, incident: "", by: "bob", act })
  for (let n = 0; n < 10; n++) says(1, { act: "confirm", members: [], note: "", verdict: said(false) })
  assert.equal(net.world.desk.feedback.byFault.link?.shift, -DAY_MAX)
  says(1, { act: "unlearn", fault: "link" })
  assert.equal(net.world.desk.feedback.byFault.link?.shift, 0)
  assert.deepEqual([net.world.desk.feedback.log.at(-1)?.by, net.incidents().length], ["bob", 0])
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
