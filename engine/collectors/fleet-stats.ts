/**
 * What the fleet counts about itself, for /metrics and the "must show" runs: plain numbers, written by the fleet and
 * read whenever somebody looks. Nothing here names a tenant or a device.
 */
import type { UnreachableInput } from "#twin/input.ts"
import type { Source } from "#protocol/view.ts"

/** Upper bounds (inclusive) of the duration buckets, milliseconds; the last bucket of `counts` is everything above. */
export const DURATION_BOUNDS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000] as const

export interface DurationHistogram {
  /** Per bucket, not cumulative; one longer than DURATION_BOUNDS_MS. */
  readonly counts: number[]
  sumMs: number
  count: number
}

export interface CollectorStats {
  /** Running pollers. */
  tasks: number
  ok: number
  readonly failed: Record<UnreachableInput["reason"], number>
  /** Started more than one interval after they were due. */
  late: number
  /** Due times that passed without a poll because the one before was still running. */
  missed: number
  /** Due times that the open breaker left out. */
  suppressed: number
  /** Good polls that the inbox refused because it was full. */
  refused: number
  /** Polls that ended in a bug of ours. */
  defects: number
  inFlight: number
  breakersOpen: number
  /** Confirm-polls asked for by traps and syslog, and those refused by their rate limit. */
  nudges: number
  nudgesRefused: number
  readonly durations: DurationHistogram
  /** From due to started, of regular polls: confirm-polls come before they are due and do not count. */
  readonly lateness: DurationHistogram
}

export interface FleetStats {
  readonly of: (source: Source) => CollectorStats
  readonly all: () => ReadonlyMap<Source, CollectorStats>
}

export const makeFleetStats = (): FleetStats => {
  const bySource = new Map<Source, CollectorStats>()
  return {
    of: (source) => {
      let stats = bySource.get(source)
      if (stats === undefined) bySource.set(source, (stats = emptyStats()))
      return stats
    },
    all: () => bySource,
  }
}

export const recordDuration = (histogram: DurationHistogram, ms: number): void => {
  const bucket = DURATION_BOUNDS_MS.findIndex((bound) => ms <= bound)
  const at = bucket < 0 ? DURATION_BOUNDS_MS.length : bucket
  histogram.counts[at] = (histogram.counts[at] ?? 0) + 1
  histogram.sumMs += ms
  histogram.count++
}

const emptyStats = (): CollectorStats => ({
  tasks: 0,
  ok: 0,
  failed: { timeout: 0, refused: 0, auth: 0, protocol: 0, breaker: 0 },
  late: 0,
  missed: 0,
  suppressed: 0,
  refused: 0,
  defects: 0,
  inFlight: 0,
  breakersOpen: 0,
  nudges: 0,
  nudgesRefused: 0,
  durations: emptyHistogram(),
  lateness: emptyHistogram(),
})

const emptyHistogram = (): DurationHistogram => ({
  counts: Array.from({ length: DURATION_BOUNDS_MS.length + 1 }, () => 0),
  sumMs: 0,
  count: 0,
})
