/**
 * Where everything stands in the logical view. Sites are blocks, layered by their most central device: sites with core on
 * top, below them what hangs on them. Inside a block the layers are rows, core above access. The same network gives the
 * same places, whatever the order of slots, and folding changes no place: a folded group stands where its devices would.
 * Not force-directed (PRODUCT.md U4): people find things by where they were yesterday. Pure.
 */
import { ROLES } from "#protocol/role.ts"
import type { Role } from "#protocol/role.ts"

export const LAYERS = ["upstream", "core", "agg", "service", "access", "customer"] as const
export type Layer = (typeof LAYERS)[number]
const LAYER_OF: Readonly<Record<Role, Layer>> = {
  upstream: "upstream",
  peering: "upstream",
  core: "core",
  rr: "core",
  edge: "core",
  agg: "agg",
  bng: "service",
  dns: "service",
  server: "service",
  access: "access",
  "customer-edge": "customer",
  other: "access",
}
export const layerOfRole = (roleIndex: number): number => LAYERS.indexOf(LAYER_OF[ROLES[roleIndex] ?? "other"])

/** Units: one is the distance between two devices of a row. */
export const ROW = 0.9
const PAD = 0.45
const HEAD = 0.75
/** A site of one device is as wide as its name. */
const INNER_MIN = 2.7
const LAYER_GAP = 0.3
/** Least room between blocks; where blocks are large it grows with them, so that lines between folded ones are seen. */
const BLOCK_GAP = 0.5
const BLOCK_GAP_PART = 0.14
const SHELF_GAP = 1.5
const SHELF_GAP_PART = 0.38
/** Width to height of the whole: a screen's. */
const ASPECT = 1.8
const COLUMNS_MAX = 60
/** Sweeps over a shelf's order; each must shorten the lines, so that it ends by itself long before. */
const SWEEPS_MAX = 24

export interface GraphInput {
  readonly siteId: readonly string[]
  readonly siteLongitude: ArrayLike<number>
  readonly nodeId: readonly string[]
  readonly nodeName: readonly string[]
  /** Index of its site. */
  readonly nodeSite: ArrayLike<number>
  /** Index into LAYERS. */
  readonly nodeLayer: ArrayLike<number>
  readonly linkA: ArrayLike<number>
  readonly linkB: ArrayLike<number>
  /** Only these are laid out; null = all. */
  readonly only: ReadonlySet<number> | null
}
export interface Box {
  readonly x: number
  readonly y: number
  readonly w: number
  readonly h: number
}
export interface LayerGroup extends Box {
  readonly layer: number
  readonly nodes: readonly number[]
}
export interface SiteBlock extends Box {
  readonly site: number
  readonly groups: readonly LayerGroup[]
  readonly count: number
}
export interface GraphLayout {
  /** Middle of each node, x and y in turn; NaN for a node that is not laid out. */
  readonly places: Float64Array
  readonly blocks: readonly SiteBlock[]
  readonly width: number
  readonly height: number
}

export const layoutGraph = (input: GraphInput): GraphLayout => {
  const near = neighboursOf(input)
  const blocks = sitesOf(input).map(([site, nodes]) => makeBlock(input, near, site, nodes))
  const placed = placeBlocks(input, blocks)
  const places = new Float64Array(input.nodeId.length * 2).fill(Number.NaN)
  for (const block of placed) for (const group of block.groups) placeGroup(places, group)
  const width = Math.max(0, ...placed.map(({ x, w }) => x + w))
  const height = Math.max(0, ...placed.map(({ y, h }) => y + h))
  return { places, blocks: placed, width, height }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const neighboursOf = ({ nodeId, linkA, linkB, only }: GraphInput): readonly (readonly number[])[] => {
  const near: number[][] = nodeId.map(() => [])
  for (let link = 0; link < linkA.length; link++) {
    const [a, b] = [linkA[link] as number, linkB[link] as number]
    if (only !== null && (!only.has(a) || !only.has(b))) continue
    near[a]?.push(b)
    near[b]?.push(a)
  }
  return near
}

/** By the id of the site, so that the order of slots means nothing. */
const sitesOf = ({ nodeSite, nodeId, siteId, only }: GraphInput): readonly (readonly [number, readonly number[]])[] => {
  const bySite = new Map<number, number[]>()
  nodeId.forEach((_, slot) => {
    if (only !== null && !only.has(slot)) return
    const site = nodeSite[slot] as number
    const known = bySite.get(site)
    if (known === undefined) bySite.set(site, [slot])
    else known.push(slot)
  })
  return [...bySite].sort((a, b) => compare(siteId[a[0]] ?? "", siteId[b[0]] ?? ""))
}

// -- inside a block -----------------------------------------------------------------------------------------------------

/** At 0, 0; placeBlocks moves it. */
const makeBlock = (
  input: GraphInput,
  near: readonly (readonly number[])[],
  site: number,
  nodes: readonly number[],
): SiteBlock => {
  const columns = Math.max(1, Math.min(COLUMNS_MAX, Math.round(Math.sqrt(nodes.length * 1.7))))
  const byLayer = LAYERS.map((_, layer) => nodes.filter((slot) => input.nodeLayer[slot] === layer))
  const width = Math.max(INNER_MIN, ...byLayer.map((members) => Math.min(columns, members.length)))
  const at = new Map<number, number>()
  const groups: LayerGroup[] = []
  let y = HEAD
  byLayer.forEach((members, layer) => {
    if (members.length === 0) return
    const ordered = ordinal(input, near, members, at)
    const used = Math.min(columns, ordered.length)
    ordered.forEach((slot, nth) => at.set(slot, ((nth % used) + 0.5) / used))
    const rows = Math.ceil(ordered.length / used)
    groups.push({ layer, nodes: ordered, x: PAD + (width - used) / 2, y, w: used, h: rows * ROW })
    y += rows * ROW + LAYER_GAP
  })
  return { site, groups, count: nodes.length, x: 0, y: 0, w: width + 2 * PAD, h: y - LAYER_GAP + PAD }
}

/** Under what it hangs on, inside the site; by name among equals. `at` knows the rows above. */
const ordinal = (
  { nodeName, nodeId }: GraphInput,
  near: readonly (readonly number[])[],
  members: readonly number[],
  at: ReadonlyMap<number, number>,
): readonly number[] => {
  const wish = new Map(
    members.map((slot) => {
      const above = (near[slot] ?? []).flatMap((other) => at.get(other) ?? [])
      return [slot, above.length === 0 ? 0.5 : above.reduce((sum, x) => sum + x, 0) / above.length]
    }),
  )
  return [...members].sort(
    (a, b) =>
      rounded(wish.get(a)) - rounded(wish.get(b)) ||
      compare(nodeName[a] ?? "", nodeName[b] ?? "") ||
      compare(nodeId[a] ?? "", nodeId[b] ?? ""),
  )
}
/** Sums in another order differ in the last bit: the picture must not. */
const rounded = (value: number | undefined): number => Math.round((value ?? 0) * 1e6)

const placeGroup = (places: Float64Array, { nodes, x, y, w }: LayerGroup): void => {
  nodes.forEach((slot, nth) => {
    const row = Math.floor(nth / w)
    const inRow = Math.min(w, nodes.length - row * w)
    places[slot * 2] = x + (w - inRow) / 2 + (nth % w) + 0.5
    places[slot * 2 + 1] = y + (row + 0.5) * ROW
  })
}

// -- blocks on shelves --------------------------------------------------------------------------------------------------

/** Tried widths, as parts of the one that an even filling would need; the best shape wins, the first among equals. */
const WIDTHS = [0.8, 1, 1.2, 1.45, 1.75, 2.1] as const

const placeBlocks = (input: GraphInput, blocks: readonly SiteBlock[]): readonly SiteBlock[] => {
  if (blocks.length === 0) return []
  const pull = pullOf(input)
  const mean = (of: (block: SiteBlock) => number) => blocks.reduce((sum, block) => sum + of(block), 0) / blocks.length
  const gaps = {
    x: Math.max(BLOCK_GAP, mean(({ w }) => w) * BLOCK_GAP_PART),
    y: Math.max(SHELF_GAP, mean(({ h }) => h) * SHELF_GAP_PART),
  }
  const area = blocks.reduce((sum, { w, h }) => sum + (w + gaps.x) * (h + gaps.y), 0)
  const widest = Math.max(...blocks.map(({ w }) => w))
  let best: readonly SiteBlock[] = []
  let worst = Number.POSITIVE_INFINITY
  for (const part of WIDTHS) {
    const placed = shelve(input, pull, blocks, gaps, Math.max(Math.sqrt(area * ASPECT) * part, widest))
    const width = Math.max(...placed.map(({ x, w }) => x + w)) - Math.min(...placed.map(({ x }) => x))
    const height = Math.max(...placed.map(({ y, h }) => y + h))
    const off = Math.abs(Math.log(width / height / ASPECT))
    if (off > worst - 1e-9) continue
    worst = off
    best = placed
  }
  const left = Math.min(...best.map(({ x }) => x))
  return best.map((block) => moved(block, -left, 0))
}

const shelve = (
  input: GraphInput,
  pull: Pull,
  blocks: readonly SiteBlock[],
  gaps: { readonly x: number; readonly y: number },
  wide: number,
): readonly SiteBlock[] => {
  const tiers = LAYERS.map((_, layer) => blocks.filter(({ groups }) => groups[0]?.layer === layer))
  const middle = new Map<number, number>()
  const placed: SiteBlock[] = []
  let y = 0
  for (const tier of tiers) {
    if (tier.length === 0) continue
    for (const shelf of shelvesOf(orderTier(input, pull, tier, middle), wide, gaps.x)) {
      const order = shortened(shelf, pull, middle)
      let x = (wide - widthOf(order, gaps.x)) / 2
      for (const block of order) {
        placed.push(moved(block, x, y))
        middle.set(block.site, (x + block.w / 2) / wide)
        x += block.w + gaps.x
      }
      y += Math.max(...order.map(({ h }) => h)) + gaps.y
    }
  }
  return placed
}

type Pull = ReadonlyMap<number, ReadonlyMap<number, number>>
/** Links between sites: how many. */
const pullOf = ({ nodeSite, linkA, linkB, only }: GraphInput): Pull => {
  const pull = new Map<number, Map<number, number>>()
  const add = (from: number, to: number) => {
    const known = pull.get(from) ?? new Map<number, number>()
    known.set(to, (known.get(to) ?? 0) + 1)
    pull.set(from, known)
  }
  for (let link = 0; link < linkA.length; link++) {
    const [nodeA, nodeB] = [linkA[link] as number, linkB[link] as number]
    if (only !== null && (!only.has(nodeA) || !only.has(nodeB))) continue
    const [a, b] = [nodeSite[nodeA] as number, nodeSite[nodeB] as number]
    if (a === b) continue
    add(a, b)
    add(b, a)
  }
  return pull
}

/** Under what it hangs on; without anything above, from west to east. */
const orderTier = (
  { siteLongitude, siteId }: GraphInput,
  pull: Pull,
  tier: readonly SiteBlock[],
  middle: ReadonlyMap<number, number>,
): readonly SiteBlock[] => {
  const longitudes = tier.map(({ site }) => siteLongitude[site] ?? 0)
  const [west, east] = [Math.min(...longitudes), Math.max(...longitudes)]
  const wish = new Map(
    tier.map(({ site }) => {
      const geo = east > west ? ((siteLongitude[site] ?? 0) - west) / (east - west) : 0.5
      return [site, rounded(meanOf(site, pull, middle) ?? geo)]
    }),
  )
  return [...tier].sort(
    (a, b) => (wish.get(a.site) ?? 0) - (wish.get(b.site) ?? 0) || compare(siteId[a.site] ?? "", siteId[b.site] ?? ""),
  )
}

const meanOf = (site: number, pull: Pull, middle: ReadonlyMap<number, number>): number | null => {
  let [sum, weight] = [0, 0]
  for (const [other, count] of pull.get(site) ?? []) {
    const x = middle.get(other)
    if (x === undefined) continue
    sum += x * count
    weight += count
  }
  return weight === 0 ? null : sum / weight
}

const widthOf = (blocks: readonly SiteBlock[], gap: number): number =>
  blocks.reduce((sum, { w }) => sum + w, 0) + gap * Math.max(0, blocks.length - 1)

/** As few shelves as the width allows, and evenly filled: a block goes to the shelf where its middle would be on one line. */
const shelvesOf = (blocks: readonly SiteBlock[], wide: number, gap: number): readonly (readonly SiteBlock[])[] => {
  const total = widthOf(blocks, gap) + gap
  const count = Math.max(1, Math.ceil((total - gap) / wide))
  const shelves: SiteBlock[][] = Array.from({ length: count }, () => [])
  let x = 0
  for (const block of blocks) {
    const middle = x + (block.w + gap) / 2
    shelves[Math.min(count - 1, Math.floor((middle / total) * count))]?.push(block)
    x += block.w + gap
  }
  return shelves.filter((shelf) => shelf.length > 0)
}

/** Neighbours change places as long as that shortens the lines of both: fewer crossings, by the means of a bubble sort. */
const shortened = (
  shelf: readonly SiteBlock[],
  pull: Pull,
  middle: ReadonlyMap<number, number>,
): readonly SiteBlock[] => {
  const order = [...shelf]
  const rank = new Map(order.map(({ site }, at) => [site, at]))
  /** Above it is a share of the width; on this shelf, a place in the order. */
  const lineLength = (site: number, at: number, other: { site: number; at: number }): number => {
    let sum = 0
    for (const [to, count] of pull.get(site) ?? []) {
      const x = middle.get(to)
      const there = to === other.site ? other.at : rank.get(to)
      if (there !== undefined) sum += Math.abs(there - at) * count
      else if (x !== undefined) sum += Math.abs(x * (order.length - 1) - at) * count
    }
    return sum
  }
  for (let sweep = 0; sweep < SWEEPS_MAX; sweep++) {
    let better = false
    for (let at = 0; at + 1 < order.length; at++) {
      const [left, right] = [order[at] as SiteBlock, order[at + 1] as SiteBlock]
      const [l, r] = [left.site, right.site]
      const now = lineLength(l, at, { site: r, at: at + 1 }) + lineLength(r, at + 1, { site: l, at })
      const then = lineLength(l, at + 1, { site: r, at }) + lineLength(r, at, { site: l, at: at + 1 })
      if (then >= now - 1e-9) continue
      order[at] = right
      order[at + 1] = left
      rank.set(r, at).set(l, at + 1)
      better = true
    }
    if (!better) break
  }
  return order
}

const moved = (block: SiteBlock, dx: number, dy: number): SiteBlock => ({
  ...block,
  x: block.x + dx,
  y: block.y + dy,
  groups: block.groups.map((group) => ({ ...group, x: group.x + dx, y: group.y + dy })),
})
