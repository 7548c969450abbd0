/**
 * A rate with a burst of one period: at most `limit` at once, refilled evenly. Pure: time is an argument. One amount may
 * be larger than what is left (a whole poll is taken or left): the bucket then goes below zero and owes it, so that the
 * average over time is exact whatever the sizes are.
 */
export interface Rate {
  /** False = nothing of it was taken. */
  readonly take: (nowMs: number, amount: number) => boolean
  /** Until one more is there, ms; 0 = now. Infinity when the limit is 0. */
  readonly waitMs: (nowMs: number) => number
  /** What may be taken now; below zero when something is owed. */
  readonly left: (nowMs: number) => number
  /** Taken within the last whole period. */
  readonly used: (nowMs: number) => number
  /** What is in the bucket keeps its share. */
  readonly setLimit: (nowMs: number, limit: number) => void
}

export const makeRate = (startLimit: number, perMs: number, startMs: number): Rate => {
  let limit = startLimit
  let tokens = startLimit
  let atMs = startMs
  // Two windows of fixed length, for showing only.
  let window = Math.floor(startMs / perMs)
  let inWindow = 0
  let before = 0

  const advance = (nowMs: number): void => {
    const elapsed = Math.max(0, nowMs - atMs)
    tokens = Math.min(limit, tokens + (elapsed * limit) / perMs)
    atMs = Math.max(atMs, nowMs)
    const current = Math.floor(atMs / perMs)
    if (current === window) return
    before = current === window + 1 ? inWindow : 0
    inWindow = 0
    window = current
  }

  return {
    take: (nowMs, amount) => {
      advance(nowMs)
      if (tokens < 1) return false
      tokens -= amount
      inWindow += amount
      return true
    },
    waitMs: (nowMs) => {
      advance(nowMs)
      return tokens >= 1 ? 0 : ((1 - tokens) * perMs) / limit
    },
    left: (nowMs) => {
      advance(nowMs)
      return tokens
    },
    used: (nowMs) => {
      advance(nowMs)
      return Math.max(before, inWindow)
    },
    setLimit: (nowMs, next) => {
      advance(nowMs)
      tokens = limit === 0 ? next : (tokens * next) / limit
      limit = next
    },
  }
}
