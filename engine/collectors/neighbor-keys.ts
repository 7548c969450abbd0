/**
 * Keys of neighbours heard on a port (`lldp:ether1`, `lldp:ether1#2`, `mndp:ether1`), steady while the neighbour is heard:
 * tables list them in any order, and one that goes must not rename the others. Shared by SNMP and the RouterOS API, so that
 * both call the same neighbour the same.
 */
import type { EntityKey } from "#protocol/id.ts"

/** Key of each neighbour of the newest listing, by who it is: the second on a port stays the second when the first goes. */
export type NeighborKeys = Map<string, EntityKey>

export interface KeyedNeighbor {
  /** Who it is, where: the same text in each listing. */
  readonly who: string
  /** Its key as the nth of its port, from 1. */
  readonly key: (nth: number) => EntityKey
}

/** Known neighbours keep their keys, new ones get the first free number of their port. Rewrites `keys`. */
export const assignNeighborKeys = (rows: readonly KeyedNeighbor[], keys: NeighborKeys): readonly EntityKey[] => {
  const seen = new Map<string, number>()
  // A router may list one neighbour several times on one port: each row is an entity.
  const names = rows.map(({ who }) => {
    const nth = (seen.get(who) ?? 0) + 1
    seen.set(who, nth)
    return `${who}\0${nth}`
  })
  const used = new Set(names.flatMap((name) => keys.get(name) ?? []))
  const result = rows.map(({ key }, i) => {
    const known = keys.get(names[i] as string)
    if (known !== undefined) return known
    let nth = 1
    while (used.has(key(nth))) nth++
    used.add(key(nth))
    return key(nth)
  })
  keys.clear()
  for (const [i, name] of names.entries()) keys.set(name, result[i] as EntityKey)
  return result
}
