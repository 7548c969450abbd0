/**
 * One picture of the logical view on a canvas: frames of sites, bundled links, folded groups and devices, names where
 * there is room. Marks have the map's shapes and colours. Only what is in view is drawn, and only when something changed.
 */
import { LABEL_HEIGHT, placeLabels } from "#client/map/labels.ts"
import type { Rect } from "#client/map/labels.ts"
import { isTrouble, MARKS } from "#client/map/mark.ts"
import type { Mark } from "#client/map/mark.ts"
import type { Blast } from "#client/state/blast.ts"
import { middleOf, tallyMarks } from "#client/state/graph-folding.ts"
import type { Bundle, Shown, ShownGraph } from "#client/state/graph-folding.ts"
import type { Box } from "#client/state/graph-layout.ts"
import { fitText } from "#client/ui/graph/fit-text.ts"
import { paintCause, paintHit, paintHitLink, withAlpha } from "#client/ui/incidents/blast-paint.ts"
import type { Dot } from "#client/ui/incidents/blast-paint.ts"

export interface Colors {
  readonly mark: Readonly<Record<Mark, string>>
  readonly load: readonly string[]
  readonly unknown: string
  readonly ink: string
  readonly ink2: string
  readonly panel: string
  readonly raised: string
  readonly line: string
  readonly lineStrong: string
  readonly accent: string
}
/** The twin as it is now, by slot. */
export interface Live {
  readonly nodeMark: (slot: number) => number
  readonly linkMark: (slot: number) => number
  readonly linkBroken: (slot: number) => boolean
  /** Share of capacity, 0..1; null = not measured. */
  readonly linkLoad: (slot: number) => number | null
  readonly nodeName: (slot: number) => string
  readonly siteName: (site: number) => string
  readonly layerName: (layer: number) => string
  readonly count: (count: number) => string
}
export interface Picture {
  readonly shown: ShownGraph
  readonly bundles: readonly Bundle[]
  readonly live: Live
  readonly colors: Colors
  readonly blast: Blast | null
  /** Indices into items; -1 = none. */
  readonly selected: number
  readonly selectedLink: number | null
  readonly hovered: number
  /** The keyboard is here. */
  readonly focused: number
}
/** Pixels: `left`, `top` are where the layout's 0, 0 stands. */
export interface View {
  readonly left: number
  readonly top: number
  readonly unitPx: number
  readonly width: number
  readonly height: number
}

const NAME_PX = 62
const TITLE_PX = 12
/** Names of trouble: nearer out they would hide what they name. */
const LOUD_PX = 26
const LABELS_MAX = 160
const LABEL_TEXT_MAX_PX = 150
const FONT = '"Inter Variable", system-ui, sans-serif'

export const paintGraph = (ctx: CanvasRenderingContext2D, view: View, picture: Picture): void => {
  ctx.clearRect(0, 0, view.width, view.height)
  paintFrames(ctx, view, picture)
  paintBundles(ctx, view, picture)
  paintTitles(ctx, view, picture)
  const seen = picture.shown.items.flatMap((item, at) => (inView(item.box, view) ? [{ item, at }] : []))
  for (const { item, at } of seen) {
    if (item.kind === "device") paintDevice(ctx, view, picture, item, at)
    else paintGroup(ctx, view, picture, item, at)
  }
  paintNames(ctx, view, picture, seen)
}

const px = (view: View, x: number, y: number): Dot => ({
  x: view.left + x * view.unitPx,
  y: view.top + y * view.unitPx,
})
const rectOf = (view: View, { x, y, w, h }: Box) => {
  const at = px(view, x, y)
  return { x: Math.round(at.x), y: Math.round(at.y), w: Math.round(w * view.unitPx), h: Math.round(h * view.unitPx) }
}
const inView = (box: Box, view: View): boolean => {
  const { x, y, w, h } = rectOf(view, box)
  return x + w > -40 && y + h > -40 && x < view.width + 40 && y < view.height + 40
}
const dotOf = (view: View, item: Shown): Dot => {
  const { x, y } = middleOf(item.box)
  return px(view, x, y)
}
export const radiusOf = (unitPx: number): number => Math.max(2.2, Math.min(8, unitPx * 0.15))

const rounded = (ctx: CanvasRenderingContext2D, box: ReturnType<typeof rectOf>, radius: number): void => {
  ctx.beginPath()
  ctx.roundRect(box.x, box.y, box.w, box.h, Math.min(radius, box.w / 2, box.h / 2))
}

const paintFrames = (ctx: CanvasRenderingContext2D, view: View, { shown, colors, blast }: Picture): void => {
  for (const block of shown.frames) {
    if (!inView(block, view)) continue
    const box = rectOf(view, block)
    rounded(ctx, box, 10)
    ctx.fillStyle = withAlpha(colors.panel, 0.75)
    ctx.fill()
    ctx.lineWidth = 1
    const failed = blast?.causeSites.has(block.site) === true
    ctx.strokeStyle = failed ? colors.mark.critical : colors.line
    ctx.stroke()
  }
}

/** Over the lines, with a rim of the ground, so that no line runs through a letter. */
const paintTitles = (ctx: CanvasRenderingContext2D, view: View, { shown, colors, live }: Picture): void => {
  if (view.unitPx < TITLE_PX) return
  const size = Math.max(10, Math.min(15, view.unitPx * 0.32))
  const pad = Math.min(8, view.unitPx * 0.18)
  ctx.font = `600 ${size}px ${FONT}`
  ctx.fillStyle = colors.ink2
  ctx.strokeStyle = colors.panel
  ctx.lineWidth = 3
  ctx.lineJoin = "round"
  ctx.textAlign = "left"
  ctx.textBaseline = "middle"
  for (const block of shown.frames) {
    const box = rectOf(view, block)
    if (box.w < 40 || !inView(block, view)) continue
    const title = clipped(ctx, live.siteName(block.site), box.w - 2 * pad)
    ctx.strokeText(title, box.x + pad, box.y + view.unitPx * 0.4)
    ctx.fillText(title, box.x + pad, box.y + view.unitPx * 0.4)
  }
}

const paintBundles = (ctx: CanvasRenderingContext2D, view: View, picture: Picture): void => {
  const { shown, bundles, colors, live, blast, selectedLink, hovered, focused, selected } = picture
  const near = new Set([hovered, focused, selected].filter((at) => at >= 0))
  const late: Bundle[] = []
  const draw = (bundle: Bundle) => {
    const a = dotOf(view, shown.items[bundle.a] as Shown)
    const b = dotOf(view, shown.items[bundle.b] as Shown)
    if (Math.max(a.x, b.x) < 0 || Math.min(a.x, b.x) > view.width) return
    if (Math.max(a.y, b.y) < 0 || Math.min(a.y, b.y) > view.height) return
    const cause = blast !== null && bundle.links.some((link) => blast.causeLinks.has(link))
    const hit = blast !== null && bundle.links.some((link) => blast.links.has(link))
    if (cause || hit) return paintHitLink(ctx, a, b, cause, { ...colors, critical: colors.mark.critical })
    const { mark, trouble } = tallyMarks(bundle.links, live.linkMark)
    const broken = bundle.links.some(live.linkBroken)
    const lit = near.has(bundle.a) || near.has(bundle.b)
    const chosen = selectedLink !== null && bundle.links.includes(selectedLink)
    const load = Math.max(-1, ...bundle.links.map((link) => live.linkLoad(link) ?? -1))
    const faint = blast !== null ? 0.16 : near.size > 0 && !lit && trouble === 0 ? 0.3 : 0.75
    ctx.strokeStyle =
      trouble > 0
        ? withAlpha(colors.mark[MARKS[mark] as Mark], 1)
        : withAlpha(load < 0 ? colors.unknown : loadColor(colors, load), lit || chosen ? 1 : faint)
    ctx.lineWidth = (chosen ? 2 : 0) + (lit ? 0.8 : 0) + Math.min(6, 1 + Math.log2(bundle.links.length) * 0.8)
    ctx.setLineDash(broken ? [6, 4] : [])
    ctx.beginPath()
    curve(ctx, a, b)
    ctx.stroke()
    ctx.setLineDash([])
  }
  for (const bundle of bundles) {
    const important =
      bundle.links.some((link) => isTrouble(live.linkMark(link))) || near.has(bundle.a) || near.has(bundle.b)
    const failed = blast !== null && bundle.links.some((link) => blast.causeLinks.has(link) || blast.links.has(link))
    if (important || failed) late.push(bundle)
    else draw(bundle)
  }
  for (const bundle of late) draw(bundle)
}

/** From layer to layer a line leaves downwards; on one level it bows a little, so that it does not run through what stands between. */
const curve = (ctx: CanvasRenderingContext2D, a: Dot, b: Dot): void => {
  ctx.moveTo(a.x, a.y)
  const [dx, dy] = [b.x - a.x, b.y - a.y]
  if (Math.abs(dy) > 6) {
    const bend = dy * 0.45
    ctx.bezierCurveTo(a.x, a.y + bend, b.x, b.y - bend, b.x, b.y)
  } else ctx.quadraticCurveTo(a.x + dx / 2, a.y - Math.min(46, Math.abs(dx) * 0.16), b.x, b.y)
}
const loadColor = ({ load }: Colors, share: number): string =>
  load[Math.max(0, Math.min(load.length - 1, Math.round(share * (load.length - 1))))] as string

const paintDevice = (ctx: CanvasRenderingContext2D, view: View, picture: Picture, item: Shown, at: number): void => {
  const { colors, live, blast, selected, hovered, focused } = picture
  const slot = item.nodes[0] as number
  const dot = dotOf(view, item)
  const radius = radiusOf(view.unitPx)
  const ink = { ...colors, critical: colors.mark.critical }
  if (blast?.causeNodes.has(slot) === true) paintCause(ctx, dot, radius * 1.15, ink)
  else if (blast?.nodes.has(slot) === true) paintHit(ctx, dot, Math.max(3.4, radius), ink)
  else {
    const mark = MARKS[live.nodeMark(slot)] as Mark
    ctx.globalAlpha = blast === null || isTrouble(MARKS.indexOf(mark)) ? 1 : 0.55
    paintMark(ctx, dot, mark, radius, colors)
    ctx.globalAlpha = 1
  }
  if (at === selected) ring(ctx, dot, radius + 5.5, colors.ink, 2)
  if (at === focused) ring(ctx, dot, radius + 8.5, colors.accent, 2)
  else if (at === hovered) ring(ctx, dot, radius + 5, withAlpha(colors.ink, 0.5), 1.4)
}
const ring = (ctx: CanvasRenderingContext2D, { x, y }: Dot, radius: number, color: string, width: number): void => {
  ctx.beginPath()
  ctx.arc(x, y, radius, 0, Math.PI * 2)
  ctx.lineWidth = width
  ctx.strokeStyle = color
  ctx.stroke()
}

/** The map's shapes: diamond, triangle, disc, hollow ring, square, small disc. */
export const paintMark = (
  ctx: CanvasRenderingContext2D,
  { x, y }: Dot,
  mark: Mark,
  r: number,
  colors: Colors,
): void => {
  const color = colors.mark[mark]
  ctx.fillStyle = color
  ctx.beginPath()
  if (mark === "critical") {
    const d = r * 1.5
    ctx.moveTo(x, y - d)
    ctx.lineTo(x + d, y)
    ctx.lineTo(x, y + d)
    ctx.lineTo(x - d, y)
  } else if (mark === "major") {
    const d = r * 1.45
    ctx.moveTo(x, y - d)
    ctx.lineTo(x + d, y + d * 0.75)
    ctx.lineTo(x - d, y + d * 0.75)
  } else if (mark === "maintenance") ctx.rect(x - r, y - r, r * 2, r * 2)
  else ctx.arc(x, y, mark === "warning" ? r * 1.25 : r, 0, Math.PI * 2)
  ctx.closePath()
  if (mark === "unknown") {
    ctx.fillStyle = colors.panel
    ctx.fill()
    ctx.lineWidth = 1.6
    ctx.strokeStyle = color
    ctx.stroke()
  } else ctx.fill()
}

/** A folded layer or site: a card that says what is in it and how that is. */
const paintGroup = (ctx: CanvasRenderingContext2D, view: View, picture: Picture, item: Shown, at: number): void => {
  const { colors, live, blast, selected, hovered, focused } = picture
  const box = rectOf(view, item.box)
  const { mark, trouble } = tallyMarks(item.nodes, live.nodeMark)
  const cause =
    blast !== null && (blast.causeSites.has(item.site) || item.nodes.some((slot) => blast.causeNodes.has(slot)))
  const hit = blast === null ? 0 : item.nodes.filter((slot) => blast.nodes.has(slot)).length
  const bad = cause || hit > 0 ? colors.mark.critical : trouble > 0 ? colors.mark[MARKS[mark] as Mark] : null
  rounded(ctx, box, 8)
  ctx.globalAlpha = blast !== null && !cause && hit === 0 ? 0.55 : 1
  ctx.fillStyle = colors.raised
  ctx.fill()
  if (hit > 0) hatch(ctx, box, colors.mark.critical)
  rounded(ctx, box, 8)
  const marked = at === focused || at === selected || at === hovered
  ctx.lineWidth = marked ? 2.2 : bad === null ? 1 : 1.8
  ctx.strokeStyle =
    at === focused ? colors.accent : at === selected || at === hovered ? colors.ink : (bad ?? colors.lineStrong)
  ctx.stroke()
  const title = item.kind === "site" ? live.siteName(item.site) : live.layerName(item.layer)
  const size = Math.max(9, Math.min(14, box.h * 0.24))
  if (box.w >= 26 && box.h >= 12) {
    ctx.textAlign = "center"
    ctx.textBaseline = "middle"
    ctx.fillStyle = colors.ink
    ctx.font = `600 ${size}px ${FONT}`
    const two = box.h >= size * 2.9
    const middle = box.x + box.w / 2
    const says =
      trouble > 0 || hit > 0
        ? `${live.count(Math.max(trouble, hit))} / ${live.count(item.nodes.length)}`
        : live.count(item.nodes.length)
    const line = two ? title : `${title} ${says}`
    ctx.fillText(clipped(ctx, line, box.w - 8), middle, box.y + box.h / 2 - (two ? size * 0.7 : 0))
    if (two) {
      ctx.font = `500 ${size * 0.92}px ${FONT}`
      ctx.fillStyle = bad ?? colors.ink2
      ctx.fillText(clipped(ctx, says, box.w - 8), middle, box.y + box.h / 2 + size * 0.75)
    }
  }
  if (bad !== null && box.w >= 26) {
    paintMark(
      ctx,
      { x: box.x + box.w - 1, y: box.y + 1 },
      cause || hit > 0 ? "critical" : (MARKS[mark] as Mark),
      4.5,
      colors,
    )
  }
  ctx.globalAlpha = 1
}
const hatch = (ctx: CanvasRenderingContext2D, box: ReturnType<typeof rectOf>, color: string): void => {
  ctx.save()
  rounded(ctx, box, 8)
  ctx.clip()
  ctx.strokeStyle = withAlpha(color, 0.3)
  ctx.lineWidth = 1.2
  ctx.beginPath()
  for (let x = box.x - box.h; x < box.x + box.w; x += 7) {
    ctx.moveTo(x, box.y + box.h)
    ctx.lineTo(x + box.h, box.y)
  }
  ctx.stroke()
  ctx.restore()
}

/** All names where there is room; else those of what is chosen, failed or in trouble, as long as they do not collide. */
const paintNames = (
  ctx: CanvasRenderingContext2D,
  view: View,
  { live, colors, blast, selected, hovered, focused }: Picture,
  seen: readonly { item: Shown; at: number }[],
): void => {
  ctx.font = `500 11px ${FONT}`
  ctx.textBaseline = "middle"
  const devices = seen.filter(({ item }) => item.kind === "device")
  if (view.unitPx >= NAME_PX) {
    ctx.textAlign = "center"
    ctx.fillStyle = colors.ink2
    for (const { item, at } of devices) {
      const slot = item.nodes[0] as number
      const { x, y } = dotOf(view, item)
      const loud = at === selected || at === focused || blast?.causeNodes.has(slot) === true
      ctx.fillStyle = loud ? colors.ink : colors.ink2
      const below = radiusOf(view.unitPx) * (blast?.causeNodes.has(slot) === true ? 2 : 1)
      ctx.fillText(clipped(ctx, live.nodeName(slot), view.unitPx - 6), x, y + below + 10)
    }
    return
  }
  const weight = (slot: number, at: number): number => {
    if (at === selected || at === focused || at === hovered) return 0
    if (blast?.causeNodes.has(slot) === true) return 1
    const mark = live.nodeMark(slot)
    return isTrouble(mark) && (blast === null || blast.nodes.has(slot)) && view.unitPx >= LOUD_PX ? 2 + mark : 99
  }
  // What somebody looks at says its whole name; the others leave room.
  const nameOf = (slot: number, mark: number): string =>
    mark === 0 ? live.nodeName(slot) : clipped(ctx, live.nodeName(slot), LABEL_TEXT_MAX_PX)
  const wishes = devices.flatMap(({ item, at }) => {
    const slot = item.nodes[0] as number
    const mark = weight(slot, at)
    if (mark === 99) return []
    const { x, y } = dotOf(view, item)
    return [{ slot, mark, x, y, width: Math.ceil(ctx.measureText(nameOf(slot, mark)).width) + 12 }]
  })
  const screen: Rect = { left: 0, top: 0, right: view.width, bottom: view.height }
  ctx.textAlign = "left"
  for (const { slot, mark, left, top } of placeLabels(wishes, screen, [], LABELS_MAX)) {
    const name = nameOf(slot, mark)
    const width = ctx.measureText(name).width + 12
    ctx.fillStyle = withAlpha(colors.panel, 0.92)
    ctx.beginPath()
    ctx.roundRect(left, top + 2, width, LABEL_HEIGHT - 4, 5)
    ctx.fill()
    ctx.fillStyle = colors.ink
    ctx.fillText(name, left + 6, top + LABEL_HEIGHT / 2)
  }
}

const clipped = (ctx: CanvasRenderingContext2D, text: string, width: number): string =>
  fitText(text, width, (part) => ctx.measureText(part).width)
