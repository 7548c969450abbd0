/**
 * What the logical view shows of its layout: devices, or folded groups (a layer of a site, a whole site) that stand where
 * their devices would, and the links between whatever is shown, bundled. Folding moves nothing. By hand, or else by how
 * large a device would be on the screen: ten thousand are a page of sites, and open up as one comes near. Pure.
 */
import { isTrouble, MARKS } from "#client/map/mark.ts"
import type { Box, GraphLayout, LayerGroup, SiteBlock } from "#client/state/graph-layout.ts"

/** Pixels from device to device: below the first sites are folded, below the second layers with many devices. */
export const SITE_FOLD_PX = 7
export const LAYER_FOLD_PX = 15
/** Fewer devices than this are never folded by size alone: a pill would say less than they do. */
const FEW = 4

export type Fold = "open" | "folded"
/** What somebody folded or opened by hand, by siteKey or layerKey; the rest follows the zoom. */
export type Folds = ReadonlyMap<string, Fold>
export const siteKey = (siteId: string): string => `site:${siteId}`
export const layerKey = (siteId: string, layer: number): string => `layer:${siteId}:${layer}`

export interface Shown {
  readonly kind: "device" | "layer" | "site"
  /** Stable: what the keyboard and the selection name. */
  readonly key: string
  readonly box: Box
  readonly site: number
  /** Index into LAYERS; of a site its first. */
  readonly layer: number
  /** One for a device. */
  readonly nodes: readonly number[]
}
export interface ShownGraph {
  readonly items: readonly Shown[]
  /** Index into items per node slot; -1 = not laid out. */
  readonly itemOf: Int32Array
  /** Blocks whose frame and name are drawn, as they are open. */
  readonly frames: readonly SiteBlock[]
}

/** `unitPx`: pixels of one unit of the layout. `always` are devices that no zoom folds away: the selection, a cause. */
export const foldGraph = (
  layout: GraphLayout,
  siteIds: readonly string[],
  folds: Folds,
  unitPx: number,
  always: ReadonlySet<number>,
): ShownGraph => {
  const items: Shown[] = []
  const frames: SiteBlock[] = []
  const itemOf = new Int32Array(layout.places.length / 2).fill(-1)
  const add = (item: Shown) => {
    for (const slot of item.nodes) itemOf[slot] = items.length
    items.push(item)
  }
  for (const block of layout.blocks) {
    const id = siteIds[block.site] ?? ""
    if (siteFolded(block, id, folds, unitPx)) {
      const nodes = block.groups.flatMap((group) => group.nodes)
      add({ kind: "site", key: siteKey(id), box: block, site: block.site, layer: block.groups[0]?.layer ?? 0, nodes })
      continue
    }
    frames.push(block)
    for (const group of block.groups) {
      if (layerFolded(group, id, folds, unitPx, always)) {
        const key = layerKey(id, group.layer)
        add({ kind: "layer", key, box: group, site: block.site, layer: group.layer, nodes: group.nodes })
        continue
      }
      for (const slot of group.nodes) {
        const [x, y] = [layout.places[slot * 2] as number, layout.places[slot * 2 + 1] as number]
        const box = { x: x - 0.5, y: y - 0.45, w: 1, h: 0.9 }
        add({ kind: "device", key: `device:${slot}`, box, site: block.site, layer: group.layer, nodes: [slot] })
      }
    }
  }
  return { items, itemOf, frames }
}

const siteFolded = (block: SiteBlock, id: string, folds: Folds, unitPx: number): boolean =>
  (folds.get(siteKey(id)) ?? (unitPx < SITE_FOLD_PX && block.count >= FEW ? "folded" : "open")) === "folded"

const layerFolded = (
  group: LayerGroup,
  id: string,
  folds: Folds,
  unitPx: number,
  always: ReadonlySet<number>,
): boolean => {
  const byHand = folds.get(layerKey(id, group.layer))
  if (byHand !== undefined) return byHand === "folded"
  return unitPx < LAYER_FOLD_PX && group.nodes.length >= FEW && !group.nodes.some((slot) => always.has(slot))
}

// -- live colours -------------------------------------------------------------------------------------------------------

export interface Bundle {
  /** Indices into items. */
  readonly a: number
  readonly b: number
  readonly links: readonly number[]
}
/** Links between what is shown; those inside a folded group are inside it. O(links). */
export const bundlesOf = (
  { items, itemOf }: ShownGraph,
  linkA: ArrayLike<number>,
  linkB: ArrayLike<number>,
): readonly Bundle[] => {
  const bundles = new Map<number, number[]>()
  for (let link = 0; link < linkA.length; link++) {
    const a = itemOf[linkA[link] as number] ?? -1
    const b = itemOf[linkB[link] as number] ?? -1
    if (a < 0 || b < 0 || a === b) continue
    const key = Math.min(a, b) * items.length + Math.max(a, b)
    const known = bundles.get(key)
    if (known === undefined) bundles.set(key, [link])
    else known.push(link)
  }
  return [...bundles].map(([key, links]) => ({ a: Math.floor(key / items.length), b: key % items.length, links }))
}

export interface Tally {
  /** Index into MARKS: the worst inside. */
  readonly mark: number
  readonly trouble: number
}
/** `markOf` gives the mark of a slot as it is now. */
export const tallyMarks = (slots: readonly number[], markOf: (slot: number) => number): Tally => {
  let mark = MARKS.length - 1
  let trouble = 0
  for (const slot of slots) {
    const one = markOf(slot)
    if (one < mark) mark = one
    if (isTrouble(one)) trouble++
  }
  return { mark, trouble }
}

// -- the keyboard -------------------------------------------------------------------------------------------------------

export type Way = "left" | "right" | "up" | "down"
/** The next thing in a direction: near, and rather straight ahead than aside. -1 = there is none. */
export const stepTo = (items: readonly Shown[], from: number, way: Way): number => {
  const start = items[from]
  if (start === undefined) return items.length > 0 ? 0 : -1
  const [dx, dy] = { left: [-1, 0], right: [1, 0], up: [0, -1], down: [0, 1] }[way] as [number, number]
  const origin = middleOf(start.box)
  let best = -1
  let cost = Number.POSITIVE_INFINITY
  items.forEach((item, at) => {
    if (at === from) return
    const { x, y } = middleOf(item.box)
    const ahead = (x - origin.x) * dx + (y - origin.y) * dy
    const aside = Math.abs((x - origin.x) * dy) + Math.abs((y - origin.y) * dx)
    if (ahead <= 0.01) return
    const price = ahead + aside * 2.5
    if (price >= cost) return
    cost = price
    best = at
  })
  return best
}
export const middleOf = ({ x, y, w, h }: Box): { x: number; y: number } => ({ x: x + w / 2, y: y + h / 2 })

/** The smallest thing under a point; -1 = nothing. */
export const itemAt = (items: readonly Shown[], x: number, y: number): number => {
  let best = -1
  let area = Number.POSITIVE_INFINITY
  items.forEach(({ box }, at) => {
    const inside = x >= box.x && x <= box.x + box.w && y >= box.y && y <= box.y + box.h
    if (!inside || box.w * box.h >= area) return
    area = box.w * box.h
    best = at
  })
  return best
}
