/** What shows at the ends of a link that is full, each end for itself. Index: link * 2 + end. */
import { BLIND, UNTOUCHED } from "#twin/rca/evidence/kind.ts"
import type { EvidenceKind } from "#twin/rca/evidence/kind.ts"
import { isPortReadable, portWords } from "#twin/rca/evidence/port.ts"
import { endOf } from "#twin/rca/model.ts"
import { isBlind } from "#twin/rca/scenario.ts"

/** `seen`: how often an end of a full link shows it. */
export const congestionKind = (
  seen: number,
  { name, alarmed, cleared }: Pick<EvidenceKind, "name" | "alarmed" | "cleared">,
): EvidenceKind => ({
  name,
  count: ({ graph }) => 2 * graph.links,
  spurious: 0.0006,
  latencyMs: 60_000,
  tells: "now",
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
    return own < 0 || isBlind(model, s, own) ? BLIND : seen
  },
  words: portWords,
  alarmed,
  cleared,
})
