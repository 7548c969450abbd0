/**
 * Web Mercator in deck.gl's common space: a square of 512 units, x east, y north; one unit is 2^zoom screen pixels.
 * Own functions, so that layout and picking run and are tested without a browser.
 */
export const WORLD_SIZE = 512

export interface Point {
  readonly x: number
  readonly y: number
}

/** WGS 84 degrees to common space; latitudes beyond 85.05 are held there. */
export const toWorld = (longitude: number, latitude: number): Point => {
  const phi = (Math.max(-85.0511, Math.min(85.0511, latitude)) * Math.PI) / 180
  return {
    x: WORLD_SIZE * (longitude / 360 + 0.5),
    y: (WORLD_SIZE * (Math.PI + Math.log(Math.tan(Math.PI / 4 + phi / 2)))) / (2 * Math.PI),
  }
}

export const toLngLat = ({ x, y }: Point): { longitude: number; latitude: number } => ({
  longitude: (x / WORLD_SIZE - 0.5) * 360,
  latitude: (Math.atan(Math.exp((y / WORLD_SIZE) * 2 * Math.PI - Math.PI)) * 2 - Math.PI / 2) * (180 / Math.PI),
})
