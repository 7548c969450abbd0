/**
 * Shortest paths that follow failures, repairs and drains, at the cost of the nodes whose way really changes (Ramalingam
 * and Reps, J. Algorithms 1996): a failure finds the nodes left without a shortest way and recomputes only those; a repair
 * spreads only as far as somebody gains. Always equal to `shortestPaths` from scratch.
 */
import type { FlatGraph } from "#twin/whatif/graph.ts"
import { MAX_COST } from "#twin/whatif/graph.ts"
import { Heap } from "#twin/whatif/heap.ts"
import { Journal } from "#twin/whatif/journal.ts"
import type { Costs } from "#twin/whatif/spf.ts"
import { isHop, shortestPaths } from "#twin/whatif/spf.ts"

/** What an entry of the journal gives back. */
const PATH = 0
const NODE = 1
const LINK = 2
const COST = 3

export class IncrementalSpf implements Costs {
  readonly graph: FlatGraph
  /** As in Paths. */
  readonly distance: Float64Array
  readonly hops: Uint32Array
  /** The state of Costs; changed by this class only. */
  readonly cost: Uint32Array
  readonly failedNodes: Uint8Array
  readonly failedLinks: Uint8Array
  /** Nodes whose distance or next hops changed since `begin`: touched[0] .. touched[touchedCount - 1]. */
  readonly touched: Uint32Array
  touchedCount = 0
  /** After `sortNodes`: nodes with a way, nearest first. */
  readonly order: Uint32Array

  /**
   * At the time of `begin`: the next hops of node n are hop[hopFrom[n]] .. hop[hopFrom[n + 1] - 1] (half-edges). They still
   * are, for every node that was not touched since.
   */
  readonly hopFrom: Uint32Array
  hop: Uint32Array

  /** As `order`, at the time of `begin`. */
  private base: Uint32Array
  private baseCount: number
  private readonly isRoot: Uint8Array
  /** 1 = in `touched`. */
  private readonly isTouched: Uint8Array
  private readonly isAffected: Uint8Array
  private readonly affected: Uint32Array
  private affectedCount = 0
  private readonly heap = new Heap()
  private readonly journal = new Journal()

  constructor(graph: FlatGraph, roots: ArrayLike<number>, costs: Partial<Costs> = {}) {
    const { nodes } = graph
    this.graph = graph
    this.cost = (costs.cost ?? graph.cost).slice()
    this.failedNodes = costs.failedNodes?.slice() ?? new Uint8Array(nodes)
    this.failedLinks = costs.failedLinks?.slice() ?? new Uint8Array(graph.links)
    const { distance, hops, order, count } = shortestPaths(graph, roots, this)
    this.distance = distance
    this.hops = hops
    this.base = order
    this.baseCount = count
    this.order = new Uint32Array(nodes)
    this.hopFrom = new Uint32Array(nodes + 1)
    this.hop = new Uint32Array(0)
    this.listHops()
    this.isRoot = new Uint8Array(nodes)
    for (let i = 0; i < roots.length; i++) this.isRoot[roots[i] as number] = 1
    this.touched = new Uint32Array(nodes)
    this.isTouched = new Uint8Array(nodes)
    this.isAffected = new Uint8Array(nodes)
    this.affected = new Uint32Array(nodes)
  }

  /** From here on everything is remembered, until `undo`. */
  begin(): void {
    if (this.touchedCount > 0) {
      this.baseCount = this.sortNodes()
      this.base = this.order.slice()
      this.listHops()
    }
    this.settled()
    this.journal.length = 0
    this.journal.recording = true
  }

  undo(): void {
    this.journal.takeBack(this.restore)
    this.settled()
  }

  /**
   * Fills `order` and returns how many nodes have a way. Those that were touched are sorted and merged into those that were
   * not, whose order stands. O(V + T log T).
   */
  sortNodes(): number {
    const { base, baseCount, order, distance, isTouched } = this
    const moved = this.touched
      .slice(0, this.touchedCount)
      .filter((node) => (distance[node] as number) < Infinity)
      .sort((x, y) => (distance[x] as number) - (distance[y] as number))
    let [count, at] = [0, 0]
    for (let i = 0; i < baseCount; i++) {
      const node = base[i] as number
      if (isTouched[node] === 1) continue
      const far = distance[node] as number
      while (at < moved.length && (distance[moved[at] as number] as number) < far)
        order[count++] = moved[at++] as number
      order[count++] = node
    }
    while (at < moved.length) order[count++] = moved[at++] as number
    return count
  }

  /** Whether a node's distance or next hops may differ from those at `begin`. */
  wasTouched(node: number): boolean {
    return this.isTouched[node] === 1
  }

  private listHops(): void {
    const { graph, hopFrom, hops, distance } = this
    for (let node = 0; node < graph.nodes; node++)
      hopFrom[node + 1] = (hopFrom[node] as number) + (hops[node] as number)
    this.hop = new Uint32Array(hopFrom[graph.nodes] as number)
    let at = 0
    for (let node = 0; node < graph.nodes; node++) {
      let left = hops[node] as number
      for (let half = graph.from[node] as number; left > 0; half++) {
        if (!isHop(graph, this, distance, node, half)) continue
        left--
        this.hop[at++] = half
      }
    }
  }

  /** Forgets who was touched. */
  private settled(): void {
    for (let i = 0; i < this.touchedCount; i++) this.isTouched[this.touched[i] as number] = 0
    this.touchedCount = 0
  }

  failLink(link: number): void {
    if (this.failedLinks[link] === 1) return
    this.dropHalves(link)
    this.journal.note(LINK, link, 0, 0)
    this.failedLinks[link] = 1
    this.recompute()
  }

  mendLink(link: number): void {
    if (this.failedLinks[link] === 0) return
    this.journal.note(LINK, link, 1, 0)
    this.failedLinks[link] = 0
    this.offerHalves(link)
    this.spread()
  }

  failNode(node: number): void {
    if (this.failedNodes[node] === 1) return
    const { from, back, to } = this.graph
    for (let half = from[node] as number; half < (from[node + 1] as number); half++)
      this.dropHalf(to[half] as number, back[half] as number)
    this.journal.note(NODE, node, 0, 0)
    this.failedNodes[node] = 1
    if ((this.distance[node] as number) < Infinity) this.affect(node)
    this.recompute()
  }

  mendNode(node: number): void {
    if (this.failedNodes[node] === 0) return
    this.journal.note(NODE, node, 1, 0)
    this.failedNodes[node] = 0
    const { from } = this.graph
    if (this.isRoot[node] === 1) {
      this.remember(node)
      this.distance[node] = 0
      this.hops[node] = 0
      this.heap.push(0, node)
    } else for (let half = from[node] as number; half < (from[node + 1] as number); half++) this.offerHalf(node, half)
    this.spread()
  }

  /** New costs of sending over a link, from its end a and from its end b. */
  changeCost(link: number, costAB: number, costBA: number): void {
    const [out, back] = [this.graph.half[2 * link] as number, this.graph.half[2 * link + 1] as number]
    if (out < 0 || (this.cost[out] === costAB && this.cost[back] === costBA)) return
    const failed = this.failedLinks[link] === 1
    if (!failed) this.failLink(link)
    this.journal.note(COST, out, this.cost[out] as number, 0)
    this.journal.note(COST, back, this.cost[back] as number, 0)
    this.cost[out] = costAB
    this.cost[back] = costBA
    if (!failed) this.mendLink(link)
  }

  /** As an operator drains a link before work on it: the highest cost in both directions, so that it is the last resort. */
  drainLink(link: number): void {
    this.changeCost(link, MAX_COST, MAX_COST)
  }

  // -- what fails ------------------------------------------------------------------------------------------------------

  private dropHalves(link: number): void {
    const { a, b, half } = this.graph
    if ((half[2 * link] as number) < 0) return
    this.dropHalf(a[link] as number, half[2 * link] as number)
    this.dropHalf(b[link] as number, half[2 * link + 1] as number)
  }

  /** Takes a half-edge from its node's next hops while it is still usable; without any, the node is affected. */
  private dropHalf(node: number, half: number): void {
    if (!this.isTight(node, half)) return
    this.remember(node)
    this.hops[node]!--
    if (this.hops[node] === 0) this.affect(node)
  }

  private affect(node: number): void {
    if (this.isAffected[node] === 1) return
    this.isAffected[node] = 1
    this.affected[this.affectedCount++] = node
  }

  /** A shortest way over this half-edge, by today's distances. */
  private isTight(node: number, half: number): boolean {
    const next = this.graph.to[half] as number
    const here = this.distance[node] as number
    return (
      here < Infinity &&
      here === (this.distance[next] as number) + (this.cost[half] as number) &&
      this.isUsable(half, next) &&
      this.failedNodes[node] === 0
    )
  }

  private isUsable(half: number, next: number): boolean {
    return this.failedLinks[this.graph.link[half] as number] === 0 && this.failedNodes[next] === 0
  }

  /** Who else loses its last way; then new distances for all of these, nearest first. */
  private recompute(): void {
    const { from, to, back } = this.graph
    const { affected, distance, hops, heap } = this
    for (let i = 0; i < this.affectedCount; i++) {
      const node = affected[i] as number
      for (let half = from[node] as number; half < (from[node + 1] as number); half++) {
        const above = to[half] as number
        if (this.isAffected[above] === 0 && this.isHopInto(above, back[half] as number, node)) {
          this.remember(above)
          hops[above]!--
          if (hops[above] === 0) this.affect(above)
        }
      }
    }
    for (let i = 0; i < this.affectedCount; i++) {
      this.remember(affected[i] as number)
      distance[affected[i] as number] = Infinity
      hops[affected[i] as number] = 0
    }
    for (let i = 0; i < this.affectedCount; i++) {
      const node = affected[i] as number
      if (this.failedNodes[node] === 1) continue
      let best = Infinity
      for (let half = from[node] as number; half < (from[node + 1] as number); half++) {
        const next = to[half] as number
        if (this.isAffected[next] === 1 || !this.isUsable(half, next)) continue
        best = Math.min(best, (distance[next] as number) + (this.cost[half] as number))
      }
      if (best === Infinity) continue
      distance[node] = best
      heap.push(best, node)
    }
    for (let i = 0; i < this.affectedCount; i++) this.isAffected[affected[i] as number] = 0
    const count = this.affectedCount
    this.affectedCount = 0
    this.settleHeap()
    for (let i = 0; i < count; i++) this.recount(affected[i] as number)
  }

  /** As isTight, for a node that just fell: it still has its old distance, but may be failed by now. */
  private isHopInto(above: number, half: number, node: number): boolean {
    const here = this.distance[above] as number
    return (
      here < Infinity &&
      here === (this.distance[node] as number) + (this.cost[half] as number) &&
      this.failedLinks[this.graph.link[half] as number] === 0 &&
      // A failed node's own neighbours were told by failNode already.
      this.failedNodes[node] === 0 &&
      this.failedNodes[above] === 0
    )
  }

  /** Dijkstra among nodes whose distance was lost and found again. */
  private settleHeap(): void {
    const { from, to, back } = this.graph
    const { distance, heap } = this
    while (heap.size > 0) {
      const key = heap.least
      const node = heap.pop()
      if (key > (distance[node] as number)) continue
      for (let half = from[node] as number; half < (from[node + 1] as number); half++) {
        const above = to[half] as number
        const through = key + (this.cost[back[half] as number] as number)
        if (through >= (distance[above] as number) || !this.isUsable(half, above)) continue
        distance[above] = through
        heap.push(through, above)
      }
    }
  }

  private recount(node: number): void {
    const { from } = this.graph
    let count = 0
    for (let half = from[node] as number; half < (from[node + 1] as number); half++)
      if (this.isTight(node, half)) count++
    this.hops[node] = this.isRoot[node] === 1 ? 0 : count
  }

  // -- what mends ------------------------------------------------------------------------------------------------------

  private offerHalves(link: number): void {
    const { a, b, half } = this.graph
    if ((half[2 * link] as number) < 0) return
    this.offerHalf(a[link] as number, half[2 * link] as number)
    this.offerHalf(b[link] as number, half[2 * link + 1] as number)
  }

  /** A half-edge that may be used now: a better way, one more of the same length, or nothing. */
  private offerHalf(node: number, half: number): void {
    const next = this.graph.to[half] as number
    if (!this.isUsable(half, next) || this.failedNodes[node] === 1) return
    const through = (this.distance[next] as number) + (this.cost[half] as number)
    const here = this.distance[node] as number
    if (through > here || through === Infinity) return
    this.remember(node)
    if (through === here) {
      this.hops[node]!++
      return
    }
    this.distance[node] = through
    this.hops[node] = 1
    this.heap.push(through, node)
  }

  /** Everybody who gains by the nodes in the heap, nearest first, so that each is final when it is taken. */
  private spread(): void {
    const { from, to, back } = this.graph
    const { heap, distance } = this
    while (heap.size > 0) {
      const key = heap.least
      const node = heap.pop()
      if (key > (distance[node] as number) || this.isAffected[node] === 1) continue
      this.affect(node)
      for (let half = from[node] as number; half < (from[node + 1] as number); half++)
        this.offerHalf(to[half] as number, back[half] as number)
    }
    for (let i = 0; i < this.affectedCount; i++) this.isAffected[this.affected[i] as number] = 0
    this.affectedCount = 0
  }

  // -- memory ----------------------------------------------------------------------------------------------------------

  private remember(node: number): void {
    this.journal.note(PATH, node, this.hops[node] as number, this.distance[node] as number)
    if (this.isTouched[node] === 1) return
    this.isTouched[node] = 1
    this.touched[this.touchedCount++] = node
  }

  private readonly restore = (kind: number, index: number, whole: number, real: number): void => {
    if (kind === PATH) {
      this.hops[index] = whole
      this.distance[index] = real
    } else if (kind === NODE) this.failedNodes[index] = whole
    else if (kind === LINK) this.failedLinks[index] = whole
    else this.cost[index] = whole
  }
}
