/**
 * The running application: session, socket and twin store joined, and the few signals that the interface draws from.
 * The twin's columns stay outside signals; `pulse` ticks at most twice a second after changes, and lists hang on it.
 */
import { computed, effect, signal } from "@preact/signals"
import { language } from "#client/i18n/translate.ts"
import { call, onSignedOut } from "#client/state/api.ts"
import type { Failure } from "#client/state/api.ts"
import { LIVE_SAMPLES, SCREEN_REFRESH_MS } from "#client/state/limits.ts"
import { route } from "#client/state/route.ts"
import { may, mustEnrol, session, sessionEnded } from "#client/state/session.ts"
import { troubleOf } from "#client/state/trouble.ts"
import { makeTwinStore } from "#client/state/twin-store.ts"
import { connect, openWebSocket } from "#client/stream/connection.ts"
import type { Connection, Phase } from "#client/stream/connection.ts"
import { makeServerClock } from "#client/stream/server-clock.ts"
import { decodeServer, encodeClient } from "#protocol/codec.ts"
import type { FocusView } from "#protocol/view.ts"
import type { ServerFrame } from "#protocol/wire.ts"

export const phase = signal<Phase>("connecting")
/** Milliseconds from the newest measurement to this screen, smoothed; null before the first. */
export const delayMs = signal<number | null>(null)
export const roundTripMs = signal<number | null>(null)
/** Ticks with the wall clock, once a second, for ages. Server time. */
export const serverNowMs = signal(Date.now())
export const frozen = new URLSearchParams(location.search).has("frozen")

/** What the stream shows: the live network (null), or a replay by its id. Screens that show the past say so. */
export const shownReplay = signal<string | null>(null)

export const store = makeTwinStore()
const clock = makeServerClock()

const pulseCount = signal(0)
/** The twin as of the last pulse. */
export const twin = computed(() => {
  void pulseCount.value
  return store.state()
})
export const trouble = computed(() => (twin.value === null ? [] : troubleOf(twin.value)))

/** A picture without new evidence for this long is called stale. */
export const STALE_MS = 90_000
/** Lost connections shorter than this are not worth a banner. */
const GRACE_MS = 2_500
const lostAtMs = signal<number | null>(null)
/** Server time by the wall clock; in a replay, `serverNowMs` is the replayed moment. */
const wallMs = signal(Date.now())
export const evidenceAgeMs = computed(() =>
  twin.value === null ? null : Math.max(0, serverNowMs.value - twin.value.atMs),
)
export const staleReason = computed<"reconnecting" | "stale" | null>(() => {
  if (twin.value === null) return null
  if (lostAtMs.value !== null && wallMs.value - lostAtMs.value >= GRACE_MS) return "reconnecting"
  return (evidenceAgeMs.value ?? 0) > STALE_MS ? "stale" : null
})

export interface LiveSample {
  readonly atMs: number
  readonly value: number
}
/** Detail of the selection, from FOCUS frames or REST. */
export const focus = signal<FocusView | null>(null)
const live = new Map<string, LiveSample[]>()
export const liveKey = (device: string, entity: string, metric: string): string => `${device} ${entity} ${metric}`
/** Samples of one series that came while its device or link was open; oldest first. */
export const liveSamples = (key: string): readonly LiveSample[] => live.get(key) ?? []

let connection: Connection | null = null
export const dropSocket = (): void => connection?.drop()

export const start = async (): Promise<void> => {
  onSignedOut(endSession)
  setInterval(() => {
    if (frozen) return
    wallMs.value = clock.now(Date.now())
    if (shownReplay.peek() === null) serverNowMs.value = wallMs.peek()
  }, 1_000)
  effect(() => {
    const selection = route.value.selection
    if (focus.peek()?.id !== selection?.id) focus.value = null
    connection?.subscribe({ focus: selection, cells: [], tiers: [], hidden: document.hidden })
  })
  document.addEventListener("visibilitychange", () => {
    const { selection } = route.peek()
    connection?.subscribe({ focus: selection, cells: [], tiers: [], hidden: document.hidden })
    if (!document.hidden) pulse()
  })
  store.listen({ replaced: pulse, changed: pulse, happened: pulse })
  await enter()
}

/** The tenant whose network this page has shown. */
let shownTenant: string | null = null

/**
 * Asks who is signed in, and opens the stream. Also after a sign-in. A page that has shown one tenant never shows another:
 * it is loaded anew, so that nothing of the first is left in it. Answers why nobody is signed in; null = somebody is.
 */
export const enter = async (): Promise<Failure | null> => {
  const answer = await call("session.get")
  if (answer.ok && shownTenant !== null && shownTenant !== answer.value.tenant.id) {
    location.reload()
    return null
  }
  session.value = answer.ok ? answer.value : null
  if (!answer.ok) return answer
  if (connection !== null) return null
  sessionEnded.value = false
  shownTenant = answer.value.tenant.id
  if (may("network.read") && !mustEnrol.value) openStream()
  return null
}

/** Shows a replay, or the live network again. The picture is emptied at once: the one must never be taken for the other. */
export const show = (replay: string | null): void => {
  if (shownReplay.peek() === replay) return
  connection?.stop()
  connection = null
  shownReplay.value = replay
  store.clear()
  live.clear()
  focus.value = null
  delayMs.value = null
  lostAtMs.value = null
  pulseCount.value = pulseCount.peek() + 1
  if (session.peek() != null) openStream()
}

const openStream = (): void => {
  const replay = shownReplay.peek()
  const scheme = location.protocol === "https:" ? "wss" : "ws"
  connection = connect({
    open: openWebSocket(`${scheme}://${location.host}/stream${replay === null ? "" : `?replay=${replay}`}`),
    encode: encodeClient,
    decode: decodeServer,
    now: () => performance.timeOrigin + performance.now(),
    dice: Math.random,
    after: (ms, run) => {
      const timer = setTimeout(run, ms)
      return () => clearTimeout(timer)
    },
    apply,
    position: () => {
      const state = store.state()
      return state === null ? null : { epoch: state.epoch, seq: state.seq }
    },
    phaseChanged,
    answered: (sentMs, nowMs, serverMs) => {
      clock.answered(sentMs, nowMs, serverMs)
      roundTripMs.value = clock.roundTripMs()
    },
    lang: () => language.peek(),
  })
  const { selection } = route.peek()
  connection.subscribe({ focus: selection, cells: [], tiers: [], hidden: document.hidden })
}

export const leave = async (): Promise<void> => {
  await call("session.remove")
  endSession()
  sessionEnded.value = false
}

/** Out of the network that is only looked into, before the time is up. */
export const leaveGrant = async (): Promise<void> => {
  await call("session.leaveGrant")
  await enter()
}

const endSession = (): void => {
  if (session.peek() !== null && session.peek() !== undefined) sessionEnded.value = true
  connection?.stop()
  connection = null
  shownReplay.value = null
  session.value = null
}

const phaseChanged = (next: Phase): void => {
  phase.value = next
  if (next === "live") lostAtMs.value = null
  else lostAtMs.value ??= clock.now(Date.now())
  if (next === "signed-out") endSession()
  // A proxy or the engine may refuse the upgrade because the session is over: only REST says so.
  if (next === "waiting") void call("session.get")
}

const apply = (frame: ServerFrame): "applied" | "gap" => {
  switch (frame.kind) {
    case "WELCOME":
      clock.told(Date.now(), frame.atMs)
      if (!frozen && shownReplay.peek() === null) serverNowMs.value = clock.now(Date.now())
      store.welcomed(frame.epoch)
      return "applied"
    case "SNAP":
      if (frozen || shownReplay.peek() !== null) serverNowMs.value = frame.atMs
      return store.apply(frame)
    case "DELTA":
      if (shownReplay.peek() === null) measureDelay(frame.atMs)
      else serverNowMs.value = frame.atMs
      return store.apply(frame)
    case "EVENT":
      return store.apply(frame)
    case "FOCUS":
      focused(frame.view)
      return "applied"
    default:
      return "applied"
  }
}

const measureDelay = (atMs: number): void => {
  const now = Math.max(0, clock.now(Date.now()) - atMs)
  delayMs.value = delayMs.peek() === null ? now : (delayMs.peek() ?? 0) * 0.7 + now * 0.3
}

const focused = (view: FocusView): void => {
  if (view.id !== route.peek().selection?.id) return
  for (const [key, sample] of samplesOf(view)) {
    const samples = live.get(key) ?? []
    const last = samples.at(-1)
    if (last !== undefined && last.atMs >= sample.atMs) continue
    live.set(key, [...samples, sample].slice(-LIVE_SAMPLES))
  }
  focus.value = view
}

const samplesOf = (view: FocusView): readonly (readonly [string, LiveSample])[] => {
  if (view.kind === "device") {
    return view.metrics.map(
      ({ entity, metric, value, atMs }) => [liveKey(view.id, entity, metric), { value, atMs }] as const,
    )
  }
  return [view.a, view.b].flatMap((end) =>
    (["rx", "tx"] as const).flatMap((way) => {
      const value = way === "rx" ? end.rxBps : end.txBps
      if (value === null || end.atMs === null) return []
      return [[liveKey(end.device, `if:${end.interface}`, `interface.${way}_bps`), { value, atMs: end.atMs }] as const]
    }),
  )
}

let pulseDue = false
const pulse = (): void => {
  if (pulseDue || (document.hidden && pulseCount.peek() > 0)) return
  pulseDue = true
  setTimeout(
    () => {
      pulseDue = false
      pulseCount.value++
    },
    pulseCount.peek() === 0 ? 0 : SCREEN_REFRESH_MS,
  )
}
