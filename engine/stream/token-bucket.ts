/** A rate with a burst. Pure: time is an argument and must not go back. */
export interface TokenBucket {
  /** False when there is nothing left. */
  readonly take: (nowMs: number) => boolean
}

export const makeTokenBucket = (perSecond: number, burst: number, startMs: number): TokenBucket => {
  let tokens = burst
  let atMs = startMs
  return {
    take: (nowMs) => {
      tokens = Math.min(burst, tokens + ((nowMs - atMs) * perSecond) / 1000)
      atMs = nowMs
      if (tokens < 1) return false
      tokens -= 1
      return true
    },
  }
}
