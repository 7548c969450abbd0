/**
 * Where one more failure would cut somebody off, found in one walk over the network as it is now: bridges (links) and
 * articulation points (routers) on the way to the sources (Tarjan, SIAM J. Computing 1972, made iterative). Several
 * sources count as one place that cannot fail as a whole; a single source can.
 */
import type { FlatGraph } from "#twin/whatif/graph.ts"
import type { SinglePoint } from "#twin/whatif/next-failure.ts"

export interface CutOff {
  /** Nodes that lose every source by it, and the sum of their weights; a failed router itself is not counted. */
  readonly nodes: number
  readonly weight: number
}

export interface Redundancy {
  /** By link: who is cut off when it fails; only links that cut somebody off. */
  readonly links: ReadonlyMap<number, CutOff>
  /** By router, likewise. */
  readonly routers: ReadonlyMap<number, CutOff>
  /** By node: the nearest link, and the nearest router, without which it is cut off; -1 = none: it has two ways. */
  readonly singleLink: Int32Array
  readonly singleRouter: Int32Array
}

/** By slot, those that some source reaches; `outside` = routers of others, of whom nothing is said. */
export const singleWays = (now: Redundancy, planned: Redundancy, outside: Uint8Array): readonly SinglePoint[] => {
  const found: SinglePoint[] = []
  for (let router = 0; router < now.singleLink.length; router++) {
    const [link, byRouter] = [now.singleLink[router] as number, now.singleRouter[router] as number]
    if (outside[router] === 1 || (link < 0 && byRouter < 0)) continue
    const lostNow = (link >= 0 && !planned.links.has(link)) || (byRouter >= 0 && !hangsOn(planned, router, byRouter))
    found.push({ router, link, byRouter, lostNow })
  }
  return found
}

/** Whether a router is cut off by another one's failure; a bridge needs no such walk: it cuts off whoever is behind it. */
const hangsOn = ({ singleRouter }: Redundancy, router: number, other: number): boolean => {
  let above = singleRouter[router] as number
  while (above >= 0 && above !== other) above = singleRouter[above] as number
  return above === other
}

/** Nodes that no source reaches now are left out: they have nothing to lose. O(V + E). */
export const redundancyOf = (
  graph: FlatGraph,
  sources: readonly number[],
  failedNodes: Uint8Array,
  failedLinks: Uint8Array,
  weight: ArrayLike<number> | null = null,
): Redundancy => {
  const walk = walkDeep(graph, sources, failedNodes, failedLinks)
  const { order, parent, parentLink, entered, low } = walk
  const below = new Float64Array(graph.nodes)
  const weightBelow = new Float64Array(graph.nodes)
  const links = new Map<number, CutOff>()
  const routers = new Map<number, { nodes: number; weight: number }>()
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i] as number
    below[node]! += 1
    weightBelow[node]! += weight?.[node] ?? 0
    const above = parent[node] as number
    if (above < 0) continue
    below[above]! += below[node] as number
    weightBelow[above]! += weightBelow[node] as number
    const cut = { nodes: below[node] as number, weight: weightBelow[node] as number }
    if (isBridge(walk, node)) links.set(parentLink[node] as number, cut)
    if ((low[node] as number) < (entered[above] as number)) continue
    const known = routers.get(above) ?? { nodes: 0, weight: 0 }
    routers.set(above, { nodes: known.nodes + cut.nodes, weight: known.weight + cut.weight })
  }
  const singleLink = new Int32Array(graph.nodes).fill(-1)
  const singleRouter = new Int32Array(graph.nodes).fill(-1)
  for (const node of order) {
    const above = parent[node] as number
    if (above < 0) continue
    singleLink[node] = (isBridge(walk, node) ? parentLink[node] : singleLink[above]) as number
    singleRouter[node] = ((low[node] as number) >= (entered[above] as number) ? above : singleRouter[above]) as number
  }
  return { links, routers, singleLink, singleRouter }
}

interface Walk {
  /** Nodes as the walk entered them. */
  readonly order: readonly number[]
  /** -1 = the walk began there, at a source. */
  readonly parent: Int32Array
  readonly parentLink: Int32Array
  /** When the walk entered a node, from 1 on; 0 = never. */
  readonly entered: Uint32Array
  /** The earliest entry that the node's branch reaches by one link that is not of the tree; 0 = a source of its own. */
  readonly low: Uint32Array
}

const isBridge = ({ parent, entered, low }: Walk, node: number): boolean =>
  (low[node] as number) > (entered[parent[node] as number] as number)

const walkDeep = (
  graph: FlatGraph,
  sources: readonly number[],
  failedNodes: Uint8Array,
  failedLinks: Uint8Array,
): Walk => {
  const { nodes, from, to, link } = graph
  const parent = new Int32Array(nodes).fill(-1)
  const parentLink = new Int32Array(nodes).fill(-1)
  const entered = new Uint32Array(nodes)
  const low = new Uint32Array(nodes)
  const next = from.slice(0, nodes)
  const isSource = new Uint8Array(nodes)
  for (const source of sources) if (source >= 0 && source < nodes && failedNodes[source] === 0) isSource[source] = 1
  const order: number[] = []
  const enter = (node: number, above: number, by: number): void => {
    parent[node] = above
    parentLink[node] = by
    order.push(node)
    entered[node] = order.length
    // A source that is met on the way has a second way: its own.
    low[node] = above >= 0 && isSource[node] === 1 ? 0 : order.length
  }
  for (const source of sources) {
    if (isSource[source] !== 1 || entered[source] !== 0) continue
    enter(source, -1, -1)
    let node = source
    while (node >= 0) {
      const half = next[node] as number
      if (half === from[node + 1]) {
        const above = parent[node] as number
        if (above >= 0) low[above] = Math.min(low[above] as number, low[node] as number)
        node = above
        continue
      }
      next[node]!++
      const there = to[half] as number
      const by = link[half] as number
      if (by === parentLink[node] || failedLinks[by] !== 0 || failedNodes[there] !== 0) continue
      if (entered[there] !== 0) low[node] = Math.min(low[node] as number, entered[there] as number)
      else {
        enter(there, node, by)
        node = there
      }
    }
  }
  return { order, parent, parentLink, entered, low }
}
