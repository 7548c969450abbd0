/**
 * Demands over equal-cost paths: how much each direction of each link carries when every router sends its share evenly to
 * all of its next hops (RFC 2991 s2, the ideal of per-flow hashing). A demand is between a router and the nearest of some
 * roots; a matrix of demands is one such tree per destination. What a link is *offered* ignores losses elsewhere; what it
 * *carries* does not: a link that is too small passes its share of everything and drops the rest, as nobody slows down
 * (TCP would; the difference matters on links that are full, and those are named anyway). Direction 2 * link goes from
 * end a to end b, 2 * link + 1 back.
 */
import type { FlatGraph } from "#twin/whatif/graph.ts"
import type { IncrementalSpf } from "#twin/whatif/incremental-spf.ts"
import { isHop } from "#twin/whatif/spf.ts"

/** bit/s by node, finite and not negative. */
export interface Demand {
  /** From the node to its root. */
  readonly up: Float64Array
  /**
   * From the root to the node. It takes the way up backwards: exact where costs are symmetric and one way is shortest;
   * where several are, routers on the way down may share it otherwise. Exact everywhere: `demandTrees`.
   */
  readonly down: Float64Array
}

/** Reused between runs. */
export interface Spread {
  /** By direction, bit/s offered. */
  readonly bps: Float64Array
  /** Demand of nodes without a way to a root, both directions together. */
  lostBps: number
}

export class Traffic {
  private readonly graph: FlatGraph
  /** By half-edge: the direction of what leaves its node over it. */
  private readonly direction: Uint32Array
  private readonly up: Float64Array
  private readonly down: Float64Array
  /** By node: the part of what was sent down to it that arrives. */
  private readonly arrives: Float64Array
  /** Where findHops found the next hops. */
  private hop: Uint32Array = new Uint32Array(0)
  private found = new Uint32Array(16)

  constructor(graph: FlatGraph) {
    this.graph = graph
    this.direction = Uint32Array.from(graph.link, (link, half) => 2 * link + (graph.half[2 * link] === half ? 0 : 1))
    this.up = new Float64Array(graph.nodes)
    this.down = new Float64Array(graph.nodes)
    this.arrives = new Float64Array(graph.nodes)
  }

  /** Adds a demand to what is spread already. O(V + hops), allocates nothing. */
  add(spf: IncrementalSpf, demand: Demand, spread: Spread): void {
    const { to } = this.graph
    const { direction, up, down } = this
    const { bps } = spread
    up.set(demand.up)
    down.set(demand.down)
    const count = spf.sortNodes()
    for (let i = count - 1; i >= 0; i--) {
      const node = spf.order[i] as number
      const hops = spf.hops[node] as number
      // A root keeps what has arrived; whoever has nothing sends nothing.
      if (hops === 0 || (up[node] === 0 && down[node] === 0)) continue
      const upShare = (up[node] as number) / hops
      const downShare = (down[node] as number) / hops
      const first = this.findHops(spf, node)
      for (let h = first; h < first + hops; h++) {
        const half = this.hop[h] as number
        const out = direction[half] as number
        const next = to[half] as number
        bps[out]! += upShare
        bps[out ^ 1]! += downShare
        up[next]! += upShare
        down[next]! += downShare
      }
    }
    for (let node = 0; node < this.graph.nodes; node++)
      if (spf.distance[node] === Infinity) spread.lostBps += (demand.up[node] as number) + (demand.down[node] as number)
  }

  /** Adds what of a demand gets through when direction d passes `fraction[d]` of what comes. O(V + E). */
  addCarried(spf: IncrementalSpf, demand: Demand, fraction: Float64Array, carried: Float64Array): void {
    const { direction, up, down, arrives } = this
    up.set(demand.up)
    down.set(demand.down)
    const count = spf.sortNodes()
    for (let i = count - 1; i >= 0; i--) {
      const node = spf.order[i] as number
      const hops = spf.hops[node] as number
      const upShare = (up[node] as number) / hops
      const downShare = (down[node] as number) / hops
      this.eachHop(spf, node, hops, (half, next) => {
        const out = direction[half] as number
        const through = upShare * (fraction[out] as number)
        carried[out]! += through
        up[next]! += through
        down[next]! += downShare
      })
    }
    for (let i = 0; i < count; i++) {
      const node = spf.order[i] as number
      const hops = spf.hops[node] as number
      let sum = 0
      this.eachHop(spf, node, hops, (half, next) => {
        const back = (direction[half] as number) ^ 1
        const through = (arrives[next] as number) * (fraction[back] as number)
        carried[back]! += ((down[node] as number) / hops) * through
        sum += through
      })
      arrives[node] = hops === 0 ? 1 : sum / hops
    }
  }

  private eachHop(spf: IncrementalSpf, node: number, hops: number, take: (half: number, next: number) => void): void {
    const first = this.findHops(spf, node)
    for (let h = first; h < first + hops; h++) {
      const half = this.hop[h] as number
      take(half, this.graph.to[half] as number)
    }
  }

  /** Where in `hop` the next hops of a node are: in the list of all, or, when they may have changed, looked for just now. */
  private findHops(spf: IncrementalSpf, node: number): number {
    if (!spf.wasTouched(node)) {
      this.hop = spf.hop
      return spf.hopFrom[node] as number
    }
    const { from } = this.graph
    const left = spf.hops[node] as number
    if (this.found.length < left) this.found = new Uint32Array(2 * left)
    let count = 0
    for (let half = from[node] as number; count < left; half++)
      if (isHop(this.graph, spf, spf.distance, node, half)) this.found[count++] = half
    this.hop = this.found
    return 0
  }
}

/** More than fits; equal up to rounding fits. An unknown capacity (NaN) is never exceeded. */
export const isAbove = (bps: number, capacityBps: number): boolean => bps > capacityBps * (1 + 1e-9)

export const noSpread = (links: number): Spread => ({ bps: new Float64Array(2 * links), lostBps: 0 })

export interface PairDemand {
  readonly from: number
  readonly to: number
  readonly bps: number
}

/** A demand matrix as one tree per destination, exact at every router on the way. */
export const demandTrees = (
  nodes: number,
  demands: readonly PairDemand[],
): ReadonlyArray<{ readonly root: number; readonly demand: Demand }> => {
  const trees = new Map<number, Demand>()
  for (const { from, to, bps } of demands) {
    if (from === to || !(bps > 0)) continue
    const tree = trees.get(to) ?? { up: new Float64Array(nodes), down: new Float64Array(nodes) }
    trees.set(to, tree)
    tree.up[from]! += bps
  }
  return [...trees].sort(([x], [y]) => x - y).map(([root, demand]) => ({ root, demand }))
}
