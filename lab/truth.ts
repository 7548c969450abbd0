/** What is really so, for tests and benchmarks to compare the twin with. The engine never sees this. */
import { BGP_ESTABLISHED } from "#lab/isp/bgp.ts"
import type { Link, LinkKind } from "#lab/isp/model.ts"
import type { Network } from "#lab/isp/network.ts"
import { OSPF_FULL } from "#lab/isp/ospf.ts"

export interface Truth {
  readonly name: string
  readonly atMs: number
  readonly routers: readonly RouterTruth[]
  readonly links: readonly LinkTruth[]
  readonly bgp: { readonly sessions: number; readonly established: number }
}
export interface RouterTruth {
  readonly name: string
  readonly site: string
  readonly roles: readonly string[]
  readonly persona: string
  /** Powered and booted. */
  readonly alive: boolean
  /** Answers the NOC: alive, and on a live path. What the engine can know is `answers`, not `alive`. */
  readonly answers: boolean
  /** PPPoE sessions of a BNG, null elsewhere. */
  readonly pppoe: number | null
}
export interface LinkTruth {
  /** Device names, the inventory's `a` and `b` ends. */
  readonly a: string
  readonly b: string
  readonly aInterface: string
  readonly bInterface: string
  readonly aOperUp: boolean
  readonly bOperUp: boolean
  readonly tier: LinkKind
  readonly capacityBps: number
  /** Both ports up, both routers alive. */
  readonly up: boolean
  /** Null on links without OSPF. */
  readonly ospfFull: boolean | null
  /** Percent of the capacity. */
  readonly utilAbPct: number
  readonly utilBaPct: number
}

export const truthOf = (network: Network): Truth => ({
  name: network.isp.name,
  atMs: network.nowMs,
  routers: network.isp.routers.map((router) => ({
    name: router.name,
    site: network.isp.sites[router.site]!.id,
    roles: router.roles,
    persona: router.persona,
    alive: network.alive[router.index] === 1,
    answers: network.answers[router.index] === 1,
    pppoe: network.households.sessionsOn(router.index),
  })),
  links: network.isp.links.map((link) => linkTruth(network, link)),
  bgp: {
    sessions: network.isp.sessions.length,
    established: network.bgp.state.reduce((sum, state) => sum + (state === BGP_ESTABLISHED ? 1 : 0), 0),
  },
})

const linkTruth = (network: Network, link: Link): LinkTruth => {
  const [a, b] = [network.isp.ports[link.a]!, network.isp.ports[link.b]!]
  const [aOperUp, bOperUp] = [network.portUp[link.a] === 1, network.portUp[link.b] === 1]
  return {
    a: network.isp.routers[a.router]!.name,
    b: network.isp.routers[b.router]!.name,
    aInterface: a.name,
    bInterface: b.name,
    aOperUp,
    bOperUp,
    tier: link.kind,
    capacityBps: link.capacityBps,
    up: aOperUp && bOperUp && network.alive[a.router] === 1 && network.alive[b.router] === 1,
    ospfFull: link.ospf ? network.ospf.state[link.index] === OSPF_FULL : null,
    utilAbPct: (100 * network.outBps(link.a)) / link.capacityBps,
    utilBaPct: (100 * network.outBps(link.b)) / link.capacityBps,
  }
}
