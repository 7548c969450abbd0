/**
 * The calendar's geometry: the days of a week or month in a time zone, and the bars of what is planned. A day is drawn by
 * the clock on its wall; where the clocks change it says so, an hour that is skipped is a gap, one that comes twice is
 * drawn once and both its bars cover it. Pure.
 */
import type { Civil, ClockChange } from "#client/state/zone.ts"
import { civilOf, clockChange, instantOf, localTime, midnight, plusDays, weekdayOf } from "#client/state/zone.ts"

/** One occurrence of a window. */
export interface Entry {
  readonly id: string
  readonly fromMs: number
  readonly toMs: number
}
export interface Day extends Civil {
  readonly startMs: number
  /** The next day's start: 23, 24 or 25 hours later. */
  readonly endMs: number
  readonly change: ClockChange | null
}
export const DAY_MINUTES = 1_440
/** What is dragged snaps to it, and nothing is drawn shorter than it. */
export const SNAP_MINUTES = 15

export const dayOf = (zone: string, civil: Civil): Day => {
  const startMs = midnight(zone, civil)
  const endMs = midnight(zone, plusDays(civil, 1))
  const plainDay = endMs - startMs === DAY_MINUTES * 60_000
  // Some zones change at midnight: the day's first instant is that of the change, and only the minute before shows it.
  return { ...civil, startMs, endMs, change: plainDay ? null : clockChange(zone, startMs - 60_000, endMs) }
}

/** Monday to Sunday. */
export const weekOf = (zone: string, atMs: number): readonly Day[] => {
  const civil = civilOf(zone, atMs)
  const monday = plusDays(civil, -weekdayOf(civil))
  return Array.from({ length: 7 }, (_, nth) => dayOf(zone, plusDays(monday, nth)))
}
/** The whole weeks that a month touches. */
export const monthOf = (zone: string, atMs: number): readonly (readonly Day[])[] => {
  const first = { ...civilOf(zone, atMs), day: 1 }
  const weeks: (readonly Day[])[] = []
  for (let at = first; at.month === first.month || weeks.length === 0;) {
    const week = weekOf(zone, midnight(zone, at))
    weeks.push(week)
    at = plusDays(week[6] as Day, 1)
  }
  return weeks
}
/** The same day of the next or an earlier month, or its last. */
export const plusMonths = (zone: string, atMs: number, months: number): number => {
  const { year, month, day } = civilOf(zone, atMs)
  const last = new Date(Date.UTC(year, month - 1 + months + 1, 0))
  const civil = { year: last.getUTCFullYear(), month: last.getUTCMonth() + 1, day: Math.min(day, last.getUTCDate()) }
  return midnight(zone, civil)
}
export const plusWeeks = (zone: string, atMs: number, weeks: number): number =>
  midnight(zone, plusDays(civilOf(zone, atMs), weeks * 7))

export interface Bar<E extends Entry> {
  readonly entry: E
  /** By the clock on the wall, 0-1440. */
  readonly top: number
  readonly bottom: number
  /** Side by side with what it overlaps: its place, and how many places there are. */
  readonly lane: number
  readonly lanes: number
  readonly begins: boolean
  readonly ends: boolean
}

/** The bars of one day. */
export const barsOf = <E extends Entry>(zone: string, day: Day, entries: readonly E[]): readonly Bar<E>[] => {
  const spans = entries
    .filter(({ fromMs, toMs }) => toMs > day.startMs && fromMs < day.endMs)
    .map((entry) => ({ entry, ...wallSpan(zone, day, entry) }))
    .sort((a, b) => a.top - b.top || b.bottom - a.bottom || (a.entry.id < b.entry.id ? -1 : 1))
  const bars: Bar<E>[] = []
  for (const cluster of clustersOf(spans)) {
    const ends: number[] = []
    const placed = cluster.map((span) => {
      const free = ends.findIndex((end) => end <= span.top)
      const lane = free < 0 ? ends.length : free
      ends[lane] = span.bottom
      return { span, lane }
    })
    for (const { span, lane } of placed) {
      const { fromMs, toMs } = span.entry
      bars.push({ ...span, lane, lanes: ends.length, begins: fromMs >= day.startMs, ends: toMs <= day.endMs })
    }
  }
  return bars
}

const wallSpan = (zone: string, day: Day, { fromMs, toMs }: Entry): { top: number; bottom: number } => {
  const from = Math.max(fromMs, day.startMs)
  const to = Math.min(toMs, day.endMs)
  const top = fromMs <= day.startMs ? 0 : localTime(zone, from).minutes
  let bottom = toMs >= day.endMs ? DAY_MINUTES : localTime(zone, to).minutes
  const change = day.change
  // The clock went back under it: it covers all that the clock showed until then.
  if (change !== null && change.byMs < 0 && from < change.atMs && to >= change.atMs) {
    bottom = Math.max(bottom, localTime(zone, change.atMs - 60_000).minutes + 1)
  }
  return { top: Math.min(top, DAY_MINUTES - SNAP_MINUTES), bottom: Math.max(bottom, top + SNAP_MINUTES) }
}

/** Runs of spans that overlap one another, directly or through others. */
const clustersOf = <S extends { readonly top: number; readonly bottom: number }>(
  sorted: readonly S[],
): readonly S[][] => {
  const clusters: S[][] = []
  let end = -1
  for (const span of sorted) {
    if (span.top >= end) clusters.push([span])
    else clusters.at(-1)?.push(span)
    end = Math.max(end, span.bottom)
  }
  return clusters
}

export interface Gap {
  readonly top: number
  readonly bottom: number
  /** `skipped`: these minutes do not exist; `repeated`: they come twice. */
  readonly kind: "skipped" | "repeated"
}
/** What the day's change of clocks does to its column. */
export const gapOf = (zone: string, { change }: Day): Gap | null => {
  if (change === null) return null
  const after = localTime(zone, change.atMs).minutes
  const size = Math.abs(change.byMs) / 60_000
  return change.byMs > 0
    ? { top: Math.max(0, after - size), bottom: after, kind: "skipped" }
    : { top: after, bottom: Math.min(DAY_MINUTES, after + size), kind: "repeated" }
}

/** The instant of a place in a day's column, on the grid of SNAP_MINUTES. */
export const instantAt = (zone: string, day: Day, minutes: number): number => {
  const snapped = Math.max(0, Math.min(DAY_MINUTES, Math.round(minutes / SNAP_MINUTES) * SNAP_MINUTES))
  if (snapped >= DAY_MINUTES) return day.endMs
  return snapped === 0 ? day.startMs : Math.min(day.endMs, instantOf(zone, { ...day, minutes: snapped }))
}

/** A drag in a column, up or down: never empty. */
export const draggedSpan = (zone: string, day: Day, from: number, to: number): readonly [number, number] => {
  const low = instantAt(zone, day, Math.min(from, to))
  const high = instantAt(zone, day, Math.max(from, to))
  return high > low ? [low, high] : [low, low + SNAP_MINUTES * 60_000]
}

export interface Stripe<E extends Entry> {
  readonly entry: E
  /** Days of the week, 0-6. */
  readonly first: number
  readonly last: number
  readonly lane: number
  readonly begins: boolean
  readonly ends: boolean
}
export interface MonthWeek<E extends Entry> {
  readonly stripes: readonly Stripe<E>[]
  /** By day: what found no lane. */
  readonly hidden: readonly number[]
}
/** The bars of one week of a month: `lanes` of them fit under each other, the rest is a number. */
export const stripesOf = <E extends Entry>(
  week: readonly Day[],
  entries: readonly E[],
  lanes: number,
): MonthWeek<E> => {
  const hidden = week.map(() => 0)
  const busy: number[] = []
  const stripes: Stripe<E>[] = []
  const start = (week[0] as Day).startMs
  const end = (week.at(-1) as Day).endMs
  const inWeek = entries.filter(({ fromMs, toMs }) => toMs > start && fromMs < end)
  const longFirst = inWeek.sort((a, b) => a.fromMs - b.fromMs || b.toMs - a.toMs || (a.id < b.id ? -1 : 1))
  for (const entry of longFirst) {
    const first = week.findIndex(({ endMs }) => endMs > entry.fromMs)
    const last = week.findLastIndex(({ startMs }) => startMs < entry.toMs)
    const free = Array.from({ length: lanes }, (_, lane) => lane).find((lane) => (busy[lane] ?? -1) < first)
    if (free === undefined) for (let at = first; at <= last; at++) hidden[at] = (hidden[at] ?? 0) + 1
    else {
      busy[free] = last
      stripes.push({
        entry,
        first,
        last,
        lane: free,
        begins: entry.fromMs >= start,
        ends: entry.toMs <= end,
      })
    }
  }
  return { stripes, hidden }
}
