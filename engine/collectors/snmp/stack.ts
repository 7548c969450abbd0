/**
 * IF-MIB ifStackTable (RFC 2863 s3.1.1): which interface lies directly over which. Its index is (higher ifIndex, lower
 * ifIndex); 0 means that nothing is above or below. Rows that are not active(1) and ports without a name are left out.
 */
import type { EntityKey } from "#protocol/id.ts"
import { STACK_PAIRS_MAX, stacksOf } from "#engine/collectors/lower-layers.ts"
import type { Stacks } from "#engine/collectors/lower-layers.ts"
import { columnsOf, readTable } from "#engine/collectors/snmp/read-table.ts"
import type { Reader } from "#engine/collectors/snmp/read-table.ts"

const STACK = columnsOf("1.3.6.1.2.1.31.1.2.1", { ifStackStatus: 3 })
/** RowStatus (RFC 2579). */
const ACTIVE = 1

export type StackPair = readonly [higherIfIndex: number, lowerIfIndex: number]

/** Pairs of interfaces; null = the agent has no such table, or not all of it was read. */
export const readStack = async (reader: Reader): Promise<readonly StackPair[] | null> => {
  let isWhole = true
  const warn = (text: string): void => {
    isWhole = false
    reader.warn(text)
  }
  const rows = await readTable({ ...reader, warn }, "ifStackTable", STACK)
  if (rows.length === 0 || rows.length > 4 * STACK_PAIRS_MAX || !isWhole) return null
  return rows.flatMap(({ index, cells }): StackPair[] => {
    const [higher = 0, lower = 0] = index
    return index.length === 2 && higher > 0 && lower > 0 && cells.ifStackStatus?.number() === ACTIVE
      ? [[higher, lower]]
      : []
  })
}

export const stacksByName = (pairs: readonly StackPair[], keyOf: (ifIndex: number) => EntityKey | null): Stacks =>
  stacksOf(
    pairs.flatMap(([higher, lower]) => {
      const over = keyOf(higher)
      const under = keyOf(lower)
      return over === null || under === null ? [] : [[over, under] as const]
    }),
  )
