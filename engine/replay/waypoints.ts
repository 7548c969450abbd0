/**
 * Where a replay has passed, so that it comes back there soon: snapshots that it takes on its way, offered beside those in the
 * database as checkpoints. States never change in place, so the newest are held as they are, which costs nothing to take and
 * to begin from; older ones are packed like those in the database, behind the replay's back. In memory, bounded in routers
 * and in bytes: when there are too many packed ones, every second goes and they lie twice as far apart from then on.
 */
import type { Replay } from "#engine/replay/replay.ts"
import type { ReplaySource } from "#engine/replay/source.ts"
import type { StoredSnapshot } from "#engine/tenant/ports.ts"
import { encodeSnapshot } from "#engine/tenant/snapshot-codec.ts"
import type { TwinSnapshot } from "#twin/snapshot.ts"

/** A checkpoint that need not be unpacked. Several replays may begin from it. */
export interface AtHand {
  readonly seq: number
  readonly atMs: number
  readonly twin: TwinSnapshot
}

export interface CheckpointSource extends Omit<ReplaySource, "checkpoint"> {
  readonly checkpoint: (atMs: number) => Promise<StoredSnapshot | AtHand | null>
}

export interface Waypoints {
  /** The source, with the waypoints among its checkpoints. */
  readonly source: CheckpointSource
  /** To be asked after each slice: leaves a waypoint when none is near. The twin must stand still until it resolves. */
  readonly passed: (replay: Replay) => Promise<void>
  /** Whether beginning at a waypoint is a shorter way to a moment than folding on from `seq`. */
  readonly isShorter: (seq: number, atMs: number) => boolean
  readonly count: () => number
  /** Of packed ones. */
  readonly bytes: () => number
  /** Resolves when nothing waits to be packed. */
  readonly settled: () => Promise<void>
}

export interface WaypointLimits {
  /**
   * Inputs between two, at most: what a jump to a known stretch folds. Small twins have one for each router, or
   * SMALLEST_EVERY: about as much folding as a packed one costs to open.
   */
  readonly everyInputs: number
  readonly bytesMax: number
  /** Routers of all held ones together, the same router counted once for each; 4 to 60 kB each where it was polled between. */
  readonly heldRoutersMax: number
}

export const WAYPOINT_LIMITS: WaypointLimits = { everyInputs: 500, bytesMax: 64 * 1024 * 1024, heldRoutersMax: 2_400 }
const SMALLEST_EVERY = 100
/** A waypoint this near is taken without asking the database for a nearer one. */
const NEAR_MS = 300_000

interface Point {
  readonly seq: number
  readonly atMs: number
  /** Null = it is packed. */
  twin: TwinSnapshot | null
  blob: Uint8Array | null
}

export const withWaypoints = (source: ReplaySource, limits: WaypointLimits = WAYPOINT_LIMITS): Waypoints => {
  /** Ascending by seq. */
  let points: readonly Point[] = []
  /** In the order in which they were left. */
  let held: readonly Point[] = []
  let heldRouters = 0
  let bytes = 0
  let sparser = 1
  let packing: Promise<void> | null = null

  const before = (seq: number): Point | undefined => points.findLast((point) => point.seq <= seq)

  const everyFor = (routers: number): number =>
    sparser * Math.min(limits.everyInputs, Math.max(SMALLEST_EVERY, routers))

  const thinOut = (): void => {
    let nth = 0
    points = points.filter(({ blob }) => blob === null || nth++ % 2 === 0)
    bytes = points.reduce((sum, { blob }) => sum + (blob?.length ?? 0), 0)
    sparser *= 2
  }

  const packOldest = async (): Promise<void> => {
    while (heldRouters > limits.heldRoutersMax) {
      const point = held[0]
      if (point === undefined || point.twin === null) return
      const blob = await encodeSnapshot(point.twin)
      held = held.slice(1)
      heldRouters -= point.twin.states.routers.length
      point.twin = null
      point.blob = blob
      bytes += blob.length
      while (bytes > limits.bytesMax && points.some((one) => one.blob !== null)) thinOut()
    }
  }

  const pack = (): Promise<void> =>
    (packing ??= packOldest().finally(() => {
      packing = null
    }))

  return {
    source: {
      ...source,
      checkpoint: async (atMs) => {
        const own = points.findLast((point) => point.atMs <= atMs)
        if (own !== undefined && atMs - own.atMs <= NEAR_MS) return checkpointOf(own)
        const stored = await source.checkpoint(atMs)
        return own !== undefined && (stored === null || stored.seq < own.seq) ? checkpointOf(own) : stored
      },
    },
    passed: async (replay) => {
      const { seq, atMs, topology } = replay.world
      const routers = topology.routers.length
      const last = Math.max(replay.startSeq, before(seq)?.seq ?? 0)
      if (seq - last < everyFor(routers)) return
      const point: Point = { seq, atMs, twin: replay.snapshot(), blob: null }
      const place = points.findIndex((one) => one.seq > seq)
      points = points.toSpliced(place === -1 ? points.length : place, 0, point)
      held = [...held, point]
      heldRouters += routers
      if (heldRouters <= limits.heldRoutersMax) return
      const packed = pack()
      // Whoever passes faster than it is packed waits: no more than twice as much is held, or one.
      if (heldRouters > 2 * limits.heldRoutersMax) await packed
    },
    isShorter: (seq, atMs) => {
      const own = points.findLast((point) => point.atMs <= atMs)
      return own !== undefined && own.seq - seq >= everyFor(SMALLEST_EVERY)
    },
    count: () => points.length,
    bytes: () => bytes,
    settled: async () => void (await packing),
  }
}

const checkpointOf = ({ seq, atMs, twin, blob }: Point): StoredSnapshot | AtHand => {
  if (twin !== null) return { seq, atMs, twin }
  return { seq, atMs, blob: blob as Uint8Array }
}
