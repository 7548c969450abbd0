/**
 * Which routers and links every path from a vantage point to a router must pass: the dominator tree of an undirected graph,
 * by Tarjan's low points (1972) in O(V + E). It answers "who falls silent when this one element fails" as one interval, and
 * "what single failure could have silenced this router" as one short walk.
 */
import type { FlatGraph } from "#twin/whatif/graph.ts"

export interface Dominators {
  /** Nodes that the vantage reaches, in the order of the tree: whoever hangs on node n is order[first[n]] .. order[last[n]]. */
  readonly order: Uint32Array
  /** By node; -1 = the vantage never reaches it. */
  readonly first: Int32Array
  readonly last: Int32Array
  /** By node: the nearest router that every path to it passes; -1 = none but the vantage itself. */
  readonly above: Int32Array
  /** By node: the bridge that every path to it ends with; -1 = there are several ways in. */
  readonly bridge: Int32Array
  /** By link: the node on the far side, when the link is a bridge; -1 = it is none. */
  readonly behind: Int32Array
  readonly isSource: Uint8Array
}

export const dominatorsFrom = (graph: FlatGraph, sources: readonly number[]): Dominators => {
  const found = lowPoints(graph, sources)
  const { above, bridge, visited } = found
  const behind = new Int32Array(graph.links).fill(-1)
  for (let i = 0; i < visited.length; i++) {
    const node = visited[i] as number
    if ((bridge[node] as number) >= 0) behind[bridge[node] as number] = node
  }
  const isSource = new Uint8Array(graph.nodes)
  for (const node of sources) if (node >= 0 && node < graph.nodes) isSource[node] = 1
  return { ...intervals(graph.nodes, visited, above), above, bridge, behind, isSource }
}

interface LowPoints {
  readonly above: Int32Array
  readonly bridge: Int32Array
  /** In the order of discovery: whoever is above comes first. */
  readonly visited: Uint32Array
}

/**
 * One depth-first search from an imagined root that is linked to every source: with several sources no single one of
 * them is on every path. Discovery 0 is that root.
 */
const lowPoints = (graph: FlatGraph, sources: readonly number[]): LowPoints => {
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
  return { above, bridge, visited: Uint32Array.from(visited) }
}

/** Numbers the tree so that each subtree is one interval. */
const intervals = (
  nodes: number,
  visited: Uint32Array,
  above: Int32Array,
): Pick<Dominators, "order" | "first" | "last"> => {
  const size = new Uint32Array(nodes)
  for (let i = visited.length - 1; i >= 0; i--) {
    const node = visited[i] as number
    size[node]!++
    const up = above[node] as number
    if (up >= 0) size[up]! += size[node] as number
  }
  const first = new Int32Array(nodes).fill(-1)
  const last = new Int32Array(nodes).fill(-1)
  const taken = new Uint32Array(nodes)
  const order = new Uint32Array(visited.length)
  let free = 0
  for (const node of visited) {
    const up = above[node] as number
    const at = up < 0 ? free : (first[up] as number) + 1 + (taken[up] as number)
    if (up < 0) free += size[node] as number
    else taken[up]! += size[node] as number
    first[node] = at
    last[node] = at + (size[node] as number) - 1
    order[at] = node
  }
  return { order, first, last }
}
