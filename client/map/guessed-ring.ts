/**
 * The mark of a place that nobody gave: a dashed, hollow ring around the site, in pixels. Made by hand because a style may
 * name no sprite file (basemap-style.ts), and a circle of MapLibre's cannot be dashed.
 */
import type { Rgb } from "#client/map/palette.ts"

export const GUESSED_IMAGE = "guessed-place"
/** On the screen; the image has twice as many for sharp displays. */
export const RING_PX = 36
export const PIXEL_RATIO = 2
const DASHES = 12
/** Of each dash's share of the circle. */
const INK = 0.58
const WIDTH_PX = 1.6

export interface RingImage {
  readonly width: number
  readonly height: number
  /** RGBA, not premultiplied. */
  readonly data: Uint8ClampedArray
}

export const guessedRing = ([red, green, blue]: Rgb): RingImage => {
  const size = RING_PX * PIXEL_RATIO
  const data = new Uint8ClampedArray(size * size * 4)
  const middle = (size - 1) / 2
  const half = (WIDTH_PX * PIXEL_RATIO) / 2
  const radius = size / 2 - half - 1
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const [dx, dy] = [x - middle, y - middle]
      const across = half + 0.5 - Math.abs(Math.hypot(dx, dy) - radius)
      const turn = (Math.atan2(dy, dx) / (2 * Math.PI) + 1) * DASHES
      // Pixels along the circle to the nearer end of the dash; negative = in the gap.
      const along = (INK / 2 - Math.abs((turn % 1) - 0.5)) * ((2 * Math.PI * radius) / DASHES) + 0.5
      const cover = Math.max(0, Math.min(1, across)) * Math.max(0, Math.min(1, along))
      if (cover > 0) data.set([red, green, blue, Math.round(cover * 255)], (y * size + x) * 4)
    }
  }
  return { width: size, height: size, data }
}
