/**
 * OSPF neighbours (RFC 4750) and BGP peers (RFC 4273) of one router. An adjacency is what two routers say to each other;
 * it never makes a link (W2). A neighbour that vanishes from a complete list is kept as down: its absence is the news.
 */
import type { EntityKey } from "#protocol/id.ts"
import type { Source } from "#protocol/view.ts"

export interface Adjacency {
  readonly key: EntityKey
  readonly kind: "ospf" | "bgp"
  /** Neighbour's router id, or the peer's address. */
  readonly remote: string
  /** Index into OSPF_STATES or BGP_STATES. */
  readonly state: number
  readonly sinceMs: number
  readonly atMs: number
  readonly source: Source
  /** Bits of the sources that listed it in their newest poll. */
  readonly listedBy: number
  readonly uptimeSeconds: number | null
  readonly prefixesIn: number | null
  readonly prefixesOut: number | null
  readonly flaps: number | null
  /** ospf: local interface; bgp: remote AS. */
  readonly detail: string | null
}

export type AdjacencyTable = readonly Adjacency[]
export const NO_ADJACENCIES: AdjacencyTable = []
