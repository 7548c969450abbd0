/**
 * The ways out of a network: each border with each exit behind it, the shortest ways towards it from everywhere, and which of
 * them every router takes. With known iBGP sessions that is what they bring (ibgp.ts); without, the nearest (exits.ts), as a
 * full mesh would have it. Follows failures as the shortest ways do, so that a question costs what it changes.
 */
import { exitsOf } from "#twin/whatif/exits.ts"
import type { FlatGraph } from "#twin/whatif/graph.ts"
import { MAX_COST } from "#twin/whatif/graph.ts"
import { hearExits } from "#twin/whatif/ibgp.ts"
import type { Ibgp } from "#twin/whatif/ibgp.ts"
import { IncrementalSpf } from "#twin/whatif/incremental-spf.ts"
import type { Costs } from "#twin/whatif/spf.ts"
import type { Demand } from "#twin/whatif/traffic.ts"

export interface Egress {
  /** The router of ours; the exit itself where our own routers stand for the world. */
  readonly border: number
  readonly exit: number
  /** Rooted at the exit; of all links to the outside only those between the two. */
  readonly spf: IncrementalSpf
}

/** Each keeps shortest ways of its own; with more, exits are those of a full mesh. */
export const MAX_EGRESSES = 64

interface Outward {
  readonly graph: FlatGraph
  readonly outside: Uint8Array
  readonly exits: readonly number[]
}

/** Null = too many. Ordered by border, then exit. */
export const egressesOf = ({ graph, outside, exits }: Outward, costs: Costs): readonly Egress[] | null => {
  const pairs = new Map<string, { readonly border: number; readonly exit: number }>()
  for (const exit of exits) {
    if (outside[exit] === 0) pairs.set(`${exit}`, { border: exit, exit })
    else
      for (let half = graph.from[exit] as number; half < (graph.from[exit + 1] as number); half++) {
        const border = graph.to[half] as number
        if (outside[border] === 0) pairs.set(`${border} ${exit}`, { border, exit })
      }
  }
  if (pairs.size > MAX_EGRESSES) return null
  return [...pairs.values()]
    .sort((x, y) => x.border - y.border || x.exit - y.exit)
    .map(({ border, exit }) => {
      const failedLinks = costs.failedLinks.map((failed, link) => {
        const [a, b] = [graph.a[link] as number, graph.b[link] as number]
        const isOutward = outside[a] === 1 || outside[b] === 1
        const isOurs = (a === border && b === exit) || (a === exit && b === border)
        return failed !== 0 || (isOutward && !isOurs) ? 1 : 0
      })
      return { border, exit, spf: new IncrementalSpf(graph, [exit], { ...costs, failedLinks }) }
    })
}

export interface Choice {
  /** By node: the exit that it uses; -1 = none. */
  readonly exit: Int32Array
  /** By node: the way out; null = not looked at, because no session is known. */
  readonly egress: Int32Array | null
  /** As in Heard. */
  readonly unsure: readonly number[]
}

export interface Choosing {
  readonly graph: FlatGraph
  readonly outside: Uint8Array
  readonly toExit: IncrementalSpf
  readonly ibgp: Ibgp | null
  readonly egresses: readonly Egress[]
}

/** As the shortest ways stand now, with or without a fault. */
export const chooseExits = ({ graph, outside, toExit, ibgp, egresses }: Choosing): Choice => {
  if (ibgp === null) return { exit: exitsOf(toExit, new Int32Array(graph.nodes)), egress: null, unsure: [] }
  const island = islandsOf(graph, outside, toExit)
  const { egress, unsure } = hearExits(ibgp, {
    borders: egresses.map(({ border }) => border),
    cost: (at, node) => (egresses[at] as Egress).spf.distance[node] as number,
    isLastResort: (at) => {
      const { spf, border } = egresses[at] as Egress
      return (spf.distance[border] as number) >= MAX_COST
    },
    isUp: (node, peer) => island[node] === island[peer] && (island[node] as number) >= 0,
  })
  const exit = egress.map((at) => egresses[at]?.exit ?? -1)
  // An exit is its own.
  for (const { exit: node, spf } of egresses) if (spf.failedNodes[node] === 0) exit[node] = node
  return { exit, egress, unsure: unsure.filter((node) => outside[node] === 0) }
}

/** By node: the lowest node that it reaches over our own links; -1 = it is down or not ours. O(V + E). */
const islandsOf = (graph: FlatGraph, outside: Uint8Array, { failedNodes, failedLinks }: Costs): Int32Array => {
  const island = new Int32Array(graph.nodes).fill(-1)
  const isIn = (node: number): boolean => outside[node] === 0 && failedNodes[node] === 0 && island[node] === -1
  for (let start = 0; start < graph.nodes; start++) {
    if (!isIn(start)) continue
    const found = [start]
    island[start] = start
    for (let i = 0; i < found.length; i++) {
      const node = found[i] as number
      for (let half = graph.from[node] as number; half < (graph.from[node + 1] as number); half++) {
        const next = graph.to[half] as number
        if (failedLinks[graph.link[half] as number] !== 0 || !isIn(next)) continue
        island[next] = start
        found.push(next)
      }
    }
  }
  return island
}

/** A demand by the ways out that its routers take; what routers have that take none is lost. */
export const splitDemand = (
  { up, down }: Demand,
  egressOf: Int32Array,
  egresses: number,
): { readonly parts: readonly Demand[]; readonly lostBps: number } => {
  const empty = (): Demand => ({ up: new Float64Array(up.length), down: new Float64Array(up.length) })
  const parts = Array.from({ length: egresses }, empty)
  let lostBps = 0
  for (const [node, egress] of egressOf.entries()) {
    const part = parts[egress]
    if (part === undefined) lostBps += (up[node] as number) + (down[node] as number)
    else {
      part.up[node] = up[node] as number
      part.down[node] = down[node] as number
    }
  }
  return { parts, lostBps }
}
