/**
 * What shows now, in the words in which incidents keep their evidence: the kind and the place of each alarm on the board. One
 * account for all who ask whether something that an incident showed still lasts; an alarm that stands on no device of ours can
 * be no symptom of anything, and shows nowhere.
 */
import type { Symptom } from "#twin/incident/state.ts"
import { placeKey } from "#twin/incident/state.ts"
import { spotOf } from "#twin/incident/spot.ts"
import type { Spot } from "#twin/incident/spot.ts"
import { kindAt } from "#twin/rca/board.ts"
import type { Board } from "#twin/rca/board.ts"
import type { Symptoms } from "#twin/rca/symptoms.ts"
import type { Topology } from "#twin/topology.ts"

/** Name of one thing that can show. */
export type Shown = string

/** Of a symptom that is evidence. */
export const shownBy = ({ kind, device, entity }: Pick<Symptom, "kind" | "device" | "entity">): Shown =>
  `${kind} ${placeKey(device, entity)}`

/** Of an observable, where it stands; null = on no device of ours. */
export const shownAt = ({ board }: Symptoms, { inventory }: Topology, id: number, spot: Spot | null): Shown | null => {
  if (spot === null) return null
  const known = words.get(spot)
  if (known !== undefined) return known
  const device = inventory.devices[spot.slot]
  const shown =
    device === undefined ? null : shownBy({ kind: kindAt(board, id)[0].name, device: device.id, entity: spot.entity })
  words.set(spot, shown)
  return shown
}
/** By what spotOf says of an observable: thousands alarm for minutes, and all of them are named in every evaluation. */
const words = new WeakMap<Spot, Shown | null>()

/** Everything that alarms now, and since when. */
export const showing = (symptoms: Symptoms, topology: Topology): ReadonlyMap<Shown, number> => {
  const { board } = symptoms
  const known = newest.get(board)
  if (known?.changes === board.alarmChanges) return known.shown
  const shown = new Map<Shown, number>()
  for (const id of board.alarms) {
    const one = shownAt(symptoms, topology, id, spotOf(symptoms, topology, id))
    if (one !== null) shown.set(one, board.atMs[id] as number)
  }
  newest.set(board, { changes: board.alarmChanges, shown })
  return shown
}
const newest = new WeakMap<Board, { readonly changes: number; readonly shown: ReadonlyMap<Shown, number> }>()

/** It has not ended: what alarms there is what alarmed there all the while, whoever was taken for its cause. */
export const isLasting = (shown: ReadonlyMap<Shown, number>, one: Symptom): boolean => {
  const sinceMs = shown.get(shownBy(one))
  return sinceMs !== undefined && (one.endedMs === null || sinceMs <= one.endedMs)
}
