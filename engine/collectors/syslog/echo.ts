/**
 * One line heard by two ways. A router that sends syslog and whose log is followed over its API tells everything twice,
 * milliseconds apart. A line is an echo when the same line of the same device came by the other way a moment ago and
 * has not met its own echo yet; so of n copies one way and m the other, the larger number is heard, never the sum.
 */
export interface EchoSettings {
  readonly windowMs: number
  /** Different lines remembered over all devices; beyond it the longest-known one is forgotten (and may be heard twice). */
  readonly capacity: number
}
export const ECHO_DEFAULTS: EchoSettings = { windowMs: 2_000, capacity: 10_000 }

/** Copies of one line that wait for their echo; beyond it the oldest is forgotten. */
const COPIES_MAX = 64

export type Way = "syslog" | "api"
/** True = this line was heard already by the other way. */
export type Echo = (device: string, message: string, way: Way, nowMs: number) => boolean

export const makeEcho = (settings: EchoSettings = ECHO_DEFAULTS): Echo => {
  /** In the order of their newest copy. Only one way can have copies that wait: the other's are their echoes. */
  const waiting = new Map<string, { way: Way; readonly atMs: number[] }>()

  const forgetOld = (nowMs: number): void => {
    for (const [key, { atMs }] of waiting) {
      const newest = atMs.at(-1)
      if (newest !== undefined && nowMs - newest <= settings.windowMs && waiting.size <= settings.capacity) return
      waiting.delete(key)
    }
  }

  return (device, message, way, nowMs) => {
    const key = JSON.stringify([device, message])
    const entry = waiting.get(key) ?? { way, atMs: [] }
    while (entry.atMs.length > 0 && nowMs - (entry.atMs[0] as number) > settings.windowMs) entry.atMs.shift()
    if (entry.way !== way && entry.atMs.shift() !== undefined) {
      if (entry.atMs.length === 0) waiting.delete(key)
      return true
    }
    entry.way = way
    entry.atMs.push(nowMs)
    if (entry.atMs.length > COPIES_MAX) entry.atMs.shift()
    waiting.delete(key)
    waiting.set(key, entry)
    forgetOld(nowMs)
    return false
  }
}
