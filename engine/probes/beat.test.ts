import assert from "node:assert/strict"
import { test } from "node:test"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import type * as Scope from "effect/Scope"
import { TestClock } from "effect/testing"
import { runBeats } from "#engine/probes/beat.ts"
import type { Beat, Beats } from "#engine/probes/beat.ts"

const onVirtualClock = (
  use: (beats: Beats) => Effect.Effect<void, never, Scope.Scope>,
  concurrent = 1_000,
): Promise<void> =>
  Effect.runPromise(
    Effect.gen(function* () {
      yield* use(yield* runBeats(concurrent))
    }).pipe(
      Effect.scoped,
      Effect.provide(TestClock.layer()),
      // The bugs of the last test would fill the output.
      Effect.provideService(References.MinimumLogLevel, "None"),
    ),
  )

/** A beat that notes when it runs, and takes `tookMs`. */
const noting = (key: string, intervalMs: number, starts: Map<string, number[]>, tookMs = 0): Beat => ({
  key,
  intervalMs,
  run: Effect.gen(function* () {
    const list = starts.get(key) ?? []
    starts.set(key, list)
    list.push(yield* Clock.currentTimeMillis)
    if (tookMs > 0) yield* Effect.sleep(tookMs)
  }),
})

const gaps = (starts: readonly number[]): number[] => starts.slice(1).map((ms, index) => ms - (starts[index] as number))

test("[C9] the schedule is stable: 1,000 probes for 10 minutes, interval error p99 below 50 ms", (t) =>
  onVirtualClock((beats) =>
    Effect.gen(function* () {
      const starts = new Map<string, number[]>()
      const intervalOf = (n: number): number => [10_000, 30_000, 60_000][n % 3] as number
      yield* beats.set(
        // Runs take up to 900 ms: the next one must not care.
        Array.from({ length: 1_000 }, (_, n) => noting(`p${n}`, intervalOf(n), starts, (n * 37) % 900)),
      )
      for (let minute = 0; minute < 10; minute++) yield* TestClock.adjust(60_000)
      const errors: number[] = []
      for (const [key, list] of starts) {
        const intervalMs = intervalOf(Number(key.slice(1)))
        assert.ok(list.length >= (10 * 60_000) / intervalMs - 1, key)
        errors.push(...gaps(list).map((gap) => Math.abs(gap - intervalMs)))
      }
      errors.sort((a, b) => a - b)
      const p99 = errors[Math.floor(errors.length * 0.99)] as number
      t.diagnostic(`${errors.length} intervals, error p99 ${p99} ms, most ${errors.at(-1)} ms`)
      assert.ok(p99 < 50)
      assert.equal(beats.stats.missed, 0)
    }),
  ))

test("[C9] probes are spread over their interval: no second has more than its share by a fifth", () =>
  onVirtualClock((beats) =>
    Effect.gen(function* () {
      const starts = new Map<string, number[]>()
      yield* beats.set(Array.from({ length: 3_000 }, (_, n) => noting(`p${n}`, 30_000, starts)))
      yield* TestClock.adjust(30_000)
      const perSecond = Array.from({ length: 30 }, () => 0)
      for (const [ms] of starts.values()) perSecond[Math.floor(((ms as number) % 30_000) / 1_000)]!++
      assert.ok(
        perSecond.every((count) => Math.abs(count - 100) <= 20),
        perSecond.join(" "),
      )
    }),
  ))

test("a run that outlasts its interval skips beats and stays on the grid; it is never run twice at once", () =>
  onVirtualClock((beats) =>
    Effect.gen(function* () {
      const starts = new Map<string, number[]>()
      yield* beats.set([noting("slow", 10_000, starts, 25_000)])
      yield* TestClock.adjust(120_000)
      assert.deepEqual([...new Set(gaps(starts.get("slow") ?? []))], [30_000])
      assert.ok(beats.stats.missed >= 4)
    }),
  ))

test("set: what stays is undisturbed, what goes stops, what comes starts", () =>
  onVirtualClock((beats) =>
    Effect.gen(function* () {
      const starts = new Map<string, number[]>()
      yield* beats.set([noting("a", 10_000, starts), noting("b", 10_000, starts)])
      yield* TestClock.adjust(25_000)
      yield* beats.set([noting("a", 10_000, starts), noting("c", 10_000, starts)])
      const stopped = starts.get("b")?.length
      yield* TestClock.adjust(30_000)
      assert.deepEqual([...new Set(gaps(starts.get("a") ?? []))], [10_000])
      assert.equal(starts.get("b")?.length, stopped)
      assert.equal(starts.get("c")?.length, 3)
      assert.equal(beats.size(), 2)
    }),
  ))

test("a bug in a run costs that run, and a bound holds on runs at once", () =>
  onVirtualClock(
    (beats) =>
      Effect.gen(function* () {
        let [running, most, runs] = [0, 0, 0]
        const run = Effect.gen(function* () {
          runs++
          most = Math.max(most, ++running)
          yield* Effect.sleep(100)
          running--
          if (runs % 2 === 0) return yield* Effect.die(new TypeError("a bug"))
        })
        yield* beats.set(Array.from({ length: 50 }, (_, n) => ({ key: `p${n}`, intervalMs: 1_000, run })))
        yield* TestClock.adjust(10_000)
        assert.equal(most, 3)
        assert.ok(beats.stats.defects > 10 && beats.stats.defects < runs)
      }),
    3,
  ))
