/** An interface is down because somebody shut it (ifAdminStatus, RFC 2863). Index: link * 2 + end. */
import { BLIND, UNTOUCHED } from "#twin/rca/evidence/kind.ts"
import type { EvidenceKind } from "#twin/rca/evidence/kind.ts"
import { isPortReadable, portWords } from "#twin/rca/evidence/port.ts"
import { endOf } from "#twin/rca/model.ts"
import { isBlind } from "#twin/rca/scenario.ts"

const SHUT = 0.95

export const shut: EvidenceKind = {
  name: "shut",
  count: ({ graph }) => 2 * graph.links,
  // It is a configured value: nothing but an operator sets it.
  spurious: 0.00001,
  latencyMs: 30_000,
  tells: "now",
  isObservable: isPortReadable,
  suspects: (_model, index, suspect) => {
    suspect("shut", index)
    // Whoever accuses the link hears of this, too.
    suspect("link", index >> 1)
  },
  touched: (_model, s, visit) => {
    for (const index of s.shut) visit(index)
  },
  expected: (model, s, index) => {
    if (!s.shut.has(index)) return UNTOUCHED
    const own = endOf(model.graph, index >> 1, index & 1)
    return own < 0 || isBlind(model, s, own) ? BLIND : SHUT
  },
  words: portWords,
  alarmed: "is shut by an operator",
  cleared: "is not shut",
}
