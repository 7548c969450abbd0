/**
 * Numbers, rates, durations and ages as a NOC reads them: three significant figures, SI for rates, IEC for memory,
 * the largest two units of a duration. Nothing measured is a dash, never a zero.
 */
import { isKey, t, translate } from "#client/i18n/translate.ts"
import type { Language } from "#client/i18n/translate.ts"

export const NOTHING = "—"

const SI = ["", "k", "M", "G", "T", "P"]
const IEC = ["", "Ki", "Mi", "Gi", "Ti", "Pi"]

export const formatNumber = (lang: Language, value: number, digits = 0): string =>
  new Intl.NumberFormat(lang, { maximumFractionDigits: digits }).format(value)

/** 12,3 Gbit/s. */
export const formatBps = (lang: Language, bps: number | null): string =>
  bps === null ? NOTHING : `${scaled(lang, bps, 1000, SI)}bit/s`

/** 1,5 GiB. */
export const formatBytes = (lang: Language, bytes: number | null): string =>
  bytes === null ? NOTHING : `${scaled(lang, bytes, 1024, IEC)}B`

export const formatPercent = (lang: Language, percent: number | null): string =>
  percent === null ? NOTHING : `${formatNumber(lang, percent, Math.abs(percent) < 10 ? 1 : 0)} %`

/** 20,3 mil / 20.3K: for tiles. */
export const formatCompact = (lang: Language, value: number | null): string =>
  value === null
    ? NOTHING
    : new Intl.NumberFormat(lang, value < 10_000 ? {} : { notation: "compact", maximumFractionDigits: 1 }).format(value)

/** 40 ms · 4 s · 5 min · 3 h 12 min · 12 d 4 h. Negative spans count as none. */
export const formatDuration = (lang: Language, spanMs: number): string => {
  const ms = Math.max(0, spanMs)
  const unit = (value: number, name: string) => `${formatNumber(lang, value)} ${name}`
  if (ms < 1_000) return unit(Math.round(ms), "ms")
  const seconds = Math.floor(ms / 1_000)
  if (seconds < 60) return unit(seconds, "s")
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return unit(minutes, "min")
  const hours = Math.floor(minutes / 60)
  if (hours < 24)
    return minutes % 60 === 0 || hours >= 10 ? unit(hours, "h") : `${unit(hours, "h")} ${unit(minutes % 60, "min")}`
  const days = Math.floor(hours / 24)
  return hours % 24 === 0 || days >= 30 ? unit(days, "d") : `${unit(days, "d")} ${unit(hours % 24, "h")}`
}

/** "há 4 s" / "4 s ago"; less than a second is "now". */
export const formatAge = (lang: Language, spanMs: number): string =>
  spanMs < 1_000 ? translate(lang, "age.now") : translate(lang, "age.ago", { time: formatDuration(lang, spanMs) })

/** Of the day: 14:32:05; older than a day gets its date before it. */
export const formatTime = (lang: Language, atMs: number, nowMs: number): string => {
  const time: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false }
  const date: Intl.DateTimeFormatOptions = nowMs - atMs > 86_400_000 ? { day: "2-digit", month: "2-digit" } : {}
  return new Intl.DateTimeFormat(lang, { ...date, ...time }).format(atMs)
}

/** With its date and without seconds: 21/11/2026, 05:06. */
export const formatDateTime = (lang: Language, atMs: number): string =>
  new Intl.DateTimeFormat(lang, { dateStyle: "short", timeStyle: "short", hour12: false }).format(atMs)

/** To the second, with its date: 21/11/2026, 05:06:12. What names a moment of the past. */
export const formatMoment = (lang: Language, atMs: number): string =>
  new Intl.DateTimeFormat(lang, { dateStyle: "short", timeStyle: "medium", hour12: false }).format(atMs)

/** A metric's value with its registry unit. Flags and plain counts come without one. */
export const formatMetric = (lang: Language, value: number, unit: string): string => {
  if (unit === "bit/s") return formatBps(lang, value)
  if (unit === "B") return formatBytes(lang, value)
  if (unit === "%") return formatPercent(lang, value)
  if (unit === "s") return formatDuration(lang, value * 1_000)
  const digits = Math.abs(value) < 10 ? 2 : Math.abs(value) < 1_000 ? 1 : 0
  return unit === "" ? formatNumber(lang, value, digits) : `${formatNumber(lang, value, digits)} ${unit}`
}

/** Role word of the wire in the screen's language; an unknown one as it is. */
export const roleName = (role: string): string => {
  const key = `role.${role}`
  return isKey(key) ? t(key) : role
}

const scaled = (lang: Language, value: number, base: number, names: readonly string[]): string => {
  let rest = value
  let step = 0
  while (Math.abs(rest) >= base && step < names.length - 1) {
    rest /= base
    step++
  }
  const digits = step === 0 || Math.abs(rest) >= 100 ? 0 : Math.abs(rest) >= 10 ? 1 : 2
  return `${formatNumber(lang, rest, digits)} ${names[step] ?? ""}`
}
