/**
 * The twin's cells as supervised actors: one per router, link and tenant, in three phases that the round drains one
 * after the other. A step that throws costs its actor a restart from its last good state, at once and on the same
 * stack, so that the round goes on as `plainCells` would: a replay without actors gives the same twin.
 *
 *   the system's root
 *   ├── routers  (one_for_one, report: 5 crashes in 60 s shut the device's door, see inbox.ts)
 *   ├── links    (one_for_one, report)
 *   └── tenants  (one_for_one, report; one cell)
 */
import * as Effect from "effect/Effect"
import type { ActorHandle, ActorSpec } from "#engine/actors/actor.ts"
import type { ActorSystem } from "#engine/actors/system.ts"
import type { SupervisorSpec } from "#engine/actors/supervisor.ts"
import { DEVICE_SUPERVISOR } from "#engine/actors/supervisor.ts"
import type { CellBank, CellOutput, Cells, CellStates } from "#twin/cells.ts"
import { BEHAVIOURS } from "#twin/cells.ts"
import type { Step } from "#twin/step.ts"

/** Messages that one cell may wait with inside one input; the round never sends a fraction of it. */
export const CELL_MAILBOX_MAX = 4_096

/** Journaled inputs must be folded, whatever they did to the actor: nothing is refused here, it is only reported. */
export const TWIN_SUPERVISOR: SupervisorSpec = { ...DEVICE_SUPERVISOR, tooMany: "report" }

const PHASE = { router: 0, link: 1, tenant: 2 } as const
type Kind = keyof typeof PHASE

/** The id of the actor of a device's router, in notices. */
export const ROUTER_ACTOR = "router:"

/** Behaviours may be replaced by tests that plant a defect. */
export const actorCells = (system: ActorSystem, states: CellStates, steps: typeof BEHAVIOURS = BEHAVIOURS): Cells => ({
  routers: actorBank(system, "router", steps.router, (state) => state.config.device, states.routers),
  links: actorBank(system, "link", steps.link, (state) => state.config.id, states.links),
  tenant: actorBank(system, "tenant", steps.tenant, () => "", [states.tenant]),
})

const actorBank = <State, Msg, Fact>(
  system: ActorSystem,
  kind: Kind,
  step: (state: State, msg: Msg) => Step<State, Fact>,
  nameOf: (state: State) => string,
  initial: readonly State[],
): CellBank<State, Msg, Fact> => {
  type Handle = ActorHandle<State, Msg>
  const supervisor = system.supervisor(system.root, `${kind}s`, TWIN_SUPERVISOR)
  let outputs: Array<CellOutput<Fact>> = []
  const spec: ActorSpec<State, Msg, CellOutput<Fact>> = {
    type: kind,
    init: Effect.die(new Error(`a ${kind} of a twin begins with the state that the round gives it`)),
    receive: (state, msg, ctx) => {
      const { state: next, deltas, facts, events, timerMs } = step(state, msg)
      ctx.emit({ slot: ctx.index, deltas, facts, events, timerMs })
      return next
    },
    onEmit: (outs) => {
      for (const out of outs) outputs.push(out)
    },
    mailboxMax: CELL_MAILBOX_MAX,
    phase: PHASE[kind],
    restart: "permanent",
    restartFrom: "lastGood",
  }
  const spawn = (state: State, slot: number): Handle =>
    system.spawn(supervisor, `${kind}:${nameOf(state)}`, spec, { index: slot, state: { value: state } })

  let actors: Handle[] = initial.map(spawn)
  const actorAt = (slot: number): Handle => {
    const actor = actors[slot]
    if (actor === undefined) throw new RangeError(`${kind} slot ${slot} of ${actors.length}`)
    return actor
  }
  return {
    length: () => actors.length,
    tell: (slot, msg) => {
      const actor = actorAt(slot)
      if (!actor.tell(msg)) throw new Error(`${actor.id} refused a message of its round: ${actor.status()}`)
    },
    drain: () => {
      system.drainPhase(PHASE[kind])
      const drained = outputs
      outputs = []
      return drained
    },
    state: (slot) => actorAt(slot).peek() as State,
    reshape: (placements) => {
      const before = actors
      const kept = new Set<Handle>()
      actors = placements.map(({ from, state }, slot) => {
        const actor = from === null ? undefined : before[from]
        if (actor === undefined || kept.has(actor)) return spawn(state, slot)
        kept.add(actor)
        actor.adopt(slot, state)
        return actor
      })
      for (const actor of before) if (!kept.has(actor)) system.dismiss(actor)
    },
  }
}
