/**
 * The one door into a tenant's twin. Order is fixed here: inputs leave in the order in which they came, and get their
 * seq as they leave. Bounds: per device and source only the newest poll (or failed poll) waits, older ones are counted
 * as lost; events are refused at EVENTS_MAX, so that their listener offers them again. Nothing here waits or polls.
 */
import type { ChangeInput, DeviceInput, EngineInput, Input } from "#twin/input.ts"
import { wellFormed } from "#engine/tenant/well-formed.ts"

/** Traps and syslog lines that may wait. */
export const EVENTS_MAX = 8_192
/** Device and source pairs whose newest poll may wait: more than one process ever polls. */
export const POLLS_MAX = 65_536
/** Changes of each kind that may wait: one person importing twice is two, and many acknowledge many alerts at once. */
export const CHANGES_MAX: Readonly<Record<ChangeInput["kind"], number>> = {
  topology: 8,
  rules: 8,
  silences: 8,
  ack: 256,
  incident: 256,
}
export const TOPOLOGIES_MAX = CHANGES_MAX.topology
/** A difference to the machine's clock that changes by more at once: it was set; inputs of before may still come for a while. */
const SET_MS = 1_000
const SET_RECENTLY_MS = 60_000
/** An input dated further ahead of our clock than this would drag the twin's time with it: refused as malformed. */
export const FUTURE_MAX_MS = 60_000

export interface InboxStats {
  readonly waiting: number
  readonly accepted: number
  /** Polls replaced by a newer one before the twin saw them. */
  readonly pollsLost: number
  readonly pollsRefused: number
  readonly eventsRefused: number
  /** Inputs of devices whose actor is in quarantine: dropped. */
  readonly quarantined: number
  /** Inputs with an impossible time: dropped. A collector's defect. */
  readonly malformed: number
}

export interface Inbox {
  /** See Sink.submit. Inputs of a quarantined device are dropped and counted, and true is returned: do not offer again. */
  readonly submit: (input: DeviceInput | EngineInput, durable?: () => void) => boolean
  /** False when CHANGES_MAX of its kind wait already. */
  readonly submitChange: (input: ChangeInput) => boolean
  /** Removes and returns the oldest inputs, at most `max`. */
  readonly take: (max: number) => Input[]
  /** What is to be called once a taken input is durable. */
  readonly durableOf: (input: Input) => (() => void) | undefined
  readonly size: () => number
  /** Drops a device's inputs until `untilMs`. */
  readonly quarantine: (device: string, untilMs: number) => void
  readonly quarantinedNow: () => ReadonlyArray<{ readonly device: string; readonly untilMs: number }>
  /** From now on everything is refused; what waits can still be taken. */
  readonly close: () => void
  readonly stats: () => InboxStats
}

/**
 * The times of an input that were read from a clock which is `skewMs` behind ours. One that waited while that clock was set
 * was read before: then its own time is nearer to now than the corrected one, and it stays.
 */
const corrected = <I extends DeviceInput | EngineInput>(input: I, skewMs: number, nowMs: number): I => {
  const atMs = input.atMs + skewMs
  if (skewMs === 0 || Math.abs(nowMs - input.atMs) < Math.abs(nowMs - atMs)) return input
  if (input.kind === "poll" || input.kind === "probed")
    return { ...input, atMs, startedMs: Math.min(atMs, input.startedMs + skewMs) }
  if (input.kind === "syslog" && input.firstMs !== undefined)
    return { ...input, atMs, firstMs: Math.min(atMs, input.firstMs + skewMs) }
  return { ...input, atMs }
}

export const isChange = (input: Input): input is ChangeInput => Object.hasOwn(CHANGES_MAX, input.kind)

/** `skewMs`: how far our clock is ahead of the one that the inputs' times are of. `eventsMax` is asked at each event: it is the tenant's quota `mailbox_depth`. */
export const makeInbox = (
  nowMs: () => number,
  arrived: () => void,
  eventsMax: () => number = () => EVENTS_MAX,
  skewMs: () => number = () => 0,
): Inbox => {
  // A Map keeps the order of insertion, and deleting a key and setting it again moves it to the end.
  const queue = new Map<string | number, Input>()
  const shut = new Map<string, number>()
  const durables = new WeakMap<Input, () => void>()
  const stats = { accepted: 0, pollsLost: 0, pollsRefused: 0, eventsRefused: 0, quarantined: 0, malformed: 0 }
  let next = 0
  let polls = 0
  let events = 0
  const changes: Record<ChangeInput["kind"], number> = { topology: 0, rules: 0, silences: 0, ack: 0, incident: 0 }
  let closed = false
  let knownSkewMs = 0
  /** When the machine's clock was last set; what it did before we began is not known, and inputs may have waited since. */
  let setMs: number | null = null

  /** Of a clock that was set twice while an input waited nothing can be said: that input came now. */
  const inTime = <I extends DeviceInput | EngineInput>(told: I): I => {
    const now = nowMs()
    const skew = skewMs()
    if (setMs === null || Math.abs(skew - knownSkewMs) > SET_MS) setMs = now
    knownSkewMs = skew
    const input = corrected(told, skew, now)
    const isAhead = Number.isSafeInteger(input.atMs) && input.atMs > now + FUTURE_MAX_MS
    const isOfNoTime = isAhead && now - setMs < SET_RECENTLY_MS
    return isOfNoTime ? { ...input, atMs: now } : input
  }

  const isShut = (device: string): boolean => {
    if (shut.size === 0) return false
    const untilMs = shut.get(device)
    if (untilMs === undefined) return false
    if (nowMs() < untilMs) return true
    shut.delete(device)
    return false
  }

  const put = (key: string | number, input: Input): true => {
    queue.set(key, input)
    stats.accepted++
    arrived()
    return true
  }

  const submitPoll = (key: string, input: DeviceInput): boolean => {
    if (queue.delete(key)) {
      stats.pollsLost++
      polls--
    } else if (polls >= POLLS_MAX) {
      stats.pollsRefused++
      return false
    }
    polls++
    return put(key, input)
  }

  const submitEvent = (input: DeviceInput | EngineInput, durable?: () => void): boolean => {
    if (events >= eventsMax()) {
      stats.eventsRefused++
      return false
    }
    events++
    if (durable !== undefined) durables.set(input, durable)
    return put(next++, input)
  }

  return {
    submit: (told, durable) => {
      if (closed) return false
      const offered = inTime(told)
      if (!Number.isSafeInteger(offered.atMs) || offered.atMs > nowMs() + FUTURE_MAX_MS) {
        stats.malformed++
        return true
      }
      if (offered.kind === "quota" || offered.kind === "certificate" || offered.kind === "probed")
        return submitEvent(wellFormed(offered))
      if (isShut(offered.device)) {
        stats.quarantined++
        return true
      }
      const input = wellFormed(offered)
      const isPoll = input.kind === "poll" || input.kind === "unreachable"
      return isPoll ? submitPoll(`${input.source} ${input.device}`, input) : submitEvent(input, durable)
    },
    submitChange: (input) => {
      if (closed || changes[input.kind] >= CHANGES_MAX[input.kind]) return false
      changes[input.kind]++
      return put(next++, input)
    },
    take: (max) => {
      const taken: Input[] = []
      for (const [key, input] of queue) {
        if (taken.length >= max) break
        queue.delete(key)
        if (typeof key === "string") polls--
        else if (isChange(input)) changes[input.kind]--
        else events--
        taken.push(input)
      }
      return taken
    },
    durableOf: (input) => durables.get(input),
    size: () => queue.size,
    quarantine: (device, untilMs) => void shut.set(device, untilMs),
    quarantinedNow: () =>
      [...shut].filter(([, untilMs]) => untilMs > nowMs()).map(([device, untilMs]) => ({ device, untilMs })),
    close: () => {
      closed = true
    },
    stats: () => ({ waiting: queue.size, ...stats }),
  }
}
