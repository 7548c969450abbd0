/**
 * What the same questions cost on a graphology graph: take the link out and recompute. The algorithms are those of
 * graphology-components and graphology-shortest-path (depth first over `forEachNeighbor`; Dijkstra over `forEachEdge`
 * with a binary heap), written here on graphology's own API, because these two packages are not installed. Parallel links
 * are merged, which is to graphology's advantage: its multigraphs are slower.
 */
import { UndirectedGraph } from "graphology"

export interface Wire {
  readonly a: number
  readonly b: number
  readonly costAB: number
  readonly costBA: number
}

export interface Peer {
  /** Takes one edge out, finds the component of the sources, puts the edge back. Returns how many nodes are in it. */
  readonly components: (sources: readonly number[]) => number
  /** The same with distances; returns their sum. */
  readonly dijkstra: (roots: readonly number[]) => number
}

export const graphologyOf = (nodes: number, wires: readonly Wire[]): Peer => {
  const graph = new UndirectedGraph<Record<string, never>, { readonly wire: Wire }>()
  for (let node = 0; node < nodes; node++) graph.addNode(String(node))
  for (const wire of wires) {
    const [a, b] = [String(wire.a), String(wire.b)]
    const other = graph.edge(a, b)
    if (other === undefined) graph.addUndirectedEdge(a, b, { wire })
    else graph.setEdgeAttribute(other, "wire", cheaper(graph.getEdgeAttribute(other, "wire"), wire))
  }
  const { a, b } = wires.at(-1) as Wire
  const without = <T>(run: () => T): T => {
    const wire = graph.getEdgeAttribute(String(a), String(b), "wire")
    graph.dropEdge(String(a), String(b))
    const found = run()
    graph.addUndirectedEdge(String(a), String(b), { wire })
    return found
  }
  return {
    components: (sources) =>
      without(() => {
        const seen = new Set(sources.map(String))
        const stack = [...seen]
        for (let node = stack.pop(); node !== undefined; node = stack.pop())
          graph.forEachNeighbor(node, (next) => {
            if (seen.has(next)) return
            seen.add(next)
            stack.push(next)
          })
        return seen.size
      }),
    dijkstra: (roots) => without(() => dijkstra(graph, roots.map(String))),
  }
}

/** Of two links between the same routers, the lower cost of each direction. */
const cheaper = (one: Wire, other: Wire): Wire => {
  const same = one.a === other.a
  return {
    ...one,
    costAB: Math.min(one.costAB, same ? other.costAB : other.costBA),
    costBA: Math.min(one.costBA, same ? other.costBA : other.costAB),
  }
}

const dijkstra = (
  graph: UndirectedGraph<Record<string, never>, { readonly wire: Wire }>,
  roots: readonly string[],
): number => {
  const distance = new Map<string, number>()
  const heap: Array<readonly [far: number, node: string]> = []
  for (const root of roots) push(heap, 0, root)
  let sum = 0
  for (let top = pop(heap); top !== undefined; top = pop(heap)) {
    const [far, node] = top
    if (distance.has(node)) continue
    distance.set(node, far)
    sum += far
    graph.forEachEdge(node, (_key, { wire }, source, target) => {
      const next = source === node ? target : source
      // The neighbour's own cost towards this node.
      if (!distance.has(next)) push(heap, far + (Number(next) === wire.a ? wire.costAB : wire.costBA), next)
    })
  }
  return sum
}

type Entry = readonly [far: number, node: string]

const push = (heap: Entry[], far: number, node: string): void => {
  let at = heap.length
  heap.push([far, node])
  while (at > 0) {
    const parent = (at - 1) >> 1
    if ((heap[parent] as Entry)[0] <= far) break
    heap[at] = heap[parent] as Entry
    at = parent
  }
  heap[at] = [far, node]
}

const pop = (heap: Entry[]): Entry | undefined => {
  const top = heap[0]
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return top
  let at = 0
  for (;;) {
    let child = 2 * at + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && (heap[child + 1] as Entry)[0] < (heap[child] as Entry)[0]) child++
    if ((heap[child] as Entry)[0] >= last[0]) break
    heap[at] = heap[child] as Entry
    at = child
  }
  heap[at] = last
  return top
}
