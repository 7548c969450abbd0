/** Ways over the map: the one that is looked at wide and whole, the others thin and dashed below it; its ends ringed. */
import type { LiveMap } from "#client/map/live-map.ts"
import type { DrawnPath } from "#client/state/whatif-paths.ts"
import { inkOf } from "#client/ui/whatif/paint.ts"

type Ctx = CanvasRenderingContext2D

export const paintPaths =
  (paths: readonly DrawnPath[], shown: number) =>
  (ctx: Ctx, map: LiveMap): void => {
    const ink = inkOf()
    for (const [at, path] of paths.entries()) if (at !== shown) way(ctx, map, path, ink.sim, 1.6, [6, 5])
    const front = paths[shown]
    if (front === undefined) return
    way(ctx, map, front, ink.land, 7, [])
    way(ctx, map, front, ink.sim, 4, [])
    for (const slot of [front.nodes[0], front.nodes.at(-1)]) {
      const spot = slot === undefined ? null : map.screen(slot)
      if (spot === null) continue
      ctx.beginPath()
      ctx.arc(spot.x, spot.y, 8, 0, 2 * Math.PI)
      ctx.lineWidth = 2.4
      ctx.strokeStyle = ink.sim
      ctx.stroke()
    }
  }

const way = (ctx: Ctx, map: LiveMap, { hops }: DrawnPath, colour: string, width: number, dash: number[]): void => {
  ctx.beginPath()
  for (const [from, to] of hops) {
    const [a, b] = [map.screen(from), map.screen(to)]
    if (a === null || b === null) continue
    ctx.moveTo(a.x, a.y)
    ctx.lineTo(b.x, b.y)
  }
  ctx.setLineDash(dash)
  ctx.lineWidth = width
  ctx.strokeStyle = colour
  ctx.stroke()
  ctx.setLineDash([])
}
