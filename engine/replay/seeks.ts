/**
 * How long jumps take: to random moments of a stretch, one after the other, as somebody would who looks for something. The
 * first ones find only what the database keeps; each leaves waypoints, so that later ones are shorter. Both are told apart.
 */
import { openReplay } from "#engine/replay/replay.ts"
import type { ReplaySource } from "#engine/replay/source.ts"
import { withWaypoints, type CheckpointSource } from "#engine/replay/waypoints.ts"

export interface Jumps {
  readonly p50Ms: number
  readonly p95Ms: number
  readonly maxMs: number
}

export interface Seeks {
  /** From nothing but checkpoints: each with waypoints of its own only. */
  readonly cold: Jumps
  /** The same number again, over a stretch that `cold` and these have passed. */
  readonly warm: Jumps
  /** Inputs folded by the longest cold one. */
  readonly inputsMax: number
}

export interface SeekOptions {
  readonly fromMs: number
  readonly toMs: number
  readonly count: number
  /** [0, 1) */
  readonly dice: () => number
  readonly monotonicMs: () => number
}

export const measureSeeks = async (source: ReplaySource, options: SeekOptions): Promise<Seeks> => {
  const { fromMs, toMs, count, dice, monotonicMs } = options
  const ways = withWaypoints(source)
  let inputsMax = 0
  const jump = async (from: CheckpointSource): Promise<number> => {
    const atMs = fromMs + (toMs - fromMs) * dice()
    const beganMs = monotonicMs()
    const replay = await openReplay(from, atMs)
    try {
      const inputs = await replay.runTo({ atMs }, () => ways.passed(replay))
      if (from === source) inputsMax = Math.max(inputsMax, inputs)
      return monotonicMs() - beganMs
    } finally {
      await replay.close()
    }
  }
  const jumps = async (from: CheckpointSource): Promise<Jumps> => {
    const times: number[] = []
    while (times.length < count) times.push(await jump(from))
    return spread(times)
  }
  return { cold: await jumps(source), warm: await jumps(ways.source), inputsMax }
}

/** Nearest rank, whole milliseconds; of at least one. */
const spread = (times: number[]): Jumps => {
  times.sort((a, b) => a - b)
  const rank = (share: number): number => Math.round(times[Math.max(0, Math.ceil(share * times.length) - 1)] ?? 0)
  return { p50Ms: rank(0.5), p95Ms: rank(0.95), maxMs: rank(1) }
}
