/**
 * The ledger of what people did: rules, silences, acknowledgements, acts on incidents. What was asked may be in the journal,
 * once; what was answered must be, whatever was killed since; and nothing else is.
 */
import { fail } from "#lab/sim/violation.ts"
import type { AckInput, ChangeInput, IncidentInput, RulesInput, SilencesInput } from "#twin/input.ts"
import { stateHash } from "#twin/hash.ts"

type Timeless<T> = T extends unknown
  ? Omit<T, "atMs" | "device" | "entity"> & { device?: string; entity?: string }
  : never
export type Act = Timeless<AckInput | IncidentInput | RulesInput | SilencesInput>

interface Row {
  asked: number
  answered: number
  journaled: number
}

export class Acts {
  readonly #rows = new Map<string, Row>()

  /** Asks, and notes the answer. What resolves to false or to a refusal promised nothing. */
  async promise(act: Act, ask: () => Promise<unknown>): Promise<void> {
    const row = this.#row(keyOf(act))
    row.asked++
    const answer = await ask()
    if (answer === undefined || answer === true || answer === "done") row.answered++
  }

  /** One that stands in the journal. */
  journaled(input: Exclude<ChangeInput, { kind: "topology" }>): void {
    const key = keyOf(input)
    const row = this.#rows.get(key)
    if (row === undefined) return fail("acts", `nobody did what the journal says: ${key}`)
    if (++row.journaled > row.asked) fail("acts", `twice in the journal: ${key}`)
  }

  /** All of the journal was read. */
  settle(): void {
    for (const [key, { answered, journaled }] of this.#rows)
      if (journaled < answered) fail("acts", `was answered, and is not in the journal: ${key}`)
  }

  #row(key: string): Row {
    let row = this.#rows.get(key)
    if (row === undefined) this.#rows.set(key, (row = { asked: 0, answered: 0, journaled: 0 }))
    return row
  }
}

/** The same before and after the journal's codec. */
const keyOf = (act: Act): string => {
  switch (act.kind) {
    case "ack":
      return `ack of ${act.device} ${act.rule} ${act.entity} by ${act.by} until ${act.untilMs}`
    case "incident":
      return `${act.act.act} of incident ${act.incident} by ${act.by}: ${stateHash(act.act)}`
    case "rules":
      return `rules ${act.rev}: ${stateHash(act.rules)}`
    case "silences":
      return `silences ${act.rev}: ${stateHash(act.silences)}`
  }
}
