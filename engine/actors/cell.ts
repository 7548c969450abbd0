/**
 * One actor: a bounded mailbox, a state, and a fiber that is its life. The fiber runs `init`, then waits parked: it
 * costs nothing until the reducer throws (it dies of it) or someone stops it. Messages never wake it; the pump runs
 * `turn` instead, which is what makes a tell cost 50 ns instead of 3 us (notes/actors.md).
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type { ActorContext, ActorHandle, ActorSpec, ActorStatus } from "#engine/actors/actor.ts"
import type { DeadLetters, DeadReason } from "#engine/actors/dead-letters.ts"
import { errorLine } from "#engine/actors/dead-letters.ts"
import type { CoalesceKey } from "#engine/actors/mailbox.ts"
import { Mailbox } from "#engine/actors/mailbox.ts"
import type { Pump, Runnable } from "#engine/actors/pump.ts"
import type { TypeStats } from "#engine/actors/stats.ts"
import type { Timers } from "#engine/actors/timers.ts"

/** Effects that one actor may have under way; `run` refuses more. */
export const EFFECTS_PER_ACTOR_MAX = 64
/** Timers that one actor may wait for; asking for more is a defect and throws. */
export const TIMERS_PER_ACTOR_MAX = 64

/** What a cell needs from its system. */
export interface CellHost {
  readonly nowMs: () => number
  readonly timers: Timers
  readonly pump: Pump
  readonly deadLetters: DeadLetters
  readonly fork: <A, E>(effect: Effect.Effect<A, E>) => Fiber.Fiber<A, E>
}

/** How a life ended: `crash` null = normally. */
export interface Ending {
  readonly crash: { readonly error: unknown } | null
  /** The life had begun: init and `started` were through. */
  readonly hadBegun: boolean
}

/** Who is told when a life has ended by itself, after everything it started has ended too. */
export interface CellParent {
  readonly childEnded: (cell: AnyCell, ending: Ending) => void
}

/** Cells of one tree are of many types; a supervisor never looks inside their messages. */
// eslint-disable-next-line typescript/no-explicit-any
export type AnyCell = Cell<any, any, any>

/** One run of the fiber, from start to end. Answers and timers of a life that is over are dropped by comparing it. */
interface Life {
  fiber: Fiber.Fiber<void, unknown> | null
  /** Resumes the parked fiber. */
  finish: ((how: Effect.Effect<void, unknown>) => void) | null
  effects: Set<Fiber.Fiber<unknown, unknown>> | null
  begun: boolean
  timers: number
  exit: Exit.Exit<void, unknown> | null
  settled: boolean
  /** Someone stops it: called instead of onEnd. */
  onHalted: (() => void) | null
}

export class Cell<S, M, Out> implements Runnable, ActorContext<M, Out>, ActorHandle<S, M> {
  readonly id: string
  readonly spec: ActorSpec<S, M, Out>
  readonly phase: number | null
  index: number
  queued = false
  readonly stats: TypeStats
  readonly parent: CellParent
  readonly #host: CellHost
  readonly #mailbox: Mailbox<M>
  /** Meaningful once #hasState. */
  #state: S = undefined as S
  #hasState = false
  #status: ActorStatus = "waiting"
  #life: Life | null = null
  #outs: Out[] | null = null
  #wantsStop = false
  #turning = false

  constructor(id: string, index: number, spec: ActorSpec<S, M, Out>, host: CellHost, stats: TypeStats, up: CellParent) {
    this.id = id
    this.index = index
    this.spec = spec
    this.phase = spec.phase ?? null
    this.stats = stats
    this.#host = host
    this.parent = up
    this.#mailbox = new Mailbox(spec.mailboxMax)
    stats.actors++
  }

  get type(): string {
    return this.spec.type
  }
  status(): ActorStatus {
    return this.#status
  }
  peek(): S | null {
    return this.#hasState ? this.#state : null
  }
  adopt(index: number, state: S): void {
    this.index = index
    this.#state = state
    this.#hasState = true
  }

  tell(message: M): boolean {
    if (this.#status === "stopped") return this.#refuse(message, "stopped")
    if (this.#status === "quarantined") return this.#refuse(message, "quarantined")
    let key: CoalesceKey | null = null
    if (this.spec.coalesceKey !== undefined) {
      try {
        key = this.spec.coalesceKey(message)
      } catch (error) {
        this.#bury(message, "poison", error)
        return false
      }
    }
    const offered = this.#mailbox.offer(message, key)
    if (offered === "full") return this.#refuse(message, "full")
    if (offered === "coalesced") this.stats.coalesced++
    else this.#arrived()
    return true
  }

  isReady(): boolean {
    return this.#status === "running" && this.#mailbox.size > 0
  }
  waiting(): number {
    return this.#mailbox.size
  }

  turn(max: number): number {
    const life = this.#life
    let done = 0
    let crash: { readonly error: unknown } | null = null
    this.#turning = true
    while (done < max && crash === null && this.#life === life && this.isReady() && !this.#wantsStop) {
      done++
      crash = this.#receive(this.#mailbox.take(), life)
    }
    crash = this.#flush() ?? crash
    this.#turning = false
    this.stats.depth -= done
    this.stats.processed += done
    if (life === null || this.#life !== life) return done
    if (crash !== null) this.#finish(life, Effect.die(crash.error))
    else if (this.#wantsStop) this.#finish(life, Effect.void)
    return done
  }

  // What the reducer sees ---------------------------------------------------------------------------------------------

  nowMs(): number {
    return this.#host.nowMs()
  }

  emit(out: Out): void {
    this.#outs ??= []
    this.#outs.push(out)
  }

  stop(): void {
    this.#wantsStop = true
    if (!this.#turning && this.#life !== null) this.#finish(this.#life, Effect.void)
  }

  after(ms: number, message: M): void {
    const life = this.#life
    if (life === null) return
    if (life.timers >= TIMERS_PER_ACTOR_MAX) throw new RangeError(`${this.id} waits for ${life.timers} timers already`)
    life.timers++
    this.#host.timers.after(ms, () => {
      life.timers--
      this.#answer(life, message)
    })
  }

  run<A, E>(effect: Effect.Effect<A, E>, toMessage: (exit: Exit.Exit<A, E>) => M): boolean {
    const life = this.#life
    if (life === null || life.settled) return false
    life.effects ??= new Set()
    const effects = life.effects
    if (effects.size >= EFFECTS_PER_ACTOR_MAX) return false
    const fiber = this.#host.fork(effect)
    effects.add(fiber)
    fiber.addObserver((exit) => {
      effects.delete(fiber)
      if (this.#life === life && life.exit === null) this.#answer(life, toMessage(exit))
      this.#settle(life)
    })
    return true
  }

  // What the tree does with it ----------------------------------------------------------------------------------------

  /** Begins a life. `from` lastGood without a state runs init. */
  launch(from: "init" | "lastGood"): void {
    const life: Life = {
      fiber: null,
      finish: null,
      effects: null,
      begun: false,
      timers: 0,
      exit: null,
      settled: false,
      onHalted: null,
    }
    this.#life = life
    this.#wantsStop = false
    this.#status = "starting"
    const parked = this.#park(life)
    const body =
      from === "lastGood" && this.#hasState
        ? parked
        : Effect.scoped(
            Effect.flatMap(this.spec.init, (state) => {
              this.adopt(this.index, state)
              return parked
            }),
          )
    const fiber = this.#host.fork(body)
    life.fiber = fiber
    if (life.onHalted !== null) fiber.interruptUnsafe()
    fiber.addObserver((exit) => {
      life.exit = exit
      if (this.#life === life && (this.#status === "starting" || this.#status === "running")) this.#status = "waiting"
      this.#interruptEffects(life)
      this.#settle(life)
    })
  }

  /** Ends the life that runs, if any; `halted` is called when it and its effects have ended, maybe at once. */
  halt(status: "waiting" | "quarantined" | "stopped", halted: () => void): void {
    this.#setStatus(status)
    const life = this.#life
    if (life === null || life.settled) return halted()
    life.onHalted = halted
    this.#interruptEffects(life)
    life.fiber?.interruptUnsafe()
  }

  #setStatus(status: "waiting" | "quarantined" | "stopped"): void {
    if (this.#status === status) return
    if (this.#status === "quarantined") this.stats.quarantined--
    if (this.#status !== "stopped" && status === "stopped") this.stats.actors--
    this.#status = status
    if (status === "quarantined") this.stats.quarantined++
    if (status === "waiting") return
    const waiting = this.#mailbox.clear()
    this.stats.depth -= waiting.length
    for (const message of waiting) this.#refuse(message, status)
  }

  /** Out of quarantine, or back from a stop: messages are taken again, a life may begin. */
  readmit(): void {
    if (this.#status === "stopped") this.stats.actors++
    this.#setStatus("waiting")
  }

  #park(life: Life): Effect.Effect<void, unknown> {
    return Effect.callback<void, unknown>((resume) => {
      if (this.#life !== life || life.onHalted !== null) return
      life.finish = resume
      this.#status = "running"
      this.spec.started?.(this.#state, this)
      if (this.#outs !== null && this.#outs.length > 0) {
        const crash = this.#flush()
        if (crash !== null) throw crash.error
      }
      life.begun = true
      if (this.#wantsStop) resume(Effect.void)
      else if (this.#mailbox.size > 0) this.#host.pump.wake(this)
    })
  }

  #receive(message: M, life: Life | null): Ending["crash"] {
    const emitted = this.#outs === null ? 0 : this.#outs.length
    try {
      const next = this.spec.receive(this.#state, message, this)
      if (this.#life === life) this.#state = next
      return null
    } catch (error) {
      if (this.#outs !== null) this.#outs.length = emitted
      this.#bury(message, "poison", error)
      return { error }
    }
  }

  /** Hands over what was emitted. A throw of the listener is the actor's crash: nobody else would hear of it. */
  #flush(): Ending["crash"] {
    const outs = this.#outs
    if (outs === null || outs.length === 0) return null
    this.#outs = null
    try {
      this.spec.onEmit?.(outs, this.id)
      return null
    } catch (error) {
      return { error }
    }
  }

  #finish(life: Life, how: Effect.Effect<void, unknown>): void {
    const finish = life.finish
    if (finish === null || life.exit !== null) return
    life.finish = null
    if (this.#status === "running") this.#status = "waiting"
    this.#interruptEffects(life)
    finish(how)
  }

  #answer(life: Life, message: M): void {
    if (this.#life !== life || life.exit !== null || this.#status !== "running") return
    this.#mailbox.force(message)
    this.#arrived()
  }

  #arrived(): void {
    const stats = this.stats
    if (++stats.depth > stats.depthMax) stats.depthMax = stats.depth
    if (!this.queued && this.#status === "running") this.#host.pump.wake(this)
  }

  #interruptEffects(life: Life): void {
    if (life.effects === null) return
    for (const fiber of life.effects) fiber.interruptUnsafe()
  }

  #settle(life: Life): void {
    if (life.settled || life.exit === null) return
    if (life.effects !== null && life.effects.size > 0) return
    life.settled = true
    if (life.onHalted !== null) return life.onHalted()
    if (this.#life !== life) return
    const crash = Exit.isSuccess(life.exit) ? null : { error: Cause.squash(life.exit.cause) }
    this.parent.childEnded(this, { crash, hadBegun: life.begun })
  }

  #refuse(message: M, reason: "full" | "stopped" | "quarantined"): false {
    this.stats.refused++
    if (reason === "stopped") this.#bury(message, reason, null)
    else this.#host.deadLetters.count(reason)
    return false
  }

  #bury(message: M, reason: DeadReason, error: unknown): void {
    this.#host.deadLetters.keep({
      atMs: this.#host.nowMs(),
      actor: this.id,
      type: this.spec.type,
      reason,
      message,
      error: reason === "poison" ? errorLine(error) : null,
    })
  }
}
