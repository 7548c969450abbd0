/**
 * The board of root-cause analysis beside a world: kept up to date with every input, explained when the desk asks. What was
 * seen depends on when it was read, so that the board lies in each snapshot: a restart goes on with the very same one. The
 * structure (who is whose neighbour) is learned anew when somebody unknown was heard, a few routers with every input.
 */
import type { Cells } from "#twin/cells.ts"
import { ALARM, carry, newBoard } from "#twin/rca/board.ts"
import { explain } from "#twin/rca/explain.ts"
import type { Explanation } from "#twin/rca/explain.ts"
import { buildModel } from "#twin/rca/model.ts"
import type { Session } from "#twin/rca/model.ts"
import { hasAddresses, isLearned, learnOn, newLearning, taught } from "#twin/rca/learning.ts"
import type { Learning } from "#twin/rca/learning.ts"
import { structureFrom } from "#twin/rca/network-of.ts"
import type { Learned, Place } from "#twin/rca/network-of.ts"
import { noLapses, refresh } from "#twin/rca/symptoms.ts"
import type { Symptoms } from "#twin/rca/symptoms.ts"
import type { World } from "#twin/round.ts"
import type { Topology } from "#twin/topology.ts"

/** A structure is learned anew at most so often. */
const STRUCTURE_MS = 10_000
/** Routers that are visited or read for it in one input, beside those that the input is about: about 2 ms. */
const VISITS = 192

export interface Sight {
  symptoms: Symptoms
  learned: Learned
  /** Null = to be explained from nothing. */
  explanation: Explanation | null
  /** When the structure was learned; 0 = it was not. */
  builtMs: number
  /** Somebody unknown was heard. */
  isStale: boolean
  /** Null = nothing is being learned. */
  learning: Learning | null
  /** Routers that had told no address when the structure was learned: what they tell first makes it stale. */
  unheard: ReadonlySet<number>
  /** Routers up to this slot were read since the structure was learned. */
  readTo: number
  /** It has never been read in whole: what it shows is a part, and no reason to say anything. */
  isPartial: boolean
}

/** Knows the inventory, and nothing of what anybody told: `study` makes it good, input by input. */
export const look = ({ topology }: World): Sight => {
  const learned = NOTHING(topology)
  return {
    symptoms: blank(topology, learned, null),
    learned,
    explanation: null,
    builtMs: 0,
    isStale: true,
    learning: null,
    unheard: NOBODY,
    readTo: 0,
    isPartial: true,
  }
}

const NOBODY: ReadonlySet<number> = new Set()

const NOTHING = ({ inventory }: Topology): Learned => ({
  places: inventory.devices.map(() => new Map()),
  sessions: [],
  ospf: new Uint8Array(inventory.links.length),
})

const blank = (topology: Topology, learned: Learned, known: Symptoms | null): Symptoms => {
  const structure = structureFrom(topology, learned, {}, known?.structure ?? null)
  const board = newBoard(buildModel(structure.network, known?.board.model ?? null))
  return { board, structure, rev: topology.rev, lapses: known?.lapses ?? noLapses() }
}

/** Reads these devices, and what has lapsed; true = there is something to explain. */
export const read = (sight: Sight, world: World, cells: Cells, slots: Iterable<number>): boolean => {
  if (!refresh(sight.symptoms, world, cells, slots)) sight.isStale = true
  if (sight.unheard.size > 0 && !sight.isStale)
    for (const slot of slots) if (sight.unheard.has(slot) && hasAddresses(cells, slot)) sight.isStale = true
  const { board } = sight.symptoms
  // Not by what was explained: a twin that has just started has not explained anything, and must say the same.
  if (board.alarms.size > 0 || board.alarmEnded) return board.changed.size > 0
  atRest(sight)
  return false
}

/** All is well: what was read goes nowhere, and there is nothing to go on from. */
export const atRest = (sight: Sight): void => {
  const { board } = sight.symptoms
  sight.explanation = null
  board.changed.clear()
  board.reread.clear()
  board.alarmEnded = false
}

/** When it wants to go on learning, whatever happens; null = it has learned what there is. */
export const studyMs = ({ isStale, learning, builtMs, readTo, learned }: Sight): number | null => {
  if (learning !== null || readTo < learned.places.length) return 0
  return isStale ? builtMs + STRUCTURE_MS : null
}

/**
 * One input's share of learning who is whose neighbour, and of reading everybody by it: bounded, however big the network is.
 * `anew` = the observables have other numbers now; `news` = there is something to explain.
 */
export const study = (sight: Sight, world: World, cells: Cells): { readonly anew: boolean; readonly news: boolean } => {
  const { topology } = world
  const routers = topology.routers.length
  if (sight.learning === null && sight.isStale && world.atMs >= sight.builtMs + STRUCTURE_MS)
    sight.learning = newLearning(topology)
  let left = VISITS
  let anew = false
  if (sight.learning !== null) {
    left -= learnOn(sight.learning, world, cells, left)
    anew = isLearned(sight.learning, topology)
    if (anew) adopt(sight, topology, sight.learning, world.atMs)
  }
  const from = sight.readTo
  if (left <= 0 || from >= routers || (sight.learning !== null && !anew)) return { anew, news: anew }
  sight.readTo = Math.min(routers, from + left)
  const slots = Array.from({ length: sight.readTo - from }, (_, n) => from + n)
  const isNews = read(sight, world, cells, slots)
  const isWhole = sight.isPartial && sight.readTo === routers
  if (isWhole) sight.isPartial = false
  return { anew, news: anew || isNews || isWhole }
}

/** The same network with other neighbours: what is known of everything else stays on the board. */
const adopt = (sight: Sight, topology: Topology, learning: Learning, atMs: number): void => {
  const learned = taught(learning)
  const { symptoms: before, learned: old } = sight
  sight.symptoms = blank(topology, learned, before)
  sight.learned = learned
  carry(before.board, sight.symptoms.board, moved(old, learned))
  const unheard: ReadonlySet<number> = new Set(learning.unheard)
  Object.assign(sight, { explanation: null, builtMs: atMs, isStale: false, learning: null, unheard, readTo: 0 })
}

function* moved(old: Learned, now: Learned): Generator<readonly [kind: string, was: number, is: number]> {
  for (const [slot, mine] of now.places.entries()) {
    const known = old.places[slot]
    if (known === undefined || known.size === 0) continue
    for (const [key, place] of mine) {
      const was = known.get(key) ?? null
      if (was !== null && place !== null && was.kind === place.kind) yield [place.kind, was.index, place.index]
    }
  }
}

export const explained = (sight: Sight): Explanation => {
  sight.explanation = explain(sight.symptoms.board, sight.explanation)
  return sight.explanation
}

/** What a snapshot keeps of it. */
export interface StoredSight {
  readonly rev: number
  readonly builtMs: number
  readonly isStale: boolean
  /** By slot: key, kind (0 = none, 1 = ospf, 2 = bgp), index. */
  readonly places: ReadonlyArray<ReadonlyArray<readonly [key: string, kind: 0 | 1 | 2, index: number]>>
  readonly sessions: ReadonlyArray<readonly [a: number, b: number, link: number]>
  readonly ospf: Uint8Array
  readonly seen: Uint8Array
  readonly atMs: Float64Array
  readonly confirmed: readonly number[]
  /** These are absent in snapshots of before. */
  readonly lapses?: ReadonlyArray<readonly [slot: number, atMs: number]>
  readonly learning?: StoredLearning | null
  readonly unheard?: readonly number[]
  readonly readTo?: number
  readonly isPartial?: boolean
}

export const storedSight = ({
  symptoms,
  learned,
  builtMs,
  isStale,
  learning,
  unheard,
  readTo,
  isPartial,
}: Sight): StoredSight => ({
  rev: symptoms.rev,
  builtMs,
  isStale,
  ...storedLearned(learned),
  seen: symptoms.board.state.slice(),
  atMs: symptoms.board.atMs.slice(),
  confirmed: [...symptoms.board.confirmed].sort((x, y) => x - y),
  lapses: [...symptoms.lapses.bySlot].sort(([x], [y]) => x - y),
  learning: learning === null ? null : storedLearning(learning),
  unheard: [...unheard],
  readTo,
  isPartial,
})

/** What was learned does not change until it is learned anew: it is stored, and hashed, once. */
const storedLearned = (learned: Learned): Pick<StoredSight, "places" | "sessions" | "ospf"> => {
  const known = knownLearned.get(learned)
  if (known !== undefined) return known
  const stored = storedNeighbours(learned)
  knownLearned.set(learned, stored)
  return stored
}
const knownLearned = new WeakMap<Learned, Pick<StoredSight, "places" | "sessions" | "ospf">>()

const storedNeighbours = ({ places, sessions, ospf }: Learned): Pick<StoredSight, "places" | "sessions" | "ospf"> => ({
  places: places.map((mine) =>
    [...mine].map(
      ([key, place]) => [key, place === null ? 0 : place.kind === "ospf" ? 1 : 2, place?.index ?? 0] as const,
    ),
  ),
  sessions: sessions.map(({ a, b, link }) => [a, b, link] as const),
  ospf: ospf.slice(),
})

interface StoredLearning extends Pick<StoredSight, "places" | "sessions" | "ospf"> {
  readonly visits: number
  readonly unheard?: readonly number[]
  /** Slot -1 = several devices call it their own. */
  readonly owners: ReadonlyArray<readonly [address: string, slot: number, ifName: string | null]>
  readonly sessionAt: ReadonlyArray<readonly [key: string, session: number]>
}

const storedLearning = (learning: Learning): StoredLearning => ({
  ...storedNeighbours(learning),
  visits: learning.visits,
  unheard: learning.unheard.slice(),
  owners: [...learning.owners].map(([address, owner]) => [address, owner?.slot ?? -1, owner?.ifName ?? null] as const),
  sessionAt: [...learning.sessionAt],
})

const restoredNeighbours = ({
  places,
  sessions,
  ospf,
}: Pick<StoredSight, "places" | "sessions" | "ospf">): Pick<Learning, "places" | "sessions" | "ospf"> => ({
  places: places.map((mine) => new Map(mine.map(([key, kind, index]) => [key, placeOf(kind, index)]))),
  sessions: sessions.map(([a, b, link]): Session => ({ a, b, link })),
  ospf: ospf.slice(),
})

const restoredLearning = (stored: StoredLearning): Learning => ({
  ...restoredNeighbours(stored),
  visits: stored.visits,
  unheard: [...(stored.unheard ?? [])],
  owners: new Map(stored.owners.map(([address, slot, ifName]) => [address, slot < 0 ? null : { slot, ifName }])),
  sessionAt: new Map(stored.sessionAt),
})

/** Null = it does not fit this inventory, or this build's evidence: look again. */
export const restoredSight = (stored: StoredSight, topology: Topology): Sight | null => {
  if (stored.rev !== topology.rev || stored.places.length !== topology.routers.length) return null
  const learned: Learned = restoredNeighbours(stored)
  const symptoms = blank(topology, learned, null)
  const { board } = symptoms
  if (board.state.length !== stored.seen.length) return null
  board.state.set(stored.seen)
  board.atMs.set(stored.atMs)
  for (let id = 0; id < board.state.length; id++) if (board.state[id] === ALARM) board.alarms.add(id)
  for (const id of stored.confirmed) board.confirmed.add(id)
  for (const [slot, atMs] of stored.lapses ?? []) symptoms.lapses.bySlot.set(slot, atMs)
  symptoms.lapses.soonestMs = 0
  return {
    symptoms,
    learned,
    explanation: null,
    builtMs: stored.builtMs,
    isStale: stored.isStale,
    learning: stored.learning === undefined || stored.learning === null ? null : restoredLearning(stored.learning),
    unheard: new Set(stored.unheard ?? []),
    readTo: stored.readTo ?? topology.routers.length,
    isPartial: stored.isPartial ?? false,
  }
}

const placeOf = (kind: 0 | 1 | 2, index: number): Place | null =>
  kind === 0 ? null : { kind: kind === 1 ? "ospf" : "bgp", index }
