/**
 * The past on the screen: one replay of the engine's (REST /replays), which the stream shows instead of the live network
 * while its screen is open. Leaving the screen, by whatever way, ends the replay and shows the live network again.
 */
import { effect, signal } from "@preact/signals"
import { call } from "#client/state/api.ts"
import type { Answer, Failure } from "#client/state/api.ts"
import { phase, serverNowMs, show, shownReplay } from "#client/state/app.ts"
import { go, route } from "#client/state/route.ts"
import { may, session } from "#client/state/session.ts"
import { spanFor } from "#client/state/time-range.ts"
import type { Span } from "#client/state/time-range.ts"
import type { Replay } from "#protocol/rest-generated.ts"
import type { EventView } from "#protocol/view.ts"

export const SPEEDS = [1, 10, 60, 300, 1_000] as const
/** Most events that the bar marks: the newest of its stretch. */
const EVENTS_MAX = 500
/** Between two questions where a replay stands, while it plays. */
const ASK_MS = 2_000
/** What somebody wants to see of an event is what led to it. */
export const LEAD_MS = 5_000

/** Null = none is open: the screen asks for a moment. */
export const replay = signal<Replay | null>(null)
export const opening = signal(false)
/** Why the last wish was not done. */
export const refused = signal<Failure | null>(null)
/** Why the replay ended by itself, in the engine's words. */
export const ended = signal<string | null>(null)
/** From when on the past can be replayed; null = not known, or nothing yet. */
export const firstMs = signal<number | null>(null)
/** Replays that others opened. */
export const others = signal<readonly Replay[]>([])
export const span = signal<Span>("1h")
/** Of the stretch under the bar, newest first. */
export const events = signal<readonly EventView[]>([])
/** Up to when charts ask: the moment after each jump, and now and then while it plays. */
export const chartMs = signal<number | null>(null)

export const loadReplays = async (): Promise<void> => {
  const answer = await call("replays.list")
  if (!answer.ok) return
  firstMs.value = answer.value.firstMs
  others.value = answer.value.items.filter(({ mine }) => !mine)
}

export const loadEvents = async (fromMs: number, toMs: number): Promise<void> => {
  const query = { from: Math.max(0, Math.floor(fromMs)), to: Math.ceil(toMs), limit: EVENTS_MAX }
  const answer = await call("past.events", { query })
  if (answer.ok) events.value = answer.value.items
}

/** Opens the moment; a replay of one's own that nobody looks at is taken again instead of a second one. */
export const openAt = async (momentMs: number): Promise<void> => {
  if (opening.peek()) return
  opening.value = true
  ended.value = null
  const atMs = Math.round(momentMs)
  const answer = await opened(atMs)
  opening.value = false
  refused.value = answer.ok ? null : answer
  if (!answer.ok) return
  // Somebody who left meanwhile wants no replay any more.
  if (route.peek().screen !== "replay") return void call("replays.remove", { params: { id: answer.value.id } })
  watch(answer.value)
  go({ moment: atMs }, true)
}

const opened = async (atMs: number): Promise<Answer<Replay>> => {
  const list = await call("replays.list")
  if (!list.ok) return list
  firstMs.value = list.value.firstMs
  const idle = list.value.items.find(({ mine, viewers, toMs }) => mine && viewers === 0 && toMs >= atMs)
  if (idle !== undefined) {
    const again = await call("replays.update", { params: { id: idle.id }, body: { atMs, playing: false } })
    if (again.ok) return again
  }
  return call("replays.create", { body: { fromMs: atMs } })
}

/** Also one that somebody else opened: it is seen, not steered. */
export const watch = (found: Replay): void => {
  replay.value = found
  ended.value = null
  span.value = spanFor(found.atMs, found.toMs)
  chartMs.value = found.atMs
  show(found.id)
  serverNowMs.value = found.atMs
}

type Wish = { atMs?: number; step?: "event"; speed?: number; playing?: boolean }
let waiting: Wish | null = null
let asking = false

/** Wishes that come while one is under way become one: a hand on the bar asks for its last place. */
export const steer = async (wish: Wish): Promise<void> => {
  waiting = { ...waiting, ...wish }
  if (asking) return
  asking = true
  while (waiting !== null && replay.peek() !== null) {
    const { id } = replay.peek() as Replay
    const body: Wish = waiting
    waiting = null
    const answer = await call("replays.update", { params: { id }, body })
    if (replay.peek()?.id !== id) break
    refused.value = answer.ok ? null : answer
    if (!answer.ok) continue
    stands(answer.value)
    // The address is that of what is seen, so that it can be sent to somebody.
    if (!answer.value.playing) go({ moment: Math.round(answer.value.atMs) }, true)
  }
  waiting = null
  asking = false
}

/** Where it stands now, as the engine has just said. */
export const stands = (now: Replay): void => {
  replay.value = now
  chartMs.value = now.atMs
  serverNowMs.value = now.atMs
}

export const togglePlay = (): void => {
  const now = replay.peek()
  if (now !== null && now.mine) void steer({ playing: !now.playing })
}
export const moveBy = (ms: number): void => {
  const now = replay.peek()
  if (now === null || !now.mine) return
  const from = waiting?.atMs ?? serverNowMs.peek()
  void steer({ atMs: Math.round(Math.max(firstMs.peek() ?? 0, Math.min(now.toMs, from + ms))) })
}
export const toNextEvent = (): void => {
  if (replay.peek()?.mine === true) void steer({ step: "event" })
}

/** Back to the choice of a moment; the live network is shown again. */
export const close = (): void => {
  const now = replay.peek()
  replay.value = null
  chartMs.value = null
  refused.value = null
  show(null)
  if (now?.mine === true) void call("replays.remove", { params: { id: now.id } })
}

const ask = async (): Promise<void> => {
  const id = replay.peek()?.id
  if (id === undefined || asking) return
  const answer = await call("replays.get", { params: { id } })
  if (replay.peek()?.id !== id || asking) return
  if (answer.ok && answer.value.ended === null) stands(answer.value)
  else if (answer.ok || answer.status === 404) {
    replay.value = null
    chartMs.value = null
    show(null)
    ended.value = answer.ok ? (answer.value.ended ?? "") : ""
  }
}

/** Ties replay, address and stream together, once, when the page starts. */
export const followReplay = (): void => {
  effect(() => {
    const { screen, moment } = route.value
    if (session.value == null) {
      replay.value = null
      chartMs.value = null
      return undefined
    }
    if (screen !== "replay") {
      ended.value = null
      return close()
    }
    if (moment !== null && replay.peek() === null && may("replay.run")) void openAt(moment)
  })
  effect(() => {
    // The socket is gone: of a replay that may mean that it ended.
    if (phase.value === "waiting" && shownReplay.peek() !== null) void ask()
  })
  setInterval(() => {
    const now = replay.peek()
    if (now !== null && (now.playing || !now.mine)) void ask()
  }, ASK_MS)
}
