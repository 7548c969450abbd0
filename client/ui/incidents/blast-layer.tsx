/**
 * The reach of an incident over a map: a canvas above it that is drawn whenever the map looks anew. The rest of the
 * network steps back behind a veil, so that cause, hatched devices and touched sites are what the eye finds.
 */
import { useEffect, useRef } from "preact/hooks"
import type { LiveMap } from "#client/map/live-map.ts"
import { cssToken } from "#client/map/palette.ts"
import type { Blast } from "#client/state/blast.ts"
import type { TwinState } from "#client/state/twin-store.ts"
import { paintCause, paintHit, paintHitLink, paintSite, withAlpha } from "#client/ui/incidents/blast-paint.ts"
import type { Dot } from "#client/ui/incidents/blast-paint.ts"

/** More of a kind than this would be a red carpet: the sites say it. */
const NODES_MAX = 1_500
const LINKS_MAX = 1_500

interface Props {
  readonly map: LiveMap
  readonly blast: Blast
  readonly state: TwinState
  /** Changes whenever the map has moved. */
  readonly looks: number
  /** So that a new theme paints anew. */
  readonly theme: string
}

export const BlastLayer = ({ map, blast, state, looks, theme }: Props) => {
  const canvas = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    const element = canvas.current
    if (element !== null) paint(element, map, blast, state)
  }, [map, blast, state, looks, theme])
  return <canvas ref={canvas} class="blast-layer" aria-hidden="true" data-testid="blast" />
}

const paint = (canvas: HTMLCanvasElement, map: LiveMap, blast: Blast, state: TwinState): void => {
  const { clientWidth: width, clientHeight: height } = canvas
  const ratio = devicePixelRatio
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio)
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio)
  // Drawn by the processor: on software GL a canvas of the graphics process waits behind every frame of the map.
  const ctx = canvas.getContext("2d", { willReadFrequently: true })
  if (ctx === null) return
  const ink = { critical: cssToken("--critical"), ink: cssToken("--ink"), panel: cssToken("--panel") }
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0)
  ctx.clearRect(0, 0, width, height)
  ctx.fillStyle = withAlpha(cssToken("--land"), 0.5)
  ctx.fillRect(0, 0, width, height)
  const node = (slot: number): Dot | null => map.screen(slot)
  const ends = (link: number): readonly [Dot | null, Dot | null] => [
    node(state.links.a[link] as number),
    node(state.links.b[link] as number),
  ]
  for (const site of new Set([...blast.causeSites, ...blast.sites])) {
    const at = map.project(state.sites.longitude[site] as number, state.sites.latitude[site] as number)
    paintSite(ctx, at, blast.causeSites.has(site) ? 34 : 24, blast.causeSites.has(site), ink)
  }
  for (const [links, cause] of [
    [blast.links, false],
    [blast.causeLinks, true],
  ] as const) {
    for (const link of [...links].slice(0, LINKS_MAX)) {
      const [a, b] = ends(link)
      if (a !== null && b !== null) paintHitLink(ctx, a, b, cause, ink)
    }
  }
  for (const slot of [...blast.nodes].slice(0, NODES_MAX)) {
    const at = node(slot)
    if (at !== null) paintHit(ctx, at, 6, ink)
  }
  for (const slot of blast.causeNodes) {
    const at = node(slot)
    if (at !== null) paintCause(ctx, at, 8, ink)
  }
}
