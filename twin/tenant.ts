/**
 * The whole tenant: counts, site health, and how each router is shown. A silent router whose neighbours are silent too
 * proves nothing about itself, so it is shown hollow (indeterminate); one with a living neighbour is critical.
 * Everything is kept incrementally: one router's change costs its degree, not the size of the network.
 */
import type { Status } from "#protocol/status.ts"
import type { Counts } from "#protocol/view.ts"
import type { Chunked } from "#twin/chunked.ts"
import { chunkedOf } from "#twin/chunked.ts"
import type { LinkFact } from "#twin/link.ts"
import type { NodeFact } from "#twin/router.ts"
import type { Step } from "#twin/step.ts"

export interface TenantConfig {
  readonly routers: number
  readonly links: number
  /** Site index of each router. */
  readonly siteOf: Uint32Array
  readonly sites: number
  /** Neighbours of router r: neighbour[from[r]] .. neighbour[from[r + 1] - 1]; a parallel link counts again. */
  readonly from: Uint32Array
  readonly neighbour: Uint32Array
}

/** What the tenant keeps of one router. */
export interface NodeNote {
  readonly fact: NodeFact | null
  /** Links to a router that answers. */
  readonly reachableNeighbours: number
  readonly shown: Status
}

/** Routers of one site by shown severity (index into SEVERITY). */
export type SiteTally = readonly number[]

export interface TenantState {
  readonly config: TenantConfig
  readonly nodes: Chunked<NodeNote>
  readonly links: Chunked<LinkFact | null>
  readonly sites: readonly SiteTally[]
  readonly counts: Counts
  /** Routers that report subscribers. */
  readonly measuringSubscribers: number
}

export type TenantMsg =
  | { readonly kind: "configure"; readonly atMs: number; readonly config: TenantConfig }
  | {
      readonly kind: "facts"
      readonly atMs: number
      readonly nodes: readonly NodeFact[]
      readonly links: readonly LinkFact[]
    }
  | { readonly kind: "timer"; readonly atMs: number }

/** The tenant tells nobody: it is the last phase. */
export type TenantFact = never

export const NO_TENANT: TenantConfig = {
  routers: 0,
  links: 0,
  siteOf: new Uint32Array(0),
  sites: 0,
  from: new Uint32Array(1),
  neighbour: new Uint32Array(0),
}

export const newTenant = (config: TenantConfig): TenantState => ({
  config,
  nodes: chunkedOf(config.routers, {
    fact: null,
    reachableNeighbours: 0,
    shown: { health: "unknown", severity: "indeterminate", maintenance: false, stale: false },
  }),
  links: chunkedOf(config.links, null),
  sites: Array.from({ length: config.sites }, () => [0, 0, 0, 0, 0, 0]),
  counts: {
    routers: config.routers,
    routersUp: 0,
    links: config.links,
    linksDown: 0,
    linksHot: 0,
    sites: config.sites,
    subscribers: null,
  },
  measuringSubscribers: 0,
})

export const stepTenant = (state: TenantState, _msg: TenantMsg): Step<TenantState, TenantFact> => ({
  state,
  deltas: [],
  facts: [],
  events: [],
  timerMs: null,
})
