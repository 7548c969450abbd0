/**
 * Circuit breaker of one (device, collector): after five failures in a row the router is left alone, and asked again
 * at most once a minute until it answers (PRODUCT.md C6), or sooner when it speaks by itself: a trap or a syslog line is
 * proof of life, and whoever watches should not wait a minute to see the router back. Pure: the caller brings the clock, any monotonic one.
 *
 *            failure (1..4)                     cooled (60 s since the last attempt)
 *          +--------+                         +----------------------------------+
 *          v        |        tripped          |                                  v
 *        closed ----+---------------------> open <----------------------- halfOpen
 *          ^                                            failure, tripped         |
 *          +---------------------------------------------------------------------+
 *                                         success
 */
export const BREAKER_STATES = ["closed", "open", "halfOpen"] as const
export const BREAKER_SIGNALS = ["success", "failure", "tripped", "cooled"] as const
export type BreakerState = (typeof BREAKER_STATES)[number]
/** `tripped` is the failure that reaches the threshold; `cooled` is an attempt after the rest. */
export type BreakerSignal = (typeof BREAKER_SIGNALS)[number]

/** Failures in a row that open the breaker. */
export const FAILURES_TO_OPEN = 5
/** Rest between two attempts while it is not closed. */
export const REST_MS = 60_000
/** A device that speaks by itself while it rests is asked at once, but not more often than this. */
export const HEARD_REST_MS = 10_000

export const BREAKER_TABLE: Record<BreakerState, Record<BreakerSignal, BreakerState>> = {
  closed: { success: "closed", failure: "closed", tripped: "open", cooled: "closed" },
  // An open breaker has nothing in flight, so an answer here is a late one: it proves life all the same.
  open: { success: "closed", failure: "open", tripped: "open", cooled: "halfOpen" },
  // `cooled` again: the attempt was interrupted and never answered.
  halfOpen: { success: "closed", failure: "open", tripped: "open", cooled: "halfOpen" },
}

export interface Breaker {
  readonly state: BreakerState
  /** Failures in a row, 0..FAILURES_TO_OPEN. */
  readonly failures: number
  /** When the last attempt began or ended, whichever is later; -Infinity before the first. */
  readonly lastMs: number
}

export const CLOSED_BREAKER: Breaker = { state: "closed", failures: 0, lastMs: Number.NEGATIVE_INFINITY }

/** The breaker with an attempt begun at `nowMs`, or null: no attempt now. */
export const attempt = (breaker: Breaker, nowMs: number): Breaker | null => {
  if (breaker.state === "closed") return { ...breaker, lastMs: nowMs }
  if (nowMs - breaker.lastMs < REST_MS) return null
  return { ...breaker, state: BREAKER_TABLE[breaker.state].cooled, lastMs: nowMs }
}

/** The breaker of a device that was just heard: one that rests may be tried at the next turn. */
export const heard = (breaker: Breaker, nowMs: number): Breaker =>
  breaker.state === "closed" || nowMs - breaker.lastMs < HEARD_REST_MS
    ? breaker
    : { ...breaker, lastMs: nowMs - REST_MS }

/** The breaker after an attempt's answer. */
export const answered = (breaker: Breaker, ok: boolean, nowMs: number): Breaker => {
  if (ok) return { state: BREAKER_TABLE[breaker.state].success, failures: 0, lastMs: nowMs }
  const failures = Math.min(FAILURES_TO_OPEN, breaker.failures + 1)
  const signal = failures === FAILURES_TO_OPEN ? "tripped" : "failure"
  return { state: BREAKER_TABLE[breaker.state][signal], failures, lastMs: nowMs }
}
