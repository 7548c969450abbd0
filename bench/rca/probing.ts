/**
 * The benchmark's incidents again, with an operator who may ask the network before the verdict: what the twin would ask is
 * answered by the simulation's own truth (simulate.ts, before any noise), by devices that can answer at all. How many are
 * decided, and how many are right, without a question and after each round of them.
 */
import type { Incident } from "#bench/rca/incidents.ts"
import { ownerOf } from "#bench/rca/simulate.ts"
import type { Coverage } from "#bench/rca/simulate.ts"
import { FAULT_MS, feedFor } from "#bench/rca/twin.ts"
import type { World } from "#bench/rca/world.ts"
import type { Root } from "#bench/rca/methods.ts"
import { kindAt } from "#twin/rca/board.ts"
import type { Board } from "#twin/rca/board.ts"
import { elementOf } from "#twin/rca/cause.ts"
import { explain, isNamed } from "#twin/rca/explain.ts"
import type { Explanation } from "#twin/rca/explain.ts"
import { confirm, UNDECIDED, whatToProbe } from "#twin/rca/probe.ts"

/** As a live twin asks of one incident at most (twin/incident/question.ts). */
export const QUESTIONS = 8
/** What one reading tells (twin/incident/probing.ts). */
const AT_ONCE: ReadonlySet<string> = new Set(["ping", "port", "answer"])

export interface Verdict {
  readonly roots: readonly Root[]
  /** Something is named, and no other cause comes near any of it. */
  readonly isDecided: boolean
  /** And none looks the same with the monitoring that there is. */
  readonly isAlone: boolean
}

export interface Conversation {
  readonly before: Verdict
  readonly after: Verdict
  readonly questions: number
  /** Of these, those that nobody could answer: the device is dead or cut off. */
  readonly silent: number
  readonly ms: number
}

export const converser = (world: World, cover: Coverage): ((incident: Incident) => Conversation) => {
  const { board, show } = feedFor(world, cover)
  let healthy = explain(board)
  return ({ round, clean }) => {
    const takeOff = show(round)
    let explanation = explain(board, healthy)
    const before = verdictOf(board, explanation)
    const asked = new Set<number>()
    let silent = 0
    const startedMs = performance.now()
    const mayAsk = (id: number): boolean => {
      const [kind, index] = kindAt(board, id)
      return !asked.has(id) && AT_ONCE.has(kind.name) && kind.isObservable(board.model, index)
    }
    while (asked.size < QUESTIONS) {
      // As a live twin: of what has an incident. A lonely alarm has none.
      const shown = new Set(explanation.candidates.filter(isNamed).flatMap(({ explained }) => explained))
      const next = whatToProbe(board, explanation, mayAsk).find(({ about }) => about.some((id) => shown.has(id)))
      if (next === undefined) break
      asked.add(next.id)
      const [kind, index] = kindAt(board, next.id)
      const report = `${kind.name} ${index}`
      const owner = ownerOf(world, report)
      // A port that nobody can read now says nothing; a ping and a poll always say something.
      if (owner >= 0 && clean.outdated.has(owner)) silent++
      else confirm(board, next.id, clean.alarms.has(report), clean.alarms.has(report) ? FAULT_MS : ASKED_MS)
      explanation = explain(board, explanation)
    }
    const ms = performance.now() - startedMs
    const after = verdictOf(board, explanation)
    takeOff()
    for (const id of asked) {
      confirm(board, id, false, ASKED_MS)
      board.confirmed.delete(id)
      board.changed.add(id)
    }
    healthy = explain(board, explanation)
    return { before, after, questions: asked.size, silent, ms }
  }
}

/** When all questions are answered: as late as the polls of the round (bench/rca/twin.ts). */
const ASKED_MS = FAULT_MS + 300_000

const verdictOf = (board: Board, { candidates }: Explanation): Verdict => {
  const named = candidates.filter(isNamed)
  const isDecided = named.length > 0 && named.every(({ features }) => features.margin >= UNDECIDED)
  return {
    roots: named.map(({ cause, confidence }) => ({ element: elementOf(board.model, cause), confidence })),
    isDecided,
    isAlone: isDecided && named.every(({ members }) => members.length === 1),
  }
}
