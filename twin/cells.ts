/**
 * Where the states of a twin's actors live, as the round sees it. The engine holds them in supervised actors, a replay in
 * plain arrays (`plainCells`); the round cannot tell the difference, which is what makes replay equal to live.
 */
import type { LinkFact, LinkMsg, LinkState } from "#twin/link.ts"
import { stepLink } from "#twin/link.ts"
import type { RouterFact, RouterMsg, RouterState } from "#twin/router.ts"
import { stepRouter } from "#twin/router.ts"
import type { ColumnDelta, Happening, Step } from "#twin/step.ts"
import type { TenantFact, TenantMsg, TenantState } from "#twin/tenant.ts"
import { newTenant, NO_TENANT, stepTenant } from "#twin/tenant.ts"

/** What one message made one cell say. */
export interface CellOutput<Fact> {
  readonly slot: number
  readonly deltas: readonly ColumnDelta[]
  readonly facts: readonly Fact[]
  readonly events: readonly Happening[]
  /** See Step.timerMs. */
  readonly timerMs: number | null
}

/** A member of the new population: who it was before (null = new here), and the state it goes on with. */
export interface Placement<State> {
  readonly from: number | null
  readonly state: State
}

/** All actors of one type, by slot. Everything is synchronous. */
export interface CellBank<State, Msg, Fact> {
  readonly length: () => number
  /** Puts a message into the cell's mailbox. A slot outside the bank is a defect and throws. */
  readonly tell: (slot: number, msg: Msg) => void
  /**
   * Reduces all waiting messages. Outputs by slot, then in the order of the messages. A message whose step throws
   * contributes nothing: no output, and the cell goes on with the state it had before that message.
   */
  readonly drain: () => ReadonlyArray<CellOutput<Fact>>
  readonly state: (slot: number) => State
  /** Replaces the population after a change of the inventory; mailboxes are empty then. */
  readonly reshape: (placements: ReadonlyArray<Placement<State>>) => void
}

export interface Cells {
  readonly routers: CellBank<RouterState, RouterMsg, RouterFact>
  readonly links: CellBank<LinkState, LinkMsg, LinkFact>
  /** One cell, slot 0. */
  readonly tenant: CellBank<TenantState, TenantMsg, TenantFact>
}

/** The states that a twin goes on from: a snapshot's, or none. */
export interface CellStates {
  readonly routers: readonly RouterState[]
  readonly links: readonly LinkState[]
  readonly tenant: TenantState
}

export const NO_STATES: CellStates = { routers: [], links: [], tenant: newTenant(NO_TENANT) }

/** The three kinds of actor, for whoever builds a bank. */
export const BEHAVIOURS = { router: stepRouter, link: stepLink, tenant: stepTenant } as const

/** Called with the error of a step that threw. */
export type OnThrow = (bank: "router" | "link" | "tenant", slot: number, error: unknown) => void

export const plainCells = (states: CellStates = NO_STATES, onThrow: OnThrow = () => {}): Cells => ({
  routers: plainBank(states.routers, stepRouter, (slot, error) => onThrow("router", slot, error)),
  links: plainBank(states.links, stepLink, (slot, error) => onThrow("link", slot, error)),
  tenant: plainBank([states.tenant], stepTenant, (slot, error) => onThrow("tenant", slot, error)),
})

export const plainBank = <State, Msg, Fact>(
  initial: readonly State[],
  step: (state: State, msg: Msg) => Step<State, Fact>,
  onThrow: (slot: number, error: unknown) => void,
): CellBank<State, Msg, Fact> => {
  let states: State[] = initial.slice()
  let waiting: Array<{ slot: number; msg: Msg }> = []
  const stateOf = (slot: number): State => {
    if (!(slot >= 0 && slot < states.length)) throw new RangeError(`slot ${slot} of ${states.length}`)
    return states[slot] as State
  }
  const reduce = (slot: number, msg: Msg): CellOutput<Fact> | null => {
    try {
      const { state, deltas, facts, events, timerMs } = step(stateOf(slot), msg)
      states[slot] = state
      return { slot, deltas, facts, events, timerMs }
    } catch (error) {
      onThrow(slot, error)
      return null
    }
  }
  return {
    length: () => states.length,
    tell: (slot, msg) => {
      stateOf(slot)
      waiting.push({ slot, msg })
    },
    drain: () => {
      const batch = waiting
      waiting = []
      if (batch.length > 1) batch.sort((x, y) => x.slot - y.slot)
      return batch.map(({ slot, msg }) => reduce(slot, msg)).filter((output) => output !== null)
    },
    state: stateOf,
    reshape: (placements) => {
      states = placements.map((placement) => placement.state)
    },
  }
}
