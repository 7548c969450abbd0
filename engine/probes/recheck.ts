/**
 * A second look at an address that lost a ping and is asked rarely: three pings a second apart, at once, instead of waiting
 * two more of its intervals for a verdict. A router at the edge of the network is then known to be dead within 15 s, not 30.
 * Few at a time: when a whole site goes dark the regular pings tell of the others.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { literal } from "#engine/probes/address.ts"
import { pingBurst } from "#engine/probes/ping-burst.ts"
import type { BurstResult } from "#engine/probes/ping-burst.ts"
import type { Literal } from "#engine/probes/address.ts"

/** Intervals from here on are worth a second look: three of a shorter one pass as fast. */
export const RARE_MS = 5_000
/** Second looks at once. Each is a process for about five seconds. */
export const RECHECKS_MAX = 32
const PINGS = 3

export type Burst = (to: Literal, count: number, signal: AbortSignal) => Promise<BurstResult>

/** Calls `lost` once when none of the pings was answered. False = not now, or it runs already. */
export type Recheck = (address: string, lost: () => void) => boolean

export const makeRecheck = (burst: Burst = pingBurst): Effect.Effect<Recheck, never, Scope.Scope> =>
  Effect.gen(function* () {
    const abort = new AbortController()
    yield* Effect.addFinalizer(() => Effect.sync(() => abort.abort()))
    const running = new Set<string>()
    /** What could not be sent says nothing of the device. */
    const isSilent = async (to: Literal): Promise<boolean> => {
      const { error, rttsMs } = await burst(to, PINGS, abort.signal)
      return error === null && rttsMs.length > 0 && rttsMs.every((rttMs) => rttMs === null)
    }
    const look = async (to: Literal, address: string, lost: () => void): Promise<void> => {
      running.add(address)
      const isLost = await isSilent(to).catch(() => false)
      running.delete(address)
      if (isLost && !abort.signal.aborted) lost()
    }
    return (address, lost) => {
      const to = literal(address)
      if (to === null || running.size >= RECHECKS_MAX || running.has(address) || abort.signal.aborted) return false
      void look(to, address, lost)
      return true
    }
  })
