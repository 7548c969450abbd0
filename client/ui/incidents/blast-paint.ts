/**
 * How the reach of an incident is drawn, on the map's canvas and on the graph's alike: what failed carries a mark in rings,
 * what it took with it is hollow and hatched, a link that failed is dashed. Shape and pattern say it, not colour alone.
 */
export interface Ink {
  readonly critical: string
  readonly ink: string
  readonly panel: string
}
export interface Dot {
  readonly x: number
  readonly y: number
}

const TURN = Math.PI * 2

export const paintCause = (ctx: CanvasRenderingContext2D, { x, y }: Dot, r: number, { critical, ink }: Ink): void => {
  const glow = ctx.createRadialGradient(x, y, r * 0.6, x, y, r * 3.4)
  glow.addColorStop(0, withAlpha(critical, 0.5))
  glow.addColorStop(1, withAlpha(critical, 0))
  ctx.fillStyle = glow
  circle(ctx, x, y, r * 3.4)
  ctx.fill()
  ctx.fillStyle = critical
  ctx.beginPath()
  ctx.moveTo(x, y - r * 1.15)
  ctx.lineTo(x + r * 1.15, y)
  ctx.lineTo(x, y + r * 1.15)
  ctx.lineTo(x - r * 1.15, y)
  ctx.closePath()
  ctx.fill()
  ctx.setLineDash([])
  ctx.lineWidth = 2
  ctx.strokeStyle = ink
  circle(ctx, x, y, r * 1.75)
  ctx.stroke()
}

/** Hollow, with hatching: it is gone because of something else. */
export const paintHit = (ctx: CanvasRenderingContext2D, { x, y }: Dot, r: number, { critical, panel }: Ink): void => {
  ctx.save()
  ctx.setLineDash([])
  circle(ctx, x, y, r)
  ctx.fillStyle = panel
  ctx.fill()
  ctx.clip()
  ctx.strokeStyle = withAlpha(critical, 0.9)
  ctx.lineWidth = 1
  ctx.beginPath()
  for (let at = -r; at <= r; at += 3) {
    ctx.moveTo(x + at - r, y + r)
    ctx.lineTo(x + at + r, y - r)
  }
  ctx.stroke()
  ctx.restore()
  ctx.lineWidth = 1.6
  ctx.strokeStyle = critical
  circle(ctx, x, y, r)
  ctx.stroke()
}

export const paintHitLink = (
  ctx: CanvasRenderingContext2D,
  a: Dot,
  b: Dot,
  cause: boolean,
  { critical }: Ink,
): void => {
  ctx.beginPath()
  ctx.moveTo(a.x, a.y)
  ctx.lineTo(b.x, b.y)
  if (cause) {
    ctx.setLineDash([])
    ctx.lineWidth = 9
    ctx.strokeStyle = withAlpha(critical, 0.28)
    ctx.stroke()
  }
  ctx.setLineDash(cause ? [7, 4] : [4, 4])
  ctx.lineWidth = cause ? 3.2 : 1.8
  ctx.strokeStyle = cause ? critical : withAlpha(critical, 0.75)
  ctx.stroke()
  ctx.setLineDash([])
}

/** The ground of a site that is touched: its reach, faint and hatched at the rim. */
export const paintSite = (
  ctx: CanvasRenderingContext2D,
  { x, y }: Dot,
  r: number,
  cause: boolean,
  { critical }: Ink,
): void => {
  circle(ctx, x, y, r)
  ctx.fillStyle = withAlpha(critical, cause ? 0.16 : 0.08)
  ctx.fill()
  ctx.setLineDash([5, 5])
  ctx.lineWidth = cause ? 2 : 1.2
  ctx.strokeStyle = withAlpha(critical, cause ? 0.9 : 0.55)
  ctx.stroke()
  ctx.setLineDash([])
}

const circle = (ctx: CanvasRenderingContext2D, x: number, y: number, r: number): void => {
  ctx.beginPath()
  ctx.arc(x, y, r, 0, TURN)
}

/** `#rrggbb` with an alpha of 0..1. */
export const withAlpha = (color: string, alpha: number): string =>
  `${color}${Math.round(Math.max(0, Math.min(1, alpha)) * 255)
    .toString(16)
    .padStart(2, "0")}`
