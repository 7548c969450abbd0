/** The map's colours, read from the design tokens (ui/tokens.css), so that panel and map can never disagree. */
import { MARKS } from "#client/map/mark.ts"

export type Rgb = readonly [number, number, number]
export const LOAD_STOPS = 5
const WIDTH = 256
const UNKNOWN = 255

/** `#rrggbb` or `#rgb`; black for anything else. */
export const parseColor = (text: string): Rgb => {
  const hex = text.trim().replace("#", "")
  const full = hex.length === 3 ? [...hex].map((digit) => digit + digit).join("") : hex
  const value = Number.parseInt(full.slice(0, 6), 16)
  return Number.isNaN(value) ? [0, 0, 0] : [(value >> 16) & 255, (value >> 8) & 255, value & 255]
}

/**
 * Pixels for the shaders, 256 x 2 RGBA. Row 0: link load in half percents (200 = full, 255 = unknown). Row 1: the six
 * marks, then the outline (6) and the selection (7).
 */
export const makePalette = (token: (name: string) => string): Uint8Array => {
  const pixels = new Uint8Array(WIDTH * 2 * 4)
  const write = (row: number, column: number, [r, g, b]: Rgb) => pixels.set([r, g, b, 255], (row * WIDTH + column) * 4)
  const stops = Array.from({ length: LOAD_STOPS }, (_, index) => parseColor(token(`--load-${index}`)))
  for (let load = 0; load < UNKNOWN; load++) write(0, load, rampAt(stops, Math.min(1, load / 200)))
  write(0, UNKNOWN, parseColor(token("--load-unknown")))
  MARKS.forEach((mark, index) => write(1, index, parseColor(token(`--${mark}`))))
  write(1, 6, parseColor(token("--land")))
  write(1, 7, parseColor(token("--ink")))
  return pixels
}

const rampAt = (stops: readonly Rgb[], share: number): Rgb => {
  const at = share * (stops.length - 1)
  const from = stops[Math.floor(at)] ?? [0, 0, 0]
  const to = stops[Math.min(stops.length - 1, Math.floor(at) + 1)] ?? from
  const rest = at - Math.floor(at)
  const mix = (index: 0 | 1 | 2) => Math.round(from[index] + (to[index] - from[index]) * rest)
  return [mix(0), mix(1), mix(2)]
}

export const cssToken = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim()
