/** A router answers no ping from one vantage point. Index: vantage * nodes + node. */
import { suspectNode, UNTOUCHED } from "#twin/rca/evidence/kind.ts"
import type { EvidenceKind } from "#twin/rca/evidence/kind.ts"

export const SILENT = 0.95

export const ping: EvidenceKind = {
  name: "ping",
  count: ({ graph, views }) => views * graph.nodes,
  spurious: 0.0006,
  latencyMs: 6_000,
  tells: "now",
  isObservable: ({ network, graph }, index) => network.pinged[index % graph.nodes] === 1,
  suspects: (model, index, suspect) => suspectNode(model, index % model.graph.nodes, suspect),
  touched: (model, s, visit) => {
    for (let v = 0; v < model.views; v++)
      for (const n of model.outOfBand ? s.deadNodes : (s.silent[v] ?? [])) visit(v * model.graph.nodes + n)
  },
  expected: (model, s, index) => {
    const n = index % model.graph.nodes
    if (model.outOfBand) return s.deadNodes.has(n) ? SILENT : UNTOUCHED
    return s.silent[Math.floor(index / model.graph.nodes)]?.has(n) === true ? SILENT : UNTOUCHED
  },
  words: ({ network, graph, views }, index) =>
    views > 1
      ? `the ping of ${network.nodeName(index % graph.nodes)} from vantage point ${Math.floor(index / graph.nodes) + 1}`
      : `the ping of ${network.nodeName(index % graph.nodes)}`,
  alarmed: "is lost",
  cleared: "is answered",
}
