/**
 * From demands to the load of every wire. Households talk to the Internet, businesses to the hubs; both follow the
 * shortest paths, split evenly over equal-cost next hops, so that flow is conserved at every router and the two ends of
 * a link can never disagree. A link that is offered more than it holds carries its capacity and drops the rest: at every
 * router what comes in goes out or is counted as dropped (senders that slow down, as TCP does, are not modelled).
 */
import type { Dag } from "#lab/isp/spf.ts"

/** Traffic between each router and the nearest root of one tree, bit/s by router index. */
export interface Demand {
  readonly dag: Dag
  /** Root to router. */
  readonly down: Float64Array
  /** Router to root. */
  readonly up: Float64Array
}

/** Everything by direction: 2*link from end a to end b, 2*link+1 back. bit/s. */
export interface Loads {
  readonly offered: Float64Array
  readonly carried: Float64Array
  /** What arrived at the link and did not fit. */
  readonly dropped: Float64Array
  /** By demand, by router: what really came out of the tree at this router, and what left its root. */
  readonly delivered: readonly Delivered[]
}
export interface Delivered {
  /** down[r]: arrived at router r from its root. */
  readonly down: Float64Array
  /** fromRoot[r], toRoot[r]: for a root r, sums over the routers that it serves; 0 elsewhere. */
  readonly fromRoot: Float64Array
  readonly toRoot: Float64Array
}

/** `loop[link]`: packets that circle between the two routers of a link (a forwarding loop), bit/s each way. */
export const loadsOf = (demands: readonly Demand[], capacityBps: Float64Array, loop: Float64Array): Loads => {
  const directions = 2 * capacityBps.length
  const offered = new Float64Array(directions)
  for (let d = 0; d < directions; d++) offered[d] = loop[d >> 1]!
  const wanted = demands.map((demand) => offer(demand, offered))
  const fraction = new Float64Array(directions)
  for (let d = 0; d < directions; d++) {
    const capacity = capacityBps[d >> 1]!
    fraction[d] = offered[d]! > capacity ? capacity / offered[d]! : 1
  }
  const carried = new Float64Array(directions)
  const dropped = new Float64Array(directions)
  for (let d = 0; d < directions; d++) carried[d] = loop[d >> 1]! * Math.min(fraction[d]!, fraction[d ^ 1]!)
  const passing = { fraction, carried, dropped }
  const delivered = demands.map((demand, i) => carry(demand, wanted[i]!, passing))
  return { offered, carried, dropped, delivered }
}

/** What each router asks of its tree, its own demand and that of everything behind it; adds to `offered`. */
const offer = ({ dag, down, up }: Demand, offered: Float64Array): Float64Array => {
  const wantedDown = down.slice()
  const wantedUp = up.slice()
  for (let i = dag.order.length - 1; i >= 0; i--) {
    const node = dag.order[i]!
    const first = dag.hopStart[i]!
    const last = dag.hopStart[i + 1]!
    if (first === last) continue
    const downShare = wantedDown[node]! / (last - first)
    const upShare = wantedUp[node]! / (last - first)
    for (let hop = first; hop < last; hop++) {
      const out = dag.hops[hop]!
      const next = dag.hopTo[hop]!
      offered[out]! += upShare
      offered[out ^ 1]! += downShare
      wantedUp[next]! += upShare
      wantedDown[next]! += downShare
    }
  }
  return wantedDown
}

interface Passing {
  /** fraction[d] of what is offered to direction d gets through. */
  readonly fraction: Float64Array
  readonly carried: Float64Array
  readonly dropped: Float64Array
}

/** Sends `bps` into one direction; what gets through is returned, carried and dropped are counted. */
const pass = ({ fraction, carried, dropped }: Passing, direction: number, bps: number): number => {
  const through = bps * fraction[direction]!
  carried[direction]! += through
  dropped[direction]! += bps - through
  return through
}

const carry = ({ dag, down, up }: Demand, wantedDown: Float64Array, passing: Passing): Delivered => {
  const flowUp = up.slice()
  const toRoot = new Float64Array(up.length)
  for (let i = dag.order.length - 1; i >= 0; i--) {
    const node = dag.order[i]!
    const first = dag.hopStart[i]!
    const last = dag.hopStart[i + 1]!
    if (first === last) toRoot[node] = flowUp[node]!
    const share = flowUp[node]! / (last - first)
    for (let hop = first; hop < last; hop++) flowUp[dag.hopTo[hop]!]! += pass(passing, dag.hops[hop]!, share)
  }
  const ratio = new Float64Array(down.length)
  const arrived = new Float64Array(down.length)
  const fromRoot = new Float64Array(down.length)
  for (let i = 0; i < dag.order.length; i++) {
    const node = dag.order[i]!
    const first = dag.hopStart[i]!
    const last = dag.hopStart[i + 1]!
    if (first === last) fromRoot[node] = wantedDown[node]!
    const share = wantedDown[node]! / (last - first)
    let received = 0
    for (let hop = first; hop < last; hop++)
      received += pass(passing, dag.hops[hop]! ^ 1, share * ratio[dag.hopTo[hop]!]!)
    ratio[node] = first === last || wantedDown[node] === 0 ? 1 : received / wantedDown[node]!
    arrived[node] = down[node]! * ratio[node]!
  }
  return { down: arrived, fromRoot, toRoot }
}
