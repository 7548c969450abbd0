/**
 * What could have made routers fall silent: themselves, whatever every path to them passes, and, where several faults cut
 * them off together, the elements along the border between those that answer and those that do not.
 */
import type { Board } from "#twin/rca/board.ts"
import { ALARM, CLEAR, kindNumber } from "#twin/rca/board.ts"
import { suspectNode } from "#twin/rca/evidence/kind.ts"
import type { Suspect } from "#twin/rca/evidence/kind.ts"
import type { Model } from "#twin/rca/model.ts"

/** Routers of one silent region that are walked; beyond them the border is not searched further. */
const MAX_REGION = 4096
/** Elements of one border that are suspected. */
const MAX_BORDER = 64

const ANSWER = kindNumber("answer")
const PING = kindNumber("ping")

export const isSilenceKind = (kind: number): boolean => kind === ANSWER || kind === PING

/** The router and the vantage point of an alarm of silence. */
export const silenceOf = (board: Board, id: number, kind: number): readonly [node: number, view: number] => {
  const index = id - (board.from[kind] as number)
  const { nodes } = board.model.graph
  return kind === PING ? [index % nodes, Math.floor(index / nodes)] : [index, 0]
}

/** Routers and bridges that every path from the vantage to the router passes. */
export const suspectPath = (model: Model, node: number, view: number, suspect: Suspect): void => {
  for (const { node: _dependent, members } of model.hangsOn.get(node) ?? [])
    for (const member of members) suspectNode(model, member, suspect)
  const tree = model.dominators[view]
  if (model.outOfBand || tree === undefined) return
  for (let at = node; at >= 0; at = tree.above[at] as number) {
    // The router where the vantage stands is under suspicion by its own silence only.
    if (at !== node && tree.isSource[at] !== 1) suspectNode(model, at, suspect)
    const bridge = tree.bridge[at] as number
    if (bridge < 0) continue
    suspect("link", bridge)
    for (const g of model.groupsOf[bridge] ?? []) suspect("group", g)
  }
}

/** Alarms of a region of silence, and what stands on its border. */
export interface Region {
  readonly alarms: readonly number[]
  readonly border: (suspect: Suspect) => void
}

/** Regions of routers that do not answer, joined through those of which nothing is known. */
export const silentRegions = (board: Board, silent: readonly number[]): readonly Region[] => {
  if (board.model.outOfBand) return []
  const byNode = new Map<number, number[]>()
  for (const id of silent) {
    const kind = id >= (board.from[PING] as number) ? PING : ANSWER
    const [node] = silenceOf(board, id, kind)
    const alarms = byNode.get(node)
    if (alarms === undefined) byNode.set(node, [id])
    else alarms.push(id)
  }
  const seen = new Set<number>()
  const regions: Region[] = []
  for (const start of byNode.keys()) if (!seen.has(start)) regions.push(regionFrom(board, start, byNode, seen))
  return regions
}

const regionFrom = (
  board: Board,
  start: number,
  byNode: ReadonlyMap<number, readonly number[]>,
  seen: Set<number>,
): Region => {
  const { from, to, link } = board.model.graph
  const region = [start]
  const alarms: number[] = []
  const links: number[] = []
  const gates = new Set<number>()
  seen.add(start)
  for (let head = 0; head < region.length; head++) {
    const node = region[head] as number
    alarms.push(...(byNode.get(node) ?? []))
    for (let half = from[node] as number; half < (from[node + 1] as number); half++) {
      const next = to[half] as number
      if (seen.has(next)) continue
      if (answers(board, next)) {
        links.push(link[half] as number)
        gates.add(node)
      } else if (region.length < MAX_REGION && (byNode.has(next) || byNode.has(node))) {
        // Of two routers in a row of which nothing is known, the second tells nothing more.
        seen.add(next)
        region.push(next)
      }
    }
  }
  return {
    alarms,
    border: (suspect) => {
      for (const l of links.slice(0, MAX_BORDER)) {
        suspect("link", l)
        for (const g of board.model.groupsOf[l] ?? []) suspect("group", g)
      }
      for (const node of [...gates].slice(0, MAX_BORDER)) suspectNode(board.model, node, suspect)
    },
  }
}

const answers = (board: Board, node: number): boolean => {
  const { nodes } = board.model.graph
  const answer = board.state[(board.from[ANSWER] as number) + node]
  if (answer === ALARM) return false
  if (answer === CLEAR) return true
  for (let v = 0; v < board.model.views; v++)
    if (board.state[(board.from[PING] as number) + v * nodes + node] === CLEAR) return true
  return false
}
