/**
 * The door between a live twin and root-cause analysis: what its routers and links show, as a board. `symptomsOf` reads all
 * of it, `refresh` only the devices that a round touched (RoundResult.nodes); both give the same board. It is derived: kept
 * beside the twin, never in its state, and built anew after a restart or a change of the inventory.
 */
import type { Cells } from "#twin/cells.ts"
import { newBoard } from "#twin/rca/board.ts"
import type { Board } from "#twin/rca/board.ts"
import { buildModel } from "#twin/rca/model.ts"
import { structureOf } from "#twin/rca/network-of.ts"
import type { Structure, StructureOptions } from "#twin/rca/network-of.ts"
import { holds, put, readingOf } from "#twin/rca/reading.ts"
import type { Reading } from "#twin/rca/reading.ts"
import { rememberedBy } from "#twin/rca/remembered.ts"
import type { World } from "#twin/round.ts"

export interface Symptoms {
  readonly board: Board
  readonly structure: Structure
  /** Revision of the inventory that it was built for. */
  readonly rev: number
  readonly lapses: Lapses
}

/** When what was read says nothing any more, although nobody tells anything new. */
export interface Lapses {
  readonly bySlot: Map<number, number>
  /** Nothing lapses before it: only then is it worth a look. */
  soonestMs: number
}

export const noLapses = (): Lapses => ({ bySlot: new Map(), soonestMs: Number.POSITIVE_INFINITY })

export const symptomsOf = (world: World, cells: Cells, options: StructureOptions = {}): Symptoms => {
  const structure = structureOf(world, cells, options)
  const { rev } = world.topology
  const symptoms: Symptoms = { board: newBoard(buildModel(structure.network)), structure, rev, lapses: noLapses() }
  refresh(
    symptoms,
    world,
    cells,
    world.topology.routers.map((_, slot) => slot),
  )
  return symptoms
}

/**
 * Reads these devices anew, and those whose readings have lapsed. False = the structure is another one (inventory, or a
 * neighbour that was never seen before): call `symptomsOf` again.
 */
export const refresh = (symptoms: Symptoms, world: World, cells: Cells, slots: Iterable<number>): boolean => {
  if (symptoms.rev !== world.topology.rev) return false
  const all = new Set(slots)
  for (const slot of lapsed(symptoms, world.atMs)) all.add(slot)
  return readAll(symptoms, world, cells, all)
}

/** Devices that have something on the board which time alone has taken the say from. */
const lapsed = ({ lapses }: Symptoms, nowMs: number): readonly number[] => {
  if (nowMs < lapses.soonestMs) return []
  const due: number[] = []
  lapses.soonestMs = Number.POSITIVE_INFINITY
  for (const [slot, atMs] of lapses.bySlot) {
    if (atMs <= nowMs) due.push(slot)
    lapses.soonestMs = Math.min(lapses.soonestMs, atMs)
  }
  return due
}

/**
 * The newest reading of each slot, for as long as the structure stays. What holds is put on the board as it is: the same
 * words as of a new reading, without making them.
 */
const readings = new WeakMap<Symptoms, Map<number, Reading>>()

const readAll = (symptoms: Symptoms, world: World, cells: Cells, slots: Iterable<number>): boolean => {
  const { board, structure, lapses } = symptoms
  let known = readings.get(symptoms)
  if (known === undefined) readings.set(symptoms, (known = new Map()))
  const remembered = rememberedBy(world)
  const linkOf = cells.links.state
  let isKnown = true
  for (const slot of slots) {
    const state = cells.routers.state(slot)
    const readable = { state, events: remembered(state.config.device), linkOf }
    let reading = known.get(slot)
    if (reading === undefined || !holds(reading, readable, world.atMs)) {
      reading = readingOf(readable, board, structure, world.topology, world.atMs)
      known.set(slot, reading)
    }
    put(board, reading)
    isKnown &&= reading.isKnown
    const { untilMs } = reading
    if (untilMs === Number.POSITIVE_INFINITY) lapses.bySlot.delete(slot)
    else lapses.bySlot.set(slot, untilMs)
    lapses.soonestMs = Math.min(lapses.soonestMs, untilMs)
  }
  return isKnown
}
