/**
 * When a window is: its occurrences as instants. Recurrences keep the wall clock of the window's place through changes of
 * daylight saving; how long each lasts is real time, so that two hours of work are two hours also in that night. What
 * touches or overlaps is one occurrence (a window of 24 hours every day never pauses).
 */
import { instantOf, wallOf, type WallMs } from "#engine/maintenance/time-zone.ts"
import { WEEKDAYS, type MaintenanceWindow } from "#protocol/maintenance.ts"

export type Occurrence = readonly [fromMs: number, toMs: number]

/** When it is, before anybody ended or began anything by hand. */
export type Timing = Pick<MaintenanceWindow, "startsAtMs" | "durationSeconds" | "recurrence" | "timeZone" | "untilMs">

const DAY_MS = 86_400_000

/**
 * Those that touch [fromMs, toMs), ascending and apart, at most `max`. O(days asked for); one that began before `fromMs`
 * is whole. Starts of before `sinceMs` do not count.
 */
export const occurrencesOf = (
  timing: Timing,
  fromMs: number,
  toMs: number,
  max: number,
  sinceMs = 0,
): readonly Occurrence[] => {
  const found: Array<[number, number]> = []
  const durationMs = timing.durationSeconds * 1_000
  for (const startMs of startsOf(timing, fromMs - durationMs)) {
    if (startMs >= toMs) break
    const endMs = startMs + durationMs
    if (endMs <= fromMs || startMs < sinceMs) continue
    const last = found.at(-1)
    if (last !== undefined && startMs <= last[1]) last[1] = Math.max(last[1], endMs)
    else if (found.length === max) break
    else found.push([startMs, endMs])
  }
  return found
}

/** Starts after `afterMs` and the one or two before it, ascending. Ends at the window's own end, else never. */
function* startsOf({ startsAtMs, recurrence, timeZone, untilMs }: Timing, afterMs: number): Generator<number> {
  if (recurrence.every === "never") return yield startsAtMs
  const first = wallOf(startsAtMs, timeZone)
  const last = untilMs ?? Number.POSITIVE_INFINITY
  // Two days of room: an offset is less than one, and a skipped time is later than its wall clock says.
  const skipped = Math.max(0, Math.floor((afterMs - startsAtMs) / DAY_MS) - 2)
  for (const wall of wallsOf(recurrence, first, skipped)) {
    const atMs = wall === first ? startsAtMs : instantOf(wall, timeZone)
    if (atMs > last || atMs > TIME_MAX) return
    if (atMs >= startsAtMs) yield atMs
  }
}
const TIME_MAX = 8_640_000_000_000_000 - 3 * DAY_MS

function* wallsOf(
  recurrence: Exclude<Timing["recurrence"], { readonly every: "never" }>,
  first: WallMs,
  daysSkipped: number,
): Generator<WallMs> {
  if (recurrence.every === "month") return yield* monthsOf(first, daysSkipped)
  const wanted = recurrence.every === "week" ? new Set(recurrence.on) : null
  for (let day = daysSkipped; ; day++) {
    const wall = first + day * DAY_MS
    if (wall > TIME_MAX) return
    // The first one is where it was put, whatever day that is.
    if (day === 0 || wanted === null || wanted.has(WEEKDAYS[(new Date(wall).getUTCDay() + 6) % 7]!)) yield wall
  }
}

function* monthsOf(first: WallMs, daysSkipped: number): Generator<WallMs> {
  const start = new Date(first)
  const day = start.getUTCDate()
  const timeOfDay = first - Date.UTC(start.getUTCFullYear(), start.getUTCMonth(), day)
  for (let month = Math.max(0, Math.floor(daysSkipped / 31) - 1); ; month++) {
    const date = new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + month, day))
    if (Number.isNaN(date.getTime()) || date.getTime() > TIME_MAX) return
    if (date.getUTCDate() === day) yield date.getTime() + timeOfDay
  }
}
