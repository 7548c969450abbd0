/**
 * What an actor is to those who write or use one: a specification, the context that its reducer sees, and a reference
 * to tell it things. How it lives is cell.ts, who restarts it is tree.ts, when it runs is pump.ts.
 */
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import type { CoalesceKey } from "#engine/actors/mailbox.ts"
import type { RestartType } from "#engine/actors/supervisor.ts"

export interface ActorSpec<S, M, Out = never> {
  /** Kind of actor, for metrics: few values, e.g. `router`. */
  readonly type: string
  /**
   * The state at the start of a life. May load a snapshot or open resources: the scope is the life's own and closes
   * when the actor crashes or stops. A failure counts as a crash.
   */
  readonly init: Effect.Effect<S, unknown, Scope.Scope>
  /** After every start, a restart from the last good state included: arm timers and start effects here. */
  readonly started?: (state: S, ctx: ActorContext<M, Out>) => void
  /**
   * One message. Synchronous, no I/O. A throw is a defect: the message goes to the dead letters, what it emitted is
   * dropped, the rest of the mailbox is kept, and the supervisor restarts the actor.
   */
  readonly receive: (state: S, message: M, ctx: ActorContext<M, Out>) => S
  /** Messages that may wait; `tell` refuses above it. */
  readonly mailboxMax: number
  /** Messages with the same key replace each other while they wait; null = never. */
  readonly coalesceKey?: (message: M) => CoalesceKey | null
  /** Given: the actor runs only inside `drainPhase(phase)`. Absent: the pump runs it. */
  readonly phase?: number
  readonly restart: RestartType
  /** `lastGood` keeps the state from before the poison message: right when receive never mutates its state. */
  readonly restartFrom: "init" | "lastGood"
  /** What one turn emitted, in order, right after the turn. */
  readonly onEmit?: (outs: readonly Out[], id: string) => void
}

/** Call its members on it (`ctx.emit(x)`), never taken apart. */
export interface ActorContext<M, Out = never> {
  readonly id: string
  /** Place in its phase's order: see ActorHandle.adopt. */
  readonly index: number
  readonly nowMs: () => number
  /**
   * Runs an effect under this actor: interrupted when the actor crashes or stops. Its exit comes back as a message
   * unless that life is over. At most EFFECTS_PER_ACTOR_MAX at once; false = refused.
   */
  readonly run: <A, E>(effect: Effect.Effect<A, E>, toMessage: (exit: Exit.Exit<A, E>) => M) => boolean
  /** Tells the actor itself, `ms` from now, unless its life is over then. Throws above TIMERS_PER_ACTOR_MAX. */
  readonly after: (ms: number, message: M) => void
  readonly emit: (out: Out) => void
  /** Ends this actor normally after the current message. */
  readonly stop: () => void
}

export interface ActorRef<M> {
  readonly id: string
  readonly type: string
  /** False = refused (mailbox full, quarantined, or stopped), and counted. Never throws. */
  readonly tell: (message: M) => boolean
  readonly status: () => ActorStatus
}

/** What the spawner holds, beyond telling. */
export interface ActorHandle<S, M> extends ActorRef<M> {
  /** The state as of the last good message; null before the first init ended. To be read between turns. */
  readonly peek: () => S | null
  /** Gives the actor a new place in its phase's order, and a state. Between turns only; a running life goes on. */
  readonly adopt: (index: number, state: S) => void
}

/** starting: init runs. waiting: between a crash and its restart. The mailbox takes messages in all but the last two. */
export type ActorStatus = "starting" | "running" | "waiting" | "quarantined" | "stopped"

/** What happened to an actor or a supervisor, for alerts and logs. `detail` is one printable line. */
export interface LifeNotice {
  readonly kind: "crashed" | "restarted" | "quarantined" | "released" | "escalated" | "failed"
  readonly id: string
  readonly type: string
  readonly atMs: number
  readonly detail: string
  /** Time of the release; null unless quarantined. */
  readonly untilMs: number | null
}
