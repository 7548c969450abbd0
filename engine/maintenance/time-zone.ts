/**
 * Wall clocks: what a clock in a place shows at an instant, and the instant at which it shows something. Node's own tables
 * (Intl, IANA) know the offsets; here stands what they do not decide: a time that a spring change skips is the same time by
 * the clock of before (02:30 becomes 03:30), and of a time that autumn shows twice the first one counts.
 */

/** A wall clock's reading as if it stood in UTC, in ms: arithmetic on days and months is plain then. */
export type WallMs = number

const DAY_MS = 86_400_000
const formats = new Map<string, Intl.DateTimeFormat>()
/** Formats that are kept: each is some kilobytes, and a caller may name any zone. */
const FORMATS_MAX = 200

const formatOf = (zone: string): Intl.DateTimeFormat => {
  let format = formats.get(zone)
  if (format === undefined) {
    if (formats.size >= FORMATS_MAX) formats.clear()
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      era: "short",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    })
    formats.set(zone, format)
  }
  return format
}

/** Of the IANA database; fixed offsets (`+03:00`) are none: they keep no local time. */
export const isTimeZone = (zone: string): boolean => {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(zone)) return false
  try {
    formatOf(zone)
    return true
  } catch {
    return false
  }
}

export const wallOf = (atMs: number, zone: string): WallMs => {
  const parts = new Map(
    formatOf(zone)
      .formatToParts(atMs)
      .map(({ type, value }) => [type, value]),
  )
  const part = (name: Intl.DateTimeFormatPartTypes): number => Number(parts.get(name))
  const wall = Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second"))
  // Parts are whole seconds; before 1970 the fraction counts from below.
  return wall + (((atMs % 1_000) + 1_000) % 1_000)
}

export const instantOf = (wall: WallMs, zone: string): number => {
  const offsetAt = (atMs: number): number => wallOf(atMs, zone) - atMs
  // No place changes its clock twice within two days: one of the two offsets is the right one, if any is.
  const before = offsetAt(wall - DAY_MS)
  const after = offsetAt(wall + DAY_MS)
  const right = [wall - before, wall - after].filter((atMs) => wallOf(atMs, zone) === wall)
  return right.length === 0 ? wall - before : Math.min(...right)
}
