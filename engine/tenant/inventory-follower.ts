/**
 * After a change of the inventory was stored, twin and collectors follow it: one at a time, the newest revision only, and an
 * earlier one never after a later one. When one of them refuses (the twin is being rebuilt, the database is away), whoever
 * made the change is told, and it is tried again until it has followed: what is stored must not wait for the next change.
 */
import * as Effect from "effect/Effect"
import * as FiberHandle from "effect/FiberHandle"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"

const RETRY_MS = 1_000

/** Fails as `follow` does; it goes on by itself then. */
export type Follower<Stored, E> = (stored: Stored) => Effect.Effect<void, E>

/** `follow` must be able to run again after a failure half way. Retries end with the scope. */
export const makeFollower = <Stored extends { readonly rev: number }, E>(
  follow: (stored: Stored) => Effect.Effect<void, E>,
): Effect.Effect<Follower<Stored, E>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const oneAtATime = yield* Semaphore.make(1)
    const retrying = yield* FiberHandle.make<void, E>()
    let followed = 0
    let newest: Stored | null = null
    const catchUp = oneAtATime.withPermits(1)(
      Effect.suspend(() => {
        const stored = newest
        // Somebody who stored later was here already and took this change along.
        if (stored === null || followed >= stored.rev) return Effect.void
        return Effect.tap(follow(stored), () =>
          Effect.sync(() => {
            followed = stored.rev
            if (newest === stored) newest = null
          }),
        )
      }),
    )
    // Whoever begins it may not be interrupted; it itself must be, when the scope closes.
    const untilFollowed = Effect.interruptible(
      Effect.andThen(Effect.sleep(RETRY_MS), Effect.retry(catchUp, { schedule: Schedule.spaced(RETRY_MS) })),
    )
    return (stored) =>
      Effect.suspend(() => {
        if (newest === null || newest.rev < stored.rev) newest = stored
        return Effect.tapError(catchUp, () => FiberHandle.run(retrying, untilFollowed, { onlyIfMissing: true }))
      })
  })
