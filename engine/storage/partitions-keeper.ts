/**
 * Keeps the partitions of every database a week ahead of the clock and drops those that no tenant needs any more, at the
 * start and some times a day. A tenant that keeps its rows for less than the others loses them one by one (pruneChunks).
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Log } from "#engine/log.ts"
import { dropPartitions, ensurePartitions, type ParentName } from "#engine/storage/partitions.ts"
import { DAY_MS, HOUR_MS } from "#engine/storage/rollup.ts"

export interface KeeperOptions {
  /** Of every database that can be used now. */
  readonly ownerUrls: () => readonly string[]
  /** The longest that any tenant keeps samples and events, ms; null = not known now, then nothing is dropped. */
  readonly longest: Effect.Effect<{ readonly samples: number; readonly events: number } | null>
  readonly log: Log
  readonly nowMs: () => number
}

/** How far ahead of the clock. Long enough to be told, and to act, before a write fails. */
export const AHEAD_MS = 7 * DAY_MS
const EVERY_MS = 6 * HOUR_MS
/** After a failure. */
const AGAIN_MS = 10 * 60_000

/** How long rollups are kept, by the length of their buckets; single minutes as long as the samples. */
export const ROLLUP_KEPT_MS = { fiveMinutes: 90 * DAY_MS, hours: 731 * DAY_MS, days: 3_653 * DAY_MS } as const

/** Returns when the partitions of now are there, or were tried and the failure is told. */
export const keepPartitions = (options: KeeperOptions): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    let ok = yield* keepOnce(options)
    const forever = Effect.forever(
      Effect.gen(function* () {
        yield* Effect.sleep(ok ? EVERY_MS : AGAIN_MS)
        ok = yield* keepOnce(options)
      }),
    )
    yield* Effect.forkScoped(forever)
  })

/** False = something failed, which is told. */
export const keepOnce = ({ ownerUrls, longest, log, nowMs }: KeeperOptions): Effect.Effect<boolean> =>
  Effect.gen(function* () {
    const now = nowMs()
    const keep = yield* longest
    let ok = true
    for (const url of ownerUrls()) {
      const done = Effect.tryPromise(async () => {
        const made = await ensurePartitions(url, now - DAY_MS, now + AHEAD_MS)
        const dropped = keep === null ? [] : await dropPartitions(url, cutoffs(now, keep))
        if (made.length + dropped.length > 0) log.info("partitions of the history", { made, dropped })
      }).pipe(
        Effect.catch((error) =>
          Effect.sync(() => {
            ok = false
            const { code } = error.cause as { code?: string }
            log.error("partitions could not be made or dropped; when none is left, history and events are not stored", {
              code: code ?? "AWAY",
            })
          }),
        ),
      )
      yield* done
    }
    return ok
  })

export const cutoffs = (
  nowMs: number,
  { samples, events }: { readonly samples: number; readonly events: number },
): Readonly<Record<ParentName, number>> => ({
  chunk: nowMs - samples,
  event: nowMs - events,
  rollup_1m: nowMs - samples,
  rollup_5m: nowMs - Math.max(samples, ROLLUP_KEPT_MS.fiveMinutes),
  rollup_1h: nowMs - Math.max(samples, ROLLUP_KEPT_MS.hours),
  rollup_long: nowMs - Math.max(samples, ROLLUP_KEPT_MS.days),
})

/** Single rows are deleted at night; a partition is given a day in which it may be dropped instead. Local time. */
const QUIET_HOURS = { from: 1, to: 5 } as const
/** When it could not be done for so many nights, it is done by day. */
const NIGHTS_MISSED_MS = 3 * DAY_MS

/** Before when single rows are deleted now, of rows that are wanted gone before `beforeMs`. */
export const deleteBefore = (nowMs: number, beforeMs: number): number => {
  const hour = new Date(nowMs).getHours()
  const quiet = hour >= QUIET_HOURS.from && hour < QUIET_HOURS.to
  return beforeMs - (quiet ? DAY_MS : NIGHTS_MISSED_MS)
}
