/**
 * The life of an alert as a total table.
 *
 *            met            held                       recovered            settled
 *     ok ──────────> pending ────────> firing ────────────────> recovering ────────> ok
 *      ^               │ unmet, lost     ^                          │
 *      └───────────────┘                 └── met, held, unmet ──────┘        removed: from anywhere to ok
 *
 * What is unknown changes nothing: a silent device heals no alert, and fires none. Suppression, acknowledgement and
 * flapping are no states: they only decide who is told (alert.ts).
 */

export const ALERT_STATES = ["ok", "pending", "firing", "recovering"] as const
export type AlertState = (typeof ALERT_STATES)[number]

export const ALERT_SIGNALS = [
  /** The condition holds, for less than `for_seconds`. */
  "met",
  /** It has held for `for_seconds`. */
  "held",
  /** It does not hold, nor does the recover condition: between the two. */
  "unmet",
  /** The recover condition holds, for less than `recover_seconds`. */
  "recovered",
  /** It has held for `recover_seconds`. */
  "settled",
  /** There is no evidence at the moment. */
  "unknown",
  /** There has been none for longer than evidence lasts. */
  "lost",
  /** The entity or the rule is gone. */
  "removed",
] as const
export type AlertSignal = (typeof ALERT_SIGNALS)[number]

export const LIFE: Readonly<Record<AlertState, Readonly<Record<AlertSignal, AlertState>>>> = {
  ok: {
    met: "pending",
    held: "firing",
    unmet: "ok",
    recovered: "ok",
    settled: "ok",
    unknown: "ok",
    lost: "ok",
    removed: "ok",
  },
  pending: {
    met: "pending",
    held: "firing",
    unmet: "ok",
    recovered: "ok",
    settled: "ok",
    unknown: "pending",
    lost: "ok",
    removed: "ok",
  },
  firing: {
    met: "firing",
    held: "firing",
    unmet: "firing",
    recovered: "recovering",
    settled: "ok",
    unknown: "firing",
    lost: "firing",
    removed: "ok",
  },
  recovering: {
    met: "firing",
    held: "firing",
    unmet: "firing",
    recovered: "recovering",
    settled: "ok",
    unknown: "recovering",
    lost: "recovering",
    removed: "ok",
  },
}
