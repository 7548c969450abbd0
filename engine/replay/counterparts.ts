/**
 * Incidents of the past and what they are called in a branch of it. An incident is named by the input that opened it, and the
 * branch counts its inputs otherwise; what people did to one, and what the network answered about one, must reach the same
 * incident there. Same = known when the branch began, or open under the same title.
 */
import { incidentOf, type EventView } from "#protocol/view.ts"
import type { Input } from "#twin/input.ts"

interface Known {
  readonly title: string
  readonly closed: boolean
}

export class Counterparts {
  /** In the past, since the branch began. */
  readonly #opened = new Set<string>()
  readonly #before = new Map<string, Known>()
  readonly #now = new Map<string, Known>()

  before(event: EventView): void {
    if (event.type === "incident.opened") this.#opened.add(incidentOf(event) ?? "")
    learn(this.#before, event)
  }

  now(event: EventView): void {
    learn(this.#now, event)
  }

  /** The input as the branch must hear it. What is about an incident that the branch does not have is time that passes. */
  inBranch(input: Input): Input {
    if (input.kind !== "incident" && input.kind !== "probed") return input
    const incident = this.#nameOf(input.incident)
    return incident === null ? { kind: "tick", atMs: input.atMs } : { ...input, incident }
  }

  #nameOf(id: string): string | null {
    // Opened before the branch began: both sides have it by the same name.
    if (!this.#opened.has(id)) return id
    const title = this.#before.get(id)?.title
    const alike = [...this.#now].filter(([, known]) => known.title === title)
    return (alike.findLast(([, { closed }]) => !closed) ?? alike.at(-1))?.[0] ?? null
  }
}

/** Each event of an incident carries its title and state as they are then. */
const learn = (known: Map<string, Known>, event: EventView): void => {
  const id = incidentOf(event)
  if (id !== null) known.set(id, { title: event.raw ?? known.get(id)?.title ?? "", closed: event.new === "closed" })
}
