/** Twin and collectors follow what is stored: the newest, in order, and once more when they could not. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { TestContext } from "node:test"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { makeFollower } from "#engine/tenant/inventory-follower.ts"

interface Stored {
  readonly rev: number
}

const open = async (t: TestContext, follow: (stored: Stored) => Effect.Effect<void, Error>) => {
  const scope = Scope.makeUnsafe()
  const close = (): Promise<void> => Effect.runPromise(Scope.close(scope, Exit.void))
  t.after(close)
  const followed = await Effect.runPromise(Scope.provide(makeFollower(follow), scope))
  return { followed: (rev: number) => Effect.runPromise(Effect.exit(followed({ rev }))), followedBy: followed, close }
}

test("[C4] changes are followed one at a time, and an earlier revision never after a later one", async (t) => {
  const seen: number[] = []
  let atOnce = 0
  let most = 0
  const { followed } = await open(t, ({ rev }) =>
    Effect.gen(function* () {
      most = Math.max(most, ++atOnce)
      yield* Effect.yieldNow
      seen.push(rev)
      atOnce--
    }),
  )
  const exits = await Promise.all([3, 5, 4, 5].map(followed))
  assert.ok(exits.every(Exit.isSuccess))
  assert.equal(most, 1)
  assert.equal(seen.at(-1), 5)
  assert.deepEqual(
    seen,
    seen.toSorted((a, b) => a - b),
  )
})

test("a refusal is told to whoever made the change, and what is stored is followed without another change", async (t) => {
  let refusals = 2
  const seen: number[] = []
  const done = Promise.withResolvers<void>()
  const { followed } = await open(t, ({ rev }) =>
    Effect.suspend(() => {
      if (refusals-- > 0) return Effect.fail(new Error("the twin is being rebuilt"))
      seen.push(rev)
      done.resolve()
      return Effect.void
    }),
  )
  assert.ok(Exit.isFailure(await followed(7)))
  await done.promise
  assert.deepEqual(seen, [7])
})

test("a change that could not be interrupted leaves nothing behind that keeps the scope from closing", async (t) => {
  const { followedBy, close } = await open(t, () => Effect.fail(new Error("for ever")))
  const exit = await Effect.runPromise(Effect.exit(Effect.uninterruptible(followedBy({ rev: 1 }))))
  assert.ok(Exit.isFailure(exit))
  await close()
})
