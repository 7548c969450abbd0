/**
 * A physical link as seen from both of its ends. Its routers tell it what their interface says; it decides whether the
 * link carries traffic, and how full it is. A link never polls and never guesses: no evidence is `unknown`.
 */
import type { LinkId } from "#protocol/id.ts"
import { UNKNOWN_STATUS } from "#protocol/status.ts"
import type { Status } from "#protocol/status.ts"
import type { Source } from "#protocol/view.ts"
import type { Step } from "#twin/step.ts"

/** What a router says about its interface that carries this link. Sent when anything in it changed. */
export interface EndFact {
  readonly kind: "end"
  /** Slot of the link. */
  readonly link: number
  readonly end: "a" | "b"
  readonly operUp: boolean | null
  readonly adminUp: boolean | null
  /** Time and source of the oper state; null = never seen. */
  readonly atMs: number | null
  readonly source: Source | null
  /** The router answers; null = not tried yet. */
  readonly reachable: boolean | null
  /** The oper state is recent evidence: the router answers and is not stale, or the state is newer than its silence. */
  readonly fresh: boolean
  readonly speedBps: number | null
  /** Null when unknown or no longer fresh. */
  readonly rxBps: number | null
  readonly txBps: number | null
}

export interface LinkConfig {
  readonly id: LinkId
  readonly slot: number
  readonly capacityBps: number | null
  /** `name ifName` of each end, for reasons and events. */
  readonly a: string
  readonly b: string
}

export interface LinkState {
  readonly config: LinkConfig
  readonly a: EndFact | null
  readonly b: EndFact | null
  readonly status: Status
  readonly reasons: readonly string[]
  /** Fractions of capacity; null = unknown. */
  readonly utilAB: number | null
  readonly utilBA: number | null
  /** Effective capacity. */
  readonly capacityBps: number | null
  /** When the present health began; null while nothing was ever known. */
  readonly sinceMs: number | null
  /** When it went down, kept until it is seen up; null = not down. */
  readonly downSinceMs: number | null
}

export type LinkMsg =
  | { readonly kind: "configure"; readonly atMs: number; readonly config: LinkConfig }
  | { readonly kind: "ends"; readonly atMs: number; readonly facts: readonly EndFact[] }
  | { readonly kind: "timer"; readonly atMs: number }

/** What the tenant needs to know of a link. Sent when it changed, and after `configure`. */
export interface LinkFact {
  readonly kind: "link"
  readonly slot: number
  readonly status: Status
  /** A direction is at or above HOT of capacity. */
  readonly hot: boolean
}

export const newLink = (config: LinkConfig): LinkState => ({
  config,
  a: null,
  b: null,
  status: UNKNOWN_STATUS,
  reasons: [],
  utilAB: null,
  utilBA: null,
  capacityBps: config.capacityBps,
  sinceMs: null,
  downSinceMs: null,
})

export const stepLink = (state: LinkState, _msg: LinkMsg): Step<LinkState, LinkFact> => ({
  state,
  deltas: [],
  facts: [],
  events: [],
  timerMs: null,
})
