/** A verdict in plain words: what speaks for a cause, what against it, what is not known yet, and what looks the same. */
import type { Board } from "#twin/rca/board.ts"
import { kindAt } from "#twin/rca/board.ts"
import { causeWords } from "#twin/rca/cause.ts"
import type { Cause } from "#twin/rca/cause.ts"
import type { Candidate } from "#twin/rca/explain.ts"

/** Lines of each list; the rest is counted. */
export const MAX_LINES = 12

export interface Told {
  /** `router C2, or the link C1 - C2`. */
  readonly title: string
  readonly confidence: number
  readonly for: readonly string[]
  readonly against: readonly string[]
  readonly missing: readonly string[]
}

export const tell = (board: Board, { members, confidence, explained, absent, awaited }: Candidate): Told => ({
  title: orWords(members.map((cause) => causeWords(board.model, cause))),
  confidence,
  for: lines(board, explained, "alarmed"),
  against: lines(board, absent, "cleared"),
  missing: lines(board, awaited, null),
})

const orWords = (names: readonly string[]): string => {
  const shown = names.slice(0, 3)
  const more = names.length - shown.length
  return [...shown, ...(more > 0 ? [`${more} more that look the same`] : [])].join(", or ")
}

const lines = (board: Board, ids: readonly number[], word: "alarmed" | "cleared" | null): readonly string[] => {
  const told = ids.slice(0, MAX_LINES).map((id) => {
    const [kind, index] = kindAt(board, id)
    const subject = kind.words(board.model, index)
    return word === null ? `not known whether ${subject} ${kind.alarmed}` : `${subject} ${kind[word]}`
  })
  return ids.length > MAX_LINES ? [...told, `and ${ids.length - MAX_LINES} more`] : told
}

/**
 * The record, corrected by what came after: of routers and the links before them, uptimes after the recovery decide. A
 * router that restarted was the fault; one that ran through was only cut off. Null = nothing new is known.
 * `restarted`: by node; undefined = it has not told its uptime yet.
 */
export const corrected = (
  { nodesOf }: Board["model"],
  { cause, members }: Pick<Candidate, "cause" | "members">,
  restarted: ReadonlyMap<number, boolean>,
): Cause | null => {
  const nodes = (one: Cause): readonly number[] =>
    one.kind === "router" ? [one.index] : one.kind === "site" ? (nodesOf[one.index] ?? []) : []
  const possible = members.filter((one) => {
    const mine = nodes(one)
    const known = mine.filter((node) => restarted.has(node))
    if (known.some((node) => restarted.get(node) === false)) return false
    // A restart that a cause does not explain speaks against it.
    return [...restarted].every(([node, did]) => !did || mine.includes(node))
  })
  const [first] = possible
  if (restarted.size === 0 || first === undefined || possible.includes(cause)) return null
  return first
}
