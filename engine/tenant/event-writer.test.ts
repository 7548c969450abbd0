/** The copy of events: what a start folded, what rounds tell, and a table that fails. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { TestContext } from "node:test"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { makeFakeTwin, type FakeTwin } from "#engine/stream/fake-twin.fixture.ts"
import { EVENTS_WAITING_MAX, writeEvents } from "#engine/tenant/event-writer.ts"
import type { EventView } from "#protocol/view.ts"

interface Written {
  readonly twin: FakeTwin
  readonly table: Map<string, EventView>
  /** The next calls of append fail. */
  fail: number
  calls: number
  givenUp: number
  readonly until: (holds: () => boolean) => Promise<void>
  readonly close: () => Promise<void>
}

const event = (id: string): EventView => ({
  id,
  atMs: 1,
  type: "link.down",
  severity: "major",
  subject: "l",
  subjectKind: "link",
  entity: "",
  old: null,
  new: null,
  raw: null,
  source: "twin",
})

const open = async (t: TestContext, recovered: () => readonly EventView[] = () => [], fail = 0): Promise<Written> => {
  const scope = Scope.makeUnsafe()
  const close = (): Promise<void> => Effect.runPromise(Scope.close(scope, Exit.void))
  t.after(close)
  const twin = makeFakeTwin("acme", 2, 1)
  let wake = (): void => undefined
  const it: Written = {
    twin,
    table: new Map(),
    fail,
    calls: 0,
    givenUp: 0,
    close,
    until: async (holds) => {
      while (!holds()) await new Promise<void>((resolve) => (wake = resolve))
    },
  }
  const append = (events: readonly EventView[]): Effect.Effect<void, Error> =>
    Effect.suspend(() => {
      it.calls++
      const failed = it.fail > 0
      if (failed) it.fail--
      else for (const one of events) it.table.set(one.id, one)
      wake()
      return failed ? Effect.fail(new Error("the database is away")) : Effect.void
    })
  await Effect.runPromise(
    writeEvents({ twin, recoveredEvents: recovered, append, onGivenUp: (count) => (it.givenUp += count) }).pipe(
      Scope.provide(scope),
    ),
  )
  return it
}

test("[W11] all that a start folded is written, not only what the twin remembers", async (t) => {
  const tail = Array.from({ length: 2_300 }, (_, i) => event(`${i + 1}-0`))
  const it = await open(t, () => tail)
  await it.until(() => it.table.size === tail.length)
  assert.deepEqual(
    [...it.table.keys()],
    tail.map(({ id }) => id),
  )
})

test("[W11] a runtime that is built anew within the process is asked for its tail too", async (t) => {
  let tail: readonly EventView[] = []
  const it = await open(t, () => tail)
  tail = [event("101-0"), event("101-1")]
  it.twin.replace(2, 1)
  await it.until(() => it.table.size === 2)
})

test("rounds are written as they come; a table that fails loses nothing and the order stays", async (t) => {
  const it = await open(t, () => [], 1)
  it.twin.round({ events: ["link.down", "link.up"] })
  it.twin.round({ events: ["link.down"] })
  await it.until(() => it.table.size === 3)
  assert.deepEqual([...it.table.keys()], ["101-0", "101-1", "102-0"])
  assert.ok(it.calls >= 2)
})

test("what waits at the end is written once more", async (t) => {
  const it = await open(t, () => [], 1)
  it.twin.round({ events: ["link.down"] })
  await it.until(() => it.calls === 1)
  await it.close()
  assert.equal(it.table.size, 1)
})

test("a table that is away for too long: the oldest are given up and counted", async (t) => {
  const tail = Array.from({ length: EVENTS_WAITING_MAX + 7 }, (_, i) => event(`${i + 1}-0`))
  const it = await open(t, () => tail)
  await it.until(() => it.table.size === EVENTS_WAITING_MAX)
  assert.deepEqual([it.givenUp, it.table.has("7-0"), it.table.has("8-0")], [7, false, true])
})
