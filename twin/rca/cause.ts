/**
 * What can have failed: one element, by kind and index, and its number. The prior says how often such a thing fails beside
 * the others; only ratios matter, and they are the experience of operators (docs/rca.md), not of one network.
 */
import type { CauseKind, Model } from "#twin/rca/model.ts"
import { CAUSE_KINDS, endOf } from "#twin/rca/model.ts"

export interface Cause {
  readonly kind: CauseKind
  /** Link, link * 2 + end for `shut`, node, session, site or group. */
  readonly index: number
}

export const causeId = (model: Model, kind: CauseKind, index: number): number => model.causeFrom[kind] + index

export const causeOf = (model: Model, id: number): Cause => {
  let kind: CauseKind = CAUSE_KINDS[0]
  for (const one of CAUSE_KINDS) if (id >= model.causeFrom[one]) kind = one
  return { kind, index: id - model.causeFrom[kind] }
}

/** Natural logarithm of the chance that this very element fails in the time of one incident. */
const LOG_PRIOR: Readonly<Record<CauseKind, number>> = {
  link: -7.5,
  shut: -8,
  loss: -8.5,
  congestion: -7,
  flap: -7.5,
  router: -8.2,
  agent: -9,
  bgp: -9.5,
  session: -9.2,
  site: -9.5,
  group: -9.5,
}

/** BGP of a reflector fails as rarely as that of others, but is what one looks at first. */
const REFLECTOR_BONUS = 1
/** Somebody else's network fails more often than one of our own routers, and there are few of them. */
const UPSTREAM_LOG_PRIOR = -5.5

/**
 * Where more things are watched, more of them lie at the same moment, and two lies more often meet at one element: beyond
 * this many routers each cause must pay for the crowd that it is picked from.
 */
const CROWD = 1_000

export const logPrior = (model: Model, { kind, index }: Cause): number => {
  const { network, graph } = model
  const isUpstream = kind === "router" && network.external[index] === 1
  const isReflector = kind === "bgp" && network.reflector[index] === 1
  const own = isUpstream ? UPSTREAM_LOG_PRIOR : LOG_PRIOR[kind] + (isReflector ? REFLECTOR_BONUS : 0)
  return own - Math.log(Math.max(1, graph.nodes / CROWD))
}

/** One name for what failed, as an operator would point at it: the element, not the way it failed. */
export const elementOf = (model: Model, { kind, index }: Cause): string => {
  switch (kind) {
    case "link":
    case "loss":
    case "congestion":
    case "flap":
      return `link:${index}`
    case "shut":
      return `link:${index >> 1}`
    case "router":
    case "agent":
    case "bgp":
      return `router:${index}`
    case "session": {
      const link = model.network.sessions[index]?.link ?? -1
      return link < 0 ? `session:${index}` : `link:${link}`
    }
    case "site":
      return `site:${index}`
    case "group":
      return `group:${index}`
  }
}

export const causeWords = (model: Model, cause: Cause): string => {
  const { network, graph } = model
  const { index } = cause
  switch (cause.kind) {
    case "link":
      return `the link ${network.linkName(index)}`
    case "shut":
      return `the port of ${nameOr(model, endOf(graph, index >> 1, index & 1))} on ${network.linkName(index >> 1)}, shut by an operator`
    case "loss":
      return `loss on the link ${network.linkName(index)}`
    case "congestion":
      return `congestion of the link ${network.linkName(index)}`
    case "flap":
      return `the flapping link ${network.linkName(index)}`
    case "router":
      return network.external[index] === 1
        ? `the upstream ${network.nodeName(index)}`
        : `the router ${network.nodeName(index)}`
    case "agent":
      return `the management plane of ${network.nodeName(index)}`
    case "bgp":
      return `BGP on ${network.nodeName(index)}`
    case "session": {
      const session = network.sessions[index]
      return `the BGP session ${nameOr(model, session?.a ?? -1)} - ${nameOr(model, session?.b ?? -1)}`
    }
    case "site":
      return `the power of the site ${network.siteName(index)}`
    case "group":
      return `the shared-risk group ${network.groups[index]?.name ?? index}`
  }
}

const nameOr = (model: Model, node: number): string => (node < 0 ? "a foreign device" : model.network.nodeName(node))
