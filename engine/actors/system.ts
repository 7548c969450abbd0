/**
 * One system of actors: a tree, a pump, a heap of timers, dead letters and counters. A tenant's twin is one system, so
 * that nothing of one tenant, crashes included, is ever near another's. The tree lives in the caller's Scope.
 */
import * as Effect from "effect/Effect"
import type * as Context from "effect/Context"
import type * as Scope from "effect/Scope"
import type { ActorHandle, ActorRef, ActorSpec, LifeNotice } from "#engine/actors/actor.ts"
import { Cell } from "#engine/actors/cell.ts"
import type { ActorClock } from "#engine/actors/clock.ts"
import { makeProcessClock } from "#engine/actors/clock.ts"
import type { DeadLetters, DeadReason } from "#engine/actors/dead-letters.ts"
import { makeDeadLetters } from "#engine/actors/dead-letters.ts"
import { makePump } from "#engine/actors/pump.ts"
import type { TypeStats } from "#engine/actors/stats.ts"
import { newTypeStats } from "#engine/actors/stats.ts"
import type { SupervisorSpec } from "#engine/actors/supervisor.ts"
import { INFRASTRUCTURE_SUPERVISOR } from "#engine/actors/supervisor.ts"
import type { Timers } from "#engine/actors/timers.ts"
import { makeTimers } from "#engine/actors/timers.ts"
import type { TreeHost, TreeNode } from "#engine/actors/tree.ts"
import { STOP_DEADLINE_MS, SupervisorNode } from "#engine/actors/tree.ts"

export interface SystemOptions {
  readonly name: string
  readonly root?: SupervisorSpec
  readonly clock?: ActorClock
  /** [0, 1), for the jitter of backoffs. */
  readonly dice?: () => number
  readonly onNotice?: (notice: LifeNotice) => void
  /** The root supervisor gave up; all actors are stopped then. */
  readonly onFailed?: (error: unknown) => void
  /** For the pump's slices; tests pass their own to step it by hand. */
  readonly soon?: (action: () => void) => void
  readonly monoMs?: () => number
}

export interface SystemStats {
  readonly types: ReadonlyMap<string, Readonly<TypeStats>>
  readonly deadLetters: Readonly<Record<DeadReason, number>>
  readonly timers: number
  /** Notices whose listener threw: supervision goes on without it. */
  readonly noticesLost: number
}

/** A supervisor, as those see it who put children under it. */
export interface SupervisorRef {
  readonly id: string
}

export interface SpawnOptions<S> {
  /** Orders phased actors; without it, the order of spawning does. */
  readonly index?: number
  /** Given: the first life starts from it and init is not run. */
  readonly state?: { readonly value: S }
}

export interface ActorSystem {
  readonly name: string
  readonly root: SupervisorRef
  readonly timers: Timers
  readonly deadLetters: DeadLetters
  readonly supervisor: (parent: SupervisorRef, id: string, spec: SupervisorSpec) => SupervisorRef
  /** Starts an actor. `id` names it in notices and dead letters, unique among its siblings. */
  readonly spawn: <S, M, Out = never>(
    parent: SupervisorRef,
    id: string,
    spec: ActorSpec<S, M, Out>,
    options?: SpawnOptions<S>,
  ) => ActorHandle<S, M>
  /** Ends an actor for good, its effects first. What waits in its mailbox goes to the dead letters. */
  readonly stop: (ref: ActorRef<never> | SupervisorRef) => Effect.Effect<void>
  /** The same, without waiting for the end. */
  readonly dismiss: (ref: ActorRef<never> | SupervisorRef) => void
  /** Runs everything that waits in one phase, in index order, on this stack. Returns the number of messages. */
  readonly drainPhase: (phase: number) => number
  /** See Pump.afterTurn. */
  readonly afterTurn: (action: () => void) => void
  readonly nowMs: () => number
  readonly stats: () => SystemStats
}

/** When the scope closes, all actors are stopped, children before their supervisors, newest first. */
export const makeActorSystem = (options: SystemOptions): Effect.Effect<ActorSystem, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.contextWith((context: Context.Context<never>) => Effect.sync(() => build(options, context))),
    ({ shutdown }) => shutdown,
  ).pipe(Effect.map(({ system }) => system))

interface Built {
  readonly system: ActorSystem
  readonly shutdown: Effect.Effect<void>
}

const build = (options: SystemOptions, context: Context.Context<never>): Built => {
  const clock = options.clock ?? makeProcessClock()
  const timers = makeTimers(clock)
  const pump = makePump({
    monoMs: options.monoMs ?? (() => performance.now()),
    soon: options.soon ?? ((action) => void setImmediate(action)),
  })
  const deadLetters = makeDeadLetters()
  const types = new Map<string, TypeStats>()
  let noticesLost = 0
  const host: TreeHost = {
    nowMs: clock.nowMs,
    timers,
    pump,
    deadLetters,
    fork: Effect.runForkWith(context),
    dice: options.dice ?? Math.random,
    notice: (notice) => {
      try {
        options.onNotice?.(notice)
      } catch {
        noticesLost++
      }
    },
    failed: (error) => options.onFailed?.(error),
  }
  const root = new SupervisorNode(options.name, options.root ?? INFRASTRUCTURE_SUPERVISOR, null, host)
  let spawned = 0

  const system: ActorSystem = {
    name: options.name,
    root,
    timers,
    deadLetters,
    supervisor: (parent, id, spec) => {
      const up = parent as SupervisorNode
      const node = new SupervisorNode(id, spec, up, host)
      up.add(node)
      return node
    },
    spawn: (parent, id, spec, options) => {
      const up = parent as SupervisorNode
      const index = options?.index ?? spawned++
      const cell = new Cell(id, index, spec, host, typeStats(types, spec.type), up)
      if (options?.state !== undefined) cell.adopt(index, options.state.value)
      up.add(cell)
      return cell
    },
    stop: (ref) => Effect.callback<void>((resume) => remove(ref, () => resume(Effect.void))),
    dismiss: (ref) => remove(ref, () => undefined),
    drainPhase: pump.drainPhase,
    afterTurn: pump.afterTurn,
    nowMs: clock.nowMs,
    stats: () => ({ types, deadLetters: deadLetters.counts(), timers: timers.size(), noticesLost }),
  }
  const stopAll = Effect.callback<void>((resume) => root.halt("stopped", () => resume(Effect.void)))
  return {
    system,
    // The deadlines inside use the system's clock, which may stand still: this one does not.
    shutdown: stopAll.pipe(
      Effect.timeoutOption(2 * STOP_DEADLINE_MS),
      Effect.andThen(
        Effect.sync(() => {
          pump.close()
          timers.close()
        }),
      ),
    ),
  }
}

const remove = (ref: ActorRef<never> | SupervisorRef, gone: () => void): void => {
  const node = ref as unknown as TreeNode
  const up = node.parent as SupervisorNode | null
  if (up === null) throw new Error("the root of a system stops with the system's scope")
  up.remove(node, gone)
}

const typeStats = (types: Map<string, TypeStats>, type: string): TypeStats => {
  let stats = types.get(type)
  if (stats === undefined) {
    stats = newTypeStats()
    types.set(type, stats)
  }
  return stats
}
