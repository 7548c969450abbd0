/**
 * One tenant's subscribers while the engine runs: how they are called at the gate (discreet.ts), the pseudonyms that wait
 * to be sealed, and their retention. Off unless the tenant opted in; while the database is away nobody is told apart.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Log } from "#engine/log.ts"
import { forgetEverybody, forgetIdentities, rememberIdentities } from "#engine/privacy/identities.ts"
import { destroyKeysBefore, monthOf, openMonthKey, pseudonymOf, type MonthKey } from "#engine/privacy/pseudonym.ts"
import { nobody, type Naming } from "#engine/privacy/subscriber-line.ts"
import type { DbShape } from "#engine/storage/db.ts"
import type { Vault } from "#engine/storage/vault.ts"
import type { TenantId } from "#protocol/id.ts"

export interface PrivacySettings {
  readonly subscriberIdentities: boolean
  /** How long an identity is kept after it was last seen. */
  readonly subscriberDays: number
}
export const PRIVATE: PrivacySettings = { subscriberIdentities: false, subscriberDays: 7 }

export interface Subscribers {
  /** For the gate; changes with settings and month. */
  readonly naming: () => Naming
  /** Identities that were seen faster than they could be sealed: pseudonyms of theirs cannot be revealed. */
  readonly lost: () => number
}

export interface SubscribersOptions {
  readonly db: DbShape
  readonly vault: Vault
  readonly tenant: TenantId
  readonly settings: Effect.Effect<PrivacySettings, unknown>
  readonly log: Log
  readonly nowMs: () => number
  readonly everyMs?: number
}

/** How soon a change of the settings counts, and how often what was seen is sealed. */
const EVERY_MS = 30_000
/** Identities that wait to be sealed; one more is named, and cannot be revealed. */
const WAITING_MAX = 50_000
const PER_WRITE = 1_000
const DAY_MS = 86_400_000
const PRUNE_EVERY_MS = 3_600_000

export const openSubscribers = (options: SubscribersOptions): Effect.Effect<Subscribers, never, Scope.Scope> =>
  Effect.gen(function* () {
    const state: State = { month: null, waiting: new Map(), lost: 0, prunedMs: 0, wasOn: null }
    const round = followOnce(options, state).pipe(
      Effect.catchCause((cause) =>
        Effect.sync(() => {
          // Without a key nobody can be named: better no name than a clear one.
          state.month = null
          options.log.debug("subscribers are not told apart for now", { cause })
        }),
      ),
    )
    yield* round
    yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(options.everyMs ?? EVERY_MS), round)))
    yield* Effect.addFinalizer(() => round)
    const named: Naming = (identity) => nameOf(state, identity, options.nowMs())
    return {
      naming: () => (state.month === null || state.month.month !== monthOf(options.nowMs()) ? nobody : named),
      lost: () => state.lost,
    }
  })

interface State {
  /** Null = off, or the key is not there yet. */
  month: MonthKey | null
  /** Pseudonym to identity, in clear for seconds and in memory only. */
  waiting: Map<string, string>
  lost: number
  prunedMs: number
  wasOn: boolean | null
}

const nameOf = (state: State, identity: string, nowMs: number): string => {
  const { month } = state
  if (month === null || month.month !== monthOf(nowMs)) return nobody(identity)
  const pseudonym = pseudonymOf(month, identity)
  if (state.waiting.size < WAITING_MAX) state.waiting.set(pseudonym, identity)
  else if (!state.waiting.has(pseudonym)) state.lost += 1
  return pseudonym
}

const followOnce = (options: SubscribersOptions, state: State): Effect.Effect<void, unknown> =>
  Effect.gen(function* () {
    const { db, vault, tenant, nowMs } = options
    const { subscriberIdentities, subscriberDays } = yield* options.settings
    if (!subscriberIdentities) {
      state.month = null
      state.waiting.clear()
      // Opting out forgets at once, also what an earlier life of the engine left.
      if (state.wasOn !== false) yield* db.tenant(tenant)((tx) => forgetEverybody(tx, tenant))
      state.wasOn = false
      return
    }
    state.wasOn = true
    yield* sealWaiting(options, state)
    const now = nowMs()
    if (state.month?.month !== monthOf(now))
      state.month = yield* db.tenant(tenant)((tx) => openMonthKey(tx, vault, tenant, now))
    if (now - state.prunedMs < PRUNE_EVERY_MS) return
    const beforeMs = now - subscriberDays * DAY_MS
    yield* db.tenant(tenant)(async (tx) => {
      await forgetIdentities(tx, tenant, beforeMs)
      await destroyKeysBefore(tx, tenant, beforeMs)
    })
    state.prunedMs = now
  })

const sealWaiting = ({ db, vault, tenant, nowMs }: SubscribersOptions, state: State): Effect.Effect<void, unknown> =>
  Effect.gen(function* () {
    const { month, waiting } = state
    if (month === null) return
    while (waiting.size > 0) {
      const some = new Map([...waiting].slice(0, PER_WRITE))
      yield* db.tenant(tenant)((tx) => rememberIdentities(tx, vault, tenant, month, some, nowMs()))
      for (const pseudonym of some.keys()) state.waiting.delete(pseudonym)
    }
  })
