/**
 * Shortest paths as OSPF computes them (RFC 2328 s16.1) towards the nearest of some roots, over point-to-point links of one
 * area, from scratch: distance and number of equal-cost next hops of every node. The plain answer that the incremental
 * one (incremental-spf.ts) must always equal. Left out, because the twin does not know them: areas and summaries, external
 * routes and their types, broadcast networks as nodes of their own, maximum-paths limits, stub-router advertisements.
 */
import type { FlatGraph } from "#twin/whatif/graph.ts"
import { Heap } from "#twin/whatif/heap.ts"

/** Which links and nodes may be used, and at what cost. */
export interface Costs {
  /** By half-edge: the cost of leaving its node over it. */
  readonly cost: Uint32Array
  /** By slot; anything but 0 = failed. */
  readonly failedNodes: Uint8Array
  readonly failedLinks: Uint8Array
}

export interface Paths {
  /** By node: cost of the way to the nearest root; Infinity = there is none. */
  readonly distance: Float64Array
  /** By node: half-edges that begin a shortest way; 0 for a root and for a node without a way. */
  readonly hops: Uint32Array
  /** Nodes with a way, nearest first; order[0] .. order[count - 1]. */
  readonly order: Uint32Array
  readonly count: number
}

/** O((V + E) log V). */
export const shortestPaths = (graph: FlatGraph, roots: ArrayLike<number>, costs: Costs): Paths => {
  const { nodes, from, to, link, back } = graph
  const { cost, failedNodes, failedLinks } = costs
  const distance = new Float64Array(nodes).fill(Infinity)
  const order = new Uint32Array(nodes)
  const done = new Uint8Array(nodes)
  const heap = new Heap()
  let count = 0
  for (let i = 0; i < roots.length; i++) {
    const root = roots[i] as number
    if (!(root >= 0 && root < nodes) || failedNodes[root] !== 0) continue
    distance[root] = 0
    heap.push(0, root)
  }
  while (heap.size > 0) {
    const node = heap.pop()
    if (done[node] === 1) continue
    done[node] = 1
    order[count++] = node
    const here = distance[node] as number
    for (let half = from[node] as number; half < (from[node + 1] as number); half++) {
      const next = to[half] as number
      if (failedLinks[link[half] as number] !== 0 || failedNodes[next] !== 0) continue
      // The neighbour travels towards the root, so its own cost of sending counts.
      const through = here + (cost[back[half] as number] as number)
      if (through >= (distance[next] as number)) continue
      distance[next] = through
      heap.push(through, next)
    }
  }
  const hops = new Uint32Array(nodes)
  for (let i = 0; i < count; i++) {
    const node = order[i] as number
    if ((distance[node] as number) > 0) hops[node] = countHops(graph, costs, distance, node)
  }
  return { distance, hops, order, count }
}

/** Whether a half-edge begins a shortest way of the node that it leaves, which must have one. Whole numbers add exactly. */
export const isHop = (graph: FlatGraph, costs: Costs, distance: Float64Array, node: number, half: number): boolean => {
  const next = graph.to[half] as number
  return (
    (distance[next] as number) + (costs.cost[half] as number) === distance[node] &&
    costs.failedLinks[graph.link[half] as number] === 0 &&
    costs.failedNodes[next] === 0
  )
}

export const countHops = (graph: FlatGraph, costs: Costs, distance: Float64Array, node: number): number => {
  let count = 0
  for (let half = graph.from[node] as number; half < (graph.from[node + 1] as number); half++)
    if (isHop(graph, costs, distance, node, half)) count++
  return count
}
