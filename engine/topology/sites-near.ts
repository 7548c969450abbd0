/**
 * Where sites are (PRODUCT.md W8): within so many kilometres of a place, or inside a polygon. Distances are great circles
 * on a sphere of 6,371 km (within 0.6 % of WGS 84). A polygon is flat in degrees, as maps draw it; one that crosses the
 * antimeridian is meant when two neighbouring corners lie more than 180 degrees apart.
 */
import type { Inventory, Site } from "#protocol/inventory.ts"

export interface Place {
  readonly latitude: number
  readonly longitude: number
}
export type Area =
  | { readonly kind: "circle"; readonly centre: Place; readonly km: number }
  | { readonly kind: "polygon"; readonly corners: readonly Place[] }

export interface FoundSite {
  readonly site: Site
  /** From the centre; null inside a polygon. */
  readonly km: number | null
  readonly devices: number
}

const EARTH_KM = 6_371
/** Half a circumference: nothing is further away. */
export const KM_MAX = 20_040
const CORNERS_MAX = 100

/** Of a query string; a text says what is wrong with it. */
export const areaOf = (query: {
  readonly latitude?: string
  readonly longitude?: string
  readonly km?: string
  readonly polygon?: string
}): Area | string => {
  const { polygon } = query
  if (polygon !== undefined) {
    const corners = polygon.split(";").map(placeOf)
    if (corners.length < 3 || corners.length > CORNERS_MAX) return "`polygon` has 3 to 100 corners `latitude,longitude`"
    const known = corners.filter((corner) => corner !== null)
    return known.length === corners.length
      ? { kind: "polygon", corners: known }
      : "a corner of `polygon` is no `latitude,longitude` in degrees"
  }
  const centre = placeOf(`${query.latitude ?? ""},${query.longitude ?? ""}`)
  const km = numberOf(query.km ?? "")
  if (centre === null || km === null || km < 0 || km > KM_MAX)
    return "give `latitude`, `longitude` (degrees) and `km`, or a `polygon`"
  return { kind: "circle", centre, km }
}

/** Nearest first, and by id. O(sites + devices). */
export const sitesIn = ({ sites, devices }: Inventory, area: Area): readonly FoundSite[] => {
  const counts = new Map<string, number>()
  for (const { site } of devices) counts.set(site, (counts.get(site) ?? 0) + 1)
  const found = sites.flatMap((site): FoundSite[] => {
    const km = area.kind === "circle" ? kilometres(area.centre, site) : null
    const isIn = area.kind === "circle" ? (km ?? Infinity) <= area.km : contains(area.corners, site)
    return isIn ? [{ site, km, devices: counts.get(site.id) ?? 0 }] : []
  })
  return found.sort((x, y) => (x.km ?? 0) - (y.km ?? 0) || (x.site.id < y.site.id ? -1 : 1))
}

/** Haversine: good for small distances, too. */
export const kilometres = (x: Place, y: Place): number => {
  const radians = Math.PI / 180
  const half = (degrees: number): number => Math.sin((degrees * radians) / 2) ** 2
  const across = Math.cos(x.latitude * radians) * Math.cos(y.latitude * radians)
  const h = half(y.latitude - x.latitude) + across * half(y.longitude - x.longitude)
  return 2 * EARTH_KM * Math.asin(Math.min(1, Math.sqrt(h)))
}

/** Even-odd rule; on the edge counts as either. Longitudes are unrolled along the corners, and the place is tried in each turn. */
export const contains = (corners: readonly Place[], place: Place): boolean => {
  const unrolled: Place[] = []
  for (const corner of corners) {
    const before = unrolled.at(-1)?.longitude ?? corner.longitude
    const turns = Math.round((before - corner.longitude) / 360)
    unrolled.push({ latitude: corner.latitude, longitude: corner.longitude + 360 * turns })
  }
  return [-360, 0, 360].some((turn) => isInside(unrolled, { ...place, longitude: place.longitude + turn }))
}

const isInside = (corners: readonly Place[], { latitude, longitude }: Place): boolean => {
  let inside = false
  let before = corners.at(-1) as Place
  for (const corner of corners) {
    if (corner.latitude > latitude !== before.latitude > latitude) {
      const part = (latitude - corner.latitude) / (before.latitude - corner.latitude)
      if (longitude < corner.longitude + part * (before.longitude - corner.longitude)) inside = !inside
    }
    before = corner
  }
  return inside
}

const placeOf = (text: string): Place | null => {
  const [first = "", second = "", more] = text.split(",")
  const [latitude, longitude] = [numberOf(first), numberOf(second)]
  if (more !== undefined || latitude === null || longitude === null) return null
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 ? { latitude, longitude } : null
}

const numberOf = (text: string): number | null => {
  const value = text.trim() === "" ? Number.NaN : Number(text)
  return Number.isFinite(value) ? value : null
}
