/** Where the camera must stand so that what matters is not under a panel. Pure geometry. */
import type { Rect } from "#client/map/labels.ts"

export interface Padding {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}
export type LngLat = readonly [longitude: number, latitude: number]
/** South-west and north-east. */
export type Corners = [[number, number], [number, number]]

/** Room for the tiles above and the legend below even before they are there. */
const LEAST: Padding = { left: 60, right: 60, top: 112, bottom: 84 }
/** When the panels leave less than a fifth of the screen, they are not worth avoiding. */
const MOST = 0.8

/** The widest panel at the left and right edge and the deepest at top and bottom decide. */
export const paddingAround = (width: number, height: number, taken: readonly Rect[]): Padding | number => {
  const padding = { ...LEAST }
  for (const rect of taken) {
    const tall = rect.bottom - rect.top > height / 2
    if (tall && rect.right > width - 40) padding.right = Math.max(padding.right, width - rect.left + 40)
    else if (tall && rect.left < 40) padding.left = Math.max(padding.left, rect.right + 40)
    else if (rect.top < 40) padding.top = Math.max(padding.top, rect.bottom + 30)
    else if (rect.bottom > height - 40) padding.bottom = Math.max(padding.bottom, height - rect.top + 30)
  }
  const fits = padding.left + padding.right < width * MOST && padding.top + padding.bottom < height * MOST
  return fits ? padding : 30
}

/** The smallest box around some places; null when there are none. */
export const cornersOf = (places: readonly LngLat[]): Corners | null => {
  if (places.length === 0) return null
  let [west, south, east, north] = [180, 90, -180, -90]
  for (const [longitude, latitude] of places) {
    west = Math.min(west, longitude)
    east = Math.max(east, longitude)
    south = Math.min(south, latitude)
    north = Math.max(north, latitude)
  }
  return [
    [west, south],
    [east, north],
  ]
}
