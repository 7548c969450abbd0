/**
 * One line heard by two ways. A router that sends syslog and whose log is followed over its API tells everything twice,
 * milliseconds apart. A line is an echo when the same line of the same device came by the other way a moment ago and
 * has not met its own echo yet; so of n copies one way and m the other, the larger number is heard, never the sum.
 */
export interface EchoSettings {
  readonly windowMs: number
  /** Different lines remembered over all devices; beyond it older ones are forgotten (and may be heard twice). */
  readonly capacity: number
}
export const ECHO_DEFAULTS: EchoSettings = { windowMs: 2_000, capacity: 10_000 }

/** Copies of one line that wait for their echo; beyond it the oldest is forgotten. */
const COPIES_MAX = 64

export type Way = "syslog" | "api"
/** True = this line was heard already by the other way. */
export type Echo = (device: string, message: string, way: Way, nowMs: number) => boolean

export const makeEcho = (settings: EchoSettings = ECHO_DEFAULTS): Echo => {
  // Two generations: the older one is dropped whole, which costs nothing a line however many are remembered.
  let young = new Map<string, Copies>()
  let old = new Map<string, Copies>()
  let turnedMs = Number.NEGATIVE_INFINITY

  const turn = (nowMs: number): void => {
    if (young.size < settings.capacity / 2 && nowMs - turnedMs <= settings.windowMs) return
    old = young
    young = new Map()
    turnedMs = nowMs
  }

  return (device, message, way, nowMs) => {
    turn(nowMs)
    // No control character survives in a message, so nothing in it can look like another device's key.
    const key = `${device}\n${message}`
    const copies = young.get(key) ?? old.get(key) ?? { way, atMs: [] }
    while (copies.atMs.length > 0 && nowMs - (copies.atMs[0] as number) > settings.windowMs) copies.atMs.shift()
    if (copies.way !== way && copies.atMs.shift() !== undefined) return true
    copies.way = way
    copies.atMs.push(nowMs)
    if (copies.atMs.length > COPIES_MAX) copies.atMs.shift()
    young.set(key, copies)
    return false
  }
}

/** Copies of one line that have not met their echo. Only one way can have any: the other's are their echoes. */
interface Copies {
  way: Way
  readonly atMs: number[]
}
