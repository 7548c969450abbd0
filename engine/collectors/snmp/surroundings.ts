/**
 * The slow part of polling: who is next to a device (LLDP, and on RouterOS its own discovery), which addresses it has and
 * which interface lies over which. They change rarely and their tables are long, so they are read every few minutes, after
 * everything that a map or an alarm waits for.
 */
import type { EntityKey } from "#protocol/id.ts"
import { tellStacks } from "#engine/collectors/lower-layers.ts"
import type { NeighborKeys } from "#engine/collectors/neighbor-keys.ts"
import { putAddresses, readAddresses } from "#engine/collectors/snmp/addresses.ts"
import type { OwnAddress } from "#engine/collectors/snmp/addresses.ts"
import type { Batch } from "#engine/collectors/snmp/batch.ts"
import { putDiscovery, readDiscovery } from "#engine/collectors/snmp/discovery.ts"
import type { DiscoveredNeighbor } from "#engine/collectors/snmp/discovery.ts"
import { putLldp, readLldp } from "#engine/collectors/snmp/lldp.ts"
import type { LldpNeighbor, LocalInterface } from "#engine/collectors/snmp/lldp.ts"
import { makeReader } from "#engine/collectors/snmp/read-table.ts"
import { readStack, stacksByName } from "#engine/collectors/snmp/stack.ts"
import type { StackPair } from "#engine/collectors/snmp/stack.ts"
import type { Walk } from "#engine/collectors/snmp/walk.ts"

export interface Surroundings {
  readonly neighbors: readonly LldpNeighbor[]
  readonly hasAllNeighbors: boolean
  /** Null = not all were read: some would look like a loss of the others. */
  readonly addresses: readonly OwnAddress[] | null
  /** Null = not asked, for a device that is no RouterOS. */
  readonly discovered: readonly DiscoveredNeighbor[] | null
  readonly hasAllDiscovered: boolean
  /** Null = no such table, or not all of it. */
  readonly stack: readonly StackPair[] | null
}

/** What is remembered between two readings. */
export interface SurroundingsMemory {
  readonly lldp: NeighborKeys
  readonly discovery: NeighborKeys
  /** The agent has LLDP-MIB: an empty table then means that every neighbour is gone. */
  hasLldp: boolean
  /** The same of mtxrNeighborTable. */
  hasDiscovery: boolean
  /** Interfaces whose addresses were told. */
  readonly addressed: Set<EntityKey>
  /** Interfaces whose lower layers were told. */
  readonly stacked: Set<EntityKey>
}

export const makeSurroundingsMemory = (): SurroundingsMemory => ({
  lldp: new Map(),
  discovery: new Map(),
  hasLldp: false,
  hasDiscovery: false,
  addressed: new Set(),
  stacked: new Set(),
})

/** Rejects with SnmpFailed only when the client was closed. */
export const readSurroundings = async (
  walk: Walk,
  interfaces: readonly LocalInterface[],
  isRouterOs: boolean,
): Promise<Surroundings> => {
  const warnings: string[] = []
  const reader = { ...makeReader(walk.client, walk.untilMs, warnings), pace: walk.pace }
  const neighbors = await readLldp(reader, interfaces)
  const hasAllNeighbors = warnings.length === 0
  const warned = warnings.length
  const addresses = await readAddresses(reader)
  const hasAllAddresses = warnings.length === warned
  const stack = await readStack(reader)
  const warnedBefore = warnings.length
  const discovered = isRouterOs ? await readDiscovery(reader, neighbors) : null
  return {
    neighbors,
    hasAllNeighbors,
    addresses: hasAllAddresses ? addresses : null,
    discovered,
    // Without all that LLDP heard, some of these may be LLDP's.
    hasAllDiscovered: hasAllNeighbors && warnings.length === warnedBefore,
    stack,
  }
}

export const putSurroundings = (
  batch: Batch,
  { neighbors, hasAllNeighbors, addresses, discovered, hasAllDiscovered, stack }: Surroundings,
  memory: SurroundingsMemory,
  keyOf: (ifIndex: number) => EntityKey | null,
  /** The interfaces that there are: to say of another that it lost something would bring it back. */
  interfaces: ReadonlySet<EntityKey>,
): void => {
  for (const told of [memory.addressed, memory.stacked])
    for (const key of told) if (!interfaces.has(key)) told.delete(key)
  memory.hasLldp ||= neighbors.length > 0
  putLldp(batch, neighbors, hasAllNeighbors && memory.hasLldp, memory.lldp, keyOf)
  if (addresses !== null) putAddresses(batch, addresses, memory.addressed, keyOf)
  if (discovered !== null) {
    memory.hasDiscovery ||= discovered.length > 0
    putDiscovery(batch, discovered, hasAllDiscovered && memory.hasDiscovery, memory.discovery, keyOf)
  }
  if (stack !== null) tellStacks(stacksByName(stack, keyOf), memory.stacked, batch.say)
}
