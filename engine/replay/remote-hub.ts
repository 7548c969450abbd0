/**
 * The hub of a replay as the stream's sessions see it: the hub itself works in the replay's worker, and this end passes
 * its frames on. A viewer that does not drain gets none, and its worker is not asked for more: what waits here is one
 * flush at most, as with a live hub.
 */
import type { FromWorker, ToWorker } from "#engine/replay/session-messages.ts"
import type { Hub, Viewer } from "#engine/stream/hub.ts"

/** Between two looks at a viewer that was not ready. */
const RETRY_MS = 100

export interface RemoteViewers {
  /** What the worker sent for one of them. */
  readonly frame: (message: Extract<FromWorker, { kind: "frame" }>) => void
  /** A door for sessions that see these sites. */
  readonly hub: (sites: readonly string[] | null) => Hub
  readonly count: () => number
  /** Forgets everybody; nothing goes out any more. */
  readonly end: () => void
}

export interface RemoteViewersOptions {
  /** Tenant, epoch and seq for the WELCOME. */
  readonly twin: Hub["twin"]
  readonly tell: (message: ToWorker) => void
  readonly monotonicMs: () => number
}

interface Seat {
  readonly id: number
  waiting: Uint8Array[]
  timer: NodeJS.Timeout | null
}

export const makeRemoteViewers = ({ twin, tell, monotonicMs }: RemoteViewersOptions): RemoteViewers => {
  const seats = new Map<Viewer, Seat>()
  const viewers = new Map<number, Viewer>()
  let named = 0

  const pass = (viewer: Viewer, seat: Seat): void => {
    if (seat.waiting.length === 0 || seat.timer !== null) return
    if (!viewer.ready(monotonicMs())) {
      // Whether it is ready may end the viewer, which then has left already.
      if (!seats.has(viewer)) return
      seat.timer = setTimeout(() => {
        seat.timer = null
        pass(viewer, seat)
      }, RETRY_MS).unref()
      return
    }
    const frames = seat.waiting
    seat.waiting = []
    for (const bytes of frames) viewer.send(bytes)
    tell({ kind: "taken", viewer: seat.id, bytes: frames.reduce((sum, bytes) => sum + bytes.length, 0) })
  }

  const leave = (viewer: Viewer): void => {
    const seat = seats.get(viewer)
    if (seat === undefined) return
    if (seat.timer !== null) clearTimeout(seat.timer)
    seats.delete(viewer)
    viewers.delete(seat.id)
    tell({ kind: "leave", viewer: seat.id })
  }

  return {
    frame: ({ viewer: id, bytes }) => {
      const viewer = viewers.get(id)
      const seat = viewer === undefined ? undefined : seats.get(viewer)
      if (viewer === undefined || seat === undefined) return
      seat.waiting.push(bytes)
      pass(viewer, seat)
    },
    hub: (sites) => ({
      twin,
      join: (viewer, resume) => {
        const seat: Seat = { id: ++named, waiting: [], timer: null }
        seats.set(viewer, seat)
        viewers.set(seat.id, viewer)
        tell({ kind: "join", viewer: seat.id, sites, resume })
      },
      leave,
      focus: (viewer, focus) => {
        const seat = seats.get(viewer)
        if (seat !== undefined) tell({ kind: "focus", viewer: seat.id, focus })
      },
      close: () => undefined,
    }),
    count: () => seats.size,
    end: () => {
      for (const viewer of seats.keys()) leave(viewer)
    },
  }
}
