/** The configuration of a router changed shortly before. It proves nothing alone and tips a balance. Index: node. */
import { UNTOUCHED } from "#twin/rca/evidence/kind.ts"
import type { EvidenceKind } from "#twin/rca/evidence/kind.ts"
import type { Model } from "#twin/rca/model.ts"
import { endOf } from "#twin/rca/model.ts"
import type { Scenario } from "#twin/rca/scenario.ts"

/** Of faults, how many follow a change of the very device; changes as such are frequent. */
export const CAUSED = 0.3

const isChanged = (model: Model, s: Scenario, n: number): boolean =>
  s.deadNodes.has(n) ||
  s.bgpDead.has(n) ||
  s.deaf.has(n) ||
  s.causes.some(
    ({ kind, index }) =>
      (kind === "shut" && endOf(model.graph, index >> 1, index & 1) === n) ||
      (kind === "session" && (model.network.sessions[index]?.a === n || model.network.sessions[index]?.b === n)),
  )

export const change: EvidenceKind = {
  name: "change",
  count: ({ graph }) => graph.nodes,
  spurious: 0.02,
  latencyMs: 600_000,
  tells: "prelude",
  isObservable: ({ network }, n) => network.polled[n] === 1,
  // No hypothesis comes from a change alone.
  suspects: () => {},
  touched: (model, s, visit) => {
    for (const set of [s.deadNodes, s.bgpDead, s.deaf]) for (const n of set) visit(n)
    for (const { kind, index } of s.causes) {
      if (kind === "shut") visit(Math.max(0, endOf(model.graph, index >> 1, index & 1)))
      const session = kind === "session" ? model.network.sessions[index] : undefined
      if (session !== undefined) for (const n of [session.a, session.b]) if (n >= 0) visit(n)
    }
  },
  expected: (model, s, n) => (isChanged(model, s, n) ? CAUSED : UNTOUCHED),
  words: ({ network }, n) => `the configuration of ${network.nodeName(n)}`,
  alarmed: "changed shortly before",
  cleared: "did not change",
}
