/** What is really so, for tests and benchmarks to compare the twin with. The engine never sees this. */
import { BGP_ESTABLISHED } from "#lab/isp/bgp.ts"
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
  /** Answers the NOC. */
  readonly answers: boolean
  /** PPPoE sessions of a BNG, null elsewhere. */
  readonly pppoe: number | null
}
export interface LinkTruth {
  readonly a: EndTruth
  readonly b: EndTruth
  readonly kind: string
  readonly capacityBps: number
  /** Both ports up, both routers alive. */
  readonly up: boolean
  /** Null on links without OSPF. */
  readonly ospfFull: boolean | null
  /** Percent of the capacity. */
  readonly utilAbPct: number
  readonly utilBaPct: number
}
export interface EndTruth {
  readonly device: string
  readonly interface: string
  readonly operUp: boolean
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
  links: network.isp.links.map((link) => ({
    a: endTruth(network, link.a),
    b: endTruth(network, link.b),
    kind: link.kind,
    capacityBps: link.capacityBps,
    up: [link.a, link.b].every(
      (port) => network.portUp[port] === 1 && network.alive[network.isp.ports[port]!.router] === 1,
    ),
    ospfFull: link.ospf ? network.ospf.state[link.index] === OSPF_FULL : null,
    utilAbPct: (100 * network.outBps(link.a)) / link.capacityBps,
    utilBaPct: (100 * network.outBps(link.b)) / link.capacityBps,
  })),
  bgp: {
    sessions: network.isp.sessions.length,
    established: network.bgp.state.reduce((sum, state) => sum + (state === BGP_ESTABLISHED ? 1 : 0), 0),
  },
})

const endTruth = (network: Network, port: number): EndTruth => ({
  device: network.isp.routers[network.isp.ports[port]!.router]!.name,
  interface: network.isp.ports[port]!.name,
  operUp: network.portUp[port] === 1,
})
