/**
 * The API's values: everything is a string (data/routeros/SAMPLES.md). Each reader returns null for text that it does
 * not know, so that a new spelling becomes a missing sample, never a wrong one. Linear time, no regular expressions
 * that can back-track.
 */

const UNIT_MS: Readonly<Record<string, number>> = {
  w: 604_800_000,
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
  us: 0.001,
}

/**
 * Seconds of `1w2d03:04:05`, `6h8m46s`, `15m8s180ms`, `00:04:12`; each unit at most once and falling, as RouterOS
 * prints them. Null for anything else ("never", "").
 */
export const parseDuration = (text: string): number | null => {
  let at = 0
  let ms = 0
  let smallest = Number.POSITIVE_INFINITY
  while (at < text.length) {
    const digits = digitsAt(text, at)
    if (digits === 0 || digits > 9) return null
    if (text[at + digits] === ":") {
      const clock = smallest > 3_600_000 ? parseClock(text.slice(at)) : null
      return clock === null ? null : (ms + clock) / 1_000
    }
    const amount = Number(text.slice(at, at + digits))
    at += digits
    const unit = unitAt(text, at)
    const size = UNIT_MS[unit]
    if (size === undefined || size >= smallest) return null
    smallest = size
    ms += amount * size
    at += unit.length
  }
  return text === "" ? null : ms / 1_000
}

/** Milliseconds of `h:mm:ss`, the rest of a duration. */
const parseClock = (text: string): number | null => {
  const parts = text.split(":")
  if (parts.length !== 3 || parts.some((part) => !isDigits(part, 9))) return null
  const [hours, minutes, seconds] = parts.map(Number) as [number, number, number]
  return minutes < 60 && seconds < 60 ? (hours * 3_600 + minutes * 60 + seconds) * 1_000 : null
}

const unitAt = (text: string, at: number): string => {
  let end = at
  while (end < text.length && text[end]! >= "a" && text[end]! <= "z") end++
  return text.slice(at, end)
}

const digitsAt = (text: string, at: number): number => {
  let end = at
  while (end < text.length && text[end]! >= "0" && text[end]! <= "9") end++
  return end - at
}

const isDigits = (text: string, max: number): boolean =>
  text.length > 0 && text.length <= max && digitsAt(text, 0) === text.length

/** A decimal of at most 20 digits (Counter64). Above 2^53 the nearest double, at most 1024 off. */
export const parseCount = (text: string | undefined): number | null =>
  text !== undefined && isDigits(text, 20) ? Number(text) : null

/** A decimal with sign and point, e.g. a temperature or voltage. */
export const parseDecimal = (text: string | undefined): number | null =>
  text !== undefined && text.length <= 24 && /^-?[0-9]{1,15}(?:\.[0-9]{1,6})?$/.test(text) ? Number(text) : null

/** dBm of an optical module, `-2.503` or `-2.503dBm`. */
export const parseDecibels = (text: string | undefined): number | null =>
  parseDecimal(text?.endsWith("dBm") === true ? text.slice(0, -3).trimEnd() : text)

/** `true`/`yes` and `false`/`no`. */
export const parseFlag = (text: string | undefined): boolean | null => {
  if (text === "true" || text === "yes") return true
  if (text === "false" || text === "no") return false
  return null
}

const RATE_UNITS: Readonly<Record<string, number>> = { kbps: 1e3, Mbps: 1e6, Gbps: 1e9, bps: 1 }

/** bit/s of `100Mbps`, `1Gbps`, `2.5Gbps` (/interface/ethernet/monitor). */
export const parseRate = (text: string | undefined): number | null => {
  if (text === undefined || text.length > 16) return null
  const match = /^([0-9]{1,6}(?:\.[0-9]{1,3})?)(kbps|Mbps|Gbps|bps)$/.exec(text)
  const unit = RATE_UNITS[match?.[2] ?? ""]
  return unit === undefined ? null : Math.round(Number(match?.[1]) * unit)
}

/** 6 of `6.49.10 (long-term)`, 7 of `7.18.2 (stable)`, also of `7.20beta2`. */
export const parseMajor = (version: string | undefined): number | null => {
  const digits = version === undefined ? 0 : digitsAt(version, 0)
  return digits >= 1 && digits <= 2 ? Number(version?.slice(0, digits)) : null
}
