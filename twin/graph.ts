/**
 * The declared structure as a graphology graph, for the algorithms that reason about paths and redundancy. Nodes are device
 * ids, edges link ids; parallel links are parallel edges. Adjacencies are never edges (W2). Built when asked for: the hot
 * path uses the flat arrays of topology.ts.
 */
import { MultiUndirectedGraph } from "graphology"
import type { Topology } from "#twin/topology.ts"

export interface NodeAttributes {
  readonly slot: number
  readonly name: string
  readonly site: string
}
export interface EdgeAttributes {
  readonly slot: number
  readonly capacityBps: number | null
}
export type NetworkGraph = MultiUndirectedGraph<NodeAttributes, EdgeAttributes>

/** Links to devices that the inventory lacks are left out. */
export const graphOf = (topology: Topology): NetworkGraph => {
  const graph: NetworkGraph = new MultiUndirectedGraph()
  const { devices, links } = topology.inventory
  for (const [slot, { id, name, site }] of devices.entries()) graph.addNode(id, { slot, name, site })
  for (const [slot, { id, a, b, capacityBps }] of links.entries())
    if (graph.hasNode(a.device) && graph.hasNode(b.device))
      graph.addUndirectedEdgeWithKey(id, a.device, b.device, { slot, capacityBps })
  return graph
}
