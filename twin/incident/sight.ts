/**
 * The board of root-cause analysis beside a world: kept up to date with every input, explained when the desk asks. What was
 * seen depends on when it was read, so that the board lies in each snapshot: a restart goes on with the very same one. The
 * structure (who is whose neighbour) is learned anew when somebody unknown was heard, and not more often than structureEveryMs.
 */
import type { Cells } from "#twin/cells.ts"
import { newBoard } from "#twin/rca/board.ts"
import { ALARM } from "#twin/rca/board.ts"
import { explain } from "#twin/rca/explain.ts"
import type { Explanation } from "#twin/rca/explain.ts"
import { buildModel } from "#twin/rca/model.ts"
import type { Session } from "#twin/rca/model.ts"
import { learnedOf, structureFrom } from "#twin/rca/network-of.ts"
import type { Learned, Place } from "#twin/rca/network-of.ts"
import { lapsed, refresh } from "#twin/rca/symptoms.ts"
import type { Symptoms } from "#twin/rca/symptoms.ts"
import type { World } from "#twin/round.ts"
import type { Topology } from "#twin/topology.ts"

/** A structure is learned anew at most so often; it costs about 30 us a router, so that big networks wait longer. */
const STRUCTURE_MS = 10_000
const STRUCTURE_MS_A_ROUTER = 6
export const structureEveryMs = (routers: number): number => Math.max(STRUCTURE_MS, routers * STRUCTURE_MS_A_ROUTER)

export interface Sight {
  symptoms: Symptoms
  learned: Learned
  /** Null = to be explained from nothing. */
  explanation: Explanation | null
  builtMs: number
  /** Somebody unknown was heard. */
  isStale: boolean
}

type Around = Pick<World, "topology" | "recent" | "atMs">

export const look = (world: World, cells: Cells): Sight => {
  const learned = learnedOf(world, cells)
  const symptoms = blank(world.topology, learned)
  const slots = world.topology.routers.map((_, slot) => slot)
  refresh(symptoms, world, cells, slots)
  return { symptoms, learned, explanation: null, builtMs: world.atMs, isStale: false }
}

const blank = (topology: Topology, learned: Learned): Symptoms => {
  const structure = structureFrom(topology, learned)
  return { board: newBoard(buildModel(structure.network)), structure, rev: topology.rev, lapses: new Map() }
}

/** Somebody told something, or something that was told has lapsed. */
export const hasNews = ({ symptoms }: Sight, slots: ReadonlySet<number>, nowMs: number): boolean =>
  slots.size > 0 || lapsed(symptoms, nowMs).length > 0

/** Reads these devices; true = there is something to explain. */
export const read = (sight: Sight, world: World, cells: Cells, slots: Iterable<number>): boolean => {
  if (!refresh(sight.symptoms, world, cells, slots)) sight.isStale = true
  const { board } = sight.symptoms
  const isQuiet = board.alarms.size === 0 && (sight.explanation?.candidates.length ?? 0) === 0
  if (!isQuiet) return board.changed.size > 0
  // All is well: what was read goes nowhere.
  board.changed.clear()
  return false
}

export const isLearnable = (sight: Sight, { atMs, topology }: Around): boolean =>
  sight.isStale && atMs - sight.builtMs >= structureEveryMs(topology.routers.length)

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
  /** By slot; absent in snapshots of before. */
  readonly lapses?: ReadonlyArray<readonly [slot: number, atMs: number]>
}

export const storedSight = ({ symptoms, learned, builtMs, isStale }: Sight): StoredSight => ({
  rev: symptoms.rev,
  builtMs,
  isStale,
  ...storedLearned(learned),
  seen: symptoms.board.state.slice(),
  atMs: symptoms.board.atMs.slice(),
  confirmed: [...symptoms.board.confirmed].sort((x, y) => x - y),
  lapses: [...symptoms.lapses].sort(([x], [y]) => x - y),
})

/** What was learned does not change until it is learned anew: it is stored, and hashed, once. */
const storedLearned = (learned: Learned): Pick<StoredSight, "places" | "sessions" | "ospf"> => {
  const known = knownLearned.get(learned)
  if (known !== undefined) return known
  const stored = {
    places: learned.places.map((mine) =>
      [...mine].map(
        ([key, place]) => [key, place === null ? 0 : place.kind === "ospf" ? 1 : 2, place?.index ?? 0] as const,
      ),
    ),
    sessions: learned.sessions.map(({ a, b, link }) => [a, b, link] as const),
    ospf: learned.ospf.slice(),
  }
  knownLearned.set(learned, stored)
  return stored
}
const knownLearned = new WeakMap<Learned, Pick<StoredSight, "places" | "sessions" | "ospf">>()

/** Null = it does not fit this inventory, or this build's evidence: look again. */
export const restoredSight = (stored: StoredSight, topology: Topology): Sight | null => {
  if (stored.rev !== topology.rev || stored.places.length !== topology.routers.length) return null
  const learned: Learned = {
    places: stored.places.map((mine) => new Map(mine.map(([key, kind, index]) => [key, placeOf(kind, index)]))),
    sessions: stored.sessions.map(([a, b, link]): Session => ({ a, b, link })),
    ospf: stored.ospf.slice(),
  }
  const symptoms = blank(topology, learned)
  const { board } = symptoms
  if (board.state.length !== stored.seen.length) return null
  board.state.set(stored.seen)
  board.atMs.set(stored.atMs)
  for (let id = 0; id < board.state.length; id++) if (board.state[id] === ALARM) board.alarms.add(id)
  for (const id of stored.confirmed) board.confirmed.add(id)
  for (const [slot, atMs] of stored.lapses ?? []) symptoms.lapses.set(slot, atMs)
  return { symptoms, learned, explanation: null, builtMs: stored.builtMs, isStale: stored.isStale }
}

const placeOf = (kind: 0 | 1 | 2, index: number): Place | null =>
  kind === 0 ? null : { kind: kind === 1 ? "ospf" : "bgp", index }
