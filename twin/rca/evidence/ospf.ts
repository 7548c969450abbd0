/**
 * The OSPF neighbour of one link end is not full (ospfNbrState, RFC 4750). It falls with the port, and alone when the link
 * loses packets or the far router dies behind equipment that keeps the port lit. Index: link * 2 + end.
 */
import { BLIND, linksTouched, suspectLink, UNTOUCHED } from "#twin/rca/evidence/kind.ts"
import type { EvidenceKind } from "#twin/rca/evidence/kind.ts"
import { isPortReadable } from "#twin/rca/evidence/port.ts"
import { endOf } from "#twin/rca/model.ts"
import { isBlind } from "#twin/rca/scenario.ts"

const DOWN = 0.93
const LOSSY = 0.8
const FLAPPING = 0.5

export const ospf: EvidenceKind = {
  name: "ospf",
  count: ({ graph }) => 2 * graph.links,
  spurious: 0.0006,
  // RouterDeadInterval, RFC 2328 appendix C.3.
  latencyMs: 41_000,
  tells: "now",
  isObservable: (model, index) => model.network.ospf[index >> 1] === 1 && isPortReadable(model, index),
  suspects: (model, index, suspect) => {
    suspectLink(model, index >> 1, suspect)
    suspect("loss", index >> 1)
    suspect("flap", index >> 1)
  },
  touched: (model, s, visit) =>
    linksTouched(model, s, (l) => {
      if (model.network.ospf[l] !== 1) return
      visit(2 * l)
      visit(2 * l + 1)
    }),
  expected: (model, s, index) => {
    const l = index >> 1
    const own = endOf(model.graph, l, index & 1)
    if (own < 0 || isBlind(model, s, own)) return BLIND
    if (s.deadLinks.has(l) || s.shut.has(2 * l) || s.shut.has(2 * l + 1)) return DOWN
    const far = endOf(model.graph, l, 1 - (index & 1))
    if (far >= 0 && s.deadNodes.has(far)) return DOWN
    if (s.lossy.has(l)) return LOSSY
    return s.flapping.has(l) ? FLAPPING : UNTOUCHED
  },
  words: ({ graph, network }, index) => {
    const own = endOf(graph, index >> 1, index & 1)
    return `the OSPF neighbour of ${own < 0 ? "a foreign device" : network.nodeName(own)} on ${network.linkName(index >> 1)}`
  },
  alarmed: "is lost",
  cleared: "is full",
}
