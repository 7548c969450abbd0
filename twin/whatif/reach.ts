/**
 * Who can be reached from some routers while others are down: breadth first, from scratch. The plain answer that the
 * incremental one (spanning.ts) must always equal, and fast enough by itself for a single question.
 */
import type { FlatGraph } from "#twin/whatif/graph.ts"

/** Reused between sweeps, so that a sweep allocates nothing. */
export interface Sweep {
  /** By node: 1 = reached. */
  readonly reached: Uint8Array
  readonly queue: Uint32Array
}

export const makeSweep = (nodes: number): Sweep => ({
  reached: new Uint8Array(nodes),
  queue: new Uint32Array(nodes),
})

/**
 * By node: 1 = a living source reaches it over links and nodes that have not failed; failed nodes are 0, sources too.
 * `failedNodes`, `failedLinks` by slot, anything but 0 = failed; null = none. The result is `sweep.reached`. O(V + E).
 */
export const reachableFrom = (
  graph: FlatGraph,
  sources: ArrayLike<number>,
  failedNodes: Uint8Array | null = null,
  failedLinks: Uint8Array | null = null,
  sweep: Sweep = makeSweep(graph.nodes),
): Uint8Array => {
  const { reached, queue } = sweep
  const { from, to, link } = graph
  reached.fill(0)
  let tail = 0
  for (let i = 0; i < sources.length; i++) {
    const source = sources[i] as number
    if (!(source >= 0 && source < graph.nodes) || reached[source] === 1 || isFailed(failedNodes, source)) continue
    reached[source] = 1
    queue[tail++] = source
  }
  for (let head = 0; head < tail; head++) {
    const node = queue[head] as number
    const end = from[node + 1] as number
    for (let half = from[node] as number; half < end; half++) {
      const next = to[half] as number
      if (reached[next] === 1 || isFailed(failedLinks, link[half] as number) || isFailed(failedNodes, next)) continue
      reached[next] = 1
      queue[tail++] = next
    }
  }
  return reached
}

const isFailed = (failed: Uint8Array | null, index: number): boolean => failed !== null && failed[index] !== 0
