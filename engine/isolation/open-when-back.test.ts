/** A tenant is started now, or when its own database is back; the engine's start waits for neither. */
import assert from "node:assert/strict"
import { test } from "node:test"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import { startWhenBack } from "#engine/isolation/open-when-back.ts"
import type { OwnDatabase } from "#engine/isolation/own-database.ts"
import { silentLog } from "#engine/log.ts"

class Failed extends Data.TaggedError("Failed")<{ readonly message: string }> {}

const fakeDatabase = (isOpen: boolean) => {
  const latch = Latch.makeUnsafe(isOpen)
  let open = isOpen
  const database = {
    slug: "acme",
    state: () => (open ? { kind: "open" } : { kind: "away", why: "gone" }),
    whenOpen: latch.await,
  } as OwnDatabase
  return {
    database,
    bringBack: () => {
      open = true
      latch.openUnsafe()
    },
  }
}
/** Fails so often, then starts. */
const starter = (failures: number) => {
  const calls = { made: 0, started: 0 }
  const start = Effect.suspend(() => {
    calls.made += 1
    if (calls.made <= failures) return Effect.fail(new Failed({ message: "not yet" }))
    calls.started += 1
    return Effect.void
  })
  return { calls, start }
}
const scoped = <A, E>(effect: Effect.Effect<A, E, import("effect/Scope").Scope>): Promise<A> =>
  Effect.runPromise(Effect.scoped(effect))

test("without an own database a failure is the caller's", async () => {
  const { start, calls } = starter(1)
  await assert.rejects(scoped(startWhenBack(null, start, silentLog)), /not yet/)
  assert.equal(calls.made, 1)
})

test("[T3] an own database that is there: started before it returns", async () => {
  const { start, calls } = starter(0)
  await scoped(
    Effect.andThen(
      startWhenBack(fakeDatabase(true).database, start, silentLog),
      Effect.sync(() => assert.equal(calls.started, 1)),
    ),
  )
})

test("[T3] one that is away holds nothing up, and the tenant starts once when it is back", async () => {
  const { start, calls } = starter(0)
  const { database, bringBack } = fakeDatabase(false)
  await scoped(
    Effect.gen(function* () {
      yield* startWhenBack(database, start, silentLog)
      assert.equal(calls.made, 0)
      bringBack()
      while (calls.started === 0) yield* Effect.sleep(1)
      yield* Effect.sleep(20)
      assert.deepEqual(calls, { made: 1, started: 1 })
    }),
  )
})

test("[T3] a start that fails is tried again with pauses, and ends with the scope", async () => {
  const { start, calls } = starter(3)
  await scoped(
    Effect.gen(function* () {
      yield* startWhenBack(fakeDatabase(true).database, start, silentLog, [5])
      assert.equal(calls.made, 1)
      while (calls.started === 0) yield* Effect.sleep(1)
      assert.deepEqual(calls, { made: 4, started: 1 })
    }),
  )
  const never = starter(Infinity)
  await scoped(startWhenBack(fakeDatabase(true).database, never.start, silentLog, [1]))
  const { made } = never.calls
  await new Promise((wake) => setTimeout(wake, 30))
  assert.equal(never.calls.made, made)
})
