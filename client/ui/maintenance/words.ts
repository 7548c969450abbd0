/** Words and times of planned windows: in the calendar's time zone, with the offset where a clock's time is not enough. */
import { language, t } from "#client/i18n/translate.ts"
import { localTime, offsetMs } from "#client/state/zone.ts"
import { formatDuration } from "#client/ui/format.ts"
import type { MaintenanceWindow } from "#protocol/rest-generated.ts"

export const clockWord = (zone: string, atMs: number): string =>
  format(zone, atMs, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" })
export const dayWord = (zone: string, atMs: number): string =>
  format(zone, atMs, { weekday: "short", day: "2-digit", month: "2-digit" })
export const longDayWord = (zone: string, atMs: number): string =>
  format(zone, atMs, { weekday: "long", day: "numeric", month: "long", year: "numeric" })
export const monthWord = (zone: string, atMs: number): string => format(zone, atMs, { month: "long", year: "numeric" })
/** UTC-3, UTC+5:45. */
export const offsetWord = (zone: string, atMs: number): string => {
  const minutes = Math.round(offsetMs(zone, atMs) / 60_000)
  const size = Math.abs(minutes)
  const rest = size % 60 === 0 ? "" : `:${String(size % 60).padStart(2, "0")}`
  return `UTC${minutes < 0 ? "−" : "+"}${Math.floor(size / 60)}${rest}`
}

/** `02:00–05:00`; with the offsets where the clocks change in between, so that nobody counts wrong. */
export const spanWord = (zone: string, fromMs: number, toMs: number): string => {
  const changes = offsetMs(zone, fromMs) !== offsetMs(zone, toMs)
  const of = (atMs: number) => (changes ? `${clockWord(zone, atMs)} ${offsetWord(zone, atMs)}` : clockWord(zone, atMs))
  const a = localTime(zone, fromMs)
  const b = localTime(zone, toMs)
  const sameDay = a.year === b.year && a.month === b.month && a.day === b.day
  return sameDay
    ? `${of(fromMs)}–${of(toMs)}`
    : `${dayWord(zone, fromMs)} ${of(fromMs)} – ${dayWord(zone, toMs)} ${of(toMs)}`
}
export const longSpanWord = (zone: string, fromMs: number, toMs: number): string => {
  const a = localTime(zone, fromMs)
  const b = localTime(zone, toMs)
  const sameDay = a.year === b.year && a.month === b.month && a.day === b.day
  const span = spanWord(zone, fromMs, toMs)
  return `${sameDay ? `${dayWord(zone, fromMs)} ${span}` : span} · ${formatDuration(language.value, toMs - fromMs)}`
}

export const kindWord = ({ kind, changeState }: MaintenanceWindow): string =>
  changeState === undefined
    ? t(`silenceKind.${kind}`)
    : `${t(`silenceKind.${kind}`)} · ${t(`changeState.${changeState}`)}`

/** Local weekday names by a week that begins on a Monday. */
export const weekdayNames = (style: "short" | "long"): readonly string[] =>
  Array.from({ length: 7 }, (_, nth) => format("UTC", Date.UTC(2024, 0, 1 + nth), { weekday: style }))

const formats = new Map<string, Intl.DateTimeFormat>()
const format = (zone: string, atMs: number, options: Intl.DateTimeFormatOptions): string => {
  const key = `${language.value} ${zone} ${JSON.stringify(options)}`
  const known = formats.get(key) ?? new Intl.DateTimeFormat(language.value, { ...options, timeZone: zone })
  formats.set(key, known)
  return known.format(atMs)
}
