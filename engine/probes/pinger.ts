/**
 * Pings many addresses at a few rates: by a few long-lived fpings per rate where fping works, else by one short `ping` per turn.
 * Where neither works there is no pinger, which is said once; nobody is ever called dead for want of a tool.
 */
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import type * as Scope from "effect/Scope"
import { stableHash } from "#engine/collectors/schedule.ts"
import type { Log } from "#engine/log.ts"
import { literal } from "#engine/probes/address.ts"
import { runBeats } from "#engine/probes/beat.ts"
import type { Beat } from "#engine/probes/beat.ts"
import { fpingRoom, runFping } from "#engine/probes/fping.ts"
import { pingLine } from "#engine/probes/ping-lines.ts"
import { pingArgs } from "#engine/probes/ping-tool.ts"
import type { PingTool } from "#engine/probes/ping-tool.ts"
import { stretch } from "#engine/probes/plan.ts"
import { runTool } from "#engine/probes/tool.ts"

/** One address at one rate; several devices may share it. */
export interface PingSubject {
  readonly address: string
  readonly intervalMs: number
}

export interface Pinger {
  /** Replaces what is pinged. No duplicates; addresses are literals as literal() gives them. */
  readonly set: (subjects: readonly PingSubject[]) => Effect.Effect<void>
}

/** `rttMs` null = not answered. */
export type OnPing = (subject: PingSubject, rttMs: number | null) => void

/** Pings per second over all tenants, and with `ping`, which costs a process each. */
export const FPING_PER_SECOND = 2_000
export const PING_PER_SECOND = 20
/** Processes of `ping` at once: each lives for its time-out when nobody answers. */
const PING_CONCURRENT = 32
const PING_TIMEOUT_S = 1

/** An fping that ends is started again after this long, doubling up to the second. */
const RESTART_MS = 1_000
const RESTART_MS_MAX = 60_000
/** One that has run for this long was well. */
const WELL_MS = 60_000

export const makePinger = (tool: PingTool, onPing: OnPing, log: Log): Effect.Effect<Pinger, never, Scope.Scope> =>
  tool.kind === "fping" ? byFping(tool.file, onPing, log) : byPing(tool.file, onPing, log)

// --- fping

const byFping = (file: string, onPing: OnPing, log: Log): Effect.Effect<Pinger, never, Scope.Scope> =>
  Effect.gen(function* () {
    const fibers = yield* FiberMap.make<string>()
    /** What each process was started with, by its shard. */
    const running = new Map<string, string>()

    /** `tight` = how many times slower than asked. */
    const life = ({ periodMs: intervalMs, addresses, phase }: Shard, tight: number): Effect.Effect<never> => {
      const periodMs = Math.ceil(intervalMs * tight)
      const subjects = new Map(addresses.map((address) => [address, { address, intervalMs }]))
      let restMs = RESTART_MS
      const heard = (address: string, rttMs: number | null): void => {
        const subject = subjects.get(address)
        if (subject !== undefined) onPing(subject, rttMs)
      }
      const once = Effect.gen(function* () {
        yield* Effect.sleep(untilPhaseMs(performance.now(), periodMs, phase))
        const startedMs = performance.now()
        const why = yield* runFping({ file, addresses, periodMs, onPing: heard })
        if (performance.now() - startedMs >= WELL_MS) restMs = RESTART_MS
        log.warn("pings pause until fping is started again", { why, seconds: restMs / 1_000 })
        yield* Effect.sleep(restMs)
        restMs = Math.min(RESTART_MS_MAX, restMs * 2)
      })
      return Effect.forever(once)
    }

    const set = (subjects: readonly PingSubject[]): Effect.Effect<void> =>
      Effect.gen(function* () {
        const tight = stretch(intervalsOf(subjects), FPING_PER_SECOND)
        if (tight > 1) tellStretch(log, tight, FPING_PER_SECOND)
        const shards = shardsOf(subjects)
        for (const name of [...running.keys()].filter((known) => !shards.has(known))) {
          running.delete(name)
          yield* FiberMap.remove(fibers, name)
        }
        for (const [name, shard] of shards) {
          const key = `${tight} ${shard.addresses.join(" ")}`
          if (running.get(name) === key) continue
          running.set(name, key)
          yield* FiberMap.run(fibers, name, life(shard, tight))
        }
      })
    return { set }
  })

export interface Shard {
  readonly periodMs: number
  /** When in the period it asks, 0 to 1, so that processes of one rate take turns; null = at once, it is the only one. */
  readonly phase: number | null
  readonly addresses: readonly string[]
}

/** Time until the next `phase` of the period: a process that is started again asks when it asked before. */
export const untilPhaseMs = (nowMs: number, periodMs: number, phase: number | null): number => {
  if (phase === null) return 0
  const late = (nowMs - phase * periodMs) % periodMs
  return late === 0 ? 0 : late < 0 ? -late : periodMs - late
}

/** Each rate's addresses in as few processes as hold them with ease; an address keeps its place when others come and go. */
export const shardsOf = (subjects: readonly PingSubject[]): ReadonlyMap<string, Shard> => {
  const shards = new Map<string, Shard & { readonly addresses: string[] }>()
  for (const [periodMs, list] of Map.groupBy(subjects, ({ intervalMs }) => intervalMs)) {
    // A power of two: the number of processes, and with it everybody's place, changes rarely.
    const count = 2 ** Math.ceil(Math.log2(Math.max(1, list.length / fpingRoom(periodMs))))
    for (const { address } of list) {
      const nth = stableHash(address) % count
      const name = `${periodMs} ${nth}/${count}`
      const shard = shards.get(name) ?? { periodMs, phase: count === 1 ? null : nth / count, addresses: [] }
      shards.set(name, shard)
      shard.addresses.push(address)
    }
  }
  for (const { addresses } of shards.values()) addresses.sort()
  return shards
}

// --- ping

const byPing = (file: string, onPing: OnPing, log: Log): Effect.Effect<Pinger, never, Scope.Scope> =>
  Effect.gen(function* () {
    const beats = yield* runBeats(PING_CONCURRENT)
    const set = (subjects: readonly PingSubject[]): Effect.Effect<void> => {
      const factor = stretch(intervalsOf(subjects), PING_PER_SECOND)
      if (factor > 1) tellStretch(log, factor, PING_PER_SECOND)
      return beats.set(
        subjects.map((subject): Beat => {
          // Whole seconds: few different intervals, so that each fills its own with slots evenly.
          const intervalMs =
            factor === 1 ? subject.intervalMs : Math.ceil((subject.intervalMs * factor) / 1_000) * 1_000
          const run = Effect.map(pingOnce(file, subject.address), (rttMs) => {
            if (rttMs !== undefined) onPing(subject, rttMs)
          })
          return { key: `${subject.address} ${subject.intervalMs}`, intervalMs, run }
        }),
      )
    }
    return { set }
  })

/** Round trip in ms; null = no answer; undefined = the tool could not ask, which says nothing of the device. */
const pingOnce = (file: string, address: string): Effect.Effect<number | null | undefined> =>
  Effect.gen(function* () {
    const found = literal(address)
    if (found === null) return undefined
    const args = pingArgs(found.text, found.family, 1, PING_TIMEOUT_S)
    const deadlineMs = (PING_TIMEOUT_S + 2) * 1_000
    const { code, lines } = yield* Effect.promise((signal) => runTool({ file, args, deadlineMs }, signal))
    const answer = lines.map(pingLine).find((line) => line !== null && line.address === found.text)
    if (answer !== undefined && answer !== null) return answer.rttMs
    return code === 1 ? null : undefined
  })

const intervalsOf = (subjects: readonly PingSubject[]): readonly number[] =>
  subjects.map(({ intervalMs }) => intervalMs)

const tellStretch = (log: Log, factor: number, perSecond: number): void =>
  log.warn("more pings are asked for than may be sent: all of them are sent less often", {
    "at most per second": perSecond,
    "times slower": Math.round(factor * 10) / 10,
  })
