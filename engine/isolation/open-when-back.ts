/**
 * Starting a tenant whose own database may be away (PRODUCT.md T3): the engine's start never waits for it and never fails
 * of it. The tenant answers 503 until its database is back, and then starts by itself.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { OwnDatabase } from "#engine/isolation/own-database.ts"
import type { Log } from "#engine/log.ts"

/** Between attempts of a tenant that does not start although its database is there; the last one repeats. */
const PAUSES_MS = [1_000, 5_000, 30_000]

/**
 * Runs `start` now when the tenant's database is there (null = it has none of its own: then a failure is the caller's),
 * else in the background as soon as it is.
 */
export const startWhenBack = <E extends { readonly message: string }>(
  database: OwnDatabase | null,
  start: Effect.Effect<void, E>,
  log: Log,
  pausesMs: readonly number[] = PAUSES_MS,
): Effect.Effect<void, E, Scope.Scope> =>
  Effect.gen(function* () {
    if (database === null) return yield* start
    const attempt = Effect.match(start, { onSuccess: () => null, onFailure: (error) => error.message })
    let failures = 0
    const once = Effect.gen(function* () {
      const why = yield* attempt
      if (why === null) return true
      log.error("a tenant does not run; it is tried again", { tenant: database.slug, why })
      failures += 1
      return false
    })
    if (database.state().kind === "open" && (yield* once)) return
    const later = Effect.gen(function* () {
      for (;;) {
        if (failures > 0) yield* Effect.sleep(pausesMs[Math.min(failures, pausesMs.length) - 1] ?? 0)
        yield* database.whenOpen
        if (yield* once) return log.info("the tenant runs again", { tenant: database.slug })
      }
    })
    yield* Effect.forkScoped(later)
  })
