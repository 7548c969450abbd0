/**
 * What crosses every wire: rates that follow the shortest paths, and the octets that they add up to. Rates only change
 * at settled moments, so that a counter read at any time is the exact integral, never goes back, and is the same at both
 * ends of a wire.
 */
import { demandsOf } from "#lab/isp/demand.ts"
import type { Isp } from "#lab/isp/model.ts"
import { shortestPaths } from "#lab/isp/spf.ts"
import type { Dag, Graph } from "#lab/isp/spf.ts"
import { loadsOf } from "#lab/isp/traffic.ts"

/** Mean packet of a residential network, octets (CAIDA reports 700 to 900). Packets are counted as octets / this. */
export const OCTETS_PER_PACKET = 750

export class Flows {
  /** bit/s by direction, wires included that lead out of the ISP. */
  private readonly rateBps: Float64Array
  private readonly dropBps: Float64Array
  private readonly octets: Float64Array
  private readonly droppedOctets: Float64Array
  private readonly isp: Isp
  private readonly graph: Graph
  private readonly roots: ReadonlyArray<readonly number[]>
  private readonly capacityBps: Float64Array
  private integratedMs: number
  private dags: readonly Dag[] = []

  constructor(isp: Isp, graph: Graph, startMs: number) {
    this.isp = isp
    this.graph = graph
    this.integratedMs = startMs
    this.rateBps = new Float64Array(2 * isp.wires)
    this.dropBps = new Float64Array(2 * isp.wires)
    this.octets = new Float64Array(2 * isp.wires)
    this.droppedOctets = new Float64Array(2 * isp.wires)
    this.capacityBps = new Float64Array(isp.links.length)
    const upstreams = isp.routers.filter((router) => router.roles.includes("upstream")).map((router) => router.index)
    this.roots = [upstreams, ...isp.hubs.map((hub) => [hub])]
  }

  /** Routes anew: over links that forward, from roots that live. */
  route(alive: Uint8Array, usable: Uint8Array): void {
    this.dags = this.roots.map((roots) => {
      const living = roots.filter((root) => alive[root] === 1)
      return shortestPaths(this.graph, living, usable)
    })
  }

  /** Whether a router has a way to an upstream. */
  reachesInternet(router: number): boolean {
    return this.dags[0]!.distance[router]! < Infinity
  }

  /**
   * Sets the rates from `atMs` on; up to then the old ones held. `forwards[link]` 0 = what the routing still sends there
   * is lost. `loopBps` is what circles on a link.
   */
  settle(
    atMs: number,
    householdBps: Float64Array,
    business: number,
    forwards: Uint8Array,
    loopBps: Float64Array,
  ): void {
    this.integrate(atMs)
    for (let l = 0; l < forwards.length; l++)
      this.capacityBps[l] = forwards[l] === 1 ? this.isp.links[l]!.capacityBps : 0
    const demands = demandsOf(this.isp.routers, this.dags, this.isp.hubs, householdBps, business)
    const loads = loadsOf(demands, this.capacityBps, loopBps)
    this.rateBps.fill(0)
    this.rateBps.set(loads.carried)
    this.dropBps.set(loads.dropped)
    for (const port of this.isp.ports) {
      if (port.kind === "link" || port.wire < 0) continue
      const [out, into] = [2 * port.wire + port.end, 2 * port.wire + 1 - port.end]
      loads.delivered.forEach((delivered, tree) => {
        const here = port.router
        if (port.kind === "internet" && tree === 0) {
          this.rateBps[out]! += delivered.toRoot[here]!
          this.rateBps[into]! += delivered.fromRoot[here]!
        } else if (port.kind === (tree === 0 ? "subscribers" : "customers")) {
          this.rateBps[out]! += delivered.down[here]! + delivered.toRoot[here]!
          this.rateBps[into]! += demands[tree]!.up[here]! + delivered.fromRoot[here]!
        }
      })
    }
  }

  /** bit/s now; 0 for direction -1. */
  rateAt(direction: number): number {
    return direction < 0 ? 0 : this.rateBps[direction]!
  }

  /** Octets that have travelled in a direction since the lab began, at `nowMs` (not before the last settle). */
  octetsAt(direction: number, nowMs: number): number {
    if (direction < 0) return 0
    return this.octets[direction]! + (this.rateBps[direction]! / 8000) * (nowMs - this.integratedMs)
  }

  droppedOctetsAt(direction: number, nowMs: number): number {
    if (direction < 0) return 0
    return this.droppedOctets[direction]! + (this.dropBps[direction]! / 8000) * (nowMs - this.integratedMs)
  }

  private integrate(toMs: number): void {
    const share = (toMs - this.integratedMs) / 8000
    this.integratedMs = toMs
    for (let d = 0; d < this.octets.length; d++) {
      this.octets[d]! += this.rateBps[d]! * share
      this.droppedOctets[d]! += this.dropBps[d]! * share
    }
  }
}
