/**
 * What to ask the network before a verdict: the cheapest active probe whose answer separates causes that the observations
 * leave open, and the observations with its answer. A probe that was asked for is no lost trap and no stale poll, so that its
 * answer outweighs what came by itself (`confirm`).
 */
import { assess, EXPECTED } from "#twin/rca/assess.ts"
import type { Assessment } from "#twin/rca/assess.ts"
import type { Board } from "#twin/rca/board.ts"
import { ALARM, CLEAR, kindAt, observe } from "#twin/rca/board.ts"
import { causeOf } from "#twin/rca/cause.ts"
import type { Cause } from "#twin/rca/cause.ts"
import { BLIND } from "#twin/rca/evidence/kind.ts"
import type { Candidate, Explanation } from "#twin/rca/explain.ts"

/** Log-odds below which a verdict is worth a question. */
export const UNDECIDED = 8
export const MAX_PROBES = 16
/** Rivals of one candidate that a probe is asked to separate. */
const MAX_CONTENDERS = 8

export interface Probe {
  /** The observable to read now. */
  readonly id: number
  /** `ping R7 from vantage point 1`, `read the port of R1 on R1 - R2 now`. */
  readonly words: string
  readonly cost: number
  /** Causes among which its answer decides; none = whether an alarm is real. */
  readonly separates: readonly Cause[]
  /** Alarms that it is about: those of the cause that is undecided, or the one that has none. */
  readonly about: readonly number[]
}
/** Before it is known what it is about. */
type Question = Omit<Probe, "about">

/** What can be asked, and what it costs beside a ping. */
const ASKABLE: Readonly<Record<string, number>> = {
  ping: 1,
  port: 2,
  ospf: 2,
  answer: 2,
  bgp: 3,
  queue: 4,
  hot: 4,
  flap: 4,
}

/**
 * The probes worth making now, one for each open question, most useful first; none = nothing is open, or no probe helps.
 * `isAskable` says whether an observable may be asked now at all.
 */
export const whatToProbe = (
  board: Board,
  explanation: Explanation,
  isAskable: (id: number) => boolean = () => true,
): readonly Probe[] => {
  // What was asked is known.
  const mayAsk = (id: number): boolean => !board.confirmed.has(id) && isAskable(id)
  const probes: Probe[] = []
  const asked = new Set<number>()
  const put = (question: Question | null, about: readonly number[]): void => {
    if (question === null || asked.has(question.id)) return
    asked.add(question.id)
    probes.push({ ...question, about })
  }
  for (const one of explanation.candidates) {
    if (probes.length >= MAX_PROBES) return probes
    const contenders = [...one.members.slice(0, MAX_CONTENDERS), ...one.rivals.slice(0, MAX_CONTENDERS)]
    if (contenders.length < 2 && one.features.margin >= UNDECIDED) continue
    put(contenders.length < 2 ? again(board, one, mayAsk) : separating(board, contenders, mayAsk), one.explained)
  }
  const open: Open = { board, explanation, mayAsk, suspects: null, assessed: new Map(), separated: new Map() }
  for (const id of explanation.unexplained) {
    if (probes.length >= MAX_PROBES) break
    put(unexplainedBy(open, id), [id])
  }
  return probes
}

/**
 * What would tell a cause from those that fit nearly as well, whether or not it may be asked now: something that is not known to
 * alarm, and that one reading tells (a port flaps, or is full, over several). Null = nothing that is watched.
 */
export const decider = (board: Board, { cause, rivals }: Pick<Candidate, "cause" | "rivals">): string | null => {
  if (rivals.length === 0) return null
  const isOpen = (id: number): boolean => board.state[id] !== ALARM && AT_A_GLANCE.has(kindAt(board, id)[0].name)
  return separating(board, [cause, ...rivals.slice(0, MAX_CONTENDERS)], isOpen)?.words ?? null
}

const AT_A_GLANCE: ReadonlySet<string> = new Set(["ping", "port", "answer", "ospf", "bgp"])

/** Writes the answer of a probe: true = it alarms. */
export const confirm = (board: Board, id: number, alarms: boolean, atMs: number): void => {
  observe(board, id, alarms ? ALARM : CLEAR, atMs)
  board.confirmed.add(id)
  board.reread.delete(id)
  board.changed.add(id)
}

/** Nothing else fits, but little speaks for it: read what should have alarmed, else what did. */
const again = (board: Board, { absent, explained }: Candidate, mayAsk: MayAsk): Question | null => {
  for (const id of [...absent, ...explained]) {
    const probe = reading(board, id, [], mayAsk)
    if (probe !== null) return probe
  }
  return null
}

/** Whether it is real; and if it is, or cannot be asked (who is silent has nothing to be read), what tells its suspects apart. */
const unexplainedBy = (open: Open, id: number): Question | null => {
  const { board, mayAsk } = open
  const isReal = board.confirmed.has(id)
  const itself = isReal ? null : reading(board, id, [], mayAsk)
  if (itself !== null) return itself
  const suspects = suspectsOf(open, id)
  const [best] = suspects
  if (best === undefined) return null
  if (isReal) return besides(board, best, mayAsk)
  const contenders = suspects.slice(0, MAX_CONTENDERS).flatMap(({ causes }) => causes)
  // Hundreds of alarms of one outage have the same suspects.
  const key = contenders.map(({ kind, index }) => `${kind} ${index}`).join()
  let question = open.separated.get(key)
  if (question === undefined)
    open.separated.set(key, (question = separating(board, contenders, mayAsk) ?? besides(board, best, mayAsk)))
  return question
}

/** What all alarms without a cause ask alike, while nothing changes. */
interface Open {
  readonly board: Board
  readonly explanation: Explanation
  readonly mayAsk: MayAsk
  /** By alarm without a cause, in the order of the islands; null = nobody has asked for them yet. */
  suspects: ReadonlyMap<number, readonly number[]> | null
  readonly assessed: Map<number, Assessment>
  /** By the contenders, the likeliest first. */
  readonly separated: Map<string, Question | null>
}

const accusedBy = ({ islands, unexplained }: Explanation): ReadonlyMap<number, readonly number[]> => {
  const suspects = new Map<number, number[]>(unexplained.map((alarm) => [alarm, []]))
  for (const { island } of islands)
    for (const [suspect, accusers] of island.suspects)
      for (const alarm of accusers) {
        const mine = suspects.get(alarm)
        if (mine !== undefined && mine.at(-1) !== suspect) mine.push(suspect)
      }
  return suspects
}

/** Likeliest first. */
const suspectsOf = (open: Open, id: number): readonly Assessment[] => {
  const { board, assessed } = open
  open.suspects ??= accusedBy(open.explanation)
  const tried: Assessment[] = []
  for (const suspect of open.suspects.get(id) ?? []) {
    let one = assessed.get(suspect)
    if (one === undefined) assessed.set(suspect, (one = assess(board, [causeOf(board.model, suspect)])))
    if (one.explained > 0) tried.push(one)
  }
  return tried.sort((x, y) => y.score - x.score)
}

/** Nothing explains the alarm yet: what else should alarm, if its likeliest suspect were to blame? */
const besides = (board: Board, best: Assessment, mayAsk: MayAsk): Question | null => {
  for (const [i, expected] of best.ids.entries()) {
    if ((best.chance[i] as number) < EXPECTED || board.state[expected] === ALARM) continue
    const probe = reading(board, expected, best.causes, mayAsk)
    if (probe !== null) return probe
  }
  return null
}

const separating = (board: Board, contenders: readonly Cause[], mayAsk: MayAsk): Question | null => {
  const says = new Map<number, Cause[]>()
  const blind = new Set<number>()
  for (const cause of contenders) {
    const { ids, chance } = assess(board, [cause])
    for (const [i, id] of ids.entries()) {
      const p = chance[i] as number
      if (p === BLIND) blind.add(id)
      else if (p >= EXPECTED) {
        const causes = says.get(id)
        if (causes === undefined) says.set(id, [cause])
        else causes.push(cause)
      }
    }
  }
  let best: Question | null = null
  let bestWorth = 0
  for (const [id, causes] of says) {
    const split = Math.min(causes.length, contenders.length - causes.length)
    // Where one of them lets nobody look, silence decides nothing.
    if (split === 0 || blind.has(id)) continue
    const cost = ASKABLE[kindAt(board, id)[0].name]
    // Whether it may be asked is the dearer question.
    if (cost === undefined || split / cost <= bestWorth) continue
    const probe = reading(board, id, contenders, mayAsk)
    if (probe === null) continue
    best = probe
    bestWorth = split / cost
  }
  return best
}

type MayAsk = (id: number) => boolean

const reading = (board: Board, id: number, separates: readonly Cause[], mayAsk: MayAsk): Question | null => {
  const [kind, index] = kindAt(board, id)
  const cost = ASKABLE[kind.name]
  // Anything can be pinged; the rest needs somebody who may read it.
  if (cost === undefined) return null
  if ((kind.name !== "ping" && !kind.isObservable(board.model, index)) || !mayAsk(id)) return null
  const what = kind.words(board.model, index)
  return { id, cost, separates, words: kind.name === "ping" ? what.replace("the ping of", "ping") : `read ${what} now` }
}
