/**
 * How many customers hang on which router: counts, never identities. A concentrator (BNG) tells its PPPoE sessions; the
 * access routers in between tell none, so that a concentrator's sessions are shared out among itself and the access
 * routers nearest to it by the traffic that stays there. Who loses a concentrator loses all of its sessions (measured);
 * who loses one access router loses a share (estimated).
 */
import { exitsBy } from "#twin/whatif/exits.ts"
import type { FlatGraph } from "#twin/whatif/graph.ts"
import type { Costs } from "#twin/whatif/spf.ts"
import { shortestPaths } from "#twin/whatif/spf.ts"

export type Quality = "measured" | "estimated" | "unknown"

export interface Customers {
  /** By node, not whole; 0 where none are known. */
  readonly at: Float64Array
  /** The concentrator of a node's customers, itself for a concentrator; -1 = it has none. */
  readonly servedBy: Int32Array
  /** Sessions of each concentrator; 0 elsewhere. */
  readonly sessions: Float64Array
  /** Who is served by each concentrator c: served[from[c]] .. served[from[c + 1] - 1]. */
  readonly from: Uint32Array
  readonly served: Uint32Array
  /**
   * Nodes that should have customers (by their role) and have no count: no concentrator, or no traffic to share by. The
   * latter are counted when their concentrator is lost with them.
   */
  readonly uncounted: Uint8Array
}

export interface Subscribers {
  /** Sessions by node; NaN = unknown. */
  readonly sessions: Float64Array
  /** By node: 1 = by its role it has customers. */
  readonly hasCustomers: Uint8Array
}

/** `down` = traffic that stays at each node, bit/s. */
export const customersOf = (
  graph: FlatGraph,
  costs: Costs,
  { sessions, hasCustomers }: Subscribers,
  down: Float64Array,
): Customers => {
  const counts = Float64Array.from(sessions, (count) => (count > 0 ? count : 0))
  const concentrators = [...counts.keys()].filter((node) => (counts[node] as number) > 0)
  const nearest = exitsBy(graph, costs, shortestPaths(graph, concentrators, costs), new Int32Array(graph.nodes))
  const servedBy = new Int32Array(graph.nodes).fill(-1)
  for (const node of concentrators) servedBy[node] = node
  for (let node = 0; node < graph.nodes; node++)
    // A router that counts for itself, be it zero, is no part of another's count.
    if (servedBy[node] === -1 && hasCustomers[node] === 1 && Number.isNaN(sessions[node]))
      servedBy[node] = nearest[node] as number
  const total = new Float64Array(graph.nodes)
  for (let node = 0; node < graph.nodes; node++)
    if ((servedBy[node] as number) >= 0) total[servedBy[node] as number]! += down[node] as number
  const at = Float64Array.from(servedBy, (server, node) => {
    if (server < 0) return 0
    if (total[server] === 0) return server === node ? (counts[server] as number) : 0
    return ((counts[server] as number) * (down[node] as number)) / (total[server] as number)
  })
  const uncounted = Uint8Array.from(servedBy, (server, node) =>
    hasCustomers[node] === 1 && Number.isNaN(sessions[node]) && (server < 0 || !((down[node] as number) > 0)) ? 1 : 0,
  )
  return { at, servedBy, sessions: counts, uncounted, ...grouped(servedBy) }
}

const grouped = (servedBy: Int32Array): Pick<Customers, "from" | "served"> => {
  const from = new Uint32Array(servedBy.length + 1)
  for (const server of servedBy) if (server >= 0) from[server + 1]!++
  for (let n = 0; n < servedBy.length; n++) from[n + 1]! += from[n] as number
  const next = from.slice()
  const served = new Uint32Array(from[servedBy.length] as number)
  for (const [node, server] of servedBy.entries()) if (server >= 0) served[next[server]!++] = node
  return { from, served }
}

/** Customers without service, and how well that is known. */
export interface CustomersLost {
  /** Null = some of those who lost service should have customers, and nobody counted any. */
  readonly count: number | null
  readonly quality: Quality
  /** Of `count`: sessions of whole concentrators, and shares of others' sessions. */
  readonly measured: number
  readonly estimated: number
  /** Routers that lost service and should have customers, uncounted. */
  readonly uncounted: number
}

/** Counts losses without counting anybody twice; reused between questions. */
export class CustomerCount {
  private readonly customers: Customers
  /** By node: the question that counted it last. */
  private readonly counted: Uint32Array
  private question = 0

  constructor(customers: Customers) {
    this.customers = customers
    this.counted = new Uint32Array(customers.at.length)
  }

  /** `lost[0 .. count - 1]` = the nodes that lost service. O(their number, and of those that they serve). */
  of(lost: ArrayLike<number>, count: number): CustomersLost {
    const { at, servedBy, sessions, from, served, uncounted } = this.customers
    if (this.question === 0xffff_ffff) {
      this.counted.fill(0)
      this.question = 0
    }
    const question = ++this.question
    let [measured, estimated, missing] = [0, 0, 0]
    for (let i = 0; i < count; i++) {
      const node = lost[i] as number
      if (servedBy[node] !== node) continue
      measured += sessions[node] as number
      for (let s = from[node] as number; s < (from[node + 1] as number); s++)
        this.counted[served[s] as number] = question
    }
    for (let i = 0; i < count; i++) {
      const node = lost[i] as number
      if (this.counted[node] === question) continue
      this.counted[node] = question
      estimated += at[node] as number
      missing += uncounted[node] as number
    }
    return lossOf(measured, estimated, missing)
  }
}

const lossOf = (measured: number, estimated: number, uncounted: number): CustomersLost => {
  const known = measured + estimated
  const quality = uncounted > 0 ? (known > 0 ? "estimated" : "unknown") : estimated > 0 ? "estimated" : "measured"
  return { count: quality === "unknown" ? null : Math.round(known), quality, measured, estimated, uncounted }
}
