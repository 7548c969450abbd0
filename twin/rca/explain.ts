/**
 * Root cause by abduction: the cheapest set of causes that explains what is observed. Greedy from several starts, then
 * pruned and improved by exchange; causes that today's observations cannot tell apart are one candidate with members. An
 * explanation given back as `previous` is reused island by island, and the result is equal to one from scratch.
 */
import { assess, CONFIRMED_ALARM, EXPECTED, isOf } from "#twin/rca/assess.ts"
import type { Assessment } from "#twin/rca/assess.ts"
import type { Board } from "#twin/rca/board.ts"
import { isAlarm, isPast, kindAt } from "#twin/rca/board.ts"
import { confidenceOf } from "#twin/rca/calibration.ts"
import type { Features } from "#twin/rca/calibration.ts"
import { causeId, causeOf, logPrior } from "#twin/rca/cause.ts"
import type { Cause } from "#twin/rca/cause.ts"
import { BLIND } from "#twin/rca/evidence/kind.ts"
import type { Model } from "#twin/rca/model.ts"
import { endOf } from "#twin/rca/model.ts"
import { scenarioOf } from "#twin/rca/scenario.ts"
import { islandsOf } from "#twin/rca/island.ts"
import type { Island } from "#twin/rca/island.ts"
import { isRefuted } from "#twin/rca/refute.ts"
import { isSilenceKind } from "#twin/rca/silence.ts"

/** Suspects of an island that are tried alone, those whom most alarms accuse first. */
const MAX_TRIED = 64
/** Suspects that are tried as a further cause, in each round. */
const MAX_FURTHER = 24
/** Best single causes from which a search starts. */
const STARTS = 3
/** Causes of one island: the worst storm in one neighbourhood that is still taken apart. */
const MAX_CAUSES = 12
const MAX_EXCHANGES = 3
/** Rivals of one cause that are compared with it. */
const MAX_RIVALS = 24
/** Members of one candidate that are listed. */
const MAX_MEMBERS = 16
/**
 * Predictions that the search of one island looks at before it is content with what it has: some 10 ms. Of each island and
 * never of all together, so that an island costs and tells the same whether its neighbours are thought about or not.
 */
const MAX_PREDICTIONS = 100_000
/** A rival is one within these log-odds. */
const NEAR = 8
/** More than there can be causes, so that two of them are one exact number. */
const PAIR = 2 ** 26
/** A member may be this much less likely than the best one: more, and the evidence does tell them apart. */
const CLASS_SPREAD = 2

export interface Candidate {
  readonly cause: Cause
  /** What the same evidence fits as well, the cause itself first. One entry = told apart from everything. */
  readonly members: readonly Cause[]
  /** Chance that the cause is among the members, as calibrated (calibration.ts). */
  readonly confidence: number
  /** A congestion that another cause's detour explains contributes; it is no incident of its own. */
  readonly part: "primary" | "contributing"
  /** Causes that fit nearly as well, best first: a probe may separate them. */
  readonly rivals: readonly Cause[]
  /** What the confidence is made of. */
  readonly features: Features
  readonly onsetMs: number | null
  /** Observables: expected alarms that came; that should be in and are not; that are not known yet. */
  readonly explained: readonly number[]
  readonly absent: readonly number[]
  readonly awaited: readonly number[]
}

/** Below even odds a cause is a suspicion: shown with its evidence, but no incident is opened in its name. */
export const NAMED_FROM = 0.5
export const isNamed = ({ confidence, part }: Candidate): boolean => confidence >= NAMED_FROM && part === "primary"

export interface Explanation {
  readonly candidates: readonly Candidate[]
  /** Alarms that no cause is good enough for. */
  readonly unexplained: readonly number[]
  /** What the next explanation may reuse. */
  readonly islands: readonly Explained[]
}

interface Explained {
  readonly island: Island
  readonly candidates: readonly Candidate[]
  readonly unexplained: readonly number[]
  /** Everything that was looked at. */
  readonly looked: ReadonlySet<number>
}

/** Takes the board's changes. O(what changed and its neighbourhood) when `previous` is the explanation before them. */
export const explain = (board: Board, previous: Explanation | null = null): Explanation => {
  // Whatever tells of an alarm says so in `changed`: the desk also asks while it only works off what it knows.
  if (previous !== null && board.changed.size === 0 && !board.alarmEnded) return previous
  const known = new Map((previous?.islands ?? []).map((one) => [one.island.alarms.join(), one]))
  const news = newsOf(board)
  const silenceChanged = [...news].some((id) => isSilenceKind(kindAt(board, id)[2]))
  const islands = islandsOf(board).map((island) => {
    const before = known.get(island.alarms.join())
    return before !== undefined && isCurrent(before, news, silenceChanged) ? before : explainIsland(board, island)
  })
  board.changed.clear()
  board.reread.clear()
  board.alarmEnded = false
  board.newestAlarmMs = newestOf(board)
  return {
    candidates: withParts(board, islands.flatMap(({ candidates }) => candidates).sort(byOnset(board))),
    unexplained: islands.flatMap(({ unexplained }) => unexplained).sort((x, y) => x - y),
    islands,
  }
}

const newsOf = ({ changed, reread }: Board): ReadonlySet<number> =>
  reread.size === 0 ? new Set(changed) : new Set([...changed].filter((id) => !reread.has(id)))

const newestOf = ({ alarms, atMs }: Board): number => {
  let newest = 0
  for (const id of alarms) newest = Math.max(newest, atMs[id] as number)
  return newest
}

const isCurrent = ({ island, looked }: Explained, changed: ReadonlySet<number>, silenceChanged: boolean): boolean => {
  if (island.silent && silenceChanged) return false
  const [few, many] = changed.size < looked.size ? [changed, looked] : [looked, changed]
  for (const id of few) if (many.has(id)) return false
  return true
}

const byOnset =
  ({ model }: Board) =>
  (x: Candidate, y: Candidate): number =>
    (x.onsetMs ?? 0) - (y.onsetMs ?? 0) ||
    causeId(model, x.cause.kind, x.cause.index) - causeId(model, y.cause.kind, y.cause.index)

// -- one island -----------------------------------------------------------------------------------------------------------

/** Assessments of one island, remembered by their causes: searches meet the same sets again and again. */
interface Search {
  readonly board: Board
  readonly island: Island
  readonly try: (causes: readonly Cause[]) => Assessment
  /** It has looked at enough: what is not known yet is not tried any more. */
  readonly isSpent: () => boolean
}

const explainIsland = (board: Board, whole: Island): Explained => {
  const looked = new Set<number>(whole.alarms)
  const island = withoutRefuted(board, whole, looked)
  const search = newSearch(board, island, looked)
  const singles = accusedMost(board, island, island.alarms, MAX_TRIED)
    .map((id) => search.try([causeOf(board.model, id)]))
    .filter(({ explained }) => explained > 0)
    .sort(better(board))
  let best = search.try([])
  for (const start of singles.slice(0, STARTS)) {
    const found = improved(search, grown(search, start), singles)
    if (better(board)(found, best) < 0) best = found
  }
  best = withoutPast(search, best)
  const candidates = best.causes.map((cause) => candidateOf(search, best, cause, singles))
  const taken = new Set(best.ids)
  return {
    island: whole,
    candidates,
    unexplained: island.alarms.filter((id) => !taken.has(id) && !isPast(board, id)),
    looked,
  }
}

/** Those who could not even be a rival are not searched. */
const withoutRefuted = (board: Board, island: Island, looked: Set<number>): Island => {
  const ask = (id: number): void => {
    looked.add(id)
  }
  const suspects = new Map<number, readonly number[]>()
  for (const [id, accusers] of island.suspects)
    if (!isRefuted(board, causeOf(board.model, id), accusers, -NEAR, ask)) suspects.set(id, accusers)
  return { ...island, suspects }
}

const newSearch = (board: Board, island: Island, looked: Set<number>): Search => {
  /** Most sets have one or two causes: those are found by a number, which costs less to make than a word. */
  const few = new Map<number, Assessment>()
  const many = new Map<string, Assessment>()
  let spent = 0
  const { glance } = board
  const turn = nextGlance(board)
  const attempt = (causes: readonly Cause[]): Assessment => {
    const ids = causes.map(({ kind, index }) => causeId(board.model, kind, index))
    if (ids.length > 1) ids.sort((x, y) => x - y)
    const isFew = ids.length <= 2
    const number = isFew ? (1 + (ids[0] ?? -1)) * PAIR + 1 + (ids[1] ?? -1) : 0
    const word = isFew ? "" : ids.join()
    const known = isFew ? few.get(number) : many.get(word)
    if (known !== undefined) return known
    const made = assess(
      board,
      ids.map((id) => causeOf(board.model, id)),
    )
    for (const id of made.ids)
      if (glance[id] !== turn) {
        glance[id] = turn
        looked.add(id)
      }
    spent += made.ids.length
    if (isFew) few.set(number, made)
    else many.set(word, made)
    return made
  }
  return { board, island, try: attempt, isSpent: () => spent >= MAX_PREDICTIONS }
}

const nextGlance = (board: Board): number => {
  if (board.glances === 0xffff_ffff) {
    board.glance.fill(0)
    board.glances = 0
  }
  return ++board.glances
}

/** Negative = x is better. The order of the causes' numbers decides between equals, so that the search is repeatable. */
const better =
  ({ model }: Board) =>
  (x: Assessment, y: Assessment): number => {
    if (x.score !== y.score) return y.score - x.score
    const number = ({ causes }: Assessment): number =>
      causes[0] === undefined ? -1 : causeId(model, causes[0].kind, causes[0].index)
    return x.causes.length - y.causes.length || number(x) - number(y)
  }

/** Suspects by the most that they could gain; those that could gain nothing are not worth a fork. */
const accusedMost = (board: Board, island: Island, alarms: readonly number[], most: number): readonly number[] => {
  const asked = new Set(alarms)
  const votes: Array<readonly [id: number, votes: number]> = []
  for (const [id, accusers] of island.suspects) {
    let gain = logPrior(board.model, causeOf(board.model, id))
    let count = 0
    for (const alarm of accusers) {
      if (!asked.has(alarm)) continue
      gain += board.confirmed.has(alarm) ? CONFIRMED_ALARM : -Math.log(kindAt(board, alarm)[0].spurious)
      count++
    }
    if (gain > 0) votes.push([id, count])
  }
  return votes
    .sort(([idX, x], [idY, y]) => y - x || idX - idY)
    .slice(0, most)
    .map(([id]) => id)
}

/** Adds causes while they make the whole cheaper. */
const grown = (search: Search, start: Assessment): Assessment => {
  const { board, island } = search
  let best = start
  while (best.causes.length < MAX_CAUSES && !search.isSpent()) {
    const taken = new Set(best.ids)
    const rest = island.alarms.filter((id) => !taken.has(id) && !isPast(board, id))
    if (rest.length === 0) break
    let next = best
    for (const id of accusedMost(board, island, rest, MAX_FURTHER)) {
      if (search.isSpent()) break
      const tried = search.try([...best.causes, causeOf(board.model, id)])
      if (better(board)(tried, next) < 0) next = tried
    }
    if (next === best) break
    best = next
  }
  return best
}

/** Drops causes that are not needed, and exchanges one, or all that a bigger one covers, for another. */
const improved = (search: Search, start: Assessment, singles: readonly Assessment[]): Assessment => {
  let best = start
  for (let round = 0; round < MAX_EXCHANGES; round++) {
    const before = best
    for (const cause of before.causes) {
      const rest = best.causes.filter((other) => other !== cause)
      const without = search.try(rest)
      if (better(search.board)(without, best) < 0) best = without
      for (const rival of singles.slice(0, MAX_RIVALS)) {
        if (search.isSpent()) break
        const exchanged = search.try([
          ...rest,
          ...rival.causes.filter((one) => !rest.some((other) => same(one, other))),
        ])
        if (better(search.board)(exchanged, best) < 0) best = exchanged
        const pruned = withoutNeedless(search, exchanged)
        if (better(search.board)(pruned, best) < 0) best = pruned
      }
      if (best !== before) break
    }
    if (best === before) break
    best = grown(search, best)
  }
  return best
}

const withoutNeedless = (search: Search, start: Assessment): Assessment => {
  let best = start
  for (const cause of start.causes) {
    if (best.causes.length < 2 || search.isSpent()) break
    const fewer = search.try(best.causes.filter((other) => !same(other, cause)))
    if (better(search.board)(fewer, best) < 0) best = fewer
  }
  return best
}

/** Whose every alarm that lasts the others explain is there for what is over: a restart of before is no fault of now. */
const withoutPast = (search: Search, start: Assessment): Assessment => {
  let best = start
  if (!search.island.alarms.some((id) => isPast(search.board, id))) return best
  for (const cause of start.causes) {
    if (best.causes.length < 2) break
    const fewer = search.try(best.causes.filter((other) => !same(other, cause)))
    if (fewer.explained === best.explained) best = fewer
  }
  return best
}

const same = (x: Cause, y: Cause): boolean => x.kind === y.kind && x.index === y.index

// -- what is said of one cause ---------------------------------------------------------------------------------------------

const candidateOf = (search: Search, best: Assessment, cause: Cause, singles: readonly Assessment[]): Candidate => {
  const { board } = search
  const rest = best.causes.filter((other) => !same(other, cause))
  const own = signature(board, best)
  const members: Cause[] = [cause]
  const near: Array<{ readonly score: number; readonly other: Cause }> = []
  // Without it altogether, or with something else in its place.
  let rival = search.try(rest).score
  for (const { causes } of singles.slice(0, MAX_RIVALS + MAX_MEMBERS)) {
    const other = causes[0] as Cause
    if (best.causes.some((one) => same(one, other))) continue
    // Alone it is known; beside the other causes it would have to be worked out.
    if (rest.length > 0 && search.isSpent()) break
    const exchanged = search.try([...rest, other])
    const isMember =
      members.length < MAX_MEMBERS &&
      best.likelihood - exchanged.likelihood < CLASS_SPREAD &&
      signature(board, exchanged) === own
    if (isMember) members.push(other)
    else {
      rival = Math.max(rival, exchanged.score)
      if (best.score - exchanged.score < NEAR) near.push({ score: exchanged.score, other })
    }
  }
  const margin = best.score - rival
  const without = rest.length === 0 ? null : search.try(rest)
  const others = new Set(without?.ids)
  const its = search.try([cause])
  const seen = expectedBy(its)
  const alone = seen.filter((id) => isOf(board, id, its.onsetMs))
  // Whom two faults cut off together, neither of them cuts off alone.
  const together = its.onsetMs === null && without !== null ? onlyWith(board, best, without) : []
  const explained = [...alone, ...together]
  const absent = seen.filter((id) => board.state[id] === 1)
  const features = {
    margin,
    explained: explained.length,
    absent: its.missing,
    members: members.length,
    shared: explained.filter((id) => others.has(id)).length,
  }
  return {
    cause,
    members,
    confidence: confidenceOf(features),
    part: "primary",
    rivals: near.sort((x, y) => y.score - x.score).map(({ other }) => other),
    features,
    onsetMs: its.onsetMs ?? earliestOf(board, together),
    explained,
    absent,
    awaited: seen.filter((id) => board.state[id] === 0),
  }
}

const expectedBy = ({ ids, chance }: Assessment): readonly number[] =>
  ids.filter((_, i) => (chance[i] as number) >= EXPECTED)

/** Alarms that last, which `all` explain and `fewer` do not. */
const onlyWith = (board: Board, all: Assessment, fewer: Assessment): readonly number[] => {
  const explained = new Set(expectedBy(fewer))
  return expectedBy(all).filter((id) => !explained.has(id) && isAlarm(board, id) && !isPast(board, id))
}

const earliestOf = ({ atMs }: Board, alarms: readonly number[]): number | null =>
  alarms.length === 0 ? null : Math.min(...alarms.map((id) => atMs[id] as number))

/** What it predicts of everything that can be observed: equal signatures cannot be told apart today. */
export const signature = (board: Board, { ids, chance }: Pick<Assessment, "ids" | "chance">): string => {
  const words: number[] = []
  for (const [i, id] of ids.entries()) {
    const [kind, index] = kindAt(board, id)
    const p = chance[i] as number
    if (kind.tells !== "now" || !kind.isObservable(board.model, index) || (p !== BLIND && p < EXPECTED)) continue
    words.push(2 * id + (p === BLIND ? 1 : 0))
  }
  return words.sort((x, y) => x - y).join()
}

/** Traffic that goes another way because something beside it is down fills a link: its congestion contributes. */
const withParts = ({ model }: Board, candidates: readonly Candidate[]): readonly Candidate[] => {
  const broken = candidates.filter(({ cause }) => BREAKS.includes(cause.kind))
  if (broken.length === 0) return candidates
  const around = broken.map(({ cause, onsetMs }) => {
    const scenario = scenarioOf(model, [cause])
    const nodes = new Set(scenario.deadNodes)
    for (const l of scenario.deadLinks) nodes.add(endOf(model.graph, l, 0)).add(endOf(model.graph, l, 1))
    for (const n of scenario.deadNodes) for (const far of neighboursOf(model, n)) nodes.add(far)
    return { nodes, onsetMs: onsetMs ?? 0 }
  })
  return candidates.map((one) => {
    if (one.cause.kind !== "congestion") return one
    const ends = [endOf(model.graph, one.cause.index, 0), endOf(model.graph, one.cause.index, 1)]
    const follows = around.some(({ nodes, onsetMs }) => onsetMs < (one.onsetMs ?? 0) && ends.some((n) => nodes.has(n)))
    return follows ? { ...one, part: "contributing" } : one
  })
}

const BREAKS: readonly Cause["kind"][] = ["link", "shut", "router", "site", "group"]

const neighboursOf = ({ graph: { from, to } }: Model, node: number): Uint32Array =>
  to.subarray(from[node] as number, from[node + 1] as number)
