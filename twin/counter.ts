/**
 * From two samples of a counter to a rate, without ever inventing traffic. A Counter32 wraps at 2^32 and a Counter64 at
 * 2^64 (RFC 2578 s7.1.6, s7.1.10); an agent restart or a change of ifCounterDiscontinuityTime makes samples incomparable
 * (RFC 2863 s3.1.5). When a smaller number may be a wrap or a reset, only a wrap that the line could carry is believed. How much
 * time lies between two samples is asked twice, of our clock and of the device's own uptime: ours may have been set while we
 * were down, and neither is exact. A rate that could be wrong by more than half is none.
 */

const WRAP_32 = 2 ** 32
const WRAP_64 = 2 ** 64
/** sysUpTime is TimeTicks, 1/100 s in 32 bits (RFC 2578 s7.1.8): it starts again after 497 days. */
export const UPTIME_WRAP_SECONDS = WRAP_32 / 100
/** More than any port carries; a rate above it is not traffic. bit/s. */
export const ABSURD_BPS = 1e13
/** How far above its nominal speed an interface may seem to run: caches and jitter of the agent. */
export const SPEED_SLACK = 1.5

/** An uptime is read some time before the end of its poll, which lasts so long at most. */
export const POLL_JITTER_SECONDS = 5
/** Our time runs up to 2 % off while it catches up with a machine's clock that was set. */
export const CLOCK_SLACK = 0.05
/** Of elapsedSeconds: it cannot be told yet. A later sample will be compared with the older of the two. */
export const NOT_YET = 0
/** Steps of an uptime that two samples must lie apart: below, it says too little of the time between them. */
const STEPS_MIN = 5
/** An uptime that runs slower than this part of time says nothing of it. */
const SLOWEST = 0.1

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
 * null = unknown. Returns null when the samples cannot be compared: time not forward or not known (yet), restart,
 * discontinuity, another counter size, or a decrease that no believable wrap explains. `pace`: see elapsedSeconds. O(1),
 * allocates nothing.
 */
export const counterRate = (
  prev: CounterSample,
  next: CounterSample,
  maxPerSecond: number | null,
  pace = 1,
): number | null => {
  const clockSeconds = (next.atMs - prev.atMs) / 1000
  if (!(clockSeconds > 0) || prev.bits !== next.bits) return null
  if (discontinued(prev.discontinuitySeconds ?? Number.NaN, next.discontinuitySeconds ?? Number.NaN)) return null
  const seconds = elapsedSeconds(prev.uptimeSeconds, next.uptimeSeconds, clockSeconds, pace)
  if (Number.isNaN(seconds) || seconds === NOT_YET) return null
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

/**
 * The time between two samples, s. Ours (`clockSeconds`), when the device's own agrees or says nothing. When the device
 * counted more, its own: our clock was set back, or stood still, and the shorter time would make a rate that the line never
 * carried. NaN when it counted less: it restarted, our clock was set forward, or its own stood still, and nobody knows
 * which. NOT_YET when the two are so close together, or differ by so little, that either may be right and a rate could be
 * wrong by half. `pace` = how fast its uptime is known to run (twin/pace.ts), 1 = with time. Through the wrap of sysUpTime.
 */
export const elapsedSeconds = (
  prevUptime: number | null,
  nextUptime: number | null,
  clockSeconds: number,
  pace = 1,
): number => {
  if (prevUptime === null || nextUptime === null) return clockSeconds
  if (nextUptime >= prevUptime && pace < SLOWEST) return clockSeconds
  if (restarted(prevUptime, nextUptime, clockSeconds * Math.min(1, pace))) return Number.NaN
  const grown = nextUptime - prevUptime
  const wraps = Math.round((grown - clockSeconds * pace) / UPTIME_WRAP_SECONDS)
  const own = (grown - wraps * UPTIME_WRAP_SECONDS) / pace
  const step = uptimeStep(prevUptime, nextUptime) / pace
  const noise = POLL_JITTER_SECONDS + step + clockSeconds * CLOCK_SLACK
  if (own >= STEPS_MIN * step) {
    const slack = Math.min(noise, (own - 2 * step) / 3)
    if (Math.abs(clockSeconds - own) <= slack) return clockSeconds
    if (own > clockSeconds) return own
  }
  return clockSeconds > own + noise ? Number.NaN : NOT_YET
}

/** How exact two uptimes are, s: SNMP tells hundredths, RouterOS and some agents whole seconds. */
export const uptimeStep = (prevUptime: number, nextUptime: number): number =>
  Number.isInteger(prevUptime) && Number.isInteger(nextUptime) ? 1 : 0.01
