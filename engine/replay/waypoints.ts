/**
 * Where a replay has passed, so that it comes back there soon: snapshots that it takes on its way, packed like those in the
 * database, offered beside them as checkpoints. In memory, bounded in bytes: when there are too many, every second one goes
 * and they lie twice as far apart from then on.
 */
import type { Replay } from "#engine/replay/replay.ts"
import type { ReplaySource } from "#engine/replay/source.ts"
import type { StoredSnapshot } from "#engine/tenant/ports.ts"
import { encodeSnapshot } from "#engine/tenant/snapshot-codec.ts"

export interface Waypoints {
  /** The source, with the waypoints among its checkpoints. */
  readonly source: ReplaySource
  /** To be asked after each slice: leaves a waypoint when none is near. The twin must stand still until it resolves. */
  readonly passed: (replay: Replay) => Promise<void>
  /** Whether beginning at a waypoint is a shorter way to a moment than folding on from `seq`. */
  readonly isShorter: (seq: number, atMs: number) => boolean
  readonly count: () => number
}

export interface WaypointLimits {
  /** Inputs between two: what a jump to a known stretch folds at most. */
  readonly everyInputs: number
  readonly bytesMax: number
}

export const WAYPOINT_LIMITS: WaypointLimits = { everyInputs: 500, bytesMax: 64 * 1024 * 1024 }
/** A waypoint this near is taken without asking the database for a nearer one. */
const NEAR_MS = 300_000

export const withWaypoints = (source: ReplaySource, limits: WaypointLimits = WAYPOINT_LIMITS): Waypoints => {
  /** Ascending by seq. */
  let points: StoredSnapshot[] = []
  let bytes = 0
  let every = limits.everyInputs

  const before = (seq: number): StoredSnapshot | undefined => points.findLast((point) => point.seq <= seq)

  const thinOut = (): void => {
    points = points.filter((_, at) => at % 2 === 0)
    bytes = points.reduce((sum, { blob }) => sum + blob.length, 0)
    every *= 2
  }

  return {
    source: {
      ...source,
      checkpoint: async (atMs) => {
        const own = points.findLast((point) => point.atMs <= atMs)
        if (own !== undefined && atMs - own.atMs <= NEAR_MS) return own
        const stored = await source.checkpoint(atMs)
        return own !== undefined && (stored === null || stored.seq < own.seq) ? own : stored
      },
    },
    passed: async (replay) => {
      const { seq, atMs } = replay.world
      const last = Math.max(replay.startSeq, before(seq)?.seq ?? 0)
      if (seq - last < every) return
      const blob = await encodeSnapshot(replay.snapshot())
      const place = points.findIndex((point) => point.seq > seq)
      points.splice(place === -1 ? points.length : place, 0, { seq, atMs, blob })
      bytes += blob.length
      while (bytes > limits.bytesMax && points.length > 0) thinOut()
    },
    isShorter: (seq, atMs) => {
      const own = points.findLast((point) => point.atMs <= atMs)
      return own !== undefined && own.seq - seq >= every
    },
    count: () => points.length,
  }
}
