/**
 * The fleet of collectors: one fiber per (device, collector) that waits until it is due, polls within a deadline, and
 * hands the answer to the tenant's inbox. Schedule, breaker and collectors are elsewhere; this file is their life:
 * never two requests to a device from one collector, a dead device is data (`unreachable`), a bug costs one poll.
 */
import { isDeepStrictEqual } from "node:util"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { DeviceId } from "#protocol/id.ts"
import type { PollInput, UnreachableInput } from "#twin/input.ts"
import type { Target } from "#engine/collectors/target.ts"
import type { Collector, Poller, Sink } from "#engine/collectors/collector.ts"
import type { Breaker } from "#engine/collectors/breaker.ts"
import type { CollectorStats, FleetStats } from "#engine/collectors/fleet-stats.ts"
import type { SlotPool } from "#engine/collectors/schedule.ts"
import type { Tokens } from "#engine/collectors/tokens.ts"
import { answered, attempt, CLOSED_BREAKER, heard, HEARD_REST_MS, REST_MS } from "#engine/collectors/breaker.ts"
import { PollFailed } from "#engine/collectors/collector.ts"
import { recordDuration } from "#engine/collectors/fleet-stats.ts"
import { cycleAfter, dueMs, makeSlotPool, phaseOf, stableHash } from "#engine/collectors/schedule.ts"
import { makeTokens } from "#engine/collectors/tokens.ts"

export interface FleetSettings {
  /** Width of the jitter as a share of the interval, 0.1..0.2 (PRODUCT.md C5). */
  readonly jitter: number
  /** A poll that takes longer is given up; an interval shorter than this is the deadline of its polls. */
  readonly deadlineMs: number
  /** Polls in flight at once over all devices; the others wait their turn, first come first served. */
  readonly maxConcurrent: number
  /** Devices with a longer interval than this get their first poll within it; the others within interval x (1 + jitter). */
  readonly firstRoundMs: number
}
export const FLEET_DEFAULTS: FleetSettings = {
  jitter: 0.15,
  deadlineMs: 5_000,
  maxConcurrent: 512,
  firstRoundMs: 10_000,
}

export interface FleetOptions {
  readonly targets: readonly Target[]
  readonly collectors: readonly Collector[]
  readonly sink: Sink
  readonly settings: FleetSettings
  readonly stats: FleetStats
}

export interface FleetControl {
  /** Replaces the fleet: pollers whose target did not change go on undisturbed. */
  readonly setTargets: (targets: readonly Target[]) => Effect.Effect<void>
  /**
   * Confirm-poll: the device is polled now instead of when it is due. At most one a second and NUDGE_CREDITS in a
   * burst per collector, so that a storm of traps does not become a storm of polls. Unknown devices are ignored.
   */
  readonly pollNow: (device: DeviceId) => void
  /**
   * The same for somebody who waits for the answer. A resting breaker is not woken, and a burst is not lent to: false =
   * none of its collectors will poll it now.
   */
  readonly readNow: (device: DeviceId) => boolean
  /** Running pollers. */
  readonly size: () => number
}

/** A poller gets this much beyond its own deadline to fail with its own, better words. */
const DEADLINE_GRACE_MS = 50
const NUDGE_GAP_MS = 1_000
const NUDGE_CREDITS = 5
const NUDGE_REFILL_MS = 10_000

/** One (device, collector). Times are milliseconds since the fleet's start, on the monotonic clock. */
interface Task {
  readonly key: string
  readonly target: Target
  readonly collector: Collector
  readonly stats: CollectorStats
  readonly intervalMs: number
  readonly slot: number
  breaker: Breaker
  nextMs: number
  lastStartMs: number
  /** When a confirm-poll is wanted; Infinity = none. */
  nudgeMs: number
  nudgeCredits: number
  nudgeRefilledMs: number
  /** Ends the wait of the task's fiber; null while it does not wait. */
  wake: (() => void) | null
}

interface Fleet {
  readonly clock: Clock.Clock
  readonly nowMs: () => number
  readonly tasks: Map<string, Task>
  readonly pools: Map<number, SlotPool>
  readonly fibers: FiberMap.FiberMap<string>
  readonly tokens: Tokens
  readonly options: FleetOptions
}

export const runFleet = (options: FleetOptions): Effect.Effect<FleetControl, never, Scope.Scope> =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    const fibers = yield* FiberMap.make<string>()
    const startedNs = clock.monotonicTimeNanosUnsafe()
    const fleet: Fleet = {
      clock,
      nowMs: () => Number(clock.monotonicTimeNanosUnsafe() - startedNs) / 1e6,
      tasks: new Map(),
      pools: new Map(),
      fibers,
      tokens: makeTokens(options.settings.maxConcurrent),
      options,
    }
    yield* Effect.addFinalizer(() => Effect.sync(() => fleet.tasks.forEach((task) => forget(fleet, task))))
    yield* setTargets(fleet, options.targets)
    const oneAtATime = yield* Semaphore.make(1)
    return {
      setTargets: (targets) => oneAtATime.withPermits(1)(setTargets(fleet, targets)),
      pollNow: (device) => {
        for (const { source } of options.collectors) {
          const task = fleet.tasks.get(taskKey(source, device))
          if (task !== undefined) nudge(task, fleet.nowMs())
        }
      },
      readNow: (device) => {
        let isAsked = false
        for (const { source } of options.collectors) {
          const task = fleet.tasks.get(taskKey(source, device))
          if (task === undefined || task.breaker.state !== "closed") continue
          isAsked = nudge(task, fleet.nowMs()) || isAsked
        }
        return isAsked
      },
      size: () => fleet.tasks.size,
    }
  })

// --- the set of tasks

const taskKey = (source: string, device: DeviceId): string => `${source} ${device}`

const setTargets = (fleet: Fleet, targets: readonly Target[]): Effect.Effect<void> =>
  Effect.gen(function* () {
    const wanted = new Map<string, { readonly target: Target; readonly collector: Collector }>()
    for (const collector of fleet.options.collectors)
      for (const target of targets)
        if (collector.open(target) !== null) wanted.set(taskKey(collector.source, target.device), { target, collector })
    for (const task of fleet.tasks.values()) {
      const now = wanted.get(task.key)
      if (now !== undefined && (now.target === task.target || isDeepStrictEqual(now.target, task.target)))
        wanted.delete(task.key)
      else yield* stop(fleet, task)
    }
    // Ordered by hash: the same fleet gets the same slots, hence the same phases, after a restart.
    const added = [...wanted].map(([key, entry]) => ({ key, hash: stableHash(key), ...entry }))
    added.sort((a, b) => a.hash - b.hash || (a.key < b.key ? -1 : 1))
    for (const { key, target, collector } of added) {
      const task = makeTask(fleet, key, target, collector)
      fleet.tasks.set(key, task)
      yield* FiberMap.run(fleet.fibers, key, life(fleet, task))
    }
  })

const makeTask = (fleet: Fleet, key: string, target: Target, collector: Collector): Task => {
  const intervalMs = Math.max(1, Math.round(target.pollSeconds * 1_000))
  let pool = fleet.pools.get(intervalMs)
  if (pool === undefined) fleet.pools.set(intervalMs, (pool = makeSlotPool()))
  const slot = pool.take()
  const stats = fleet.options.stats.of(collector.source)
  stats.tasks++
  const nowMs = fleet.nowMs()
  return {
    key,
    target,
    collector,
    stats,
    intervalMs,
    slot,
    breaker: CLOSED_BREAKER,
    nextMs: firstDue(fleet.options.settings, slot, intervalMs, nowMs),
    lastStartMs: Number.NEGATIVE_INFINITY,
    nudgeMs: Number.POSITIVE_INFINITY,
    nudgeCredits: NUDGE_CREDITS,
    nudgeRefilledMs: nowMs,
    wake: null,
  }
}

/** On the regular beat when that is soon; the first poll of a slow device comes early, spread over the first round. */
const firstDue = (settings: FleetSettings, slot: number, intervalMs: number, nowMs: number): number => {
  const { firstRoundMs, jitter } = settings
  if (intervalMs > firstRoundMs) return nowMs + Math.round(phaseOf(slot) * firstRoundMs)
  return dueMs(slot, cycleAfter(slot, nowMs, intervalMs, jitter), intervalMs, jitter)
}

const stop = (fleet: Fleet, task: Task): Effect.Effect<void> =>
  Effect.andThen(
    FiberMap.remove(fleet.fibers, task.key),
    Effect.sync(() => {
      forget(fleet, task)
      fleet.pools.get(task.intervalMs)?.give(task.slot)
    }),
  )

const forget = (fleet: Fleet, task: Task): void => {
  fleet.tasks.delete(task.key)
  task.stats.tasks--
  if (task.breaker.state !== "closed") task.stats.breakersOpen--
}

// --- the life of one task

/** Opens the poller and polls for ever. A bug in a collector closes the poller, and the next due time opens a new one. */
const life = (fleet: Fleet, task: Task): Effect.Effect<never> =>
  Effect.forever(
    Effect.andThen(
      untilDue(fleet, task),
      Effect.catchCause(Effect.scoped(pollWhileSound(fleet, task)), (cause) => reportDefect(fleet, task, cause)),
    ),
  )

const pollWhileSound = (fleet: Fleet, task: Task): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const open = task.collector.open(task.target)
    if (open === null) return yield* Effect.die(new Error("a collector took back its offer to poll a target"))
    const poller = yield* open
    for (;;) {
      const due = task.nextMs
      const nowMs = fleet.nowMs()
      const before = attempt(task.nudgeMs <= nowMs ? heard(task.breaker, nowMs) : task.breaker, nowMs)
      // A word that waits for its time outlives a regular turn that the breaker leaves out.
      if (before !== null || task.nudgeMs <= nowMs) task.nudgeMs = Number.POSITIVE_INFINITY
      if (before === null) task.stats.suppressed++
      else {
        setBreaker(task, before)
        yield* fleet.tokens.hold(pollOnce(fleet, task, poller, due))
      }
      reschedule(fleet, task, due)
      yield* untilDue(fleet, task)
    }
  })

const pollOnce = (fleet: Fleet, task: Task, poller: Poller, due: number): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { stats } = task
    const startMs = fleet.nowMs()
    task.lastStartMs = startMs
    if (startMs - due > task.intervalMs) stats.late++
    if (startMs >= due) recordDuration(stats.lateness, startMs - due)
    stats.inFlight++
    const deadlineMs = Math.min(fleet.options.settings.deadlineMs, task.intervalMs)
    const poll = Effect.timeoutOrElse(poller.poll(deadlineMs), {
      duration: deadlineMs + DEADLINE_GRACE_MS,
      orElse: () =>
        Effect.fail(new PollFailed({ reason: "timeout", detail: `no complete answer within ${deadlineMs} ms` })),
    })
    return Effect.matchEffect(poll, {
      onSuccess: (input) => Effect.sync(() => succeeded(fleet, task, input, startMs)),
      onFailure: (failure) => Effect.sync(() => failed(fleet, task, failure)),
    }).pipe(Effect.ensuring(Effect.sync(() => stats.inFlight--)))
  })

const succeeded = (fleet: Fleet, task: Task, input: PollInput, startMs: number): void => {
  const nowMs = fleet.nowMs()
  setBreaker(task, answered(task.breaker, true, nowMs))
  task.stats.ok++
  recordDuration(task.stats.durations, nowMs - startMs)
  if (!fleet.options.sink.submit(input)) task.stats.refused++
}

const failed = (fleet: Fleet, task: Task, failure: PollFailed): void => {
  const before = task.breaker.state
  setBreaker(task, answered(task.breaker, false, fleet.nowMs()))
  task.stats.failed[failure.reason]++
  submitUnreachable(fleet, task, failure.reason, failure.detail)
  if (before === "closed" && task.breaker.state === "open") {
    const rest = `${REST_MS / 1_000} s`
    submitUnreachable(fleet, task, "breaker", `resting: one attempt every ${rest} until it answers (${failure.detail})`)
  }
}

/** The cause's own words may hold key material (hostile.md, "Secrets in errors"): only its name goes out. */
const reportDefect = (fleet: Fleet, task: Task, cause: Cause.Cause<never>): Effect.Effect<void> =>
  Effect.suspend(() => {
    const defect = Cause.squash(cause)
    const name = defect instanceof Error ? defect.name : typeof defect
    const due = task.nextMs
    task.stats.defects++
    setBreaker(task, answered(task.breaker, false, fleet.nowMs()))
    submitUnreachable(fleet, task, "protocol", `internal error in the ${task.collector.source} collector (${name})`)
    reschedule(fleet, task, due)
    return Effect.logError(`${task.collector.source} collector failed on ${task.target.name}: ${frameOf(defect)}`)
  })

const submitUnreachable = (fleet: Fleet, task: Task, reason: UnreachableInput["reason"], detail: string): void => {
  const atMs = Math.floor(fleet.clock.currentTimeMillisUnsafe())
  const { source } = task.collector
  const taken = fleet.options.sink.submit({
    kind: "unreachable",
    device: task.target.device,
    source,
    atMs,
    reason,
    detail,
  })
  if (!taken) task.stats.refused++
}

const setBreaker = (task: Task, breaker: Breaker): void => {
  if (task.breaker.state === "closed" && breaker.state !== "closed") task.stats.breakersOpen++
  if (task.breaker.state !== "closed" && breaker.state === "closed") task.stats.breakersOpen--
  task.breaker = breaker
}

// --- time

/** Sleeps until the task is due or nudged. A nudge that came during the poll counts. */
const untilDue = (fleet: Fleet, task: Task): Effect.Effect<void> =>
  Effect.suspend(() => {
    const leftMs = Math.min(task.nextMs, task.nudgeMs) - fleet.nowMs()
    if (leftMs <= 0) return Effect.void
    const nudged = Effect.callback<void>((resume) => {
      task.wake = () => resume(Effect.void)
      return Effect.sync(() => {
        task.wake = null
      })
    })
    const waited = Effect.raceFirst(Effect.sleep(Math.ceil(leftMs)), nudged)
    return Effect.andThen(
      waited,
      Effect.suspend(() => untilDue(fleet, task)),
    )
  })

/**
 * The next due time after a poll, and how many were missed meanwhile. A confirm-poll before its time changes nothing;
 * after the first, early poll of a slow device the regular ones keep half an interval away.
 */
const reschedule = (fleet: Fleet, task: Task, due: number): void => {
  const { slot, intervalMs } = task
  const { jitter } = fleet.options.settings
  const nowMs = fleet.nowMs()
  if (nowMs < due) return
  const earliest = due + intervalMs / 2
  const regular = cycleAfter(slot, earliest, intervalMs, jitter)
  const cycle = Math.max(regular, cycleAfter(slot, nowMs, intervalMs, jitter))
  task.stats.missed += cycle - regular
  task.nextMs = dueMs(slot, cycle, intervalMs, jitter)
}

/** True = a confirm-poll is on its way. */
const nudge = (task: Task, nowMs: number): boolean => {
  task.stats.nudges++
  const refill = (nowMs - task.nudgeRefilledMs) / NUDGE_REFILL_MS
  task.nudgeCredits = Math.min(NUDGE_CREDITS, task.nudgeCredits + refill)
  task.nudgeRefilledMs = nowMs
  if (Number.isFinite(task.nudgeMs)) return true
  if (task.nudgeCredits < 1) {
    task.stats.nudgesRefused++
    return false
  }
  task.nudgeCredits--
  // A device that rests and speaks is asked when it has rested a little: its word is kept until then.
  const restedMs = task.breaker.state === "closed" ? nowMs : task.breaker.lastMs + HEARD_REST_MS
  task.nudgeMs = Math.max(nowMs, restedMs, task.lastStartMs + NUDGE_GAP_MS)
  task.wake?.()
  return true
}

/** Where a defect was thrown, without its message. */
const frameOf = (defect: unknown): string => {
  if (!(defect instanceof Error)) return typeof defect
  const frame = defect.stack?.split("\n").find((line) => line.startsWith("    at "))
  return `${defect.name}${frame === undefined ? "" : ` ${frame.trim()}`}`
}
