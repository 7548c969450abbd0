/**
 * What a failure changes of the traffic, and nothing else: whoever has other next hops than before takes its flow from the
 * old ones and gives it to the new ones, and the difference runs down the ways until it meets what it replaces. A ranking of
 * all single failures asks this tens of thousands of times; always equal to `Traffic.add` from scratch, but for rounding.
 */
import type { FlatGraph } from "#twin/whatif/graph.ts"
import { Heap } from "#twin/whatif/heap.ts"
import type { IncrementalSpf } from "#twin/whatif/incremental-spf.ts"
import { isHop } from "#twin/whatif/spf.ts"
import type { Demand } from "#twin/whatif/traffic.ts"

export class Shift {
  /** By direction: bit/s more than before; 0 where nothing changed. */
  readonly more: Float64Array
  /** Directions that may have changed: changed[0] .. changed[changedCount - 1]. */
  readonly changed: Uint32Array
  changedCount = 0
  private readonly graph: FlatGraph
  /** By half-edge: the direction of what leaves its node over it. */
  private readonly direction: Uint32Array
  private readonly isChanged: Uint8Array
  /** By node: flow more than before; kept at 0 between questions. */
  private readonly up: Float64Array
  private readonly down: Float64Array
  private readonly isWaiting: Uint8Array
  private readonly heap = new Heap()

  constructor(graph: FlatGraph) {
    this.graph = graph
    this.direction = Uint32Array.from(graph.link, (link, half) => 2 * link + (graph.half[2 * link] === half ? 0 : 1))
    this.more = new Float64Array(2 * graph.links)
    this.changed = new Uint32Array(2 * graph.links)
    this.isChanged = new Uint8Array(2 * graph.links)
    this.up = new Float64Array(graph.nodes)
    this.down = new Float64Array(graph.nodes)
    this.isWaiting = new Uint8Array(graph.nodes)
  }

  clear(): void {
    for (let i = 0; i < this.changedCount; i++) {
      const direction = this.changed[i] as number
      this.more[direction] = 0
      this.isChanged[direction] = 0
    }
    this.changedCount = 0
  }

  /** Adds what changed since `spf.begin`; `flow` = flowThrough at that time. O(what changes, times its way to the root). */
  add(spf: IncrementalSpf, flow: Demand): void {
    for (let i = 0; i < spf.touchedCount; i++) {
      const node = spf.touched[i] as number
      const first = spf.hopFrom[node] as number
      const hops = (spf.hopFrom[node + 1] as number) - first
      for (let h = first; h < first + hops; h++)
        this.send(spf, spf.hop[h] as number, -(flow.up[node] as number) / hops, -(flow.down[node] as number) / hops)
      this.wait(spf, node)
    }
    // Farthest first: everything that comes to a node has come when its turn is.
    while (this.heap.size > 0) {
      const node = this.heap.pop()
      const isTouched = spf.wasTouched(node)
      const up = (this.up[node] as number) + (isTouched ? (flow.up[node] as number) : 0)
      const down = (this.down[node] as number) + (isTouched ? (flow.down[node] as number) : 0)
      this.up[node] = 0
      this.down[node] = 0
      this.isWaiting[node] = 0
      if (up === 0 && down === 0) continue
      this.pass(spf, node, up, down)
    }
  }

  private pass(spf: IncrementalSpf, node: number, up: number, down: number): void {
    const hops = spf.hops[node] as number
    let left = hops
    for (let half = this.graph.from[node] as number; left > 0; half++) {
      if (!isHop(this.graph, spf, spf.distance, node, half)) continue
      left--
      this.send(spf, half, up / hops, down / hops)
    }
  }

  private send(spf: IncrementalSpf, half: number, up: number, down: number): void {
    const out = this.direction[half] as number
    const next = this.graph.to[half] as number
    this.change(out, up)
    this.change(out ^ 1, down)
    this.up[next]! += up
    this.down[next]! += down
    this.wait(spf, next)
  }

  private wait(spf: IncrementalSpf, node: number): void {
    if (this.isWaiting[node] === 1) return
    this.isWaiting[node] = 1
    // Without a way there is no turn to wait for, but what is noted must be forgotten.
    const far = spf.distance[node] as number
    this.heap.push(far === Infinity ? -Infinity : -far, node)
  }

  private change(direction: number, bps: number): void {
    this.more[direction]! += bps
    if (this.isChanged[direction] === 1) return
    this.isChanged[direction] = 1
    this.changed[this.changedCount++] = direction
  }
}

/** What passes through each node towards its root, its own included: the demand with everything that comes from behind. */
export const flowThrough = (graph: FlatGraph, spf: IncrementalSpf, demand: Demand): Demand => {
  const up = demand.up.slice()
  const down = demand.down.slice()
  const count = spf.sortNodes()
  for (let i = count - 1; i >= 0; i--) {
    const node = spf.order[i] as number
    const hops = spf.hops[node] as number
    let left = hops
    for (let half = graph.from[node] as number; left > 0; half++) {
      if (!isHop(graph, spf, spf.distance, node, half)) continue
      left--
      up[graph.to[half] as number]! += (up[node] as number) / hops
      down[graph.to[half] as number]! += (down[node] as number) / hops
    }
  }
  return { up, down }
}
