/**
 * The routing table of one router as OSPF would make it (RFC 2328 s16.1) if some faults were: to every router of ours its cost
 * and all equal-cost next hops, and the exit of egress.ts with the next hops towards it. What spf.ts leaves out is left out
 * here as well. The model stays as it is.
 */
import { chooseExits } from "#twin/whatif/egress.ts"
import { applyFaults } from "#twin/whatif/fault.ts"
import type { Failed, Fault } from "#twin/whatif/fault.ts"
import type { FlatGraph } from "#twin/whatif/graph.ts"
import { MAX_COST } from "#twin/whatif/graph.ts"
import type { IncrementalSpf } from "#twin/whatif/incremental-spf.ts"
import { isOutside } from "#twin/whatif/model.ts"
import type { Model } from "#twin/whatif/model.ts"
import type { Costs } from "#twin/whatif/spf.ts"
import { isHop, shortestPaths } from "#twin/whatif/spf.ts"
import { beginAll, failWays } from "#twin/whatif/what-if.ts"

export interface Route {
  readonly node: number
  readonly cost: number
  /** Half-edges that leave the router over which equally short ways begin; ascending. */
  readonly next: readonly number[]
}

export interface Routes {
  /** Nearest first; whom the router cannot reach is not there. */
  readonly to: readonly Route[]
  /** Null = it has no way out. */
  readonly exit: Route | null
}

export const routesOf = (model: Model, faults: readonly Fault[], router: number): Routes => {
  const failed = applyFaults(model, faults)
  const costs = costsAfter(model, failed)
  if (costs.failedNodes[router] !== 0) return { to: [], exit: null }
  const inside = costs.failedLinks.map((failed, link) => (failed !== 0 || isOutside(model, link) ? 1 : 0))
  return {
    to: routesFrom(model.graph, router, { ...costs, failedLinks: inside }),
    exit: exitRoute(model, failed, router),
  }
}

const costsAfter = ({ toExit, graph }: Model, { nodes, links, drained }: Failed): Costs => {
  const cost = toExit.cost.slice()
  const failedNodes = toExit.failedNodes.slice()
  const failedLinks = toExit.failedLinks.slice()
  for (const node of nodes) failedNodes[node] = 1
  for (const link of links) failedLinks[link] = 1
  for (const link of drained) for (const end of [0, 1]) cost[graph.half[2 * link + end] as number] = MAX_COST
  return { cost, failedNodes, failedLinks }
}

/** Shortest ways from one node to all others. O((V + E) log V). */
export const routesFrom = (graph: FlatGraph, source: number, costs: Costs): readonly Route[] => {
  // Ways are computed towards a root: seen from behind, every half-edge costs what its other direction does.
  const behind = { ...costs, cost: costs.cost.map((_, half) => costs.cost[graph.back[half] as number] as number) }
  const { distance, order, count } = shortestPaths(graph, [source], behind)
  const next = new Map<number, ReadonlySet<number>>()
  const routes: Route[] = []
  for (let i = 1; i < count; i++) {
    const node = order[i] as number
    const mine = new Set<number>()
    for (let half = graph.from[node] as number; half < (graph.from[node + 1] as number); half++) {
      if (!isHop(graph, behind, distance, node, half)) continue
      const before = graph.to[half] as number
      if (before === source) mine.add(graph.back[half] as number)
      else for (const first of next.get(before) ?? []) mine.add(first)
    }
    next.set(node, mine)
    routes.push({ node, cost: distance[node] as number, next: [...mine].sort((x, y) => x - y) })
  }
  return routes
}

/** Towards the one exit that it uses; of equally near ones only the ways to that one. */
const exitRoute = (model: Model, failed: Failed, router: number): Route | null => {
  const ways = beginAll(model)
  for (const spf of ways) failWays(spf, failed)
  const { exit, egress } = chooseExits(model)
  const at = egress?.[router] ?? -1
  const spf = egress === null ? model.toExit : (model.egresses[at]?.spf ?? null)
  // An exit's own neighbour may go on to another exit: only those hops lead to this one that have it themselves.
  const leads = (next: number): boolean => egress !== null || exit[next] === exit[router]
  const route = spf === null || (exit[router] as number) < 0 ? null : routeBy(model.graph, spf, router, leads)
  for (const one of ways) one.undo()
  return route === null ? null : { node: exit[router] as number, ...route }
}

const routeBy = (
  graph: FlatGraph,
  spf: IncrementalSpf,
  router: number,
  leads: (next: number) => boolean,
): Omit<Route, "node"> => {
  const next: number[] = []
  for (let half = graph.from[router] as number; half < (graph.from[router + 1] as number); half++)
    if (isHop(graph, spf, spf.distance, router, half) && leads(graph.to[half] as number)) next.push(half)
  return { cost: spf.distance[router] as number, next }
}
