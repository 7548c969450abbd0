/**
 * What two folds of one past decided alike and what not, told apart while they go on side by side: events that both have
 * are only counted, so that what is kept grows with the differences and not with the past.
 */
import type { EventView } from "#protocol/view.ts"

/** What was decided in one of the two and not in the other; in the order of time. */
export interface Decisions {
  readonly inputs: number
  readonly same: number
  readonly onlyBefore: readonly EventView[]
  readonly onlyNow: readonly EventView[]
  /** Differences beyond DIFFERENCES_MAX, of both sides: counted, and not among the above. */
  readonly untold: number
}

/**
 * Incidents are looked at once in so long at most (EVALUATE_MS of twin/incident/desk.ts), and when that is depends on all that
 * was heard before: the same word by so much earlier or later is the same decision.
 */
export const INCIDENT_SLACK_MS = 1_000

/** Differences kept of each side; what comes after them is only counted. */
export const DIFFERENCES_MAX = 10_000

export class Differences {
  readonly #before = new Side()
  readonly #now = new Side()
  #same = 0

  before(event: EventView): void {
    this.#take(event, this.#before, this.#now)
  }

  now(event: EventView): void {
    this.#take(event, this.#now, this.#before)
  }

  result(inputs: number): Decisions {
    const [before, now] = [this.#before.rest(), this.#now.rest()]
    const untold =
      before.length + now.length - Math.min(before.length, DIFFERENCES_MAX) - Math.min(now.length, DIFFERENCES_MAX)
    const kept = (events: readonly EventView[]) => events.slice(0, DIFFERENCES_MAX)
    return { inputs, same: this.#same, onlyBefore: kept(before), onlyNow: kept(now), untold }
  }

  #take(event: EventView, own: Side, other: Side): void {
    const key = keyOf(event)
    if (other.strike(key, event)) this.#same++
    else own.add(key, event)
  }
}

/** Events that the other side has not shown yet; a multiset, because one input may say the same twice. */
class Side {
  readonly #open = new Map<string, Array<{ readonly event: EventView; readonly place: number }>>()
  #places = 0

  add(key: string, event: EventView): void {
    const open = this.#open.get(key)
    const one = { event, place: this.#places++ }
    if (open === undefined) this.#open.set(key, [one])
    else open.push(one)
  }

  /** Whether there is one like it; then it is gone. */
  strike(key: string, { type, atMs }: EventView): boolean {
    const open = this.#open.get(key) ?? []
    const slackMs = type.startsWith("incident.") ? INCIDENT_SLACK_MS : 0
    const at = open.findIndex(({ event }) => Math.abs(event.atMs - atMs) <= slackMs)
    if (at === -1) return false
    open.splice(at, 1)
    if (open.length === 0) this.#open.delete(key)
    return true
  }

  rest(): readonly EventView[] {
    return [...this.#open.values()]
      .flat()
      .toSorted((a, b) => a.event.atMs - b.event.atMs || a.place - b.place)
      .map(({ event }) => event)
  }
}

/** Ids count inputs, which are others in a branch; an incident is named by such an id, also where a text speaks of it. */
const keyOf = (event: EventView): string => {
  const isOfIncident = event.type.startsWith("incident.")
  return JSON.stringify({
    ...event,
    id: "",
    ...(isOfIncident ? { entity: "", atMs: 0 } : {}),
    raw: event.raw?.replaceAll(/incident \d+-\d+/g, "incident") ?? null,
  })
}
