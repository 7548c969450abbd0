/**
 * How many independent ways a router has: paths that share no link, or no router (Menger 1927: as many as it takes
 * failures to cut it off). Unit flows, one more augmenting path at a time (Ford and Fulkerson), so that the answer
 * "at least two" costs two searches.
 */
import type { FlatGraph } from "#twin/whatif/graph.ts"

export interface Question {
  readonly sources: readonly number[]
  readonly failedNodes: Uint8Array
  readonly failedLinks: Uint8Array
  /** Share no link; or share neither a router nor a source (links between the same two routers are then one way). */
  readonly without: "link" | "router"
  /** Stops counting here. */
  readonly most: number
}

/** 0 = cut off already. A source needs no way: `most`. O(most x (V + E)). */
export const disjointPaths = (graph: FlatGraph, node: number, question: Question): number => {
  const { sources, failedNodes, failedLinks, without, most } = question
  if (failedNodes[node] !== 0) return 0
  if (sources.includes(node)) return most
  const search = new Search(graph, node, failedNodes, failedLinks, without === "router")
  for (const source of sources) if (failedNodes[source] === 0) search.isSource[source] = 1
  let count = 0
  while (count < most && search.augment()) count++
  return count
}

/** Each node is two places: 2n where a path comes in, 2n + 1 where it goes out. */
class Search {
  readonly isSource: Uint8Array
  private readonly graph: FlatGraph
  private readonly start: number
  private readonly failedNodes: Uint8Array
  private readonly failedLinks: Uint8Array
  private readonly once: boolean
  /** By half-edge, and by node: a path runs over it. */
  private readonly used: Uint8Array
  private readonly through: Uint8Array
  /** By place: the place before it, and the half-edge between them; -1 = inside the node. */
  private readonly before: Int32Array
  private readonly by: Int32Array
  private readonly queue: Uint32Array

  constructor(graph: FlatGraph, start: number, failedNodes: Uint8Array, failedLinks: Uint8Array, once: boolean) {
    this.graph = graph
    this.start = start
    this.failedNodes = failedNodes
    this.failedLinks = failedLinks
    this.once = once
    this.isSource = new Uint8Array(graph.nodes)
    this.used = new Uint8Array(graph.to.length)
    this.through = new Uint8Array(graph.nodes)
    this.before = new Int32Array(2 * graph.nodes)
    this.by = new Int32Array(2 * graph.nodes)
    this.queue = new Uint32Array(2 * graph.nodes)
  }

  /** One more path, rerouting those found before; false = there is none. */
  augment(): boolean {
    const { graph, before, by, queue, used, through, failedLinks, failedNodes } = this
    before.fill(-1)
    const first = 2 * this.start + 1
    before[first] = first
    before[first - 1] = first
    queue[0] = first
    let tail = 1
    const visit = (place: number, from: number, half: number): void => {
      if (before[place] !== -1) return
      before[place] = from
      by[place] = half
      queue[tail++] = place
    }
    for (let head = 0; head < tail; head++) {
      const place = queue[head] as number
      const node = place >> 1
      const isOut = (place & 1) === 1
      if (isOut && this.isSource[node] === 1) {
        this.take(place)
        return true
      }
      if (isOut ? through[node] === 1 : through[node] === 0 || !this.once) visit(place ^ 1, place, -1)
      for (let half = graph.from[node] as number; half < (graph.from[node + 1] as number); half++) {
        const next = graph.to[half] as number
        if (failedLinks[graph.link[half] as number] !== 0 || failedNodes[next] !== 0) continue
        // Out of a node over a free half-edge; or back where a path came in from, which then goes another way.
        if (isOut && used[half] === 0) visit(2 * next, place, half)
        else if (!isOut && used[graph.back[half] as number] === 1) visit(2 * next + 1, place, half)
      }
    }
    return false
  }

  private take(last: number): void {
    const { graph, before, by, used, through } = this
    for (let place = last; before[place] !== place; place = before[place] as number) {
      const half = by[place] as number
      const isOut = (place & 1) === 1
      if (half >= 0) {
        if (isOut) used[graph.back[half] as number] = 0
        else used[half] = 1
      } else through[place >> 1] = isOut ? 1 : 0
    }
  }
}
