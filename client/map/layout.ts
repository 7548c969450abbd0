/**
 * Where each node stands. The wire carries only sites, so the nodes of one site are spread around it as a sunflower
 * spreads its seeds (phyllotaxis): even, without collisions, and the same on every screen and after every restart.
 * The most central role takes the middle.
 */
import { toWorld } from "#client/map/mercator.ts"

/** Common units between neighbours of one site: 12 px at zoom 7, about 7 km at the equator. */
export const SPACING = 0.094
const GOLDEN_ANGLE = Math.PI * (3 - Math.sqrt(5))

export interface LayoutInput {
  readonly siteLatitude: Float64Array
  readonly siteLongitude: Float64Array
  /** Per node: index of its site, and the tier of its role (0 = core). */
  readonly site: Uint32Array
  readonly tier: Uint8Array
  /** Per node: ties inside a site are broken by it, so that the picture survives a new order of slots. */
  readonly name: readonly string[]
}

/** x, y pairs in common space, one per node. A node of an unknown site stands at 0, 0 of the common space's middle. */
export const placeNodes = (input: LayoutInput): Float64Array => {
  const bySite = new Map<number, number[]>()
  input.site.forEach((site, slot) => {
    const members = bySite.get(site)
    if (members === undefined) bySite.set(site, [slot])
    else members.push(slot)
  })
  const places = new Float64Array(input.site.length * 2)
  for (const [site, members] of bySite) {
    members.sort(
      (a, b) => (input.tier[a] ?? 0) - (input.tier[b] ?? 0) || compare(input.name[a], input.name[b]) || a - b,
    )
    const centre = toWorld(input.siteLongitude[site] ?? 0, input.siteLatitude[site] ?? 0)
    members.forEach((slot, rank) => {
      const radius = SPACING * Math.sqrt(rank)
      places[slot * 2] = centre.x + radius * Math.cos(rank * GOLDEN_ANGLE)
      places[slot * 2 + 1] = centre.y + radius * Math.sin(rank * GOLDEN_ANGLE)
    })
  }
  return places
}

const compare = (a = "", b = ""): number => (a < b ? -1 : a > b ? 1 : 0)
