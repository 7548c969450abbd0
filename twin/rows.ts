/**
 * Which row of a table an entity of a poll has. A device lists its entities in the same order every time, so the row after
 * the last one is tried first; a Map is built only when that guess fails.
 */
import type { EntityKey } from "#protocol/id.ts"

export interface RowFinder {
  /** Row of a known key, -1 when there is none. */
  readonly find: (key: EntityKey) => number
  /** Row of the key, a new one when it is not known yet, -1 when the table is full. */
  readonly rowOf: (key: EntityKey) => number
  /** The known keys with the new ones behind: the same array when there is nothing new. */
  readonly keys: () => readonly EntityKey[]
}

export const rowFinder = (known: readonly EntityKey[], most: number): RowFinder => {
  let keys = known
  let index: Map<EntityKey, number> | null = null
  let guess = 0
  const indexed = (): Map<EntityKey, number> => {
    index ??= new Map(keys.map((key, row) => [key, row]))
    return index
  }
  const added = (key: EntityKey): number => {
    if (keys.length >= most) return -1
    if (keys === known) keys = known.slice()
    ;(keys as EntityKey[]).push(key)
    indexed().set(key, keys.length - 1)
    guess = keys.length
    return keys.length - 1
  }
  const find = (key: EntityKey): number => {
    const row = keys[guess] === key ? guess : (indexed().get(key) ?? -1)
    if (row >= 0) guess = row + 1
    return row
  }
  return {
    find,
    rowOf: (key) => {
      const row = find(key)
      return row < 0 ? added(key) : row
    },
    keys: () => keys,
  }
}
