/** A port or its OSPF neighbour went down and up again and again. Index: link * 2 + end. */
import { BLIND, UNTOUCHED } from "#twin/rca/evidence/kind.ts"
import type { EvidenceKind } from "#twin/rca/evidence/kind.ts"
import { isPortReadable, portWords } from "#twin/rca/evidence/port.ts"
import { endOf } from "#twin/rca/model.ts"
import { isBlind } from "#twin/rca/scenario.ts"

const FLAPPING = 0.9
/** A link that loses packets lets its neighbour come and go. */
const LOSSY = 0.3

export const flap: EvidenceKind = {
  name: "flap",
  count: ({ graph }) => 2 * graph.links,
  spurious: 0.0006,
  latencyMs: 60_000,
  tells: "now",
  isObservable: isPortReadable,
  suspects: (_model, index, suspect) => {
    suspect("flap", index >> 1)
    suspect("loss", index >> 1)
  },
  touched: (_model, s, visit) => {
    for (const set of [s.flapping, s.lossy])
      for (const l of set) {
        visit(2 * l)
        visit(2 * l + 1)
      }
  },
  expected: (model, s, index) => {
    const own = endOf(model.graph, index >> 1, index & 1)
    if (own < 0 || isBlind(model, s, own)) return BLIND
    if (s.flapping.has(index >> 1)) return FLAPPING
    return s.lossy.has(index >> 1) ? LOSSY : UNTOUCHED
  },
  words: portWords,
  alarmed: "flaps",
  cleared: "does not flap",
}
