/**
 * The network as flat arrays: what every question of "what if" and "what failed" walks over. Nodes are device slots and
 * links are link slots of the inventory, so that an answer needs no translation. Only declared links are here (W2).
 * Costs are OSPF's (RFC 2328 s8.1: the cost of sending out of an interface); where nobody told them they follow capacity.
 */
import type { Topology } from "#twin/topology.ts"

export interface FlatGraph {
  readonly nodes: number
  readonly links: number
  /** The half-edges of node n are from[n] .. from[n + 1] - 1, in the order of their links. */
  readonly from: Uint32Array
  /** By half-edge: the node it leads to, its link, and what OSPF counts for sending over it, 1 to MAX_COST. */
  readonly to: Uint32Array
  readonly link: Uint32Array
  readonly cost: Uint32Array
  /** By half-edge: the half-edge of the same link that comes back. */
  readonly back: Uint32Array
  /** By link: the nodes of its ends; -1 = that end is no router of ours. */
  readonly a: Int32Array
  readonly b: Int32Array
  /** By link; NaN = unknown. */
  readonly capacityBps: Float64Array
  /** half[2 * link] leaves end a, half[2 * link + 1] leaves end b; -1 = it leads nowhere (a foreign end, a self-loop). */
  readonly half: Int32Array
}

export interface FlatLink {
  readonly a: number
  readonly b: number
  readonly capacityBps: number | null
  /** Cost of sending from a to b; left out = by capacity. */
  readonly costAB?: number
  readonly costBA?: number
}

/** RFC 2328 LSInfinity is 0xffffff for summaries; a router's link carries 16 bits (s A.4.2), the most is "last resort". */
export const MAX_COST = 0xffff
/** A cost of 1 at 100 Gbit/s: OSPF's own 100 Mbit/s (RFC 4750 ospfReferenceBandwidth) makes every link of today equal. */
export const REFERENCE_BPS = 100e9
/** What a link of unknown capacity is taken for. */
const UNKNOWN_CAPACITY_BPS = 1e9

/** Reference over capacity, as vendors' "auto-cost" computes it: whole, at least 1, at most MAX_COST. */
export const costOfCapacity = (capacityBps: number, referenceBps: number = REFERENCE_BPS): number => {
  const known = capacityBps > 0 && Number.isFinite(capacityBps) ? capacityBps : UNKNOWN_CAPACITY_BPS
  return Math.min(MAX_COST, Math.max(1, Math.floor(referenceBps / known)))
}

/** A link from a node to itself, or with an end outside 0 .. nodes - 1, keeps its slot but is never walked over. */
export const flatGraph = (
  nodes: number,
  links: readonly FlatLink[],
  referenceBps: number = REFERENCE_BPS,
): FlatGraph => {
  const isOurs = (node: number): boolean => node >= 0 && node < nodes
  const a = Int32Array.from(links, (link) => (isOurs(link.a) ? link.a : -1))
  const b = Int32Array.from(links, (link) => (isOurs(link.b) ? link.b : -1))
  const capacityBps = Float64Array.from(links, (link) => link.capacityBps ?? Number.NaN)
  const from = new Uint32Array(nodes + 1)
  const isWalked = (l: number): boolean => (a[l] as number) >= 0 && (b[l] as number) >= 0 && a[l] !== b[l]
  for (let l = 0; l < links.length; l++) {
    if (!isWalked(l)) continue
    from[(a[l] as number) + 1]!++
    from[(b[l] as number) + 1]!++
  }
  for (let n = 0; n < nodes; n++) from[n + 1]! += from[n] as number
  const halves = from[nodes] as number
  const [to, link, cost] = [new Uint32Array(halves), new Uint32Array(halves), new Uint32Array(halves)]
  const half = new Int32Array(2 * links.length).fill(-1)
  const next = from.slice(0, nodes)
  const put = (l: number, direction: 0 | 1, told: number | undefined): void => {
    const [here, there] = direction === 0 ? [a[l] as number, b[l] as number] : [b[l] as number, a[l] as number]
    const h = next[here]!++
    to[h] = there
    link[h] = l
    cost[h] = told === undefined ? costOfCapacity(capacityBps[l] as number, referenceBps) : wholeCost(told)
    half[2 * l + direction] = h
  }
  for (const [l, { costAB, costBA }] of links.entries()) {
    if (!isWalked(l)) continue
    put(l, 0, costAB)
    put(l, 1, costBA)
  }
  const back = Uint32Array.from(link, (l, h) => (half[2 * l] === h ? half[2 * l + 1] : half[2 * l]) as number)
  return { nodes, links: links.length, from, to, link, cost, back, a, b, capacityBps, half }
}

/** Costs are whole and positive: sums stay exact, and no path is free. */
const wholeCost = (cost: number): number =>
  Number.isFinite(cost) ? Math.min(MAX_COST, Math.max(1, Math.round(cost))) : MAX_COST

export interface FlatOptions {
  /** By link slot; NaN = unknown. Left out: what the inventory declares. */
  readonly capacityBps?: ArrayLike<number>
  /** Costs that are known, by link slot; null or left out = by capacity. */
  readonly costOf?: (link: number) => { readonly costAB: number; readonly costBA: number } | null
  readonly referenceBps?: number
}

export const flatGraphOf = (topology: Topology, options: FlatOptions = {}): FlatGraph => {
  const { inventory, deviceSlot } = topology
  const links = inventory.links.map(({ a, b, capacityBps }, slot): FlatLink => {
    const known = options.capacityBps === undefined ? capacityBps : (options.capacityBps[slot] ?? Number.NaN)
    return {
      a: deviceSlot.get(a.device) ?? -1,
      b: deviceSlot.get(b.device) ?? -1,
      capacityBps: known === null || Number.isNaN(known) ? null : known,
      ...options.costOf?.(slot),
    }
  })
  return flatGraph(inventory.devices.length, links, options.referenceBps)
}
