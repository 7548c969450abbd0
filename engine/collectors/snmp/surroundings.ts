/**
 * The slow part of polling: who is next to a device (LLDP) and which addresses it has. They change rarely and their tables
 * are long, so they are read every few minutes, after everything that a map or an alarm waits for.
 */
import type { EntityKey } from "#protocol/id.ts"
import { putAddresses, readAddresses } from "#engine/collectors/snmp/addresses.ts"
import type { OwnAddress } from "#engine/collectors/snmp/addresses.ts"
import type { Batch } from "#engine/collectors/snmp/batch.ts"
import { putLldp, readLldp } from "#engine/collectors/snmp/lldp.ts"
import type { LldpKeys, LldpNeighbor, LocalInterface } from "#engine/collectors/snmp/lldp.ts"
import { makeReader } from "#engine/collectors/snmp/read-table.ts"
import type { Walk } from "#engine/collectors/snmp/walk.ts"

export interface Surroundings {
  readonly neighbors: readonly LldpNeighbor[]
  readonly hasAllNeighbors: boolean
  /** Null = not all were read: some would look like a loss of the others. */
  readonly addresses: readonly OwnAddress[] | null
}

/** What is remembered between two readings. */
export interface SurroundingsMemory {
  readonly lldp: LldpKeys
  /** The agent has LLDP-MIB: an empty table then means that every neighbour is gone. */
  hasLldp: boolean
  /** Interfaces whose addresses were told. */
  readonly addressed: Set<EntityKey>
}

export const makeSurroundingsMemory = (): SurroundingsMemory => ({
  lldp: new Map(),
  hasLldp: false,
  addressed: new Set(),
})

/** Rejects with SnmpFailed only when the client was closed. */
export const readSurroundings = async (walk: Walk, interfaces: readonly LocalInterface[]): Promise<Surroundings> => {
  const warnings: string[] = []
  const reader = { ...makeReader(walk.client, walk.untilMs, warnings), pace: walk.pace }
  const neighbors = await readLldp(reader, interfaces)
  const hasAllNeighbors = warnings.length === 0
  const warned = warnings.length
  const addresses = await readAddresses(reader)
  return { neighbors, hasAllNeighbors, addresses: warnings.length > warned ? null : addresses }
}

export const putSurroundings = (
  batch: Batch,
  { neighbors, hasAllNeighbors, addresses }: Surroundings,
  memory: SurroundingsMemory,
  keyOf: (ifIndex: number) => EntityKey | null,
): void => {
  memory.hasLldp ||= neighbors.length > 0
  putLldp(batch, neighbors, hasAllNeighbors && memory.hasLldp, memory.lldp, keyOf)
  if (addresses !== null) putAddresses(batch, addresses, memory.addressed, keyOf)
}
