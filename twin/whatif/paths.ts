/**
 * The k shortest paths between two routers that visit none twice (Yen, Management Science 1971). Parallel links make
 * different paths. Equal costs are put in a fixed order, so that two runs agree.
 */
import type { FlatGraph } from "#twin/whatif/graph.ts"
import type { Costs } from "#twin/whatif/spf.ts"
import { isHop, shortestPaths } from "#twin/whatif/spf.ts"

export interface Path {
  readonly cost: number
  /** One more than links. */
  readonly nodes: readonly number[]
  readonly links: readonly number[]
}

/** Paths of one question; more are not looked for. */
export const MAX_PATHS = 100

/** Shortest first; fewer than k when there are no more. O(k x length x (V + E) log V). */
export const kShortestPaths = (graph: FlatGraph, from: number, to: number, k: number, costs: Costs): Path[] => {
  if (costs.failedNodes[from] !== 0 || from === to) return []
  const found: Path[] = []
  const waiting: Path[] = []
  const seen = new Set<string>()
  const offer = (path: Path | null): void => {
    const key = path?.links.join() ?? ""
    if (path === null || seen.has(key)) return
    seen.add(key)
    waiting.push(path)
  }
  offer(shortestPath(graph, from, to, costs))
  while (found.length < Math.min(k, MAX_PATHS) && waiting.length > 0) {
    waiting.sort(byCostThenLinks)
    const path = waiting.shift() as Path
    found.push(path)
    for (let spur = 0; spur < path.links.length; spur++) offer(detour(graph, found, path, spur, to, costs))
  }
  return found
}

/** The best path that follows `path` up to its node number `spur` and then goes a way that no found path goes. */
const detour = (
  graph: FlatGraph,
  found: readonly Path[],
  path: Path,
  spur: number,
  to: number,
  costs: Costs,
): Path | null => {
  const failedNodes = costs.failedNodes.slice()
  const failedLinks = costs.failedLinks.slice()
  for (const node of path.nodes.slice(0, spur)) failedNodes[node] = 1
  for (const other of found)
    if (path.links.slice(0, spur).every((link, i) => other.links[i] === link))
      failedLinks[other.links[spur] as number] = 1
  const rest = shortestPath(graph, path.nodes[spur] as number, to, { cost: costs.cost, failedNodes, failedLinks })
  if (rest === null) return null
  const nodes = [...path.nodes.slice(0, spur), ...rest.nodes]
  const links = [...path.links.slice(0, spur), ...rest.links]
  return { nodes, links, cost: costOf(graph, nodes, links, costs) }
}

/** Of equal ones that with the lowest half-edges; null = there is no way. */
const shortestPath = (graph: FlatGraph, from: number, to: number, costs: Costs): Path | null => {
  const { distance } = shortestPaths(graph, [to], costs)
  if (distance[from] === Infinity) return null
  const nodes = [from]
  const links: number[] = []
  for (let node = from; node !== to;) {
    let half = graph.from[node] as number
    while (!isHop(graph, costs, distance, node, half)) half++
    node = graph.to[half] as number
    nodes.push(node)
    links.push(graph.link[half] as number)
  }
  return { nodes, links, cost: distance[from] as number }
}

const costOf = (graph: FlatGraph, nodes: readonly number[], links: readonly number[], { cost }: Costs): number =>
  links.reduce((sum, link, i) => {
    const half = graph.half[2 * link + (graph.a[link] === nodes[i] ? 0 : 1)] as number
    return sum + (cost[half] as number)
  }, 0)

const byCostThenLinks = (x: Path, y: Path): number => {
  if (x.cost !== y.cost) return x.cost - y.cost
  const at = x.links.findIndex((link, i) => link !== y.links[i])
  return at < 0 ? x.links.length - y.links.length : (x.links[at] as number) - (y.links[at] ?? -1)
}
