/**
 * A router came back with an uptime shorter than its silence: it was down itself, and not merely cut off (sysUpTime,
 * RFC 3418). The other way round, an uptime that spans the silence clears it. Index: node.
 */
import { suspectNode, UNTOUCHED } from "#twin/rca/evidence/kind.ts"
import type { EvidenceKind } from "#twin/rca/evidence/kind.ts"

const RESTARTED = 0.97

export const reboot: EvidenceKind = {
  name: "reboot",
  count: ({ graph }) => graph.nodes,
  spurious: 0.0003,
  latencyMs: 0,
  tells: "aftermath",
  isObservable: ({ network }, n) => network.polled[n] === 1,
  suspects: suspectNode,
  touched: (_model, s, visit) => {
    for (const n of s.deadNodes) visit(n)
  },
  expected: (_model, s, n) => (s.deadNodes.has(n) ? RESTARTED : UNTOUCHED),
  words: ({ network }, n) => network.nodeName(n),
  alarmed: "restarted",
  cleared: "ran through the outage",
}
