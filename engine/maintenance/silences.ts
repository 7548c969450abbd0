/**
 * Windows as the twin knows them: the instants of the weeks to come, without any calendar. Counted from the start of the
 * day (UTC), so that the same windows give the same list all day long and are journaled once.
 */
import { occurrencesOf, type Occurrence } from "#engine/maintenance/occurrences.ts"
import { OCCURRENCES_MAX, SILENCES_MAX, type MaintenanceWindow, type Silence } from "#protocol/maintenance.ts"

/** A window and what people did by hand since. */
export interface StoredWindow {
  readonly window: MaintenanceWindow
  /** A change: when it was begun; 0 = it was not. */
  readonly begunMs: number
  /** What began before it is over; 0 = nobody ended anything. */
  readonly endedMs: number
  readonly updatedAtMs: number
  readonly updatedBy: string
}

const DAY_MS = 86_400_000
/** How far ahead the twin knows. */
export const HORIZON_MS = 60 * DAY_MS

/** When it silences, between the two instants; see occurrencesOf. */
export const silentTimes = (stored: StoredWindow, fromMs: number, toMs: number, max: number): readonly Occurrence[] => {
  const { window, begunMs, endedMs } = stored
  if (window.kind === "change") {
    const endMs = window.startsAtMs + window.durationSeconds * 1_000
    const silences = window.changeState === "in_progress" && begunMs < endMs && endMs > fromMs && begunMs < toMs
    return silences ? [[begunMs, endMs]] : []
  }
  // What was ended ends there, and what begins later is whole: also of a window that would never pause by itself.
  const ended = endedMs <= fromMs ? [] : occurrencesOf(window, fromMs, Math.min(toMs, endedMs), max)
  const cut = ended.map(([from, to]): Occurrence => [from, Math.min(to, endedMs)])
  return [...cut, ...occurrencesOf(window, Math.max(fromMs, endedMs), toMs, max, endedMs)].slice(0, max)
}

/** When it is planned, whether or not it silences then: what a calendar shows. */
export const plannedTimes = (stored: StoredWindow, fromMs: number, toMs: number, max: number): readonly Occurrence[] =>
  stored.window.kind === "change" && stored.window.changeState !== "in_progress"
    ? stored.window.changeState === "canceled"
      ? []
      : occurrencesOf(stored.window, fromMs, toMs, max)
    : silentTimes(stored, fromMs, toMs, max)

/** Ascending by id; windows without any time to come are left out. */
export const silencesFor = (windows: readonly StoredWindow[], nowMs: number): readonly Silence[] => {
  const dayMs = nowMs - (nowMs % DAY_MS)
  return windows
    .map((stored) => silenceOf(stored, dayMs))
    .filter(({ times }) => times.length > 0)
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .slice(0, SILENCES_MAX)
}

const silenceOf = (stored: StoredWindow, dayMs: number): Silence => {
  const { id, kind, title, note, scope, rule, sparesCritical } = stored.window
  return {
    id,
    kind,
    reason: note === "" ? title : `${title}: ${note}`.slice(0, REASON_MAX),
    scope,
    ...(rule === undefined ? {} : { rule }),
    sparesCritical,
    times: silentTimes(stored, dayMs, dayMs + HORIZON_MS, OCCURRENCES_MAX),
  }
}
/** Characters of a reason: it stands in every explanation of what it covers. */
const REASON_MAX = 300
