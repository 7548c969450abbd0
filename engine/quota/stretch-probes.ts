/**
 * `max_probe_pps`: a tenant that asks for more probes a second than it may send gets all of them, less often. Pure. A
 * ping is one packet out; a probe of a service counts as one.
 */
import type { Target } from "#engine/collectors/target.ts"
import { PING_SECONDS } from "#engine/probes/plan.ts"

export interface Stretched {
  readonly targets: readonly Target[]
  /** How many times slower, 1 = as asked. */
  readonly factor: number
}

/** `limit` 0 = no probes at all. */
export const stretchProbes = (targets: readonly Target[], limit: number): Stretched => {
  const wanted = perSecond(targets)
  if (wanted <= limit) return { targets, factor: 1 }
  if (limit === 0) return { targets: targets.map(unprobed), factor: Number.POSITIVE_INFINITY }
  // Pings come at a few rates only: the next slower one may be slower than needed, never faster.
  for (let factor = wanted / limit; ; factor *= 1.25) {
    const slower = targets.map((target) => slowed(target, factor))
    if (perSecond(slower) <= limit) return { targets: slower, factor }
    // The slowest rates there are: what is still too much is left out, the last devices first.
    if (factor > SLOWEST_S) return { targets: firstOf(slower, limit), factor }
  }
}

/** No probe is asked less often than this. s */
const SLOWEST_S = 3_600
const PING_SLOWEST_S = PING_SECONDS.at(-1) ?? 60

/** Packets a second that these ask for. */
export const perSecond = (targets: readonly Target[]): number =>
  targets.reduce((sum, target) => sum + perSecondOf(target), 0)

const perSecondOf = ({ ping, probes }: Target): number =>
  (ping === undefined || ping === null ? 0 : 1 / ping.intervalSeconds) +
  (probes ?? []).reduce((sum, { intervalSeconds }) => sum + 1 / intervalSeconds, 0)

const slowed = (target: Target, factor: number): Target => {
  if (perSecondOf(target) === 0) return target
  const { ping, probes } = target
  const slower = (seconds: number): number => Math.min(SLOWEST_S, Math.ceil(seconds * factor))
  return {
    ...target,
    ping:
      ping === undefined || ping === null
        ? null
        : {
            intervalSeconds: PING_SECONDS.find((rate) => rate >= ping.intervalSeconds * factor) ?? PING_SLOWEST_S,
          },
    probes: (probes ?? []).map((probe) => ({ ...probe, intervalSeconds: slower(probe.intervalSeconds) })),
  }
}

const unprobed = (target: Target): Target => ({ ...target, ping: null, probes: [] })

const firstOf = (targets: readonly Target[], limit: number): readonly Target[] => {
  let sum = 0
  return targets.map((target) => {
    sum += perSecondOf(target)
    return sum <= limit ? target : unprobed(target)
  })
}
