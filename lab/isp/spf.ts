/**
 * Shortest paths as OSPF computes them (RFC 2328 s16): all equal-cost next hops towards a set of roots, over the links
 * that are usable now. Flat arrays, because a fault in a network of 10,000 routers recomputes several of these.
 */

export interface GraphLink {
  readonly a: number
  readonly b: number
  readonly cost: number
}

/** Adjacency in compressed rows: the arcs of node n are start[n] .. start[n+1]-1. Direction 2*link goes from a to b. */
export interface Graph {
  readonly nodes: number
  readonly start: Int32Array
  readonly to: Int32Array
  /** Direction in which octets leave n over this arc. */
  readonly direction: Int32Array
  readonly cost: Float64Array
}

export const graphOf = (nodes: number, links: readonly GraphLink[]): Graph => {
  const start = new Int32Array(nodes + 1)
  for (const link of links) {
    start[link.a + 1]!++
    start[link.b + 1]!++
  }
  for (let n = 0; n < nodes; n++) start[n + 1]! += start[n]!
  const fill = start.slice(0, nodes)
  const to = new Int32Array(2 * links.length)
  const direction = new Int32Array(2 * links.length)
  const cost = new Float64Array(2 * links.length)
  links.forEach((link, index) => {
    const out = fill[link.a]!++
    const back = fill[link.b]!++
    to[out] = link.b
    to[back] = link.a
    direction[out] = 2 * index
    direction[back] = 2 * index + 1
    cost[out] = cost[back] = link.cost
  })
  return { nodes, start, to, direction, cost }
}

/** Who is reached, and over which links the way to the nearest root leads. */
export interface Dag {
  /** Reached nodes, nearest first; roots lead. */
  readonly order: Int32Array
  /** Cost to the nearest root, Infinity when there is no way. */
  readonly distance: Float64Array
  /** The next hops of order[i] are hops[hopStart[i]] .. hops[hopStart[i+1]-1]: directions that lead towards the root. */
  readonly hopStart: Int32Array
  readonly hops: Int32Array
  /** The node at the far end of hops[j]. */
  readonly hopTo: Int32Array
}

/** Dijkstra with a binary heap; `usable[link]` is 0 for a link that carries nothing. O((V+E) log V). */
export const shortestPaths = (graph: Graph, roots: readonly number[], usable: Uint8Array): Dag => {
  const distance = new Float64Array(graph.nodes).fill(Infinity)
  const done = new Uint8Array(graph.nodes)
  const order = new Int32Array(graph.nodes)
  const heap = new Heap(graph.to.length + roots.length + 1)
  for (const root of roots) {
    distance[root] = 0
    heap.push(0, root)
  }
  let reached = 0
  while (heap.size > 0) {
    const node = heap.pop()
    if (done[node] === 1) continue
    done[node] = 1
    order[reached++] = node
    for (let arc = graph.start[node]!; arc < graph.start[node + 1]!; arc++) {
      if (usable[graph.direction[arc]! >> 1] === 0) continue
      const next = graph.to[arc]!
      const through = distance[node]! + graph.cost[arc]!
      if (through < distance[next]!) {
        distance[next] = through
        heap.push(through, next)
      }
    }
  }
  return withHops(graph, order.subarray(0, reached), distance, usable)
}

const withHops = (graph: Graph, order: Int32Array, distance: Float64Array, usable: Uint8Array): Dag => {
  const hopStart = new Int32Array(order.length + 1)
  const hops = new Int32Array(graph.to.length)
  const hopTo = new Int32Array(graph.to.length)
  let count = 0
  for (let i = 0; i < order.length; i++) {
    const node = order[i]!
    hopStart[i] = count
    if (distance[node]! > 0)
      for (let arc = graph.start[node]!; arc < graph.start[node + 1]!; arc++) {
        const next = graph.to[arc]!
        if (usable[graph.direction[arc]! >> 1] === 0) continue
        // Costs are positive whole numbers, so that equal sums are exactly equal.
        if (distance[next]! + graph.cost[arc]! !== distance[node]!) continue
        hops[count] = graph.direction[arc]!
        hopTo[count++] = next
      }
  }
  hopStart[order.length] = count
  return { order, distance, hopStart, hops: hops.subarray(0, count), hopTo: hopTo.subarray(0, count) }
}

/** Which nodes can talk to each other: the same number means yes. Nodes that are not `alive` get -1. */
export const components = (graph: Graph, alive: Uint8Array, usable: Uint8Array): Int32Array => {
  const component = new Int32Array(graph.nodes).fill(-1)
  const stack: number[] = []
  for (let from = 0; from < graph.nodes; from++) {
    if (alive[from] === 0 || component[from] !== -1) continue
    component[from] = from
    stack.push(from)
    while (stack.length > 0) {
      const node = stack.pop()!
      for (let arc = graph.start[node]!; arc < graph.start[node + 1]!; arc++) {
        const next = graph.to[arc]!
        if (usable[graph.direction[arc]! >> 1] === 0 || component[next] !== -1 || alive[next] === 0) continue
        component[next] = from
        stack.push(next)
      }
    }
  }
  return component
}

/** Binary min-heap of (key, node) in typed arrays; `capacity` bounds how many pushes may be outstanding. */
class Heap {
  size = 0
  private readonly keys: Float64Array
  private readonly nodes: Int32Array

  constructor(capacity: number) {
    this.keys = new Float64Array(capacity)
    this.nodes = new Int32Array(capacity)
  }

  push(key: number, node: number): void {
    let at = this.size++
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (this.keys[parent]! <= key) break
      this.keys[at] = this.keys[parent]!
      this.nodes[at] = this.nodes[parent]!
      at = parent
    }
    this.keys[at] = key
    this.nodes[at] = node
  }

  pop(): number {
    const top = this.nodes[0]!
    const last = --this.size
    const key = this.keys[last]!
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= last) break
      if (child + 1 < last && this.keys[child + 1]! < this.keys[child]!) child++
      if (this.keys[child]! >= key) break
      this.keys[at] = this.keys[child]!
      this.nodes[at] = this.nodes[child]!
      at = child
    }
    this.keys[at] = key
    this.nodes[at] = this.nodes[last]!
    return top
  }
}
