/**
 * What a router says unasked on the session that is open anyway: interfaces that change (`/interface/listen`) and new
 * lines of its log (`/log/print follow-only`). Costs the router nothing while nothing happens. A change is a reason to
 * poll, not a poll: its row has no counters and no uptime. Bounded: changes of one moment are told once, and a stream
 * that floods or fails rests, longer each time; the polls go on and miss nothing.
 */
import type { EntityKey } from "#protocol/id.ts"
import type { Row } from "#engine/collectors/routeros/reply.ts"
import type { RouterOsSession } from "#engine/collectors/routeros/session.ts"
import type { Sentence } from "#engine/collectors/routeros/words.ts"
import { interfaceOf, MAX_ENTITIES } from "#engine/collectors/routeros/map.ts"
import { parseFlag } from "#engine/collectors/routeros/values.ts"

/** Changes of one moment are told once, this late: what follows from a port's fall is then there to be read. */
export const GATHER_MS = 50
/** Rows of one stream within a second; one more ends the stream, and it rests. */
export const ROWS_PER_SECOND_MAX = 1_000
/** Rest of a stream that failed, doubled each time in a row; a stream that lasted longer than its rest starts anew. */
export const REST_MIN_MS = 10_000
export const REST_MAX_MS = 600_000

/**
 * Topics whose lines name subscribers. Following the log asks nobody's leave on the router, as its own syslog settings
 * do, so people's sessions stay out of it (they are counted: map.ts).
 */
const SUBSCRIBER_TOPICS: readonly string[] = "ppp pppoe pptp l2tp sstp ovpn hotspot radius dhcp".split(" ")

/** Whoever takes what was heard. Called from the socket's events: neither may throw. */
export interface Hearers {
  /** The state of interfaces is not what the last poll or listen row said. */
  readonly changed?: () => void
  /** A new line of the log, none of subscribers: topics as the router lists them (`interface,info`), and the message. */
  readonly log?: (topics: string, message: string) => void
}

export interface Ears {
  /** Opens on this session the streams that are not open and not resting. Cheap; called at every poll. */
  readonly open: (session: RouterOsSession) => void
  /** The interfaces of a poll: what they say is no news any more. */
  readonly polled: (rows: readonly Row[]) => void
  /** Stops all streams and forgets what was not told yet. */
  readonly close: () => void
  /** Streams open now. */
  readonly listening: () => number
}

const INTERFACES: Sentence = ["/interface/listen", "=.proplist=.id,name,type,running,disabled"]
const LOG: Sentence = ["/log/print", "=follow-only=", "=.proplist=topics,message"]

/** `nowMs` is monotonic. */
export const makeEars = (hearers: Hearers, nowMs: () => number): Ears => {
  const states = new Map<EntityKey, number>()
  let timer: ReturnType<typeof setTimeout> | null = null
  const heard = (row: Row): void => {
    // A row that died (`.dead`) has no name, and on a BNG it is a subscriber's: no reason to poll at once.
    const key = row.has(".dead") ? null : interfaceOf(row)
    const state = stateOf(row)
    if (key === null || states.get(key) === state) return
    if (states.has(key) || states.size < MAX_ENTITIES) states.set(key, state)
    timer ??= setTimeout(() => {
      timer = null
      hearers.changed?.()
    }, GATHER_MS)
  }
  const logged = (row: Row): void => {
    const message = row.get("message")
    const topics = row.get("topics") ?? ""
    if (message === undefined || row.has(".dead") || topics.split(",").some(isSubscribers)) return
    hearers.log?.(topics, message)
  }
  const streams: Stream[] = []
  if (hearers.changed !== undefined) streams.push(makeStream(INTERFACES, heard, nowMs))
  if (hearers.log !== undefined) streams.push(makeStream(LOG, logged, nowMs))
  return {
    open: (session) => streams.forEach((stream) => stream.open(session)),
    polled: (rows) => {
      if (hearers.changed === undefined) return
      states.clear()
      for (const row of rows.slice(0, MAX_ENTITIES)) {
        const key = interfaceOf(row)
        if (key !== null) states.set(key, stateOf(row))
      }
    },
    close: () => {
      streams.forEach((stream) => stream.close())
      if (timer !== null) clearTimeout(timer)
      timer = null
    },
    listening: () => streams.filter((stream) => stream.isOpen()).length,
  }
}

const isSubscribers = (topic: string): boolean => SUBSCRIBER_TOPICS.includes(topic)

/** What a poll would show differently, as a number. */
const stateOf = (row: Row): number =>
  (parseFlag(row.get("running")) === true ? 1 : 0) + (parseFlag(row.get("disabled")) === true ? 2 : 0)

interface Stream {
  readonly open: (session: RouterOsSession) => void
  readonly close: () => void
  readonly isOpen: () => boolean
}

/** One stream: closed, open, or resting until a time. */
const makeStream = (words: Sentence, take: (row: Row) => void, nowMs: () => number): Stream => {
  let stop: (() => void) | null = null
  let openedMs = 0
  let restMs = REST_MIN_MS
  let restUntilMs = Number.NEGATIVE_INFINITY
  let secondMs = 0
  let rows = 0

  const rest = (): void => {
    stop = null
    const now = nowMs()
    if (now - openedMs > restMs) restMs = REST_MIN_MS
    restUntilMs = now + restMs
    restMs = Math.min(REST_MAX_MS, restMs * 2)
  }
  const heard = (row: Row): void => {
    const now = nowMs()
    if (now - secondMs >= 1_000) {
      secondMs = now
      rows = 0
    }
    if (++rows <= ROWS_PER_SECOND_MAX) return take(row)
    stop?.()
    rest()
  }
  return {
    open: (session) => {
      if (stop !== null || nowMs() < restUntilMs) return
      openedMs = nowMs()
      let refused = false
      const cancel = session.follow(words, heard, (why) => {
        refused = true
        // A session that ended is opened again by the next poll, at the breaker's pace, and the stream with it.
        if (why._tag === "RouterOsTrap" || why._tag === "RouterOsProtocol") rest()
        stop = null
      })
      if (!refused) stop = cancel
    },
    close: () => {
      stop?.()
      stop = null
    },
    isOpen: () => stop !== null,
  }
}
