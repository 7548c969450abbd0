/**
 * From two samples of a counter to a rate, without ever inventing traffic. A Counter32 wraps at 2^32 and a Counter64 at
 * 2^64 (RFC 2578 s7.1.6, s7.1.10); an agent restart or a change of ifCounterDiscontinuityTime makes samples incomparable
 * (RFC 2863 s3.1.5). When a smaller number may be a wrap or a reset, only a wrap that the line could carry is believed.
 */

const WRAP_32 = 2 ** 32
const WRAP_64 = 2 ** 64
/** sysUpTime is TimeTicks, 1/100 s in 32 bits (RFC 2578 s7.1.8): it starts again after 497 days. */
export const UPTIME_WRAP_SECONDS = WRAP_32 / 100
/** More than any port carries; a rate above it is not traffic. bit/s. */
export const ABSURD_BPS = 1e13
/** How far above its nominal speed an interface may seem to run: caches and jitter of the agent. */
export const SPEED_SLACK = 1.5

/** An uptime is read some time before the end of its poll. */
const POLL_JITTER_SECONDS = 5

export interface CounterSample {
  /** 0 .. 2^64; above 2^53 with the precision of a double. */
  readonly value: number
  readonly atMs: number
  /** Size of the counter; 0 = the collector does not know. */
  readonly bits: 0 | 32 | 64
  /** ifCounterDiscontinuityTime, s of sysUpTime; null = not reported. */
  readonly discontinuitySeconds: number | null
  /** null = not reported. */
  readonly uptimeSeconds: number | null
}

/**
 * Units per second between two samples of one counter of one source. `maxPerSecond` = what the line could carry at most,
 * null = unknown. Returns null when the samples cannot be compared: time not forward, restart, discontinuity, another
 * counter size, or a decrease that no believable wrap explains. O(1), allocates nothing.
 */
export const counterRate = (prev: CounterSample, next: CounterSample, maxPerSecond: number | null): number | null => {
  const seconds = (next.atMs - prev.atMs) / 1000
  if (!(seconds > 0) || prev.bits !== next.bits) return null
  if (discontinued(prev.discontinuitySeconds ?? Number.NaN, next.discontinuitySeconds ?? Number.NaN)) return null
  if (prev.uptimeSeconds !== null && next.uptimeSeconds !== null)
    if (restarted(prev.uptimeSeconds, next.uptimeSeconds, seconds)) return null
  const most = maxPerSecond === null ? Number.NaN : maxPerSecond * seconds
  const delta = counterDelta(prev.value, next.value, next.bits, most, (ABSURD_BPS / 8) * seconds)
  return Number.isNaN(delta) ? null : delta / seconds
}

/**
 * How much a counter grew, or NaN. `mostWrapped` = the largest growth that is believed of a decrease; NaN = not known:
 * then a wrap must explain it with less than half of the range. `most` = above it nothing is believed.
 * The caller has checked that the samples are comparable.
 */
export const counterDelta = (
  prev: number,
  next: number,
  bits: number,
  mostWrapped: number,
  most: number = Number.POSITIVE_INFINITY,
): number => {
  if (!(prev >= 0 && next >= 0 && next <= WRAP_64)) return Number.NaN
  if (next >= prev) return next - prev <= most ? next - prev : Number.NaN
  const range = bits === 64 || (bits === 0 && prev >= WRAP_32) ? WRAP_64 : WRAP_32
  if (prev >= range) return Number.NaN
  const delta = range - prev + next
  const believed = Number.isNaN(mostWrapped) ? range / 2 : mostWrapped
  return delta <= believed && delta <= most ? delta : Number.NaN
}

/** A Counter32 that may have gone round completely between two polls: its rate is only a lower estimate. */
export const mayWrapUnseen = (bits: number, mostDelta: number): boolean => bits === 32 && mostDelta >= WRAP_32

/** Both samples carry a discontinuity time, and it changed. NaN = not reported. */
export const discontinued = (prev: number, next: number): boolean =>
  prev !== next && !Number.isNaN(prev) && !Number.isNaN(next)

/**
 * The agent started between two samples of its uptime that lie `seconds` apart: it went back, or is shorter than the time
 * between the samples. The wrap of sysUpTime after 497 days is not a restart.
 */
export const restarted = (prevUptime: number, nextUptime: number, seconds: number): boolean => {
  const slack = 30 + seconds * 0.02
  if (Math.abs(prevUptime + seconds - UPTIME_WRAP_SECONDS - nextUptime) <= slack) return false
  return nextUptime < prevUptime || nextUptime + POLL_JITTER_SECONDS < seconds
}
