/**
 * A stable beat for probes that are ours to time: each has a slot in its interval (schedule.ts, without jitter) and
 * runs on that grid for ever, so that two runs are exactly an interval apart and all of them are spread evenly. A run
 * that takes too long skips what it missed; it never delays the grid.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import type * as Scope from "effect/Scope"
import { cycleAfter, dueMs, makeSlotPool, stableHash } from "#engine/collectors/schedule.ts"
import type { SlotPool } from "#engine/collectors/schedule.ts"
import { makeTokens } from "#engine/collectors/tokens.ts"

export interface Beat {
  /** Says all that matters of it: a beat whose key stays is left undisturbed. */
  readonly key: string
  readonly intervalMs: number
  readonly run: Effect.Effect<void>
}

export interface BeatStats {
  runs: number
  /** Due times that passed because the run before was still going on. */
  missed: number
  /** Runs that ended in a bug of ours. */
  defects: number
}

export interface Beats {
  /** Replaces all beats. */
  readonly set: (beats: readonly Beat[]) => Effect.Effect<void>
  readonly size: () => number
  readonly stats: BeatStats
}

/** `maxConcurrent` runs at once; the others wait for their turn. */
export const runBeats = (maxConcurrent: number): Effect.Effect<Beats, never, Scope.Scope> =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    const fibers = yield* FiberMap.make<string>()
    const tokens = makeTokens(maxConcurrent)
    const startedNs = clock.monotonicTimeNanosUnsafe()
    const nowMs = (): number => Number(clock.monotonicTimeNanosUnsafe() - startedNs) / 1e6
    const pools = new Map<number, SlotPool>()
    const running = new Map<string, { readonly intervalMs: number; readonly slot: number }>()
    const stats: BeatStats = { runs: 0, missed: 0, defects: 0 }

    const life = (beat: Beat, slot: number): Effect.Effect<never> => {
      const { intervalMs } = beat
      let cycle = cycleAfter(slot, nowMs(), intervalMs, 0)
      const once = Effect.catchCause(Effect.sync(() => stats.runs++).pipe(Effect.andThen(beat.run)), (cause) =>
        defect(stats, cause),
      )
      const turn = Effect.suspend(() =>
        Effect.sleep(Math.max(0, Math.ceil(dueMs(slot, cycle, intervalMs, 0) - nowMs()))).pipe(
          Effect.andThen(tokens.hold(once)),
          Effect.andThen(
            Effect.sync(() => {
              const next = Math.max(cycle + 1, cycleAfter(slot, nowMs(), intervalMs, 0))
              stats.missed += next - cycle - 1
              cycle = next
            }),
          ),
        ),
      )
      return Effect.forever(turn)
    }

    const poolOf = (intervalMs: number): SlotPool => {
      const known = pools.get(intervalMs)
      if (known !== undefined) return known
      const made = makeSlotPool()
      pools.set(intervalMs, made)
      return made
    }

    const set = (beats: readonly Beat[]): Effect.Effect<void> =>
      Effect.gen(function* () {
        const wanted = new Map(beats.map((beat) => [beat.key, beat]))
        for (const [key, { intervalMs, slot }] of running) {
          if (wanted.get(key)?.intervalMs === intervalMs) continue
          yield* FiberMap.remove(fibers, key)
          poolOf(intervalMs).give(slot)
          running.delete(key)
        }
        const added = [...wanted.values()].filter(({ key }) => !running.has(key))
        // Ordered by hash: the same beats get the same phases after a restart.
        added.sort((a, b) => stableHash(a.key) - stableHash(b.key) || (a.key < b.key ? -1 : 1))
        for (const beat of added) {
          const slot = poolOf(beat.intervalMs).take()
          running.set(beat.key, { intervalMs: beat.intervalMs, slot })
          yield* FiberMap.run(fibers, beat.key, life(beat, slot))
        }
      })
    return { set, size: () => running.size, stats }
  })

/** A bug costs one run. */
const defect = (stats: BeatStats, cause: Cause.Cause<never>): Effect.Effect<void> => {
  stats.defects++
  const thrown = Cause.squash(cause)
  return Effect.logError(`a probe failed: ${thrown instanceof Error ? thrown.name : typeof thrown}`)
}
