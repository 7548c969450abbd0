/**
 * How long a request over UDP waits before it is sent again, for both SNMP clients: by the device's own pace once that
 * is known (a smoothed round trip, Karn's rule for repeats), doubling, and never less patient than a slow agent needs.
 */

/** Sends of one request; repeats are the same bytes, so that an answer to any of them counts. */
export const MAX_SENDS = 3
/** First wait before anything is known of the device's pace; then RTO_FACTOR times the smoothed round trip. */
const FIRST_RTO_MS = 1_000
const MIN_RTO_MS = 200
const MAX_RTO_MS = 4_000
const RTO_FACTOR = 4
/** A router that answers in 1 ms may still pause for a second: the last send waits at least this long. */
const LAST_WAIT_MS = 2_000

/** Null = no round trip is known. */
export const firstWaitMs = (roundTripMs: number | null): number =>
  roundTripMs === null ? FIRST_RTO_MS : Math.min(MAX_RTO_MS, Math.max(MIN_RTO_MS, roundTripMs * RTO_FACTOR))

/** How long to wait after send number `sends` (1 = the first) when the first waited `firstMs`. */
export const waitAfterMs = (sends: number, firstMs: number): number => {
  const waitMs = Math.min(MAX_RTO_MS, firstMs * 2 ** (sends - 1))
  return sends >= MAX_SENDS ? Math.max(waitMs, LAST_WAIT_MS) : waitMs
}

export const smoothedMs = (before: number | null, now: number): number =>
  before === null ? now : before + (now - before) / 8
