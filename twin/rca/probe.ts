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
}

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

/** The probes worth making now, one for each open question, most useful first; none = nothing is open, or no probe helps. */
export const whatToProbe = (board: Board, explanation: Explanation): readonly Probe[] => {
  const probes: Probe[] = []
  const asked = new Set<number>()
  const put = (probe: Probe | null): void => {
    if (probe === null || asked.has(probe.id) || probes.length >= MAX_PROBES) return
    asked.add(probe.id)
    probes.push(probe)
  }
  for (const one of explanation.candidates) {
    const contenders = [...one.members.slice(0, MAX_CONTENDERS), ...one.rivals.slice(0, MAX_CONTENDERS)]
    if (contenders.length < 2 && one.features.margin >= UNDECIDED) continue
    put(contenders.length < 2 ? again(board, one) : separating(board, contenders))
  }
  for (const id of explanation.unexplained)
    put(board.confirmed.has(id) ? besides(board, explanation, id) : reading(board, id, []))
  return probes
}

/** Writes the answer of a probe: true = it alarms. */
export const confirm = (board: Board, id: number, alarms: boolean, atMs: number): void => {
  observe(board, id, alarms ? ALARM : CLEAR, atMs)
  board.confirmed.add(id)
  board.reread.delete(id)
  board.changed.add(id)
}

/** Nothing else fits, but little speaks for it: read what should have alarmed, else what did. */
const again = (board: Board, { absent, explained }: Candidate): Probe | null => {
  for (const id of [...absent, ...explained]) {
    const probe = reading(board, id, [])
    if (probe !== null) return probe
  }
  return null
}

/** The alarm is real and nothing explains it yet: what else should alarm, if its likeliest suspect were to blame? */
const besides = (board: Board, { islands }: Explanation, id: number): Probe | null => {
  let best: Assessment | null = null
  for (const { island } of islands)
    for (const [suspect, accusers] of island.suspects) {
      if (!accusers.includes(id)) continue
      const tried = assess(board, [causeOf(board.model, suspect)])
      if (tried.explained > 0 && (best === null || tried.score > best.score)) best = tried
    }
  if (best === null) return null
  for (const [i, expected] of best.ids.entries()) {
    if ((best.chance[i] as number) < EXPECTED || board.state[expected] === ALARM) continue
    const probe = reading(board, expected, best.causes)
    if (probe !== null) return probe
  }
  return null
}

const separating = (board: Board, contenders: readonly Cause[]): Probe | null => {
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
  let best: Probe | null = null
  let bestWorth = 0
  for (const [id, causes] of says) {
    const split = Math.min(causes.length, contenders.length - causes.length)
    // Where one of them lets nobody look, silence decides nothing.
    if (split === 0 || blind.has(id)) continue
    const probe = reading(board, id, contenders)
    if (probe === null || split / probe.cost <= bestWorth) continue
    best = probe
    bestWorth = split / probe.cost
  }
  return best
}

const reading = (board: Board, id: number, separates: readonly Cause[]): Probe | null => {
  const [kind, index] = kindAt(board, id)
  const cost = ASKABLE[kind.name]
  // Anything can be pinged; the rest needs somebody who may read it.
  if (cost === undefined || board.confirmed.has(id)) return null
  if (kind.name !== "ping" && !kind.isObservable(board.model, index)) return null
  const what = kind.words(board.model, index)
  return { id, cost, separates, words: kind.name === "ping" ? what.replace("the ping of", "ping") : `read ${what} now` }
}
