/**
 * What a cause takes along: who falls silent, which links carry nothing, on which routers anything of it may show. The
 * structure says the first once for all, and the evidence mostly comes out as it was: when somebody falls silent, everything
 * silent is explained anew, and thousands of places that nobody has changed are not named again.
 */
import { interfaceKey } from "#protocol/id.ts"
import { placedAt, spotOf } from "#twin/incident/spot.ts"
import type { Alarm, Placed } from "#twin/incident/spot.ts"
import { causeId } from "#twin/rca/cause.ts"
import type { Cause } from "#twin/rca/cause.ts"
import type { Candidate } from "#twin/rca/explain.ts"
import { endOf } from "#twin/rca/model.ts"
import { scenarioOf } from "#twin/rca/scenario.ts"
import type { Symptoms } from "#twin/rca/symptoms.ts"
import type { Topology } from "#twin/topology.ts"

/** What the structure says of a cause, and where the evidence showed when it was last asked for. */
export interface Shadow {
  readonly dead: ReadonlySet<number>
  readonly silent: ReadonlySet<number>
  readonly links: ReadonlySet<number>
  /** Of what it takes down or fills. */
  readonly ends: readonly Placed[]
  shows: Shows | null
}

/** Where the evidence of a candidate shows. */
interface Shows {
  readonly alarms: readonly Alarm[]
  /** placeKey by device id: everything on which it predicts an alarm. */
  readonly predicted: ReadonlySet<string>
  /** Routers on which anything of it may show, ascending. */
  readonly slots: readonly number[]
  readonly of: Pick<Candidate, "explained" | "absent" | "awaited">
}

/** Routers and places of all shadows that are kept, some 50 MB; of the causes that were asked for longest ago none is. */
const KEPT_MAX = 250_000
interface Kept {
  /** By causeId, the last asked for last. */
  readonly shadows: Map<number, Shadow>
  size: number
}
const kept = new WeakMap<Symptoms, Kept>()

export const shadowOf = (symptoms: Symptoms, topology: Topology, cause: Cause): Shadow => {
  let mine = kept.get(symptoms)
  if (mine === undefined) kept.set(symptoms, (mine = { shadows: new Map(), size: 0 }))
  const id = causeId(symptoms.board.model, cause.kind, cause.index)
  const known = mine.shadows.get(id)
  const shadow = known ?? cast(symptoms, topology, cause)
  mine.shadows.delete(id)
  mine.shadows.set(id, shadow)
  if (known === undefined) mine.size += sizeOf(shadow)
  for (const [oldest, one] of mine.shadows) {
    if (mine.size <= KEPT_MAX) break
    mine.shadows.delete(oldest)
    mine.size -= sizeOf(one)
  }
  return shadow
}

const sizeOf = ({ silent, ends }: Shadow): number => 1 + silent.size + ends.length

const cast = ({ board: { model } }: Symptoms, topology: Topology, cause: Cause): Shadow => {
  const scenario = scenarioOf(model, [cause])
  const silent = new Set<number>(scenario.deadNodes)
  if (!model.outOfBand) for (const node of scenario.silent[0] ?? []) silent.add(node)
  const links = new Set<number>(scenario.deadLinks)
  for (const port of scenario.shut) links.add(port >> 1)
  for (const slot of silent) for (const { link } of topology.routers[slot]?.ports ?? []) links.add(link)
  const ends: Placed[] = []
  for (const link of [...links, ...scenario.lossy, ...scenario.flapping, ...scenario.congested])
    for (const end of [0, 1]) {
      const slot = endOf(model.graph, link, end)
      const ifName = topology.routers[slot]?.ports.find((port) => port.link === link)?.ifName
      if (ifName !== undefined) ends.push(placedAt(topology, slot, interfaceKey(ifName)))
    }
  return { dead: scenario.deadNodes, silent, links, ends, shows: null }
}

/** The very same as long as it comes out the same: so others know it, too. */
export const showsOf = (symptoms: Symptoms, topology: Topology, candidate: Candidate, shadow: Shadow): Shows => {
  if (shadow.shows === null || !isOf(shadow.shows, candidate))
    shadow.shows = shownBy(symptoms, topology, candidate, shadow)
  return shadow.shows
}

const shownBy = (
  symptoms: Symptoms,
  topology: Topology,
  { explained, absent, awaited }: Candidate,
  { silent, ends }: Shadow,
): Shows => {
  const spotsOf = (ids: readonly number[]): readonly Alarm[] => {
    const found: Alarm[] = []
    for (const id of ids) {
      const spot = spotOf(symptoms, topology, id)
      if (spot !== null) found.push(spot)
    }
    return found
  }
  const alarms = spotsOf(explained)
  const predicted = new Set<string>()
  const slots = new Set(silent)
  for (const places of [alarms, spotsOf(absent), spotsOf(awaited), ends])
    for (const { slot, place } of places) {
      if (place === null) continue
      predicted.add(place)
      slots.add(slot)
    }
  return { of: { explained, absent, awaited }, alarms, predicted, slots: ascending([...slots]) }
}

const isOf = ({ of }: Shows, { explained, absent, awaited }: Candidate): boolean =>
  isEqual(of.explained, explained) && isEqual(of.absent, absent) && isEqual(of.awaited, awaited)

const isEqual = (x: readonly number[], y: readonly number[]): boolean =>
  x === y || (x.length === y.length && x.every((one, i) => one === y[i]))

/** Each once. */
export const ascending = (numbers: readonly number[]): readonly number[] => [...new Set(numbers)].sort((x, y) => x - y)
