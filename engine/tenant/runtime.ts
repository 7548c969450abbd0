/**
 * One tenant's running twin: inbox -> seq -> round over supervised actors -> journal, and a snapshot now and then.
 * The twin applies an input at once; whatever must not be lost waits for `whenDurable`. Everything of a tenant hangs on
 * one Scope: closing it stops taking inputs, folds what waits, flushes the journal and saves a last snapshot.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { LifeNotice } from "#engine/actors/actor.ts"
import type { ActorClock } from "#engine/actors/clock.ts"
import { makeManualClock, makeProcessClock } from "#engine/actors/clock.ts"
import type { SystemStats } from "#engine/actors/system.ts"
import { makeActorSystem } from "#engine/actors/system.ts"
import type { Turns } from "#engine/actors/turns.ts"
import { PROCESS_TURNS } from "#engine/actors/turns.ts"
import { actorCells, ROUTER_ACTOR } from "#engine/tenant/cells.ts"
import type { InboxStats } from "#engine/tenant/inbox.ts"
import { makeInbox } from "#engine/tenant/inbox.ts"
import { Live } from "#engine/tenant/live.ts"
import type { Incidents, Judgement, LiveTwin, TenantInfo } from "#engine/tenant/live-twin.ts"
import type { JournalPort, SnapshotPort } from "#engine/tenant/ports.ts"
import type { RecoverError } from "#engine/tenant/recover.ts"
import { recover } from "#engine/tenant/recover.ts"
import type { Inventory } from "#protocol/inventory.ts"
import type { EventView } from "#protocol/view.ts"
import type { BEHAVIOURS, Cells } from "#twin/cells.ts"
import type { IncidentRecord, World } from "#twin/round.ts"

/** Something an operator may have to know about this tenant's runtime. `detail` is one printable line. */
export interface TenantNotice {
  readonly kind:
    | "actor-crashed"
    | "actor-quarantined"
    | "actor-released"
    | "snapshot-unusable"
    | "snapshot-failed"
    | "journal-full"
    | "journal-room"
    | "listener-threw"
    | "failed"
  readonly atMs: number
  /** Id of an actor, e.g. `router:<device id>`; "" = the runtime. */
  readonly subject: string
  readonly detail: string
  /** End of a quarantine; null otherwise. */
  readonly untilMs: number | null
}

export interface TenantRuntimeOptions {
  readonly tenant: TenantInfo
  /** What storage declares now: applied at the start when the journal knows another revision. */
  readonly rev: number
  readonly inventory: Inventory
  /** Above every epoch that this tenant ever had, with room for changes of inventory: e.g. number of starts * 2^20. */
  readonly epochBase: number
  readonly journal: JournalPort
  readonly snapshots: SnapshotPort
  readonly clock?: ActorClock
  /** Default: the process's event loop. */
  readonly turns?: Turns
  readonly onNotice?: (notice: TenantNotice) => void
  /** The runtime has stopped itself (journal lost, or a defect in a round) and must be started anew. Called once. */
  readonly onFailed?: (error: Error) => void
  /** Traps and syslog lines that may wait (default EVENTS_MAX); asked at each. */
  readonly eventsMax?: () => number
  readonly snapshotEveryMs?: number
  readonly dice?: () => number
  /** Tests plant defects here. */
  readonly steps?: typeof BEHAVIOURS
}

export interface TenantRuntime extends LiveTwin {
  readonly judgement: Judgement
  readonly incidents: Incidents
  /** The twin itself, to be read and never written: what reasons about it takes references to states, which never change. */
  readonly inside: () => { readonly world: World; readonly cells: Cells }
  /** Newest seq that survives a kill -9. Effects on the outside follow it. */
  readonly durableSeq: () => number
  readonly whenDurable: (seq: number) => Promise<void>
  /** Resolves when all that was accepted is applied and durable. */
  readonly flush: () => Promise<void>
  /** What closing the scope does; may be run before. */
  readonly stop: Effect.Effect<void>
  /** Events of what the start folded of the journal, newest last: their table may not have them yet. */
  readonly recoveredEvents: () => readonly EventView[]
  /** The same of incidents that are over. */
  readonly recoveredIncidents: () => readonly IncidentRecord[]
  readonly stats: () => TenantRuntimeStats
}

export interface TenantRuntimeStats {
  readonly status: RuntimeStatus
  readonly seq: number
  readonly durableSeq: number
  readonly epoch: number
  readonly recovered: { readonly snapshotSeq: number; readonly folded: number }
  readonly inbox: InboxStats
  readonly journal: { readonly inputs: number; readonly bytes: number; readonly full: boolean }
  readonly rounds: { readonly rounds: number; readonly inputs: number; readonly slowestMs: number }
  readonly snapshots: {
    readonly savedSeq: number
    readonly saved: number
    readonly failures: number
    readonly bytes: number
  }
  readonly actors: SystemStats
  readonly quarantined: ReadonlyArray<{ readonly device: string; readonly untilMs: number }>
  readonly unknownDevice: number
  readonly listenersThrew: number
  /** Notices whose listener threw. */
  readonly noticesLost: number
}

export type RuntimeStatus = "live" | "stopping" | "stopped" | "failed"

/** The runtime takes nothing any more. */
export class RuntimeStopped extends Data.TaggedError("RuntimeStopped")<{ readonly detail: string }> {
  override get message(): string {
    return this.detail
  }
}

export const makeTenantRuntime = (
  options: TenantRuntimeOptions,
): Effect.Effect<TenantRuntime, RecoverError, Scope.Scope> =>
  Effect.gen(function* () {
    const clock = options.clock ?? makeProcessClock()
    const turns = options.turns ?? PROCESS_TURNS
    let noticesLost = 0
    const tell: Tell = (kind, detail, subject = "", untilMs = null) => {
      try {
        options.onNotice?.({ kind, atMs: clock.nowMs(), subject, detail, untilMs })
      } catch {
        noticesLost++
      }
    }
    // Actors live in the twin's time, so that crashes of a replay count as they did when they happened.
    const twinTime = makeManualClock()
    let wake = (): void => undefined
    const inbox = makeInbox(clock.nowMs, () => wake(), options.eventsMax, clock.skewMs)
    let recovering = true
    const system = yield* makeActorSystem({
      name: options.tenant.id,
      clock: twinTime,
      dice: options.dice ?? Math.random,
      soon: turns.soon,
      monoMs: turns.monoMs,
      onNotice: (notice) => {
        if (notice.kind === "quarantined" && notice.untilMs !== null && notice.id.startsWith(ROUTER_ACTOR))
          inbox.quarantine(notice.id.slice(ROUTER_ACTOR.length), notice.untilMs)
        if (!recovering) passOn(notice, tell)
      },
    })
    const { journal, snapshots, steps } = options
    const recovered = yield* recover(
      journal,
      snapshots,
      (states) => actorCells(system, states, steps),
      twinTime.advanceTo,
      turns,
    )
    recovering = false
    clock.notBefore?.(recovered.world.atMs)
    if (recovered.snapshotProblem !== null) tell("snapshot-unusable", recovered.snapshotProblem)
    const live = new Live({
      options,
      clock,
      turns,
      tell,
      twinTime,
      inbox,
      system,
      recovered,
      noticesLost: () => noticesLost,
    })
    wake = () => live.wake()
    yield* Effect.acquireRelease(Effect.void, () => live.runtime.stop)
    live.begin()
    return live.runtime
  })

/** Says something to options.onNotice. */
export type Tell = (kind: TenantNotice["kind"], detail: string, subject?: string, untilMs?: number | null) => void

const passOn = (notice: LifeNotice, tell: Tell): void => {
  if (notice.kind === "crashed") tell("actor-crashed", notice.detail, notice.id)
  else if (notice.kind === "quarantined") tell("actor-quarantined", notice.detail, notice.id, notice.untilMs)
  else if (notice.kind === "released") tell("actor-released", notice.detail, notice.id)
}
