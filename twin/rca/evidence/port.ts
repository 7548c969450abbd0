/** An interface that carries a link is down (ifOperStatus, RFC 2863), by poll, trap or syslog line. Index: link * 2 + end. */
import { BLIND, linksTouched, suspectLink, UNTOUCHED } from "#twin/rca/evidence/kind.ts"
import type { EvidenceKind } from "#twin/rca/evidence/kind.ts"
import type { Model } from "#twin/rca/model.ts"
import { endOf } from "#twin/rca/model.ts"
import { isBlind } from "#twin/rca/scenario.ts"

const CUT = 0.93
/** Carrier equipment keeps some ports lit whose far router has no power. */
const FAR_DEAD = 0.85
/** The port to an upstream stays up when only its routing is gone. */
const UPSTREAM_GONE = 0.5
const FLAPPING = 0.5

export const isPortReadable = ({ graph, network }: Model, index: number): boolean => {
  const node = endOf(graph, index >> 1, index & 1)
  return node >= 0 && network.polled[node] === 1 && network.external[node] !== 1
}

export const portWords = ({ graph, network }: Model, index: number): string => {
  const node = endOf(graph, index >> 1, index & 1)
  return `the port of ${node < 0 ? "a foreign device" : network.nodeName(node)} on ${network.linkName(index >> 1)}`
}

export const port: EvidenceKind = {
  name: "port",
  count: ({ graph }) => 2 * graph.links,
  spurious: 0.0006,
  latencyMs: 1_000,
  tells: "now",
  isObservable: isPortReadable,
  suspects: (model, index, suspect) => {
    suspectLink(model, index >> 1, suspect)
    suspect("flap", index >> 1)
  },
  touched: (model, s, visit) =>
    linksTouched(model, s, (l) => {
      visit(2 * l)
      visit(2 * l + 1)
    }),
  expected: (model, s, index) => {
    const l = index >> 1
    const own = endOf(model.graph, l, index & 1)
    if (own < 0 || isBlind(model, s, own)) return BLIND
    if (s.deadLinks.has(l) || s.shut.has(2 * l) || s.shut.has(2 * l + 1)) return CUT
    const far = endOf(model.graph, l, 1 - (index & 1))
    if (far >= 0 && s.deadNodes.has(far)) return model.network.external[far] === 1 ? UPSTREAM_GONE : FAR_DEAD
    return s.flapping.has(l) ? FLAPPING : UNTOUCHED
  },
  words: portWords,
  alarmed: "is down",
  cleared: "is up",
}
