/**
 * Who wants what: the traffic demands of households and businesses, and the wires that lead out of the ISP to them.
 * Shared by the planner (at the peak, to buy line rates) and by the live network (now).
 */
import type { PortKind, Router } from "#lab/isp/model.ts"
import type { Dag } from "#lab/isp/spf.ts"
import type { Demand } from "#lab/isp/traffic.ts"

/** Upstream bits of a household per downstream bit: streaming, not hosting. */
const UP_SHARE = 0.12
/** Part of the subscribers that are connected at any time: home routers stay on. */
export const ONLINE_SHARE = 0.93

export interface Stub {
  readonly router: number
  readonly kind: PortKind
  readonly wire: number
}

/** Gives a wire to every port that leads out of the ISP. Wires 0..links-1 are the links. */
export const wireLayout = (
  routers: readonly Router[],
  links: number,
  upstreams: readonly number[],
  hubs: readonly number[],
): { readonly stubs: readonly Stub[]; readonly wires: number } => {
  const stubs: Stub[] = []
  const add = (router: number, kind: PortKind) => stubs.push({ router, kind, wire: links + stubs.length })
  for (const router of routers) {
    if (upstreams.includes(router.index)) add(router.index, "internet")
    if (router.subscribers > 0) add(router.index, "subscribers")
    if (router.businessBps > 0 || hubs.includes(router.index)) add(router.index, "customers")
  }
  return { stubs, wires: links + stubs.length }
}

/**
 * Demand of each tree: dags[0] leads to the Internet, dags[1 + i] to hubs[i]. `householdBps[r]` is the downstream wish
 * of router r's subscribers now, `businessFactor` the time of day's share of the business peak.
 */
export const demandsOf = (
  routers: readonly Router[],
  dags: readonly Dag[],
  hubs: readonly number[],
  householdBps: Float64Array,
  businessFactor: number,
): readonly Demand[] =>
  dags.map((dag, tree): Demand => {
    if (tree === 0)
      return { dag, down: onlyReached(dag, householdBps, 1), up: onlyReached(dag, householdBps, UP_SHARE) }
    const business = Float64Array.from(routers, (router) => (router.businessBps * businessFactor) / hubs.length)
    business[hubs[tree - 1]!] = 0
    const both = onlyReached(dag, business, 1)
    return { dag, down: both, up: both }
  })

export const demandsAtPeak = (
  routers: readonly Router[],
  dags: readonly Dag[],
  hubs: readonly number[],
  peakBpsPerSubscriber: number,
): readonly Demand[] => {
  const households = Float64Array.from(routers, (r) => r.subscribers * ONLINE_SHARE * peakBpsPerSubscriber)
  return demandsOf(routers, dags, hubs, households, 1)
}

/** A router without a way to the root neither sends nor receives: its demand must not appear on its ports. */
const onlyReached = (dag: Dag, bps: Float64Array, share: number): Float64Array => {
  const reached = new Float64Array(bps.length)
  for (const router of dag.order) reached[router] = bps[router]! * share
  return reached
}
