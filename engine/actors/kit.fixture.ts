/** A system of actors in a test's hand: time, dice and the event loop move only when the test says so. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { TestContext } from "node:test"
import type { ActorSpec, LifeNotice } from "#engine/actors/actor.ts"
import type { ManualClock } from "#engine/actors/clock.ts"
import { makeManualClock } from "#engine/actors/clock.ts"
import type { SupervisorSpec } from "#engine/actors/supervisor.ts"
import type { ActorSystem, SystemOptions } from "#engine/actors/system.ts"
import { makeActorSystem } from "#engine/actors/system.ts"

export interface Kit {
  readonly system: ActorSystem
  readonly clock: ManualClock
  readonly notices: LifeNotice[]
  readonly failures: unknown[]
  /** Runs everything that the pump has scheduled, until it schedules nothing more. Returns the number of slices. */
  readonly pump: () => number
  /** Closes the scope of the system. */
  readonly close: () => Promise<void>
  readonly kinds: () => string[]
}

export const makeKit = async (t: TestContext, options: Partial<SystemOptions> = {}): Promise<Kit> => {
  const clock = makeManualClock(1_000_000)
  const notices: LifeNotice[] = []
  const failures: unknown[] = []
  let scheduled: Array<() => void> = []
  const scope = Scope.makeUnsafe()
  const system = await Effect.runPromise(
    makeActorSystem({
      name: "test",
      clock,
      dice: () => 0,
      onNotice: (notice) => notices.push(notice),
      onFailed: (error) => failures.push(error),
      soon: (action) => scheduled.push(action),
      ...options,
    }).pipe(Scope.provide(scope)),
  )
  const close = (): Promise<void> => Effect.runPromise(Scope.close(scope, Exit.void))
  t.after(close)
  return {
    system,
    clock,
    notices,
    failures,
    pump: () => {
      let slices = 0
      while (scheduled.length > 0) {
        const due = scheduled
        scheduled = []
        for (const action of due) action()
        slices += due.length
      }
      return slices
    },
    close,
    kinds: () => notices.map((notice) => `${notice.kind} ${notice.id}`),
  }
}

export type LogMsg = string

/** Collects what it is told in an array of its own; "boom" makes it throw. */
export const recorder = (
  over: Partial<ActorSpec<readonly string[], LogMsg>> = {},
): ActorSpec<readonly string[], LogMsg> => ({
  type: "recorder",
  init: Effect.succeed([]),
  receive: (state, message, ctx) => {
    if (message.startsWith("boom")) throw new Error(`${ctx.id} ${message}`)
    if (message === "stop") ctx.stop()
    return [...state, message]
  },
  mailboxMax: 1_000,
  restart: "permanent",
  restartFrom: "lastGood",
  ...over,
})

export const supervisor = (over: Partial<SupervisorSpec> = {}): SupervisorSpec => ({
  strategy: "one_for_one",
  intensity: 3,
  periodMs: 10_000,
  backoff: { baseMs: 0, maxMs: 0, jitter: 0 },
  tooMany: "escalate",
  quarantine: { baseMs: 60_000, maxMs: 600_000, jitter: 0 },
  ...over,
})
