/**
 * Alarms that could have a cause in common. Two alarms belong together when one suspect could have made both; what
 * different islands tell has nothing to do with each other, so that each is explained alone, and only when it changed.
 */
import type { Board } from "#twin/rca/board.ts"
import { kindAt } from "#twin/rca/board.ts"
import { causeId } from "#twin/rca/cause.ts"
import type { Suspect } from "#twin/rca/evidence/kind.ts"
import { isSilenceKind, silenceOf, silentRegions, suspectPath } from "#twin/rca/silence.ts"

export interface Island {
  /** Ascending. */
  readonly alarms: readonly number[]
  /** Suspect -> the alarms that it could have made. */
  readonly suspects: ReadonlyMap<number, readonly number[]>
  /** Holds silent routers: then its suspects depend on who answers. */
  readonly silent: boolean
}

export const islandsOf = (board: Board): readonly Island[] => {
  const alarms = [...board.alarms].filter((id) => !board.excused.has(id)).sort((x, y) => x - y)
  const suspects = new Map<number, number[]>()
  const accuse = (id: number): Suspect => {
    return (kind, index) => {
      const cause = causeId(board.model, kind, index)
      const accusers = suspects.get(cause)
      if (accusers === undefined) suspects.set(cause, [id])
      else if (accusers.at(-1) !== id) accusers.push(id)
    }
  }
  const silent: number[] = []
  for (const id of alarms) {
    const [kind, index, number] = kindAt(board, id)
    kind.suspects(board.model, index, accuse(id))
    if (!isSilenceKind(number)) continue
    silent.push(id)
    suspectPath(board.model, ...silenceOf(board, id, number), accuse(id))
  }
  for (const region of silentRegions(board, silent)) for (const id of region.alarms) region.border(accuse(id))
  return split(alarms, suspects, new Set(silent))
}

interface Growing {
  readonly alarms: number[]
  readonly suspects: Map<number, readonly number[]>
  silent: boolean
}

const split = (
  alarms: readonly number[],
  suspects: ReadonlyMap<number, readonly number[]>,
  silent: ReadonlySet<number>,
): readonly Island[] => {
  const leader = new Map<number, number>(alarms.map((id) => [id, id]))
  const find = (id: number): number => {
    let top = id
    while (leader.get(top) !== top) top = leader.get(top) as number
    for (let at = id; at !== top;) {
      const next = leader.get(at) as number
      leader.set(at, top)
      at = next
    }
    return top
  }
  for (const accusers of suspects.values()) {
    const first = find(accusers[0] as number)
    for (const id of accusers) leader.set(find(id), first)
  }
  const islands = new Map<number, Growing>()
  for (const id of alarms) {
    const top = find(id)
    const island: Growing = islands.get(top) ?? { alarms: [], suspects: new Map(), silent: false }
    island.alarms.push(id)
    island.silent ||= silent.has(id)
    islands.set(top, island)
  }
  for (const [cause, accusers] of suspects)
    islands.get(find(accusers[0] as number))?.suspects.set(cause, distinct(accusers))
  return [...islands.values()]
}

/** An alarm accuses once, however many roads lead to the suspect. Only a border accuses out of turn. */
const distinct = (accusers: readonly number[]): readonly number[] =>
  accusers.every((id, i) => i === 0 || (accusers[i - 1] as number) < id)
    ? accusers
    : [...new Set(accusers)].sort((x, y) => x - y)
