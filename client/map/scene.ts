/**
 * The network as the map draws it: places, tiers, marks and the figures of both layers, made from the twin store and
 * kept up by its changes. No DOM and no GPU here, so that what is drawn is tested without a browser.
 */
import type { Figures } from "#client/map/layers/registry.ts"
import type { Figure } from "#client/map/layers/pulled-layer.ts"
import { placeNodes } from "#client/map/layout.ts"
import { tierOfRole, visibleSet } from "#client/map/lod.ts"
import type { Box } from "#client/map/lod.ts"
import { isBrokenByte, markOfByte, MARKS } from "#client/map/mark.ts"
import { makePicker } from "#client/map/pick.ts"
import type { Picker } from "#client/map/pick.ts"
import {
  FLAG_BROKEN,
  FLAG_MAJOR,
  FLAG_SELECTED,
  makeTexels,
  setByte,
  setFlag,
  setMark,
  tickOf,
  WIDTH,
} from "#client/map/texels.ts"
import type { Texels } from "#client/map/texels.ts"
import type { TwinState } from "#client/state/twin-store.ts"
import { UTIL_UNKNOWN } from "#protocol/wire.ts"
import type { LinkDelta, NodeDelta } from "#protocol/wire.ts"

/** Roles up to aggregation: their links are drawn wider. */
const MAJOR_TIER = 1

export interface Scene {
  readonly figures: Figures
  readonly places: Float64Array
  readonly nodeTier: Uint8Array
  readonly nodeMark: Uint8Array
  readonly linkMark: Uint8Array
  readonly picker: Picker
  readonly state: TwinState
  readonly siteNodes: Uint32Array
  /** Worst mark among a site's devices. */
  readonly siteMark: Uint8Array
  readonly isNodeDrawn: (slot: number) => boolean
  readonly isLinkDrawn: (slot: number) => boolean
  readonly changed: (nodes: NodeDelta, links: LinkDelta, fade: boolean) => void
  readonly look: (zoom: number, view: Box) => void
  readonly select: (node: number | null, link: number | null) => void
}

/** What every frame asks: the time for fades, and whether light moves. */
export interface Motion {
  readonly clock: () => number
  readonly flow: () => number
}

export const makeScene = (state: TwinState, palette: Uint8Array, motion: Motion): Scene => {
  const { nodes, links, sites } = state
  const nodeTier = Uint8Array.from(nodes.role, tierOfRole)
  const linkTier = Uint8Array.from(links.a, (a, slot) =>
    Math.max(nodeTier[a] ?? 3, nodeTier[links.b[slot] as number] ?? 3),
  )
  const nodeMark = Uint8Array.from(nodes.status, markOfByte)
  const linkMark = Uint8Array.from(links.status, markOfByte)
  const linkUtil = Uint8Array.from(links.utilAB, (ab, slot) => worstUtil(ab, links.utilBA[slot] as number))
  const places = placeNodes({
    siteLatitude: sites.latitude,
    siteLongitude: sites.longitude,
    site: nodes.site,
    tier: nodeTier,
    name: nodes.name,
  })
  const origin = middleOf(places)
  const nodeTexels = makeTexels(nodes.id.length)
  const linkTexels = makeTexels(links.id.length)
  nodes.id.forEach((_, slot) => {
    setByte(nodeTexels, slot, 0, nodeTier[slot] as number)
    setMark(nodeTexels, slot, nodeMark[slot] as number, 0, false)
  })
  const paintLink = (slot: number) => {
    setByte(linkTexels, slot, 0, links.utilAB[slot] as number)
    setByte(linkTexels, slot, 1, links.utilBA[slot] as number)
    setFlag(linkTexels, slot, FLAG_BROKEN, isBrokenByte(links.status[slot] as number))
  }
  links.id.forEach((_, slot) => {
    paintLink(slot)
    setFlag(linkTexels, slot, FLAG_MAJOR, (linkTier[slot] as number) <= MAJOR_TIER)
    setMark(linkTexels, slot, linkMark[slot] as number, 0, false)
  })
  const siteNodes = new Uint32Array(sites.id.length)
  for (const site of nodes.site) if (site < siteNodes.length) siteNodes[site] = (siteNodes[site] as number) + 1
  const siteMark = new Uint8Array(sites.id.length)
  const recountSites = () => {
    siteMark.fill(MARKS.indexOf("ok"))
    nodes.site.forEach((site, slot) => {
      siteMark[site] = Math.min(siteMark[site] as number, nodeMark[slot] as number)
    })
  }
  recountSites()
  const figure = (texels: Texels, floats: Float32Array): Figure => {
    return { texels, places: floats, origin, visible: new Uint32Array(0), palette, ...motion, grey: 0 }
  }
  const figures: Figures = {
    nodes: figure(nodeTexels, nodeFloats(places, origin, nodeTexels.height)),
    links: figure(linkTexels, linkFloats(places, links.a, links.b, origin, linkTexels.height)),
  }
  const drawn = { nodes: new Set<number>(), links: new Set<number>() }
  let selected: { node: number | null; link: number | null } = { node: null, link: null }

  return {
    figures,
    places,
    nodeTier,
    nodeMark,
    linkMark,
    picker: makePicker(places, links.a, links.b),
    state,
    siteNodes,
    siteMark,
    isNodeDrawn: (slot) => drawn.nodes.has(slot),
    isLinkDrawn: (slot) => drawn.links.has(slot),
    changed: (nodeDelta, linkDelta, fade) => {
      const tick = tickOf(motion.clock())
      for (const slot of nodeDelta.slot) {
        const mark = markOfByte(nodes.status[slot] as number)
        nodeMark[slot] = mark
        setMark(nodeTexels, slot, mark, tick, fade)
      }
      for (const slot of linkDelta.slot) {
        const mark = markOfByte(links.status[slot] as number)
        linkMark[slot] = mark
        linkUtil[slot] = worstUtil(links.utilAB[slot] as number, links.utilBA[slot] as number)
        paintLink(slot)
        setMark(linkTexels, slot, mark, tick, fade)
      }
      if (nodeDelta.slot.length > 0) recountSites()
    },
    look: (zoom, view) => {
      const input = { places, nodeTier, nodeMark, linkA: links.a, linkB: links.b, linkTier, linkMark, linkUtil }
      const visible = visibleSet(input, zoom, view)
      figures.nodes.visible = withLast(visible.nodes, selected.node)
      figures.links.visible = withLast(visible.links, selected.link)
      drawn.nodes = new Set(figures.nodes.visible)
      drawn.links = new Set(figures.links.visible)
    },
    select: (node, link) => {
      if (selected.node !== null) setFlag(nodeTexels, selected.node, FLAG_SELECTED, false)
      if (selected.link !== null) setFlag(linkTexels, selected.link, FLAG_SELECTED, false)
      selected = { node, link }
      if (node !== null) setFlag(nodeTexels, node, FLAG_SELECTED, true)
      if (link !== null) setFlag(linkTexels, link, FLAG_SELECTED, true)
    },
  }
}

/** The selection is drawn at every zoom, on top. */
const withLast = (slots: Uint32Array, slot: number | null): Uint32Array =>
  slot === null ? slots : Uint32Array.from([...slots.filter((other) => other !== slot), slot])

const worstUtil = (ab: number, ba: number): number => {
  if (ab === UTIL_UNKNOWN) return ba
  return ba === UTIL_UNKNOWN ? ab : Math.max(ab, ba)
}

type Point = readonly [number, number]

/** Mean place: 32-bit offsets from it stay exact. */
const middleOf = (places: Float64Array): Point => {
  let [x, y] = [0, 0]
  const count = Math.max(1, places.length / 2)
  for (let at = 0; at < places.length; at += 2) {
    x += (places[at] as number) / count
    y += (places[at + 1] as number) / count
  }
  return [x, y]
}

const nodeFloats = (places: Float64Array, [ox, oy]: Point, rows: number): Float32Array => {
  const floats = new Float32Array(WIDTH * rows * 4)
  for (let slot = 0; slot * 2 < places.length; slot++) {
    floats[slot * 4] = (places[slot * 2] as number) - ox
    floats[slot * 4 + 1] = (places[slot * 2 + 1] as number) - oy
  }
  return floats
}

const linkFloats = (places: Float64Array, a: Uint32Array, b: Uint32Array, [ox, oy]: Point, rows: number) => {
  const floats = new Float32Array(WIDTH * rows * 4)
  a.forEach((from, slot) => {
    const to = b[slot] as number
    floats[slot * 4] = (places[from * 2] as number) - ox
    floats[slot * 4 + 1] = (places[from * 2 + 1] as number) - oy
    floats[slot * 4 + 2] = (places[to * 2] as number) - ox
    floats[slot * 4 + 3] = (places[to * 2 + 1] as number) - oy
  })
  return floats
}
