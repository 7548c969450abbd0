/** Reading screenshots: what colour is where. A test that only compares pictures also passes on two blank ones. */
import { PNG } from "pngjs"
import type { Page } from "playwright-core"

export type Rgb = readonly [number, number, number]

export interface Picture {
  readonly width: number
  readonly height: number
  readonly png: Buffer
  readonly at: (x: number, y: number) => Rgb
  /** Is there a pixel of about this colour within `reach` pixels? */
  readonly has: (x: number, y: number, color: Rgb, reach: number) => boolean
  readonly colors: () => number
}

/** Largest difference of one channel that still counts as the same colour (antialiasing, blending with the outline). */
const TOLERANCE = 26

export const takePicture = async (page: Page, path?: string): Promise<Picture> => {
  const png = await page.screenshot(path === undefined ? {} : { path })
  const { width, height, data } = PNG.sync.read(png)
  const at = (x: number, y: number): Rgb => {
    const offset = (Math.round(y) * width + Math.round(x)) * 4
    return [data[offset] ?? 0, data[offset + 1] ?? 0, data[offset + 2] ?? 0]
  }
  const has = (x: number, y: number, color: Rgb, reach: number): boolean => {
    for (let dy = -reach; dy <= reach; dy++) {
      for (let dx = -reach; dx <= reach; dx++) if (near(at(x + dx, y + dy), color)) return true
    }
    return false
  }
  const colors = () => {
    const seen = new Set<number>()
    for (let offset = 0; offset < data.length; offset += 4 * 7) seen.add(data.readUIntBE(offset, 3))
    return seen.size
  }
  return { width, height, png, at, has, colors }
}

const near = (a: Rgb, b: Rgb): boolean => a.every((value, channel) => Math.abs(value - (b[channel] ?? 0)) <= TOLERANCE)
