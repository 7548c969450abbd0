/**
 * A token bucket per source (RFC 2697's idea, one rate): a router that shouts cannot crowd out the others. The caller
 * brings the clock and counts what is refused.
 */
export interface QuotaSettings {
  readonly linesPerSecond: number
  /** Lines at once after a silence. */
  readonly burst: number
  /** Sources remembered. Beyond it the longest-known one is forgotten and starts with a full bucket. */
  readonly sources: number
}
export const QUOTA_DEFAULTS: QuotaSettings = { linesPerSecond: 500, burst: 5_000, sources: 100_000 }

/** True when the source may send one more line now. */
export type Quota = (source: string, nowMs: number) => boolean

export const makeQuota = (settings: QuotaSettings = QUOTA_DEFAULTS): Quota => {
  const buckets = new Map<string, { tokens: number; atMs: number }>()
  return (source, nowMs) => {
    let bucket = buckets.get(source)
    if (bucket === undefined) {
      if (buckets.size >= settings.sources) {
        const oldest = buckets.keys().next().value
        if (oldest !== undefined) buckets.delete(oldest)
      }
      buckets.set(source, (bucket = { tokens: settings.burst, atMs: nowMs }))
    }
    const refill = (Math.max(0, nowMs - bucket.atMs) / 1_000) * settings.linesPerSecond
    bucket.tokens = Math.min(settings.burst, bucket.tokens + refill)
    bucket.atMs = nowMs
    if (bucket.tokens < 1) return false
    bucket.tokens--
    return true
  }
}
