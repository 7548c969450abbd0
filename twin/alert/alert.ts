/**
 * One alert: where it is in its life, and what people were last told of it. `advance` moves it by a signal; `settle`
 * decides whether anybody is told now, later or not at all. Both are pure and total. A notification that is held back
 * (suppression, acknowledgement, cooldown, flapping) stays owed, and is sent once when the way is free and it is still true.
 */
import type { AlertSeverity } from "#protocol/rule.ts"
import { ALERT_SEVERITIES } from "#protocol/rule.ts"
import type { AlertSignal, AlertState } from "#twin/alert/lifecycle.ts"
import { LIFE } from "#twin/alert/lifecycle.ts"
import type { Suppression } from "#twin/alert/suppression.ts"

/** So many turns (into firing, or back to ok) within FLAP_MS make one flapping alert, which ends after FLAP_MS without one. */
export const FLAP_TURNS = 3
export const FLAP_MS = 600_000

export interface Ack {
  readonly by: string
  readonly atMs: number
  readonly untilMs: number
}

export type Told = "nothing" | "firing" | "resolved" | "flapping"

export interface Alert {
  readonly state: AlertState
  /** When it came into this state. */
  readonly sinceMs: number
  /** When it last began to fire; 0 = never. */
  readonly firedMs: number
  /** When there was last evidence, for or against. Written in place while nobody else has the alert (hand.ts). */
  knownMs: number
  readonly severity: AlertSeverity
  /** Newest FLAP_TURNS turns. */
  readonly turns: readonly number[]
  /** End of the flapping, moved on by every turn; 0 = it does not flap. */
  readonly flapUntilMs: number
  readonly ack: Ack | null
  /** People are to be told that it fires (again). */
  readonly owed: boolean
  readonly told: Told
  /** When people were last told that it fires or flaps; 0 = never. */
  readonly toldMs: number
}

export const quietAlert = (atMs: number): Alert => ({
  state: "ok",
  sinceMs: atMs,
  firedMs: 0,
  knownMs: atMs,
  severity: "info",
  turns: [],
  flapUntilMs: 0,
  ack: null,
  owed: false,
  told: "nothing",
  toldMs: 0,
})

export const isLit = (state: AlertState): boolean => state === "firing" || state === "recovering"

/** The alert after a signal. `severity` = what it has if it fires. */
export const advance = (alert: Alert, signal: AlertSignal, severity: AlertSeverity, nowMs: number): Alert => {
  const state = LIFE[alert.state][signal]
  const known = signal === "unknown" || signal === "lost" ? alert.knownMs : nowMs
  if (state === alert.state) {
    const worse = isLit(state) && signal !== "unknown" && signal !== "lost" && severity !== alert.severity
    return worse
      ? { ...reweighed(alert, severity), knownMs: known }
      : known === alert.knownMs
        ? alert
        : { ...alert, knownMs: known }
  }
  const moved: Alert = { ...alert, state, sinceMs: nowMs, knownMs: known }
  if (state === "firing" && !isLit(alert.state))
    return turned({ ...moved, firedMs: nowMs, severity, owed: true }, nowMs)
  if (state === "ok" && isLit(alert.state)) {
    const ended = { ...moved, owed: false, ack: null }
    return signal === "removed" ? { ...ended, flapUntilMs: 0 } : turned(ended, nowMs)
  }
  return moved
}

/** Worse than before is news; better is not. */
const reweighed = (alert: Alert, severity: AlertSeverity): Alert => {
  const worse = ALERT_SEVERITIES.indexOf(severity) > ALERT_SEVERITIES.indexOf(alert.severity)
  return { ...alert, severity, owed: alert.owed || worse, toldMs: worse ? 0 : alert.toldMs }
}

const turned = (alert: Alert, nowMs: number): Alert => {
  const turns = [...alert.turns, nowMs].slice(-FLAP_TURNS)
  const flaps = turns.length === FLAP_TURNS && nowMs - (turns[0] as number) <= FLAP_MS
  return { ...alert, turns, flapUntilMs: flaps || alert.flapUntilMs > nowMs ? nowMs + FLAP_MS : 0 }
}

/** What people are told now. */
export type Notice = "firing" | "resolved" | "flapping"
/** Why they are not. */
export interface HeldBack {
  readonly by: Suppression["kind"] | "flap" | "ack" | "cooldown"
  readonly reason: string
  /** null = until somebody lifts it. */
  readonly untilMs: number | null
}
export interface Settled {
  readonly alert: Alert
  readonly notice: Notice | null
  readonly heldBack: HeldBack | null
}

/** Decides on telling. Calling it twice at one instant tells once. */
export const settle = (alert: Alert, suppression: Suppression | null, cooldownMs: number, nowMs: number): Settled => {
  const current = elapsed(alert, nowMs)
  const silent = (heldBack: HeldBack | null): Settled => ({ alert: current, notice: null, heldBack })
  const lit = isLit(current.state)
  const wanted: Notice | null =
    current.flapUntilMs > 0
      ? current.told === "flapping"
        ? null
        : "flapping"
      : lit
        ? current.owed
          ? "firing"
          : null
        : current.told === "firing" || current.told === "flapping"
          ? "resolved"
          : null
  if (suppression !== null && (lit || wanted !== null))
    return silent({ by: suppression.kind, reason: suppression.reason, untilMs: suppression.untilMs })
  if (wanted === "flapping" || wanted === "resolved") return told(current, wanted, nowMs)
  if (current.flapUntilMs > 0)
    return silent({ by: "flap", reason: "it flaps and was told once", untilMs: current.flapUntilMs })
  if (lit && current.ack !== null)
    return silent({ by: "ack", reason: `acknowledged by ${current.ack.by}`, untilMs: current.ack.untilMs })
  if (wanted === null) return silent(null)
  const free = current.toldMs === 0 ? 0 : current.toldMs + cooldownMs
  return free > nowMs
    ? silent({ by: "cooldown", reason: "it was told a short while ago", untilMs: free })
    : told(current, "firing", nowMs)
}

const told = (alert: Alert, notice: Notice, nowMs: number): Settled => ({
  alert: {
    ...alert,
    owed: notice === "resolved" ? alert.owed : false,
    told: notice,
    toldMs: notice === "resolved" ? alert.toldMs : nowMs,
  },
  notice,
  heldBack: null,
})

/** What time alone ended: an acknowledgement, or flapping. Either way what still fires is owed again. */
const elapsed = (alert: Alert, nowMs: number): Alert => {
  const ackEnds = alert.ack !== null && alert.ack.untilMs <= nowMs
  const flapEnds = alert.flapUntilMs > 0 && alert.flapUntilMs <= nowMs
  if (!ackEnds && !flapEnds) return alert
  return {
    ...alert,
    ack: ackEnds ? null : alert.ack,
    flapUntilMs: flapEnds ? 0 : alert.flapUntilMs,
    turns: flapEnds ? [] : alert.turns,
    owed: alert.owed || isLit(alert.state),
  }
}

/** A suppression that covered it has ended: what fires is owed once more. */
export const released = (alert: Alert): Alert => (isLit(alert.state) && !alert.owed ? { ...alert, owed: true } : alert)

/** `settle` has nothing to say of it now: nothing is owed, and what people were told is still so. */
export const isAtRest = (alert: Alert, nowMs: number): boolean => {
  if (alert.ack !== null && alert.ack.untilMs <= nowMs) return false
  if (alert.flapUntilMs > 0) return alert.flapUntilMs > nowMs && alert.told === "flapping"
  return isLit(alert.state) ? !alert.owed : alert.told !== "firing" && alert.told !== "flapping"
}

/** When `settle` may decide otherwise by time alone; Infinity = never. */
export const settleDueMs = (alert: Alert, cooldownMs: number, nowMs: number): number => {
  let due = Number.POSITIVE_INFINITY
  if (alert.ack !== null && alert.ack.untilMs > nowMs) due = alert.ack.untilMs
  if (alert.flapUntilMs > nowMs && alert.flapUntilMs < due) due = alert.flapUntilMs
  const free = alert.owed && alert.toldMs > 0 ? alert.toldMs + cooldownMs : 0
  return free > nowMs && free < due ? free : due
}

/** Nothing that a later decision could need: the record may be forgotten. */
export const isForgettable = (alert: Alert, cooldownMs: number, nowMs: number): boolean =>
  alert.state === "ok" &&
  alert.flapUntilMs === 0 &&
  (alert.told === "nothing" || alert.told === "resolved") &&
  nowMs - (alert.turns.at(-1) ?? Number.NEGATIVE_INFINITY) > FLAP_MS &&
  (alert.toldMs === 0 || nowMs - alert.toldMs >= cooldownMs)
