/**
 * Supervision as data and pure decisions, in OTP's words (stdlib `supervisor`): strategy, intensity, period, restart
 * type. What OTP lacks is added: backoff with jitter, and quarantine, which sets one sick child aside instead of
 * escalating (one router's bad data must not take its tenant down). tree.ts acts on what is decided here.
 */
/** Who is restarted with a crashed child: only it, all children, or it and those started after it. */
export type Strategy = "one_for_one" | "one_for_all" | "rest_for_one"
/** permanent: always restarted. transient: only after a crash. temporary: never; it is removed. */
export type RestartType = "permanent" | "transient" | "temporary"

export interface Backoff {
  /** Delay before the second restart within the period; the first is immediate. Doubles from there. 0 = always at once. */
  readonly baseMs: number
  readonly maxMs: number
  /** 0..1: the share of the delay that the dice may take away, so that crowds do not restart together. */
  readonly jitter: number
}

export interface SupervisorSpec {
  readonly strategy: Strategy
  /** Restarts allowed within the period; one crash more is too many. */
  readonly intensity: number
  readonly periodMs: number
  readonly backoff: Backoff
  /**
   * Too many crashes. `escalate`: the children are stopped and the supervisor fails, whose own supervisor decides;
   * crashes of all children count together, as in OTP. `quarantine`: the one child is set aside and refuses messages;
   * crashes count per child. `report`: the same notices, but the child goes on: for actors whose every message has
   * been journaled and must be folded, so that the door in front of the journal is what is shut (tenant/inbox.ts).
   */
  readonly tooMany: "escalate" | "quarantine" | "report"
  /** How long a quarantine lasts; doubles with each that follows within maxMs of the last release. */
  readonly quarantine: Backoff
}

/** 5 crashes in 60 s set a device's actor aside for a minute, then longer, up to half an hour. */
export const DEVICE_SUPERVISOR: SupervisorSpec = {
  strategy: "one_for_one",
  intensity: 4,
  periodMs: 60_000,
  backoff: { baseMs: 0, maxMs: 0, jitter: 0 },
  tooMany: "quarantine",
  quarantine: { baseMs: 60_000, maxMs: 1_800_000, jitter: 0.2 },
}

/** Infrastructure that depends on each other: patient restarts, then up to whoever owns it. */
export const INFRASTRUCTURE_SUPERVISOR: SupervisorSpec = {
  strategy: "one_for_one",
  intensity: 8,
  periodMs: 60_000,
  backoff: { baseMs: 100, maxMs: 10_000, jitter: 0.3 },
  tooMany: "escalate",
  quarantine: { baseMs: 60_000, maxMs: 1_800_000, jitter: 0.2 },
}

/** What a supervisor remembers of the crashes that count together. */
export interface CrashRecord {
  /** Times of the counted crashes within the period, oldest first, at most intensity + 1. */
  readonly crashesMs: readonly number[]
  /** Quarantines in a row, for their backoff. */
  readonly quarantines: number
  readonly releasedMs: number | null
}
export const NO_CRASHES: CrashRecord = { crashesMs: [], quarantines: 0, releasedMs: null }

export type Verdict =
  | { readonly kind: "restart"; readonly delayMs: number; readonly record: CrashRecord }
  | { readonly kind: "quarantine" | "report"; readonly delayMs: number; readonly record: CrashRecord }
  | { readonly kind: "escalate"; readonly record: CrashRecord }

/** What to do about one crash. `roll` is a die in [0, 1). Pure. */
export const onCrash = (spec: SupervisorSpec, record: CrashRecord, nowMs: number, roll: number): Verdict => {
  const crashesMs = [...record.crashesMs.filter((atMs) => nowMs - atMs < spec.periodMs), nowMs]
  if (crashesMs.length <= spec.intensity) {
    const delayMs = crashesMs.length === 1 ? 0 : backoffMs(spec.backoff, crashesMs.length - 2, roll)
    return { kind: "restart", delayMs, record: { ...record, crashesMs } }
  }
  if (spec.tooMany === "escalate") return { kind: "escalate", record: NO_CRASHES }
  const calm = record.releasedMs === null || nowMs - record.releasedMs >= spec.quarantine.maxMs
  const earlier = calm ? 0 : record.quarantines
  const delayMs = backoffMs(spec.quarantine, earlier, roll)
  return {
    kind: spec.tooMany,
    delayMs,
    record: { crashesMs: [], quarantines: earlier + 1, releasedMs: nowMs + delayMs },
  }
}

/** Whole milliseconds for the nth (from 0) delay in a row. */
export const backoffMs = (backoff: Backoff, nth: number, roll: number): number => {
  const full = Math.min(backoff.maxMs, backoff.baseMs * 2 ** Math.min(nth, 40))
  return Math.max(0, Math.ceil(full * (1 - backoff.jitter * roll)))
}

/** A normal exit restarts only permanent children; a crash restarts all but temporary ones. */
export const wantsRestart = (restart: RestartType, crashed: boolean): boolean =>
  restart === "permanent" || (restart === "transient" && crashed)

/** Indices of the children to stop and start again when child `index` of `count` has exited. */
export const restartSet = (strategy: Strategy, index: number, count: number): readonly [from: number, to: number] => {
  switch (strategy) {
    case "one_for_one":
      return [index, index + 1]
    case "one_for_all":
      return [0, count]
    case "rest_for_one":
      return [index, count]
  }
}
