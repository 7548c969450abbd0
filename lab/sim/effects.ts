/**
 * Effect's own clock and scheduler on the simulation's loop, for the parts of the engine that are fibers: the fleet, the
 * writer of events, the runtime's recovery. A fiber that sleeps waits in virtual time, and one that yields takes a virtual turn.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Scheduler from "effect/Scheduler"
import type { Life, Loop } from "#lab/sim/loop.ts"

/** `wallMs` is what the machine's clock shows, jumps included; the monotonic one is the loop's own. */
export const simulated =
  (loop: Loop, life: Life, wallMs: () => number) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    effect.pipe(
      Effect.provideService(Clock.Clock, clockOf(loop, life, wallMs)),
      Effect.provideService(Scheduler.Scheduler, schedulerOf(loop, life)),
    )

const schedulerOf = (loop: Loop, life: Life): Scheduler.Scheduler => {
  const { soon } = loop.turnsOf(life)
  return new Scheduler.MixedScheduler("async", (action) => {
    let cancelled = false
    soon(() => {
      if (!cancelled) action()
    })
    return () => {
      cancelled = true
    }
  })
}

const clockOf = (loop: Loop, life: Life, wallMs: () => number): Clock.Clock => {
  const nanos = (ms: number): bigint => BigInt(Math.round(ms)) * 1_000_000n
  const monotonic = (): bigint => nanos(loop.nowMs)
  return {
    currentTimeMillisUnsafe: wallMs,
    currentTimeMillis: Effect.sync(wallMs),
    currentTimeNanosUnsafe: () => nanos(wallMs()),
    currentTimeNanos: Effect.sync(() => nanos(wallMs())),
    monotonicTimeNanosUnsafe: monotonic,
    monotonicTimeNanos: Effect.sync(monotonic),
    sleep: (duration) =>
      Effect.callback<void>((resume) => {
        const cancel = loop.after(Duration.toMillis(duration), life, () => resume(Effect.void))
        return Effect.sync(cancel)
      }),
  }
}
