/** A BGP session is not established, as one of its ends tells (bgpPeerState, RFC 4273). Index: session * 2 + end (0 = a). */
import { BLIND, suspectLink, suspectNode, UNTOUCHED } from "#twin/rca/evidence/kind.ts"
import type { EvidenceKind } from "#twin/rca/evidence/kind.ts"
import type { Model } from "#twin/rca/model.ts"
import { isBlind, isLinkDown } from "#twin/rca/scenario.ts"

export const DOWN = 0.93
const LOSSY = 0.4

/** Nodes of the end that tells, and of the other. */
const ends = ({ network }: Model, index: number): readonly [own: number, far: number] => {
  const session = network.sessions[index >> 1]
  if (session === undefined) return [-1, -1]
  return (index & 1) === 0 ? [session.a, session.b] : [session.b, session.a]
}

export const bgp: EvidenceKind = {
  name: "bgp",
  count: ({ network }) => 2 * network.sessions.length,
  spurious: 0.0006,
  // Hold time, RFC 4271 s4.2 (the usual 180 s).
  latencyMs: 181_000,
  tells: "now",
  isObservable: (model, index) => {
    const [own] = ends(model, index)
    return own >= 0 && model.network.polled[own] === 1 && model.network.external[own] !== 1
  },
  suspects: (model, index, suspect) => {
    const [own, far] = ends(model, index)
    suspect("session", index >> 1)
    for (const node of [own, far])
      if (node >= 0) {
        suspect("bgp", node)
        suspectNode(model, node, suspect)
      }
    const link = model.network.sessions[index >> 1]?.link ?? -1
    if (link < 0) return
    suspectLink(model, link, suspect)
    suspect("loss", link)
  },
  touched: (model, s, visit) => {
    const both = (session: number): void => {
      visit(2 * session)
      visit(2 * session + 1)
    }
    const of = (node: number): void => {
      for (const session of model.sessionsOf[node] ?? []) both(session)
    }
    const on = (link: number): void => {
      const session = model.sessionOn[link] as number
      if (session >= 0) both(session)
    }
    for (const session of s.sessionsDead) both(session)
    for (const set of [s.deadNodes, s.bgpDead, s.deaf, s.silent[0] ?? []]) for (const node of set) of(node)
    for (const set of [s.deadLinks, s.lossy]) for (const link of set) on(link)
    for (const port of s.shut) on(port >> 1)
  },
  expected: (model, s, index) => {
    const [own, far] = ends(model, index)
    if (own < 0 || isBlind(model, s, own)) return BLIND
    const link = model.network.sessions[index >> 1]?.link ?? -1
    if (s.sessionsDead.has(index >> 1) || s.bgpDead.has(own) || s.bgpDead.has(far) || s.deadNodes.has(far)) return DOWN
    if (link >= 0) {
      if (isLinkDown(model, s, link)) return DOWN
      return s.lossy.has(link) ? LOSSY : UNTOUCHED
    }
    // Between loopbacks: down when one is cut off and the other is not.
    const silent = s.silent[0]
    return silent !== undefined && silent.has(far) !== silent.has(own) ? DOWN : UNTOUCHED
  },
  words: (model, index) => {
    const [own, far] = ends(model, index)
    const name = (node: number): string => (node < 0 ? "a foreign device" : model.network.nodeName(node))
    return `the BGP session of ${name(own)} with ${name(far)}`
  },
  alarmed: "is down",
  cleared: "is established",
}
