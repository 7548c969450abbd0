/**
 * Level of detail: which nodes and links are drawn at a zoom. Core first, access when there is room; small networks
 * show everything earlier. Trouble, hot links and the selection are drawn at every zoom and on top of the rest.
 */
import { isTrouble } from "#client/map/mark.ts"
import { ROLES } from "#protocol/role.ts"
import type { Role } from "#protocol/role.ts"

/** 0 = backbone, 1 = aggregation, 2 = service edge, 3 = access. */
const TIER: Readonly<Record<Role, number>> = {
  core: 0,
  rr: 0,
  edge: 0,
  upstream: 0,
  peering: 0,
  agg: 1,
  bng: 2,
  dns: 2,
  server: 2,
  access: 3,
  "customer-edge": 3,
  other: 3,
}
const NODE_ZOOM = [0, 4.4, 6.4, 7.6]
const LINK_ZOOM = [0, 4.8, 6.6, 8.4]
/** The zooms above hold for a network of this many nodes; each halving shows the next tier one zoom earlier. */
const REFERENCE_NODES = 10_000
const MAX_SHIFT = 3.5
/** Half percents: from here on a link is drawn at every zoom (80 % of capacity). */
export const HOT_UTIL = 160
const UTIL_UNKNOWN = 255

export const tierOfRole = (roleIndex: number): number => TIER[ROLES[roleIndex] ?? "other"]

/** The lowest tier number that is not drawn at this zoom. */
export const tiersShown = (zoom: number, nodes: number): { nodes: number; links: number } => {
  const shift = Math.max(0, Math.min(MAX_SHIFT, Math.log2(REFERENCE_NODES / Math.max(1, nodes))))
  const shown = (zooms: readonly number[]) => zooms.filter((limit) => zoom + shift >= limit).length
  return { nodes: shown(NODE_ZOOM), links: shown(LINK_ZOOM) }
}

export interface Box {
  readonly minX: number
  readonly minY: number
  readonly maxX: number
  readonly maxY: number
}

export interface LodInput {
  /** Common space, x and y in turn. */
  readonly places: Float64Array
  readonly nodeTier: Uint8Array
  readonly nodeMark: Uint8Array
  readonly linkA: Uint32Array
  readonly linkB: Uint32Array
  readonly linkTier: Uint8Array
  readonly linkMark: Uint8Array
  /** Larger of both directions, half percents, 255 = unknown. */
  readonly linkUtil: Uint8Array
}

export interface Visible {
  /** Slots in drawing order: quiet first, trouble last. */
  readonly nodes: Uint32Array
  readonly links: Uint32Array
}

/** What to draw inside a box of common space. O(nodes + links); 0.5-2 ms at 10,000 / 50,000. */
export const visibleSet = (input: LodInput, zoom: number, view: Box): Visible => {
  const shown = tiersShown(zoom, input.nodeTier.length)
  return { nodes: visibleNodes(input, shown.nodes, view), links: visibleLinks(input, shown.links, view) }
}

const visibleNodes = (input: LodInput, shown: number, view: Box): Uint32Array => {
  const layers: number[][] = [[], [], [], [], []]
  for (let slot = 0; slot < input.nodeTier.length; slot++) {
    const x = input.places[slot * 2] as number
    const y = input.places[slot * 2 + 1] as number
    if (x < view.minX || x > view.maxX || y < view.minY || y > view.maxY) continue
    const trouble = isTrouble(input.nodeMark[slot] as number)
    const tier = input.nodeTier[slot] as number
    if (trouble) layers[4]?.push(slot)
    else if (tier < shown) layers[3 - tier]?.push(slot)
  }
  return Uint32Array.from(layers.flat())
}

const visibleLinks = (input: LodInput, shown: number, view: Box): Uint32Array => {
  const layers: number[][] = [[], [], [], [], [], []]
  for (let slot = 0; slot < input.linkTier.length; slot++) {
    const a = (input.linkA[slot] as number) * 2
    const b = (input.linkB[slot] as number) * 2
    const ax = input.places[a] as number
    const bx = input.places[b] as number
    if ((ax < view.minX && bx < view.minX) || (ax > view.maxX && bx > view.maxX)) continue
    const ay = input.places[a + 1] as number
    const by = input.places[b + 1] as number
    if ((ay < view.minY && by < view.minY) || (ay > view.maxY && by > view.maxY)) continue
    const util = input.linkUtil[slot] as number
    const tier = input.linkTier[slot] as number
    if (isTrouble(input.linkMark[slot] as number)) layers[5]?.push(slot)
    else if (util >= HOT_UTIL && util !== UTIL_UNKNOWN) layers[4]?.push(slot)
    else if (tier < shown) layers[3 - tier]?.push(slot)
  }
  return Uint32Array.from(layers.flat())
}
