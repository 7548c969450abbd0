/**
 * Keeps the judgement of each running twin on what stands in the database: after each change, at the tenant's start (an
 * upgrade may have brought other shipped rules), and now and then for occurrences of windows that come into sight. What is
 * compared is content, so that nothing is journaled twice. A twin that is being rebuilt is told when it is back.
 */
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type * as Scope from "effect/Scope"
import type { Log } from "#engine/log.ts"
import { silencesFor } from "#engine/maintenance/silences.ts"
import { readWindows } from "#engine/maintenance/window-rows.ts"
import { readRuleSet } from "#engine/rules/rule-rows.ts"
import type { DbShape } from "#engine/storage/db.ts"
import type { Judgement, TenantInfo } from "#engine/tenant/live-twin.ts"
import { stateHash } from "#twin/hash.ts"

/** Of one tenant. Neither fails: what could not be told is tried again. */
export interface Follow {
  readonly rules: Effect.Effect<void>
  readonly silences: Effect.Effect<void>
}

export interface FollowOptions {
  readonly db: DbShape
  readonly tenant: TenantInfo
  /** Null = the twin is being rebuilt. */
  readonly judgement: () => Judgement | null
  readonly log: Log
  readonly nowMs: () => number
}

/** Between two looks. */
const EVERY_MS = 10 * 60_000
/** After something could not be told. */
const AGAIN_MS = 5_000

/** Follows once, and then for as long as the scope lives. */
export const keepFollowing = (options: FollowOptions): Effect.Effect<Follow, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { log } = options
    const turn = yield* Semaphore.make(1)
    let behind = false
    const attempt = (what: string, work: Effect.Effect<void, unknown>): Effect.Effect<void> =>
      turn
        .withPermits(1)(work)
        .pipe(
          Effect.catch((cause) =>
            Effect.sync(() => {
              behind = true
              log.warn(`the twin does not judge by the newest ${what} yet; it is told again soon`, { cause })
            }),
          ),
        )
    const follow: Follow = {
      rules: attempt("rules", followRules(options)),
      silences: attempt("maintenance", followSilences(options)),
    }
    const both = Effect.andThen(follow.rules, follow.silences)
    yield* both
    const beat = Effect.gen(function* () {
      yield* Effect.sleep(behind ? AGAIN_MS : EVERY_MS)
      behind = false
      yield* both
    })
    yield* Effect.forkScoped(Effect.forever(beat))
    return follow
  })

const away = new Error("the twin is being rebuilt")

const followRules = ({ db, tenant, judgement, log }: FollowOptions): Effect.Effect<void, unknown> =>
  Effect.gen(function* () {
    const { entries, unusable } = yield* db.tenant(tenant.id)((tx) => readRuleSet(tx, tenant.id))
    if (unusable.length > 0)
      log.warn("rules of this tenant cannot be judged by in this version and are left out", { rules: unusable })
    const now = judgement()
    if (now === null) return yield* Effect.fail(away)
    const rules = entries.map(({ rule }) => rule)
    const before = now.rules()
    if (stateHash(before.rules) === stateHash(rules)) return
    yield* Effect.tryPromise({ try: () => now.setRules(before.rev + 1, rules), catch: (cause) => cause })
  })

const followSilences = ({ db, tenant, judgement, nowMs }: FollowOptions): Effect.Effect<void, unknown> =>
  Effect.gen(function* () {
    const windows = yield* db.tenant(tenant.id)((tx) => readWindows(tx, tenant.id))
    const now = judgement()
    if (now === null) return yield* Effect.fail(away)
    const silences = silencesFor(windows, nowMs())
    const before = now.silences()
    if (stateHash(before.silences) === stateHash(silences)) return
    yield* Effect.tryPromise({ try: () => now.setSilences(before.rev + 1, silences), catch: (cause) => cause })
  })
