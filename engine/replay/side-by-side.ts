/**
 * A past and a branch of it, folded side by side: the replay goes on as it was, the branch hears what it is given instead,
 * and what they decide is compared as it happens. The one code behind "another topology", "other rules" and "further inputs".
 */
import { Counterparts } from "#engine/replay/counterparts.ts"
import { Differences, type Decisions } from "#engine/replay/decisions.ts"
import type { Replay } from "#engine/replay/replay.ts"
import { Spells, type SpellChange } from "#engine/replay/spells.ts"
import type { EventView } from "#protocol/view.ts"
import type { Branch } from "#twin/fork.ts"
import type { Input, Sequenced } from "#twin/input.ts"
import type { RoundResult } from "#twin/round.ts"

export interface Compared extends Decisions {
  /** Alerts and incidents that only one of them had, or that began, ended, or were as severe, otherwise. */
  readonly changes: readonly SpellChange[]
}

export class SideBySide {
  readonly branch: Branch
  readonly #replay: Replay
  readonly #differences = new Differences()
  readonly #names = new Counterparts()
  readonly #before: Spells
  readonly #now: Spells

  /** `replay` stands where the branch begins. */
  constructor(replay: Replay) {
    this.#replay = replay
    this.branch = replay.fork()
    this.#before = new Spells(replay.world, replay.cells)
    this.#now = new Spells(this.branch.world, this.branch.cells)
  }

  /** A slice that the replay has just folded; `instead` = what the branch hears for one of its inputs. */
  follow(result: RoundResult, slice: readonly Sequenced[], instead: (input: Input) => readonly Input[]): void {
    let told = 0
    for (const { seq, input } of slice) {
      // The names of incidents up to here, so that an act finds its own.
      while (told < result.events.length && seqOf(result.events[told]!) <= seq)
        this.#heardBefore(result.events[told++]!)
      for (const one of instead(this.#names.inBranch(input))) this.hear([one])
    }
    for (const event of result.events.slice(told)) this.#heardBefore(event)
  }

  /** The branch alone. */
  hear(inputs: readonly Input[]): void {
    if (inputs.length === 0) return
    for (const event of this.branch.apply(inputs).events) {
      this.#differences.now(event)
      this.#names.now(event)
      this.#now.hear(event, this.branch.world)
    }
  }

  result(inputs: number): Compared {
    return { ...this.#differences.result(inputs), changes: this.#before.changesTo(this.#now) }
  }

  #heardBefore(event: EventView): void {
    this.#differences.before(event)
    this.#names.before(event)
    this.#before.hear(event, this.#replay.world)
  }
}

const seqOf = ({ id }: EventView): number => Number(id.slice(0, id.indexOf("-")))
