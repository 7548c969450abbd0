/**
 * How a simulation is drawn over the map. What somebody assumes is in the simulation's own colour and crossed out; what
 * follows from it is in the colours of severity: hollow and hatched where service is lost, wide with before and after where
 * a link gets full. Shape and pattern say it as well as colour.
 */
import { language } from "#client/i18n/translate.ts"
import type { LiveMap } from "#client/map/live-map.ts"
import { cssToken } from "#client/map/palette.ts"
import type { TwinState } from "#client/state/twin-store.ts"
import type { Overload, Picture } from "#client/state/whatif-picture.ts"
import { formatNumber } from "#client/ui/format.ts"

interface Dot {
  readonly x: number
  readonly y: number
}
type Ctx = CanvasRenderingContext2D

/** More of a kind than this would be a carpet: the card says how many there are. */
const MARKS_MAX = 2_000
const LABELS_MAX = 10
/** Far above capacity. */
export const FAR_ABOVE = 130
const TURN = Math.PI * 2

export const paintPicture =
  (picture: Picture) =>
  (ctx: Ctx, map: LiveMap, state: TwinState): void => {
    const ink = inkOf()
    const node = (slot: number): Dot | null => map.screen(slot)
    const ends = (link: number) => [node(state.links.a[link] as number), node(state.links.b[link] as number)] as const
    for (const site of picture.isolatedSites) {
      const at = map.project(state.sites.longitude[site] as number, state.sites.latitude[site] as number)
      paintSite(ctx, at, ink.critical)
    }
    for (const one of picture.overloaded.slice(-MARKS_MAX)) {
      const [from, to] = [node(one.from), node(one.to)]
      if (from !== null && to !== null) paintFull(ctx, from, to, one, ink)
    }
    for (const link of first(picture.drained)) drawLink(ends(link), (a, b) => paintDrain(ctx, a, b, ink.sim))
    for (const link of first(picture.failedLinks)) drawLink(ends(link), (a, b) => paintCut(ctx, a, b, ink))
    for (const slot of first(picture.exits)) drawNode(node(slot), (at) => paintExit(ctx, at, ink.accent))
    for (const slot of first(picture.cutOff)) drawNode(node(slot), (at) => paintHollow(ctx, at, 6, ink))
    paintLabels(ctx, picture.overloaded.slice(-LABELS_MAX).toReversed(), node, ink)
    for (const slot of first(picture.failedNodes)) drawNode(node(slot), (at) => paintFailed(ctx, at, ink))
  }

const first = (slots: ReadonlySet<number>): readonly number[] => [...slots].slice(0, MARKS_MAX)
const drawNode = (at: Dot | null, run: (at: Dot) => void): void => {
  if (at !== null) run(at)
}
const drawLink = ([a, b]: readonly [Dot | null, Dot | null], run: (a: Dot, b: Dot) => void): void => {
  if (a !== null && b !== null) run(a, b)
}

type Ink = ReturnType<typeof inkOf>
export const inkOf = () => ({
  sim: cssToken("--sim"),
  critical: cssToken("--critical"),
  major: cssToken("--major"),
  accent: cssToken("--accent"),
  panel: cssToken("--panel"),
  land: cssToken("--land"),
  text: cssToken("--ink"),
})

/** A line, on a casing that sets it off from what lies below. */
const stroke = (ctx: Ctx, a: Dot, b: Dot, colour: string, width: number, dash: readonly number[] = []): void => {
  ctx.setLineDash([...dash])
  ctx.lineWidth = width
  ctx.strokeStyle = colour
  ctx.beginPath()
  ctx.moveTo(a.x, a.y)
  ctx.lineTo(b.x, b.y)
  ctx.stroke()
  ctx.setLineDash([])
}
const circle = (ctx: Ctx, { x, y }: Dot, r: number): void => {
  ctx.beginPath()
  ctx.arc(x, y, r, 0, TURN)
}
const middle = (a: Dot, b: Dot): Dot => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 })

const paintSite = (ctx: Ctx, at: Dot, critical: string): void => {
  circle(ctx, at, 26)
  ctx.globalAlpha = 0.14
  ctx.fillStyle = critical
  ctx.fill()
  ctx.globalAlpha = 0.8
  ctx.setLineDash([5, 5])
  ctx.lineWidth = 1.6
  ctx.strokeStyle = critical
  ctx.stroke()
  ctx.setLineDash([])
  ctx.globalAlpha = 1
}

/** Wider the fuller, with an arrow for the direction. */
const paintFull = (ctx: Ctx, from: Dot, to: Dot, { after }: Overload, ink: Ink): void => {
  const colour = after >= FAR_ABOVE ? ink.critical : ink.major
  const width = Math.min(8, 3.5 + (after - 100) / 40)
  stroke(ctx, from, to, ink.land, width + 3)
  stroke(ctx, from, to, colour, width)
  const length = Math.hypot(to.x - from.x, to.y - from.y)
  if (length < 24) return
  const [dx, dy] = [(to.x - from.x) / length, (to.y - from.y) / length]
  const tip = { x: from.x + dx * length * 0.72, y: from.y + dy * length * 0.72 }
  const size = width + 5
  ctx.beginPath()
  ctx.moveTo(tip.x + dx * size, tip.y + dy * size)
  ctx.lineTo(tip.x - dy * size * 0.7, tip.y + dx * size * 0.7)
  ctx.lineTo(tip.x + dy * size * 0.7, tip.y - dx * size * 0.7)
  ctx.closePath()
  ctx.fillStyle = colour
  ctx.fill()
  ctx.lineWidth = 1.2
  ctx.strokeStyle = ink.land
  ctx.stroke()
}

/** Two lines side by side: it is up, and nothing shall pass. */
const paintDrain = (ctx: Ctx, a: Dot, b: Dot, sim: string): void => {
  const length = Math.max(1, Math.hypot(b.x - a.x, b.y - a.y))
  const [nx, ny] = [(-(b.y - a.y) / length) * 2.6, ((b.x - a.x) / length) * 2.6]
  for (const side of [1, -1]) {
    const shift = (at: Dot): Dot => ({ x: at.x + nx * side, y: at.y + ny * side })
    stroke(ctx, shift(a), shift(b), sim, 1.8, [9, 4])
  }
}

const paintCut = (ctx: Ctx, a: Dot, b: Dot, ink: Ink): void => {
  stroke(ctx, a, b, ink.land, 6)
  stroke(ctx, a, b, ink.sim, 3, [7, 5])
  paintCross(ctx, middle(a, b), 6, ink)
}

const paintFailed = (ctx: Ctx, at: Dot, ink: Ink): void => {
  circle(ctx, at, 9)
  ctx.fillStyle = ink.panel
  ctx.fill()
  ctx.lineWidth = 2
  ctx.strokeStyle = ink.sim
  ctx.stroke()
  paintCross(ctx, at, 4.5, ink)
}

const paintCross = (ctx: Ctx, { x, y }: Dot, r: number, ink: Ink): void => {
  for (const [colour, width] of [
    [ink.land, 5],
    [ink.sim, 2.6],
  ] as const) {
    stroke(ctx, { x: x - r, y: y - r }, { x: x + r, y: y + r }, colour, width)
    stroke(ctx, { x: x - r, y: y + r }, { x: x + r, y: y - r }, colour, width)
  }
}

/** Hollow and hatched: nobody reaches it any more. */
export const paintHollow = (ctx: Ctx, at: Dot, r: number, ink: Pick<Ink, "critical" | "panel">): void => {
  ctx.save()
  circle(ctx, at, r)
  ctx.fillStyle = ink.panel
  ctx.fill()
  ctx.clip()
  for (let shift = -r; shift <= r; shift += 3) {
    stroke(ctx, { x: at.x + shift - r, y: at.y + r }, { x: at.x + shift + r, y: at.y - r }, ink.critical, 1)
  }
  ctx.restore()
  circle(ctx, at, r)
  ctx.lineWidth = 1.7
  ctx.strokeStyle = ink.critical
  ctx.stroke()
}

const paintExit = (ctx: Ctx, at: Dot, accent: string): void => {
  circle(ctx, at, 8)
  ctx.setLineDash([2.5, 2.5])
  ctx.lineWidth = 1.6
  ctx.strokeStyle = accent
  ctx.stroke()
  ctx.setLineDash([])
}

/** `62 % → 118 %` beside the fullest links, where there is room. */
const paintLabels = (ctx: Ctx, rows: readonly Overload[], node: (slot: number) => Dot | null, ink: Ink): void => {
  const taken: { left: number; right: number; top: number; bottom: number }[] = []
  ctx.font = '600 11px "Inter Variable", sans-serif'
  ctx.textBaseline = "middle"
  for (const { from, to, before, after } of rows) {
    const [a, b] = [node(from), node(to)]
    if (a === null || b === null) continue
    const percent = (value: number) => `${formatNumber(language.peek(), Math.round(value))} %`
    const text = `${percent(before)} → ${percent(after)}`
    const width = ctx.measureText(text).width + 14
    const at = middle(a, b)
    const box = { left: at.x - width / 2, right: at.x + width / 2, top: at.y - 22, bottom: at.y - 3 }
    if (taken.some((o) => o.left < box.right && box.left < o.right && o.top < box.bottom && box.top < o.bottom))
      continue
    taken.push(box)
    ctx.beginPath()
    ctx.roundRect(box.left, box.top, width, 19, 5)
    ctx.fillStyle = ink.panel
    ctx.fill()
    ctx.lineWidth = 1.2
    ctx.strokeStyle = after >= FAR_ABOVE ? ink.critical : ink.major
    ctx.stroke()
    ctx.fillStyle = ink.text
    ctx.fillText(text, box.left + 7, box.top + 10)
  }
}

/** The devices that a proposal would join, and the line that would be. */
export const paintProposed =
  (a: number | null, b: number | null) =>
  (ctx: Ctx, map: LiveMap): void => {
    const ink = inkOf()
    const at = [a, b].flatMap((slot) => (slot === null ? [] : (map.screen(slot) ?? [])))
    const [from, to] = at
    if (from !== undefined && to !== undefined) {
      stroke(ctx, from, to, ink.land, 7)
      stroke(ctx, from, to, ink.accent, 3, [9, 6])
    }
    for (const one of at) {
      circle(ctx, one, 8)
      ctx.fillStyle = ink.panel
      ctx.fill()
      ctx.lineWidth = 2.4
      ctx.strokeStyle = ink.accent
      ctx.stroke()
    }
  }
