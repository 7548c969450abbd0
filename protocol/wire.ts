/**
 * Frames of the live stream, wire version 2 (1 did not say which places are guessed). SPEC.md states the rules, codec.ts packs and checks them.
 * A frame is a msgpack array that opens with its kind; columns are msgpack `bin` in little-endian order.
 * Slots (dense indices of nodes and links) mean something inside one epoch only.
 */
import type { Counts, EventView, FocusView } from "#protocol/view.ts"

export const PROTOCOL_VERSION = 2
export const PROTOCOL_VERSION_MIN = 2

export const KIND = { HELLO: 0, SNAP: 1, DELTA: 2, EVENT: 3, SUB: 4, PING: 5, PONG: 6, FOCUS: 7, BYE: 10 } as const

/** Client's first frame. `resume` = last (epoch, seq) it has applied. */
export interface ClientHello {
  readonly kind: "HELLO"
  readonly versionMax: number
  readonly versionMin: number
  readonly resume: { readonly epoch: number; readonly seq: number } | null
  readonly lang: string
}

export interface ServerHello {
  readonly kind: "WELCOME"
  readonly version: number
  readonly tenant: { readonly id: string; readonly name: string; readonly demo: boolean }
  readonly epoch: number
  readonly seq: number
  readonly mode: "live" | "replay"
  /** Server clock, so that ages are shown without trusting the browser's. */
  readonly atMs: number
}

export interface SiteColumns {
  readonly id: readonly string[]
  readonly name: readonly string[]
  readonly latitude: Float64Array
  readonly longitude: Float64Array
  /** 1 = nobody said where it is: the place was guessed from its neighbours' (Site.guessed); 0 = it was given. */
  readonly placeGuessed: Uint8Array
}
export interface NodeColumns {
  readonly id: readonly string[]
  readonly name: readonly string[]
  /** Index into the site columns. */
  readonly site: Uint32Array
  /** Index into ROLES of the first role. */
  readonly role: Uint8Array
  /** packStatus. */
  readonly status: Uint8Array
  /** Unix seconds of the newest answer; 0 = never. */
  readonly seenS: Uint32Array
}
export interface LinkColumns {
  readonly id: readonly string[]
  /** Node slots. */
  readonly a: Uint32Array
  readonly b: Uint32Array
  /** bit/s; NaN = unknown. */
  readonly capacityBps: Float64Array
  readonly status: Uint8Array
  /** Utilisation in half percents, 0..254 (127 % and more = 254); 255 = unknown. */
  readonly utilAB: Uint8Array
  readonly utilBA: Uint8Array
}

/** One part of a keyframe. Sites and nodes come in part 0; big tenants split nodes and links over parts (slots run on). */
export interface Snap {
  readonly kind: "SNAP"
  readonly epoch: number
  readonly seq: number
  readonly atMs: number
  readonly part: number
  readonly parts: number
  readonly sites: SiteColumns
  readonly nodes: NodeColumns
  readonly links: LinkColumns
  readonly counts: Counts
  /** The newest events, oldest first (bounded). */
  readonly events: readonly EventView[]
}

export interface NodeDelta {
  readonly slot: Uint32Array
  readonly status: Uint8Array
  readonly seenS: Uint32Array
}
export interface LinkDelta {
  readonly slot: Uint32Array
  readonly status: Uint8Array
  readonly utilAB: Uint8Array
  readonly utilBA: Uint8Array
}
/** Takes a viewer from any seq in [base, seq) to seq. Slots ascend. Values are absolute, so applying twice is harmless. */
export interface Delta {
  readonly kind: "DELTA"
  readonly epoch: number
  readonly base: number
  readonly seq: number
  /** Newest evidence in this frame (server clock): screen age = now - atMs. */
  readonly atMs: number
  readonly nodes: NodeDelta
  readonly links: LinkDelta
  readonly counts: Counts
}

export interface EventFrame {
  readonly kind: "EVENT"
  readonly epoch: number
  readonly base: number
  readonly seq: number
  readonly atMs: number
  readonly events: readonly EventView[]
}

/** What the session looks at. `cells` (z5 tiles) and `tiers` are carried from v1 on; the server may still send everything. */
export interface Sub {
  readonly kind: "SUB"
  readonly focus: { readonly kind: "device" | "link"; readonly id: string } | null
  readonly cells: readonly number[]
  readonly tiers: readonly number[]
  readonly hidden: boolean
}
export interface Ping {
  readonly kind: "PING"
  readonly token: number
}
export interface Pong {
  readonly kind: "PONG"
  readonly token: number
  readonly atMs: number
}
/** Full detail of the focused entity, at most 1 a second and at once after a change; outside the seq. */
export interface Focus {
  readonly kind: "FOCUS"
  readonly atMs: number
  readonly view: FocusView
}
export interface Bye {
  readonly kind: "BYE"
  readonly code: number
  readonly reason: string
}

export type ClientFrame = ClientHello | Sub | Ping
export type ServerFrame = ServerHello | Snap | Delta | EventFrame | Pong | Focus | Bye

/** ws close codes. */
export const CLOSE = { GAP: 4000, VERSION: 4001, BAD_FRAME: 4002, SIGNED_OUT: 4003, SLOW: 4008 } as const

export const UTIL_UNKNOWN = 255
/** Fraction of capacity (0.5 = 50 %) to the wire's half percents; null or NaN is UTIL_UNKNOWN. */
export const packUtil = (fraction: number | null): number =>
  fraction === null || !(fraction >= 0) ? UTIL_UNKNOWN : Math.min(254, Math.round(fraction * 200))
export const unpackUtil = (byte: number): number | null => (byte === UTIL_UNKNOWN ? null : byte / 200)
