/**
 * Where what root-cause analysis observes stands: a device of ours and the entity on it, in the inventory's words. Evidence,
 * symptoms and questions are laid on one another by it. The board's structure says it once for all.
 */
import { interfaceKey } from "#protocol/id.ts"
import { placeKey } from "#twin/incident/state.ts"
import { kindAt } from "#twin/rca/board.ts"
import { endOf } from "#twin/rca/model.ts"
import type { Symptoms } from "#twin/rca/symptoms.ts"
import type { Topology } from "#twin/topology.ts"

/** Where an observable stands: a device of ours and the entity on it. */
export interface Spot {
  readonly slot: number
  readonly entity: string
}

export interface Placed extends Spot {
  /** placeKey by device id; null = the inventory has no such device. */
  readonly place: string | null
}

export const placedAt = ({ inventory }: Topology, slot: number, entity: string): Placed => {
  const device = inventory.devices[slot]
  return { slot, entity, place: device === undefined ? null : placeKey(device.id, entity) }
}

/** Where an observable stands. */
export interface Alarm extends Placed {
  readonly id: number
}

/** Where each observable that was asked for stands; the structure says it once for all. */
const spots = new WeakMap<Symptoms, Map<number, Alarm | null>>()

/** Null = it stands on no device of ours. */
export const spotOf = (symptoms: Symptoms, topology: Topology, id: number): Alarm | null => {
  let known = spots.get(symptoms)
  if (known === undefined) spots.set(symptoms, (known = new Map()))
  let spot = known.get(id)
  if (spot === undefined) {
    const at = placed(symptoms, topology, id)
    known.set(id, (spot = at === null ? null : { ...placedAt(topology, at.slot, at.entity), id }))
  }
  return spot
}

const placed = ({ board, structure }: Symptoms, topology: Topology, id: number): Spot | null => {
  const [kind, index] = kindAt(board, id)
  const { graph, network } = board.model
  switch (kind.name) {
    case "answer":
    case "ping":
    case "change":
    case "reboot":
      return { slot: index % graph.nodes, entity: "" }
    case "bgp": {
      const session = network.sessions[index >> 1]
      const slot = (index & 1) === 0 ? session?.a : session?.b
      if (slot === undefined || slot < 0) return null
      return { slot, entity: keyAt(structure, slot, "bgp", index) ?? "" }
    }
    default: {
      const slot = endOf(graph, index >> 1, index & 1)
      const ifName = topology.routers[slot]?.ports.find(({ link }) => link === index >> 1)?.ifName
      if (slot < 0 || ifName === undefined) return null
      const adjacency = kind.name === "ospf" ? keyAt(structure, slot, "ospf", index) : null
      return { slot, entity: adjacency ?? interfaceKey(ifName) }
    }
  }
}

const keyAt = ({ places }: Symptoms["structure"], slot: number, kind: string, index: number): string | null => {
  for (const [key, place] of places[slot] ?? []) if (place?.kind === kind && place.index === index) return key
  return null
}
