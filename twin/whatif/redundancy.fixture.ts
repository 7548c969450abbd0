/** Redundancy the slow way, for tests: fail every element, or every set of elements, and look who is left. */
import type { FlatGraph } from "#twin/whatif/graph.ts"
import type { Path } from "#twin/whatif/paths.ts"
import { reachableFrom } from "#twin/whatif/reach.ts"
import type { Costs } from "#twin/whatif/spf.ts"

type Lost = Map<number, readonly number[]>

/** Who is cut off by each single link and each single router (itself not counted); only elements that cut somebody off. */
export const lostBy = (
  graph: FlatGraph,
  sources: readonly number[],
  failedNodes: Uint8Array,
  failedLinks: Uint8Array,
): { readonly links: Lost; readonly routers: Lost } => {
  const before = reachableFrom(graph, sources, failedNodes, failedLinks).slice()
  const [links, routers]: [Lost, Lost] = [new Map(), new Map()]
  const lost = (nodes: Uint8Array, cut: Uint8Array, self: number): readonly number[] => {
    const after = reachableFrom(graph, sources, nodes, cut)
    return [...before.keys()].filter((node) => before[node] === 1 && after[node] === 0 && node !== self)
  }
  for (let link = 0; link < graph.links; link++) {
    if (failedLinks[link] === 1) continue
    const gone = lost(failedNodes, failedLinks.with(link, 1), -1)
    if (gone.length > 0) links.set(link, gone)
  }
  for (let node = 0; node < graph.nodes; node++) {
    if (failedNodes[node] === 1) continue
    const gone = lost(failedNodes.with(node, 1), failedLinks, node)
    if (gone.length > 0) routers.set(node, gone)
  }
  return { links, routers }
}

/** The fewest links, or routers and sources, whose failure cuts a node off; at most `most`. */
export const leastCut = (
  graph: FlatGraph,
  node: number,
  sources: readonly number[],
  without: "link" | "router",
  most: number,
): number => {
  const [nodes, links] = [new Uint8Array(graph.nodes), new Uint8Array(graph.links)]
  const mask = without === "link" ? links : nodes
  const isCut = (left: number, first: number): boolean => {
    if (reachableFrom(graph, sources, nodes, links)[node] === 0) return true
    if (left === 0) return false
    for (let slot = first; slot < mask.length; slot++) {
      if (without === "router" && slot === node) continue
      mask[slot] = 1
      const cut = isCut(left - 1, slot + 1)
      mask[slot] = 0
      if (cut) return true
    }
    return false
  }
  for (let failures = 0; failures < most; failures++) if (isCut(failures, 0)) return failures
  return most
}

/** All loop-free paths between two different nodes, in no order. */
export const brutePaths = (graph: FlatGraph, from: number, to: number, costs: Costs): readonly Path[] => {
  const found: Path[] = []
  const go = (nodes: readonly number[], links: readonly number[], cost: number): void => {
    const node = nodes.at(-1) as number
    if (node === to) {
      found.push({ cost, nodes, links })
      return
    }
    for (let half = graph.from[node] as number; half < (graph.from[node + 1] as number); half++) {
      const next = graph.to[half] as number
      const link = graph.link[half] as number
      if (nodes.includes(next) || costs.failedLinks[link] === 1 || costs.failedNodes[next] === 1) continue
      go([...nodes, next], [...links, link], cost + (costs.cost[half] as number))
    }
  }
  if (costs.failedNodes[from] === 0) go([from], [], 0)
  return found
}
