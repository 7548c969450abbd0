/**
 * A device's own clock, as SNMP (hrSystemDate, RFC 2790; DateAndTime of RFC 2579) and RouterOS (/system/clock) tell it, and
 * how far it is from ours. A clock without its zone says nothing: an hour off and an hour east look the same.
 */
import type { Row } from "#engine/collectors/routeros/reply.ts"

/** A clock that was read over a longer round trip is not told: the error would be of the size of what is looked for. */
const ROUND_TRIP_MS_MAX = 1_000

/** What a device's clock said, and the steps it goes in: on average it says half a step too little. */
export interface DeviceClock {
  readonly epochMs: number
  readonly stepMs: number
}

/** Year, month, day, hour, minute, second, tenths, `+` or `-`, hours and minutes from UTC. Null without a zone. */
export const readDateAndTime = (octets: Uint8Array | null): DeviceClock | null => {
  if (octets === null || octets.length !== 11) return null
  const [high = 0, low = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, tenths = 0, sign = 0] = octets
  const [offsetHours = 0, offsetMinutes = 0] = octets.subarray(9)
  if (sign !== PLUS && sign !== MINUS) return null
  if (tenths > 9 || offsetHours > 14 || offsetMinutes > 59) return null
  const localMs = epochOf(high * 256 + low, month, day, hour, minute, second)
  if (localMs === null) return null
  const offsetMs = (offsetHours * 60 + offsetMinutes) * 60_000
  return { epochMs: localMs + tenths * 100 - (sign === PLUS ? offsetMs : -offsetMs), stepMs: 100 }
}

const PLUS = "+".charCodeAt(0)
const MINUS = "-".charCodeAt(0)
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

/** `2025-10-02` of RouterOS 7.10 and later, `oct/02/2025` before; `gmt-offset` as `+03:00` or in seconds. */
export const readRouterOsClock = (row: Row | undefined): DeviceClock | null => {
  const [, hour, minute, second] = /^(\d\d):(\d\d):(\d\d)$/.exec(row?.get("time") ?? "") ?? []
  const date = dateOf(row?.get("date") ?? "")
  const offset = offsetSeconds(row?.get("gmt-offset") ?? "")
  if (date === null || offset === null || second === undefined) return null
  const localMs = epochOf(...date, Number(hour), Number(minute), Number(second))
  return localMs === null ? null : { epochMs: localMs - offset * 1_000, stepMs: 1_000 }
}

const dateOf = (text: string): readonly [year: number, month: number, day: number] | null => {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text) ?? []
  if (day !== undefined) return [Number(year), Number(month), Number(day)]
  const [, word = "", dayOfOld, yearOfOld] = /^([a-z]{3})\/(\d\d)\/(\d{4})$/.exec(text.toLowerCase()) ?? []
  return yearOfOld === undefined ? null : [Number(yearOfOld), MONTHS.indexOf(word) + 1, Number(dayOfOld)]
}

/** RouterOS' scripts print a negative number of seconds as an unsigned one of 32 bits. */
const offsetSeconds = (text: string): number | null => {
  const [, sign, hours, minutes] = /^([+-])(\d\d):(\d\d)$/.exec(text) ?? []
  const number = /^-?\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  const seconds =
    minutes === undefined
      ? number > 2 ** 31
        ? number - 2 ** 32
        : number
      : (sign === "-" ? -60 : 60) * (Number(hours) * 60 + Number(minutes))
  return Math.abs(seconds) <= 14 * 3_600 ? seconds : null
}

const epochOf = (
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): number | null => {
  const isOne = month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour < 24 && minute < 60 && second <= 60
  return isOne && year >= 1970 && year < 2200 ? Date.UTC(year, month - 1, day, hour, minute, second) : null
}

/** Seconds by which the device is ahead of us, to a tenth; null = it took too long to say. Both times are on our clock. */
export const clockSkewSeconds = (
  { epochMs, stepMs }: DeviceClock,
  askedMs: number,
  answeredMs: number,
): number | null => {
  if (answeredMs < askedMs || answeredMs - askedMs > ROUND_TRIP_MS_MAX) return null
  const skewMs = epochMs + stepMs / 2 - (askedMs + answeredMs) / 2
  return Math.round(skewMs / 100) / 10
}
