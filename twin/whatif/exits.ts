/**
 * Which exit every router uses. BGP prefers, all else equal, the exit that is nearest by IGP cost ("hot potato", RFC 4271
 * s9.1.2.2 e), and among equally near ones the lowest router id (f); the twin has no router ids, so that the lowest slot
 * stands for it. Left out, because the twin does not know them: local preference, AS paths, MED, prefixes that only one
 * exit has, and reflectors that hide exits (RFC 4456 s11).
 */
import type { FlatGraph } from "#twin/whatif/graph.ts"
import type { IncrementalSpf } from "#twin/whatif/incremental-spf.ts"
import type { Costs, Paths } from "#twin/whatif/spf.ts"
import { isHop } from "#twin/whatif/spf.ts"

/** By node: the root it uses; -1 = it has no way to any. Fills `into`. O(V + E). */
export const exitsOf = (spf: IncrementalSpf, into: Int32Array): Int32Array =>
  exitsBy(spf.graph, spf, { distance: spf.distance, hops: spf.hops, count: spf.sortNodes(), order: spf.order }, into)

/** The same of ways that nobody will change. */
export const exitsBy = (
  graph: FlatGraph,
  costs: Costs,
  { distance, hops, order, count }: Paths,
  into: Int32Array,
): Int32Array => {
  const { from, to } = graph
  into.fill(-1)
  for (let i = 0; i < count; i++) {
    const node = order[i] as number
    let left = hops[node] as number
    let exit = left === 0 ? node : Infinity
    for (let half = from[node] as number; left > 0; half++) {
      if (!isHop(graph, costs, distance, node, half)) continue
      left--
      // Every nearest exit of a node is a nearest exit of one of its next hops, so that the least is among them.
      exit = Math.min(exit, into[to[half] as number] as number)
    }
    into[node] = exit
  }
  return into
}
