/**
 * The live part of a tenant's runtime, after recovery: it ties inbox, rounds, journal and snapshots together and is
 * what the stream, the API and the collectors hold as LiveTwin. See runtime.ts for the whole.
 */
import * as Effect from "effect/Effect"
import type { ActorClock, ManualClock } from "#engine/actors/clock.ts"
import { errorLine } from "#engine/actors/dead-letters.ts"
import type { ActorSystem } from "#engine/actors/system.ts"
import { makeTimers } from "#engine/actors/timers.ts"
import type { Inbox } from "#engine/tenant/inbox.ts"
import { TOPOLOGIES_MAX } from "#engine/tenant/inbox.ts"
import { makeJournalWriter } from "#engine/tenant/journal-writer.ts"
import type { RoundNotice } from "#engine/tenant/live-twin.ts"
import type { Recovered } from "#engine/tenant/recover.ts"
import { makeRoundLoop } from "#engine/tenant/round-loop.ts"
import type { RuntimeStatus, Tell, TenantRuntime, TenantRuntimeOptions } from "#engine/tenant/runtime.ts"
import { RuntimeStopped } from "#engine/tenant/runtime.ts"
import { makeSnapshotter, SNAPSHOT_EVERY_MS } from "#engine/tenant/snapshotter.ts"
import { wellFormed } from "#engine/tenant/well-formed.ts"
import type { Inventory } from "#protocol/inventory.ts"
import type { Sequenced, TopologyInput } from "#twin/input.ts"
import type { RoundResult } from "#twin/round.ts"
import { runRound } from "#twin/round.ts"
import { snapshotTwin } from "#twin/snapshot.ts"
import { countsOf, focusView } from "#twin/view.ts"

/** How long a stop waits for the journal, and then for the last snapshot. */
export const STOP_FLUSH_MS = 10_000

export interface LiveParts {
  readonly options: TenantRuntimeOptions
  readonly clock: ActorClock
  readonly twinTime: ManualClock
  readonly tell: Tell
  readonly inbox: Inbox
  readonly system: ActorSystem
  readonly recovered: Recovered
}

export interface Live {
  readonly runtime: TenantRuntime
  /** Something is in the inbox. */
  readonly wake: () => void
  /** Applies the declared inventory if the twin has another one. */
  readonly begin: () => void
}

export const goLive = (parts: LiveParts): Live => {
  const { options, clock, twinTime, tell, inbox, system } = parts
  const { world, cells, snapshotSeq, folded } = parts.recovered
  const timers = makeTimers(clock)
  const listeners = makeListeners(tell)
  const applied = new Map<TopologyInput, Waiter>()
  const idle: Array<() => void> = []
  let status: RuntimeStatus = "live"
  let epoch = options.epochBase
  let wasFull = false

  const writer = makeJournalWriter({
    port: options.journal,
    durableSeq: world.seq,
    onRoom: () => {
      wasFull = false
      tell("journal-room", "the journal takes inputs again")
      loop.wake()
    },
    onLost: (error) => fail(error),
  })

  const loop = makeRoundLoop({
    inbox,
    timers,
    seq: world.seq,
    nowMs: clock.nowMs,
    monoMs: () => performance.now(),
    soon: (action) => void setImmediate(action),
    isFull: writer.isFull,
    apply: (batch) => apply(batch),
  })

  /** A batch whose round throws is not journaled: the runtime that follows this one must be able to start. */
  const apply = (batch: readonly Sequenced[]): boolean => {
    const first = batch[0] as Sequenced
    twinTime.advanceTo(first.input.atMs)
    let result: RoundResult
    try {
      result = runRound(world, cells, batch)
    } catch (error) {
      fail(new Error(`inputs ${first.seq} to ${batch.at(-1)?.seq} were lost: ${errorLine(error)}`, { cause: error }))
      return false
    }
    writer.write(batch)
    if (writer.isFull() && !wasFull) {
      wasFull = true
      tell("journal-full", "the journal does not keep up: inputs wait, old polls are dropped, events are pushed back")
    }
    if (result.topologyChanged) epoch++
    for (const { seq, input } of batch) if (input.kind === "topology") topologyApplied(input, seq)
    if (hasNews(result)) listeners.notify({ epoch, ...result })
    if (inbox.size() === 0) for (const resolve of idle.splice(0)) resolve()
    return true
  }

  const topologyApplied = (input: TopologyInput, seq: number): void => {
    const waiter = applied.get(input)
    if (waiter === undefined) return
    applied.delete(input)
    writer.whenDurable(seq).then(waiter.resolve, waiter.reject)
  }

  const snapshots = makeSnapshotter({
    port: options.snapshots,
    timers,
    everyMs: options.snapshotEveryMs ?? SNAPSHOT_EVERY_MS,
    savedSeq: snapshotSeq,
    roll: (options.dice ?? Math.random)(),
    seq: () => world.seq,
    capture: () => snapshotTwin(world, cells),
    whenDurable: writer.whenDurable,
    onProblem: (detail) => tell("snapshot-failed", detail),
  })

  const end = (as: "stopped" | "failed", why: Error): void => {
    status = as
    loop.stop()
    snapshots.stop()
    inbox.close()
    timers.close()
    writer.close(why)
    for (const waiter of applied.values()) waiter.reject(why)
    applied.clear()
    for (const resolve of idle.splice(0)) resolve()
  }

  const isStatus = (wanted: RuntimeStatus): boolean => status === wanted

  const fail = (error: Error): void => {
    if (isStatus("failed") || isStatus("stopped")) return
    end("failed", error)
    tell("failed", errorLine(error))
    options.onFailed?.(error)
  }

  const submitTopology = (rev: number, inventory: Inventory): TopologyInput | null => {
    const input = wellFormed<TopologyInput>({ kind: "topology", atMs: clock.nowMs(), rev, inventory })
    return inbox.submitTopology(input) ? input : null
  }

  const setInventory = (rev: number, inventory: Inventory): Promise<void> => {
    if (status !== "live") return Promise.reject(stoppedError(status))
    const input = submitTopology(rev, inventory)
    if (input === null)
      return Promise.reject(
        new RuntimeStopped({ detail: `${TOPOLOGIES_MAX} inventories wait already; try again soon` }),
      )
    return new Promise((resolve, reject) => applied.set(input, { resolve, reject }))
  }

  const flush = async (): Promise<void> => {
    while (inbox.size() > 0 && !isStatus("failed") && !isStatus("stopped"))
      await new Promise<void>((resolve) => idle.push(resolve))
    await writer.whenDurable(world.seq)
  }

  const shutDown = async (): Promise<void> => {
    status = "stopping"
    inbox.close()
    while (loop.runOnce()) await new Promise((resolve) => void setImmediate(resolve))
    const isDurable = await within(STOP_FLUSH_MS, writer.whenDurable(world.seq))
    // Without a durable journal a snapshot could not be saved anyway.
    if (isDurable) await within(STOP_FLUSH_MS, snapshots.take())
    if (isStatus("stopping")) end("stopped", stoppedError("stopped"))
  }
  let stopping: Promise<void> | null = null
  const stop = Effect.promise(() => (isStatus("live") ? (stopping ??= shutDown()) : (stopping ?? Promise.resolve())))

  const runtime: TenantRuntime = {
    tenant: options.tenant,
    epoch: () => epoch,
    seq: () => world.seq,
    inventory: () => world.topology.inventory,
    columns: () => world.columns,
    counts: () => countsOf(cells),
    recentEvents: () => world.recent,
    view: (focus) => focusView(world, cells, focus),
    submit: inbox.submit,
    setInventory,
    onRound: listeners.add,
    durableSeq: writer.durableSeq,
    whenDurable: writer.whenDurable,
    flush,
    stop,
    stats: () => ({
      status,
      seq: world.seq,
      durableSeq: writer.durableSeq(),
      epoch,
      recovered: { snapshotSeq, folded },
      inbox: inbox.stats(),
      journal: { ...writer.pending(), full: writer.isFull() },
      rounds: loop.stats(),
      snapshots: snapshots.stats(),
      actors: system.stats(),
      quarantined: inbox.quarantinedNow(),
      unknownDevice: world.unknownDevice,
      listenersThrew: listeners.threw(),
    }),
  }
  return {
    runtime,
    wake: loop.wake,
    begin: () => {
      if (options.rev !== world.topology.rev) submitTopology(options.rev, options.inventory)
      loop.runOnce()
    },
  }
}

interface Waiter {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** True when it ended well and in time. */
const within = async (ms: number, work: Promise<void>): Promise<boolean> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms)
  })
  const done = work.then(
    () => true,
    () => false,
  )
  const inTime = await Promise.race([done, late])
  clearTimeout(timer)
  return inTime
}

const stoppedError = (status: RuntimeStatus): RuntimeStopped =>
  new RuntimeStopped({ detail: `the runtime of this tenant is ${status}` })

const hasNews = (result: RoundResult): boolean =>
  result.topologyChanged ||
  result.nodes.length > 0 ||
  result.links.length > 0 ||
  result.events.length > 0 ||
  result.touched.size > 0

interface Listeners {
  readonly add: (listener: (notice: RoundNotice) => void) => () => void
  readonly notify: (notice: RoundNotice) => void
  readonly threw: () => number
}

/** A listener that throws costs itself nothing and the others nothing; the first time is told. */
const makeListeners = (tell: Tell): Listeners => {
  const all = new Set<(notice: RoundNotice) => void>()
  let threw = 0
  return {
    add: (listener) => {
      all.add(listener)
      return () => void all.delete(listener)
    },
    notify: (notice) => {
      for (const listener of all) {
        try {
          listener(notice)
        } catch (error) {
          if (threw++ === 0) tell("listener-threw", errorLine(error))
        }
      }
    },
    threw: () => threw,
  }
}
