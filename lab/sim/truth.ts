/**
 * What the twin says against what the lab knows, at a moment when nothing is broken any more and everything had its time:
 * every router answers and is healthy, every port, neighbour and link is as it really is, and rates are near the truth.
 */
import { BGP_ESTABLISHED } from "#lab/isp/bgp.ts"
import type { Network } from "#lab/isp/network.ts"
import { OSPF_FULL } from "#lab/isp/ospf.ts"
import type { AuditorName } from "#lab/sim/violation.ts"
import type { Declared } from "#lab/sim/declared.ts"
import type { Names } from "#lab/sim/devices.ts"
import { farPort, peerView, sessionsOf } from "#lab/snmp/tables/routing.ts"
import type { TenantRuntime } from "#engine/tenant/runtime.ts"
import type { DeviceView } from "#protocol/view.ts"

export interface Disagreement {
  readonly auditor: AuditorName
  readonly detail: string
}

/** Null = they agree about what is declared. */
export const disagreements = (
  network: Network,
  runtime: TenantRuntime,
  names: Names,
  declared: Declared,
): Disagreement | null => {
  for (const index of declared.routers) {
    const router = network.isp.routers[index]!
    const view = runtime.view({ kind: "device", id: names.device(index) })
    if (view?.kind !== "device") return { auditor: "truth", detail: `${router.name} is not in the twin` }
    const wrong = deviceWrong(network, router.index, view)
    if (wrong !== null) return { auditor: wrong.auditor, detail: `${router.name}: ${wrong.detail}` }
  }
  for (const index of declared.links) {
    const link = network.isp.links[index]!
    const view = runtime.view({ kind: "link", id: names.link(index) })
    if (view?.kind !== "link") return { auditor: "truth", detail: `link ${link.index} is not in the twin` }
    if (view.health !== "ok")
      return { auditor: "recovery", detail: `link ${link.index} is ${view.health}: ${view.reasons.join("; ")}` }
    const wrong = loadWrong(network, link.a, view.utilAbPct, link.capacityBps)
    if (wrong !== null) return { auditor: "truth", detail: `link ${link.index}: ${wrong}` }
  }
  const { routers, links, routersUp, linksDown } = runtime.counts()
  if (routers !== declared.routers.size || links !== declared.links.size)
    return {
      auditor: "truth",
      detail: `${declared.routers.size} devices and ${declared.links.size} links are declared, the twin has ${routers} and ${links}`,
    }
  if (routersUp !== routers || linksDown !== 0)
    return { auditor: "truth", detail: `counts say ${routersUp} routers up, ${linksDown} links down` }
  return null
}

const deviceWrong = (network: Network, router: number, view: DeviceView): Disagreement | null => {
  const { isp } = network
  if (network.answers[router] === 0) return { auditor: "life", detail: "the lab itself has not recovered" }
  for (const port of isp.routers[router]!.ports) {
    const { name } = isp.ports[port]!
    const seen = view.interfaces.find((one) => one.name === name)
    const up = network.portUp[port] === 1
    if (seen?.operUp !== up)
      return { auditor: "truth", detail: `${name} is ${up ? "up" : "down"}, the twin says ${seen?.operUp}` }
  }
  const adjacencyWrong = neighboursWrong(network, router, view)
  if (adjacencyWrong !== null) return { auditor: "truth", detail: adjacencyWrong }
  if (view.stale) return { auditor: "recovery", detail: "stale" }
  if (view.health !== "ok") return { auditor: "recovery", detail: `${view.health}: ${view.reasons.join("; ")}` }
  return null
}

const neighboursWrong = (network: Network, router: number, view: DeviceView): string | null => {
  const { isp, ospf, bgp } = network
  for (const link of network.linksOf(router)) {
    if (ospf.state[link] !== OSPF_FULL) continue
    const { loopback } = isp.routers[farPort(isp, isp.links[link]!, router).router]!
    const seen = view.adjacencies.find((one) => one.kind === "ospf" && one.remote === loopback)
    if (seen?.up !== true) return `OSPF neighbour ${loopback} is full, the twin says ${seen?.state ?? "nothing"}`
  }
  for (const session of sessionsOf(isp, router)) {
    const { remoteAddress } = peerView(isp, session, router)
    const seen = view.adjacencies.find((one) => one.kind === "bgp" && one.remote === remoteAddress)
    const up = bgp.state[session.index] === BGP_ESTABLISHED
    if (seen?.up !== up)
      return `BGP peer ${remoteAddress} is ${up ? "up" : "down"}, the twin says ${seen?.state ?? "nothing"}`
  }
  return null
}

/** Traffic breathes and a rate is a mean over one poll: a factor of two is not noise. */
const loadWrong = (network: Network, port: number, utilPct: number | null, capacityBps: number): string | null => {
  const truth = (100 * network.outBps(port)) / capacityBps
  if (utilPct === null) return "its load is not known"
  if (truth < 1 && utilPct < 2) return null
  return utilPct > 2 * truth + 2 || utilPct < truth / 2 - 2
    ? `carries ${truth.toFixed(1)} %, the twin says ${utilPct.toFixed(1)} %`
    : null
}
