/**
 * Local times of a place, by the browser's own table of time zones (IANA): parts of an instant, the instant of a local
 * time, and where the clocks change. A local time that the change skips means the instant just as far after it; one that
 * comes twice means its first coming. Pure.
 */
export interface Civil {
  readonly year: number
  /** 1-12. */
  readonly month: number
  readonly day: number
}
export interface LocalTime extends Civil {
  /** Since local midnight by the clock on the wall. */
  readonly minutes: number
}

export const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

const formats = new Map<string, Intl.DateTimeFormat>()
const formatOf = (zone: string): Intl.DateTimeFormat => {
  const known = formats.get(zone)
  if (known !== undefined) return known
  const made = new Intl.DateTimeFormat("en-u-nu-latn-ca-gregory", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  })
  formats.set(zone, made)
  return made
}

/** True when the browser knows the name. */
export const isZone = (zone: string): boolean => {
  try {
    return zone !== "" && new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone !== ""
  } catch {
    return false
  }
}
export const ownZone = (): string => new Intl.DateTimeFormat().resolvedOptions().timeZone
export const zoneNames = (): readonly string[] => Intl.supportedValuesOf("timeZone")

/** Of east, in ms: local clock minus UTC. */
export const offsetMs = (zone: string, atMs: number): number => {
  const whole = Math.floor(atMs / 1_000) * 1_000
  const parts = new Map(
    formatOf(zone)
      .formatToParts(whole)
      .map(({ type, value }) => [type, Number(value)]),
  )
  const of = (name: Intl.DateTimeFormatPartTypes): number => parts.get(name) ?? 0
  return Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute"), of("second")) - whole
}

export const localTime = (zone: string, atMs: number): LocalTime => {
  const local = new Date(atMs + offsetMs(zone, atMs))
  return {
    year: local.getUTCFullYear(),
    month: local.getUTCMonth() + 1,
    day: local.getUTCDate(),
    minutes: local.getUTCHours() * 60 + local.getUTCMinutes(),
  }
}

export const instantOf = (zone: string, { year, month, day, minutes }: LocalTime): number => {
  const asUtc = Date.UTC(year, month - 1, day) + minutes * 60_000
  const before = offsetMs(zone, asUtc - DAY_MS)
  const after = offsetMs(zone, asUtc + DAY_MS)
  // The earlier of both readings that the clocks really show.
  const early = asUtc - Math.max(before, after)
  const late = asUtc - Math.min(before, after)
  if (offsetMs(zone, early) === asUtc - early) return early
  if (offsetMs(zone, late) === asUtc - late) return late
  return asUtc - before
}

export const civilOf = (zone: string, atMs: number): Civil => {
  const { year, month, day } = localTime(zone, atMs)
  return { year, month, day }
}
export const plusDays = ({ year, month, day }: Civil, days: number): Civil => {
  const date = new Date(Date.UTC(year, month - 1, day + days))
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() }
}
/** 0 = Monday. */
export const weekdayOf = ({ year, month, day }: Civil): number =>
  (new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 6) % 7
export const midnight = (zone: string, civil: Civil): number => instantOf(zone, { ...civil, minutes: 0 })
export const sameDay = (a: Civil, b: Civil): boolean => a.year === b.year && a.month === b.month && a.day === b.day

export interface ClockChange {
  /** The first instant of the new offset. */
  readonly atMs: number
  /** Forward is positive: +3,600,000 = an hour is skipped. */
  readonly byMs: number
}
/** The change of clocks within a span of a few days, or null. Found to the minute. */
export const clockChange = (zone: string, fromMs: number, toMs: number): ClockChange | null => {
  for (let at = fromMs; at < toMs; at += HOUR_MS) {
    let low = at
    let high = Math.min(toMs, at + HOUR_MS)
    const byMs = offsetMs(zone, high) - offsetMs(zone, low)
    if (byMs === 0) continue
    while (high - low > 60_000) {
      const middle = low + Math.floor((high - low) / 120_000) * 60_000
      if (offsetMs(zone, middle) === offsetMs(zone, low)) low = middle
      else high = middle
      if (middle === low && high - low <= 60_000) break
    }
    return { atMs: high, byMs }
  }
  return null
}

/** `2026-11-21T14:30`, as a datetime-local field writes it. */
export const fieldOf = (zone: string, atMs: number): string => {
  const { year, month, day, minutes } = localTime(zone, atMs)
  const two = (value: number): string => String(value).padStart(2, "0")
  return `${year}-${two(month)}-${two(day)}T${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
}
/** Null = no such time. */
export const readField = (zone: string, text: string): number | null => {
  const found = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)/.exec(text)
  if (found === null) return null
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = found.slice(1).map(Number)
  return instantOf(zone, { year, month, day, minutes: hour * 60 + minute })
}
