/** A router does not answer its collector (SNMP, API). Ping tells it from a dead one. Index: node. */
import { suspectNode, UNTOUCHED } from "#twin/rca/evidence/kind.ts"
import type { EvidenceKind } from "#twin/rca/evidence/kind.ts"

export const SILENT = 0.95

export const answer: EvidenceKind = {
  name: "answer",
  count: ({ graph }) => graph.nodes,
  spurious: 0.0006,
  latencyMs: 30_000,
  tells: "now",
  isObservable: ({ network }, n) => network.polled[n] === 1,
  suspects: (model, n, suspect) => {
    suspectNode(model, n, suspect)
    suspect("agent", n)
  },
  touched: (model, s, visit) => {
    for (const n of s.deadNodes) visit(n)
    for (const n of s.deaf) visit(n)
    if (!model.outOfBand) for (const n of s.silent[0] ?? []) visit(n)
  },
  expected: (model, s, n) => {
    if (s.deadNodes.has(n) || s.deaf.has(n)) return SILENT
    return !model.outOfBand && s.silent[0]?.has(n) === true ? SILENT : UNTOUCHED
  },
  words: ({ network }, n) => network.nodeName(n),
  alarmed: "does not answer its collector",
  cleared: "answers its collector",
}
