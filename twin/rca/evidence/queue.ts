/** A port drops packets that it should have sent (ifOutDiscards, RFC 2863). Index: link * 2 + end. */
import { BLIND, UNTOUCHED } from "#twin/rca/evidence/kind.ts"
import type { EvidenceKind } from "#twin/rca/evidence/kind.ts"
import { isPortReadable, portWords } from "#twin/rca/evidence/port.ts"
import { endOf } from "#twin/rca/model.ts"
import { isBlind } from "#twin/rca/scenario.ts"

/** A direction fills, seldom both: each end drops about as often as not. */
const CONGESTED = 0.6

export const queue: EvidenceKind = {
  name: "queue",
  count: ({ graph }) => 2 * graph.links,
  spurious: 0.0006,
  latencyMs: 60_000,
  isLate: false,
  isObservable: isPortReadable,
  suspects: (_model, index, suspect) => suspect("congestion", index >> 1),
  touched: (_model, s, visit) => {
    for (const l of s.congested) {
      visit(2 * l)
      visit(2 * l + 1)
    }
  },
  expected: (model, s, index) => {
    if (!s.congested.has(index >> 1)) return UNTOUCHED
    const own = endOf(model.graph, index >> 1, index & 1)
    return own < 0 || isBlind(model, s, own) ? BLIND : CONGESTED
  },
  words: portWords,
  alarmed: "drops packets",
  cleared: "drops nothing",
}
