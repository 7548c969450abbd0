/**
 * Demands that nobody measured, from loads that somebody did. A router that receives more over its links than it sends on
 * has customers: what comes down to them less what they send up stays there (flow conservation). With the share of up per
 * down that the exits measure, that difference tells both. What this does not explain (traffic between routers, transit,
 * business lines that send as much as they receive) is not guessed: it stays on the link where it was seen, as background.
 * How wrong: `unexplained`, the share of all measured traffic that is background.
 */
import type { FlatGraph } from "#twin/whatif/graph.ts"
import type { IncrementalSpf } from "#twin/whatif/incremental-spf.ts"
import type { Costs } from "#twin/whatif/spf.ts"
import { noSpread, Traffic } from "#twin/whatif/traffic.ts"
import type { Demand } from "#twin/whatif/traffic.ts"

/** Up per down of a residential network, where no exit is measured. An assumption: said in the answer. */
export const ASSUMED_UP_SHARE = 0.12

export interface Estimate {
  readonly demand: Demand
  /** Up per down used, and whether the exits' links measured it. */
  readonly upShare: number
  readonly upShareMeasured: boolean
  /** Routers whose links are all measured, and those without enough to say. */
  readonly measuredRouters: number
  readonly blindRouters: number
  /** By direction: what was measured and is not explained, bit/s, may be negative; 0 where nothing was measured. */
  readonly background: Float64Array
  /** Sum of absolute background over all that was measured, 0 = everything is explained; null = nothing was measured. */
  readonly unexplained: number | null
}

export interface Measured {
  /** By direction (traffic.ts), bit/s; NaN = unknown. */
  readonly bps: Float64Array
  /** Sessions by node; NaN = unknown. */
  readonly sessions: Float64Array
}

export const estimateDemand = (
  graph: FlatGraph,
  spf: IncrementalSpf,
  exits: readonly number[],
  measured: Measured,
): Estimate => {
  const demanded = demandOf(graph, spf, exits, measured)
  return { ...demanded, ...backgroundOf(graph, spf, demanded.demand, measured.bps) }
}

/** Without how much of the traffic it explains. */
export const demandOf = (
  graph: FlatGraph,
  costs: Pick<Costs, "failedLinks">,
  exits: readonly number[],
  measured: Measured,
): Omit<Estimate, "background" | "unexplained"> => {
  const isExit = new Uint8Array(graph.nodes)
  for (const exit of exits) isExit[exit] = 1
  const { up, down, share, isMeasured } = exitShare(graph, isExit, measured.bps)
  const demand = { up: new Float64Array(graph.nodes), down: new Float64Array(graph.nodes) }
  let measuredRouters = 0
  const blind: number[] = []
  for (let node = 0; node < graph.nodes; node++) {
    if (isExit[node] === 1) continue
    const stays = netOf(graph, costs, measured.bps, node)
    if (stays === null) blind.push(node)
    else {
      measuredRouters++
      demand.down[node] = Math.max(0, stays) / (1 - share)
    }
  }
  bySessions(demand.down, measured.sessions, blind)
  for (let node = 0; node < graph.nodes; node++) demand.up[node] = share * (demand.down[node] as number)
  return {
    demand,
    upShare: share,
    upShareMeasured: isMeasured && up + down > 0,
    measuredRouters,
    blindRouters: blind.length,
  }
}

/** What crosses the exits' links, both ways. */
const exitShare = (
  graph: FlatGraph,
  isExit: Uint8Array,
  bps: Float64Array,
): { readonly up: number; readonly down: number; readonly share: number; readonly isMeasured: boolean } => {
  let [up, down] = [0, 0]
  for (let l = 0; l < graph.links; l++) {
    const a = isExit[graph.a[l] as number] === 1
    const b = isExit[graph.b[l] as number] === 1
    const ab = bps[2 * l] as number
    const ba = bps[2 * l + 1] as number
    if (a === b || Number.isNaN(ab + ba)) continue
    up += a ? ba : ab
    down += a ? ab : ba
  }
  // More up than down is a network of servers: its consumers are outside, and this way of looking fails.
  const isMeasured = down > 0 && up < 0.9 * down
  return { up, down, share: isMeasured ? up / down : ASSUMED_UP_SHARE, isMeasured }
}

/** What comes in less what goes out, over all links that work; null = one of them is not measured, or there is none. */
const netOf = (
  graph: FlatGraph,
  { failedLinks }: Pick<Costs, "failedLinks">,
  bps: Float64Array,
  node: number,
): number | null => {
  let net = 0
  let links = 0
  for (let half = graph.from[node] as number; half < (graph.from[node + 1] as number); half++) {
    const link = graph.link[half] as number
    if (failedLinks[link] !== 0) continue
    const out = 2 * link + (graph.half[2 * link] === half ? 0 : 1)
    net += (bps[out ^ 1] as number) - (bps[out] as number)
    links++
  }
  return links === 0 || Number.isNaN(net) ? null : net
}

/** Routers that links tell nothing about get what a session brings elsewhere, per session. */
const bySessions = (down: Float64Array, sessions: Float64Array, blind: readonly number[]): void => {
  const isBlind = new Set(blind)
  let [bps, known] = [0, 0]
  for (const [node, count] of sessions.entries()) {
    if (!(count > 0) || isBlind.has(node)) continue
    bps += down[node] as number
    known += count
  }
  if (known === 0) return
  for (const node of blind) {
    const count = sessions[node] as number
    if (count > 0) down[node] = (count * bps) / known
  }
}

const backgroundOf = (
  graph: FlatGraph,
  spf: IncrementalSpf,
  demand: Demand,
  measuredBps: Float64Array,
): Pick<Estimate, "background" | "unexplained"> => {
  const spread = noSpread(graph.links)
  new Traffic(graph).add(spf, demand, spread)
  const background = new Float64Array(2 * graph.links)
  let [sum, off] = [0, 0]
  for (const [direction, seen] of measuredBps.entries()) {
    if (Number.isNaN(seen)) continue
    background[direction] = seen - (spread.bps[direction] as number)
    sum += seen
    off += Math.abs(background[direction] as number)
  }
  return { background, unexplained: sum > 0 ? off / sum : null }
}
