/**
 * Time for actors, as an argument. The engine uses the process clock, a twin uses the time inside its messages, tests
 * and simulations use a virtual clock that moves only when told: the same actors give the same results under each.
 * Whole milliseconds only: a fraction can make "wait for the rest" spin for ever.
 */
import { uptime } from "node:os"
import type { Turns } from "#engine/actors/turns.ts"
import { PROCESS_TURNS } from "#engine/actors/turns.ts"

export interface ActorClock {
  /** Milliseconds, whole, never going backwards within one system. */
  readonly nowMs: () => number
  /** Calls `fire` once at `atMs` or soon after; the result cancels it. A system holds at most one such timer. */
  readonly wakeAt: (atMs: number, fire: () => void) => () => void
  /** See ProcessClock. */
  readonly notBefore?: (atMs: number) => void
  readonly skewMs?: () => number
}

/** Longest delay that setTimeout takes without wrapping to 1 ms. */
const SET_TIMEOUT_MAX_MS = 2 ** 31 - 1

/** A machine's clock that is further from ours than this was set. */
const STEP_MS = 1_000
/** How much faster or slower our time then goes until both agree: rates are wrong by as much meanwhile, which is noise. */
const SLEW = 0.02

export interface ProcessClock extends ActorClock {
  /** From now on the time is at least this: what was kept of an earlier life must not be in the future. */
  readonly notBefore: (atMs: number) => void
  /** How far we are ahead of the machine's clock; 0 unless it was set. Add it to times that others read from there. */
  readonly skewMs: () => number
}

export interface ProcessClockOptions {
  readonly wallMs?: () => number
  readonly turns?: Pick<Turns, "later" | "monoMs">
  /** How long the machine has slept so far, to within a second; the monotonic clock stands still meanwhile. */
  readonly sleptMs?: () => number
}

/**
 * Unix time as durations need it: the machine's clock, but when that is set forward or back (by a person, by NTP), ours goes
 * on by the monotonic clock, a little faster or slower, until both agree. A twin whose time stood still for an hour would be
 * blind for that hour, and one whose time jumped would take every young router for one that restarted. Time that the machine
 * slept has really passed.
 */
export const makeProcessClock = (options: ProcessClockOptions = {}): ProcessClock => {
  const { wallMs = Date.now, turns = PROCESS_TURNS, sleptMs = machineSleptMs } = options
  let now = wallMs()
  let monoMs = turns.monoMs()
  let slept = sleptMs()
  let isApart = false
  const read = (): number => {
    const wall = wallMs()
    const mono = turns.monoMs()
    const elapsed = Math.max(0, mono - monoMs)
    monoMs = mono
    if (!isApart && Math.abs(wall - now - elapsed) >= STEP_MS) {
      const sleptBefore = slept
      slept = sleptMs()
      now += Math.max(0, slept - sleptBefore)
    }
    const apartMs = wall - now - elapsed
    isApart = Math.abs(apartMs) >= STEP_MS
    now = isApart ? now + elapsed * (1 + Math.sign(apartMs) * SLEW) : Math.max(now, wall)
    return now
  }
  const nowMs = (): number => Math.floor(read())
  return {
    nowMs,
    notBefore: (atMs) => {
      now = Math.max(read(), atMs)
    },
    skewMs: () => {
      const ms = nowMs() - wallMs()
      return isApart ? ms : 0
    },
    wakeAt: (atMs, fire) => turns.later(Math.min(SET_TIMEOUT_MAX_MS, Math.max(0, atMs - nowMs())), fire),
  }
}

/** The machine's uptime counts its sleep (CLOCK_BOOTTIME), the monotonic clock of the process does not. */
const machineSleptMs = (): number => uptime() * 1_000 - performance.now()

export interface ManualClock extends ActorClock {
  /** Moves the time forward, firing what falls due on the way, each at its own time. Going back does nothing. */
  readonly advanceTo: (atMs: number) => void
}

/** A clock that moves only by `advanceTo`: for tests, simulations, and twins whose time arrives in messages. */
export const makeManualClock = (startMs = 0): ManualClock => {
  let now = startMs
  let wake: { readonly atMs: number; readonly fire: () => void } | null = null
  return {
    nowMs: () => now,
    wakeAt: (atMs, fire) => {
      const mine = { atMs, fire }
      wake = mine
      return () => {
        if (wake === mine) wake = null
      }
    },
    advanceTo: (atMs) => {
      while (wake !== null && wake.atMs <= atMs) {
        const due = wake
        wake = null
        now = Math.max(now, due.atMs)
        due.fire()
      }
      now = Math.max(now, atMs)
    },
  }
}
