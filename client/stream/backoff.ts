/** How long to wait before the n-th attempt to reconnect: doubling, with full jitter so that a NOC does not return at once. */
export const BACKOFF_MIN_MS = 400
export const BACKOFF_MAX_MS = 15_000

/** `attempt` from 0; `dice` in [0, 1). Between half of the step and the whole step. */
export const backoffMs = (attempt: number, dice: number): number => {
  const step = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** Math.min(attempt, 16))
  return Math.round(Math.max(BACKOFF_MIN_MS, step * (0.5 + dice / 2)))
}
