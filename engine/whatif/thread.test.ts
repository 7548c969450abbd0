/**
 * The thread answers what the same code answers here, about the moment that it was given: one moment for questions in a row,
 * a new one when the inventory changed, one tenant never another's. What goes wrong in it is told, and the next question works.
 */
import assert from "node:assert/strict"
import { after, test } from "node:test"
import { PROCESS_TURNS } from "#engine/actors/turns.ts"
import { answer } from "#engine/whatif/answer.ts"
import { Assembly, piecesOf, type TwinMoment } from "#engine/whatif/lean.ts"
import { declared, id, watched } from "#engine/whatif/network.fixture.ts"
import type { Question } from "#engine/whatif/question.ts"
import { Seen } from "#engine/whatif/seen.ts"
import { makeReasoningThread, QuestionRefused, REASONING_LIMITS, ThreadAway } from "#engine/whatif/thread.ts"
import { tenantId } from "#protocol/id.ts"

const A = tenantId("a")
const B = tenantId("b")
const ROUTER: Question = { kind: "ask", faults: [{ kind: "router", device: id("core1") }], routesOf: null }
const QUESTIONS: readonly Question[] = [
  ROUTER,
  { kind: "nextFailures", limit: 50, element: null },
  { kind: "singlePoints" },
  { kind: "paths", from: id("acc1"), to: id("core2"), k: 3 },
  { kind: "blindSpots" },
  { kind: "drift", limit: 50, drift: null },
  { kind: "proposals" },
  { kind: "redundancy" },
]
const here = (moment: TwinMoment, question: Question) => answer(new Seen(moment.world, moment.cells), question)
const thread = makeReasoningThread()
after(() => thread.end())

test("a moment in pieces, put together again, answers every question as the whole did", () => {
  const moment = watched()
  const assembly = new Assembly()
  let whole: TwinMoment | null = null
  for (const piece of piecesOf(moment, null)) whole = assembly.take(structuredClone(piece)) ?? whole
  assert.ok(whole !== null)
  for (const question of QUESTIONS) assert.deepEqual(here(whole, question), here(moment, question), question.kind)
})

test("the thread answers every question as the same code does here", async () => {
  const moment = watched()
  for (const question of QUESTIONS)
    assert.deepEqual(await thread.ask(A, () => moment, question), here(moment, question), question.kind)
})

test("[T1] each tenant is answered about its own network, also when they ask at once", async () => {
  const [one, other] = [watched(), watched(declared(), ["core1:r", "acc1:a"])]
  const both = await Promise.all([
    thread.ask(A, () => one, { kind: "redundancy" }),
    thread.ask(B, () => other, { kind: "redundancy" }),
    thread.ask(A, () => one, { kind: "redundancy" }),
  ])
  assert.deepEqual(
    both.map(({ lost }) => lost.length),
    [0, 2, 0],
  )
})

test("questions in a row share a moment; another inventory is another moment at once", async () => {
  const own = makeReasoningThread({ ...REASONING_LIMITS, freshMs: 60_000 })
  let asked = 0
  let moment = watched()
  const now = (): TwinMoment => {
    asked++
    return moment
  }
  try {
    const first = await own.ask(A, now, ROUTER)
    const later = watched()
    later.world.seq = 999
    moment = { world: { ...later.world, topology: moment.world.topology }, cells: later.cells }
    assert.equal((await own.ask(A, now, ROUTER)).seq, first.seq, "still the moment of before")
    moment = watched(declared((it) => ({ ...it, links: it.links.filter((link) => link.id !== "l-lone") })))
    const cut = await own.ask(A, now, { kind: "ask", faults: [{ kind: "link", link: "l-lone" }], routesOf: null })
    assert.equal(cut.failed.unknown.length, 1)
    assert.ok(asked >= 3)
  } finally {
    own.end()
  }
})

test("a question at fault is refused in words; a tenant without a twin and a thread that ended are away", async () => {
  const moment = watched()
  await assert.rejects(
    thread.ask(A, () => moment, { kind: "paths", from: "x", to: "y", k: 1 }),
    (error: Error) => error instanceof QuestionRefused && /no device of this network/.test(error.message),
  )
  await assert.rejects(
    thread.ask(A, () => null, ROUTER),
    ThreadAway,
  )
  const own = makeReasoningThread()
  const waiting = own.ask(A, () => moment, ROUTER)
  own.end()
  await assert.rejects(waiting, ThreadAway)
  assert.deepEqual(await own.ask(A, () => moment, ROUTER), here(moment, ROUTER), "the next one starts it anew")
  own.end()
})

test("[bounded] more questions than may wait are refused; a question that takes too long ends the thread, not the engine", async () => {
  const moment = watched()
  const none = makeReasoningThread({ ...REASONING_LIMITS, questionsMax: 1 })
  const first = none.ask(A, () => moment, ROUTER)
  await assert.rejects(
    none.ask(A, () => moment, ROUTER),
    /wait already/,
  )
  await first
  none.end()
  const stuck = new URL("data:text/javascript,setInterval(()=>{},1000)")
  const late = makeReasoningThread({ ...REASONING_LIMITS, questionMs: 100 }, PROCESS_TURNS, stuck)
  await assert.rejects(
    late.ask(A, () => moment, ROUTER),
    /took more than/,
  )
  late.end()
})
