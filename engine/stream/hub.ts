/**
 * One tenant's fan-out. Rounds of its twin become frames: the first at once, the next ones at least frameGapMs apart (a round with events urgentGapMs);
 * each frame is packed once for all viewers that stand at the same seq. Nothing is queued for a viewer that does not
 * drain: it keeps its place and later gets one coalesced difference. A viewer's place is all the state it has here.
 */
import type { Turns } from "#engine/actors/turns.ts"
import { PROCESS_TURNS } from "#engine/actors/turns.ts"
import { makeChanges } from "#engine/stream/changes.ts"
import { deltaFrame, eventFrame, keyframe } from "#engine/stream/frames.ts"
import type { StreamLimits } from "#engine/stream/limits.ts"
import type { StreamStats } from "#engine/stream/stats.ts"
import type { Log } from "#engine/log.ts"
import type { LiveTwin, RoundNotice } from "#engine/tenant/live-twin.ts"
import { encodeServer } from "#protocol/codec.ts"
import type { ServerFrame, Sub } from "#protocol/wire.ts"

/** A viewer as the hub sees it. */
export interface Viewer {
  /** False while it must not get anything: not drained, or hidden and served a moment ago. */
  readonly ready: (monotonicMs: number) => boolean
  readonly send: (bytes: Uint8Array) => void
}

export interface Position {
  readonly epoch: number
  readonly seq: number
}

export interface Hub {
  readonly twin: Pick<LiveTwin, "tenant" | "epoch" | "seq">
  /** Adds a viewer at its place, or with a keyframe when there is none to go on from. */
  readonly join: (viewer: Viewer, resume: Position | null) => void
  readonly leave: (viewer: Viewer) => void
  readonly focus: (viewer: Viewer, focus: Sub["focus"]) => void
  readonly close: () => void
}

export interface HubOptions {
  readonly limits: StreamLimits
  readonly stats: StreamStats
  readonly log: Log
  /** Unix time, for what frames say. */
  readonly nowMs: () => number
  /** Never goes back, for pacing: a clock that is set back must not hold frames back. */
  readonly monotonicMs: () => number
  /** Default: the process's event loop. */
  readonly later?: Turns["later"]
}

/** null = needs a keyframe. */
type Place = Position | null

interface Seat {
  place: Place
  focus: Sub["focus"]
  /** Devices whose change concerns the focus. */
  focusDevices: readonly string[]
  focusDirty: boolean
  focusSentMs: number
}

export const makeHub = (twin: LiveTwin, options: HubOptions): Hub => {
  const { limits, stats, nowMs, monotonicMs, later = PROCESS_TURNS.later } = options
  const seats = new Map<Viewer, Seat>()
  let epoch = twin.epoch()
  let seq = twin.seq()
  let changes = makeChanges(twin.inventory().devices.length, twin.inventory().links.length, seq)
  let atMs = newestEvidenceMs(twin)
  let flushedMs = Number.NEGATIVE_INFINITY
  let cancel = (): void => undefined
  let timerMs = Number.POSITIVE_INFINITY
  /** The newest keyframe of this epoch. */
  let snap: { readonly seq: number; readonly madeMs: number; readonly frames: readonly Uint8Array[] } | null = null

  const reset = (): void => {
    epoch = twin.epoch()
    seq = twin.seq()
    changes = makeChanges(twin.inventory().devices.length, twin.inventory().links.length, seq)
    snap = null
    for (const seat of seats.values()) aim(seat, seat.focus)
  }

  /** Runs `flush` no later than `whenMs`; one timer per tenant. */
  const wake = (whenMs: number): void => {
    if (whenMs >= timerMs) return
    cancel()
    timerMs = whenMs
    cancel = later(Math.max(0, whenMs - monotonicMs()), () => guarded(flush))
  }

  const heard = (notice: RoundNotice): void =>
    guarded(() => {
      if (notice.topologyChanged || notice.epoch !== epoch) reset()
      else changes.record(notice)
      seq = notice.seq
      atMs = notice.atMs
      for (const seat of seats.values())
        if (seat.focusDevices.some((device) => notice.touched.has(device))) seat.focusDirty = true
      if (seats.size === 0) return
      const gapMs = notice.events.length > 0 ? Math.min(limits.urgentGapMs, limits.frameGapMs) : limits.frameGapMs
      const dueMs = flushedMs + gapMs
      if (monotonicMs() >= dueMs) flush()
      else wake(dueMs)
    })

  /** A defect here must not reach the twin or end the process, nor leave viewers with a hole: they start over. */
  const guarded = (run: () => void): void => {
    try {
      run()
    } catch (cause) {
      options.log.error("the stream could not follow its twin", { tenant: twin.tenant.slug, cause })
      snap = null
      for (const seat of seats.values()) seat.place = null
    }
  }

  const flush = (): void => {
    cancel()
    timerMs = Number.POSITIVE_INFINITY
    if (twin.epoch() !== epoch) reset()
    const now = monotonicMs()
    flushedMs = now
    /** Frames of this flush by the seq they start from; one entry when everybody is up to date. */
    const packed = new Map<number, readonly Uint8Array[]>()
    const views = new Map<string, Uint8Array | null>()
    for (const [viewer, seat] of seats) {
      const behind = seat.place === null || seat.place.epoch !== epoch || seat.place.seq < seq
      if (!behind && !seat.focusDirty) continue
      if (!viewer.ready(now)) {
        stats.skipped.add()
        wake(now + limits.catchUpMs)
        continue
      }
      if (behind) bringUp(viewer, seat, packed)
      if (seat.focusDirty) sendFocus(viewer, seat, now, views)
    }
  }

  const bringUp = (viewer: Viewer, seat: Seat, packed: Map<number, readonly Uint8Array[]>): void => {
    const goesOn = seat.place !== null && seat.place.epoch === epoch && changes.since(seat.place.seq) !== null
    const from = goesOn ? seat.place!.seq : sendKeyframe(viewer)
    seat.place = { epoch, seq: Math.max(from, seq) }
    if (from >= seq) return
    let frames = packed.get(from)
    if (frames === undefined) {
      frames = difference(from)
      packed.set(from, frames)
    }
    for (const bytes of frames) viewer.send(bytes)
    stats.ageSeconds.observe(Math.max(0, nowMs() - atMs) / 1000)
  }

  /** EVENT before DELTA: the delta is what moves a viewer's place, so a cut between the two loses nothing. */
  const difference = (base: number): readonly Uint8Array[] => {
    const found = changes.since(base)
    if (found === null) throw new RangeError(`no difference from ${base}`)
    const span = { epoch, base, seq, atMs }
    const events = found.events.length === 0 ? [] : [pack(eventFrame(span, found.events))]
    return [...events, pack(deltaFrame(twin, span, found))]
  }

  /**
   * The place that it leads to. A keyframe of 10,000 routers takes 50 ms to pack, so a recent one serves everybody who
   * comes now (all viewers at once, after a restart); a delta takes them from there to the newest place.
   */
  const sendKeyframe = (viewer: Viewer): number => {
    const fresh =
      snap !== null && monotonicMs() - snap.madeMs < limits.keyframeReuseMs && changes.since(snap.seq) !== null
    if (snap === null || !fresh)
      snap = { seq: twin.seq(), madeMs: monotonicMs(), frames: keyframe(twin, atMs).map(pack) }
    for (const bytes of snap.frames) viewer.send(bytes)
    return snap.seq
  }

  const sendFocus = (viewer: Viewer, seat: Seat, now: number, views: Map<string, Uint8Array | null>): void => {
    const { focus } = seat
    if (focus === null) return
    if (now < seat.focusSentMs + limits.focusGapMs) return wake(seat.focusSentMs + limits.focusGapMs)
    seat.focusDirty = false
    const key = `${focus.kind} ${focus.id}`
    let bytes = views.get(key)
    if (bytes === undefined) {
      const view = twin.view(focus)
      bytes = view === null ? null : pack({ kind: "FOCUS", atMs: nowMs(), view })
      views.set(key, bytes)
    }
    if (bytes === null) return
    seat.focusSentMs = now
    viewer.send(bytes)
  }

  const aim = (seat: Seat, focus: Sub["focus"]): void => {
    const link = focus?.kind === "link" ? twin.inventory().links.find((one) => one.id === focus.id) : undefined
    if (focus?.id !== seat.focus?.id || focus?.kind !== seat.focus?.kind) seat.focusSentMs = Number.NEGATIVE_INFINITY
    seat.focus = focus
    seat.focusDevices = focus?.kind === "device" ? [focus.id] : link === undefined ? [] : [link.a.device, link.b.device]
    seat.focusDirty = focus !== null
  }

  const pack = (frame: ServerFrame): Uint8Array => {
    const bytes = encodeServer(frame)
    stats.frames.add(1, { kind: frame.kind })
    return bytes
  }

  const stop = twin.onRound(heard)
  return {
    twin,
    join: (viewer, resume) => {
      if (twin.epoch() !== epoch) reset()
      // A place in the future, or of another epoch, cannot be gone on from.
      const usable =
        resume !== null && resume.epoch === epoch && resume.seq <= twin.seq() && changes.since(resume.seq) !== null
      const place = usable ? resume : null
      const seat: Seat = {
        place,
        focus: null,
        focusDevices: [],
        focusDirty: false,
        focusSentMs: Number.NEGATIVE_INFINITY,
      }
      seats.set(viewer, seat)
      if (place === null || place.seq < seq) bringUp(viewer, seat, new Map())
    },
    leave: (viewer) => void seats.delete(viewer),
    focus: (viewer, focus) => {
      const seat = seats.get(viewer)
      if (seat === undefined) return
      aim(seat, focus)
      const now = monotonicMs()
      if (viewer.ready(now)) sendFocus(viewer, seat, now, new Map())
      else wake(now + limits.catchUpMs)
    },
    close: () => {
      stop()
      cancel()
      seats.clear()
    },
  }
}

/** Before the first round: the newest answer of any device; 0 when none ever answered. */
const newestEvidenceMs = (twin: LiveTwin): number => {
  let newest = 0
  for (const seenS of twin.columns().nodeSeenS) if (seenS > newest) newest = seenS
  return newest * 1000
}
