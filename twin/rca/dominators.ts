/**
 * Which routers and links every path from a vantage point to a router must pass: the dominator tree of an undirected graph,
 * by Tarjan's low points (1972) in O(V + E). It answers "what single failure could have silenced this router" as one
 * short walk; who falls silent by a failure is the what-if engine's to say.
 */
import type { FlatGraph } from "#twin/whatif/graph.ts"

export interface Dominators {
  /** By node: the nearest router that every path to it passes; -1 = none but the vantage itself. */
  readonly above: Int32Array
  /** By node: the bridge that every path to it ends with; -1 = there are several ways in. */
  readonly bridge: Int32Array
  readonly isSource: Uint8Array
}

export const dominatorsFrom = (graph: FlatGraph, sources: readonly number[]): Dominators => {
  const isSource = new Uint8Array(graph.nodes)
  for (const node of sources) if (node >= 0 && node < graph.nodes) isSource[node] = 1
  return { ...lowPoints(graph, sources), isSource }
}

/**
 * One depth-first search from an imagined root that is linked to every source: with several sources no single one of
 * them is on every path. Discovery 0 is that root.
 */
const lowPoints = (graph: FlatGraph, sources: readonly number[]): Omit<Dominators, "isSource"> => {
  const { nodes, from, to, link } = graph
  const disc = new Int32Array(nodes).fill(-1)
  const low = new Int32Array(nodes)
  const parent = new Int32Array(nodes).fill(-1)
  const into = new Int32Array(nodes).fill(-1)
  const next = new Uint32Array(nodes)
  const roots = new Set(sources.filter((node) => node >= 0 && node < nodes))
  const visited: number[] = []
  const stack: number[] = []
  let clock = 1
  const enter = (node: number): void => {
    disc[node] = clock
    // A source has a way to the imagined root of its own.
    low[node] = roots.has(node) ? 0 : clock
    clock++
    next[node] = from[node] as number
    visited.push(node)
    stack.push(node)
  }
  for (const root of roots) {
    if (disc[root] !== -1) continue
    enter(root)
    while (stack.length > 0) {
      const node = stack[stack.length - 1] as number
      const half = next[node] as number
      if (half < (from[node + 1] as number)) {
        next[node] = half + 1
        const other = to[half] as number
        if (disc[other] === -1) {
          parent[other] = node
          into[other] = link[half] as number
          enter(other)
        } else if (link[half] !== into[node]) low[node] = Math.min(low[node] as number, disc[other] as number)
        continue
      }
      stack.pop()
      const up = parent[node] as number
      if (up >= 0) low[up] = Math.min(low[up] as number, low[node] as number)
    }
  }
  const above = new Int32Array(nodes).fill(-1)
  const bridge = new Int32Array(nodes).fill(-1)
  for (const node of visited) {
    const up = parent[node] as number
    if (up < 0) continue
    above[node] = (low[node] as number) >= (disc[up] as number) ? up : (above[up] as number)
    if ((low[node] as number) > (disc[up] as number)) bridge[node] = into[node] as number
  }
  return { above, bridge }
}
