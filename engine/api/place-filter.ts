/**
 * Where the rows of a list may stand (PRODUCT.md W8): `near=latitude,longitude,km`, `bbox=west,south,east,north` (RFC 7946 s5:
 * a box whose west is greater than its east crosses the antimeridian) and `place`, a part of a site's name without case and
 * accents. All that are given must hold. A list stays in the order of its keys; nearest first is GET /sites-near.
 */
import { kilometres, KM_MAX } from "#engine/topology/sites-near.ts"
import type { Inventory, Site } from "#protocol/inventory.ts"

export interface PlaceQuery {
  readonly near?: string
  readonly bbox?: string
  readonly place?: string
}

export type PlaceFilter = (site: Pick<Site, "name" | "latitude" | "longitude">) => boolean

/** A text says what is wrong. */
export const placeFilter = ({ near, bbox, place }: PlaceQuery): { readonly where?: PlaceFilter } | string => {
  const filters: PlaceFilter[] = []
  if (near !== undefined) {
    const [latitude, longitude, km, more] = numbersOf(near)
    if (!isDegrees(latitude, 90) || !isDegrees(longitude, 180) || km === undefined || more !== undefined)
      return "`near` is `latitude,longitude,km` in degrees and kilometres"
    if (!(km >= 0 && km <= KM_MAX)) return `\`near\` reaches 0 to ${KM_MAX} km`
    filters.push((site) => kilometres({ latitude, longitude }, site) <= km)
  }
  if (bbox !== undefined) {
    const [west, south, east, north, more] = numbersOf(bbox)
    const isBox = isDegrees(west, 180) && isDegrees(south, 90) && isDegrees(east, 180) && isDegrees(north, 90)
    if (!isBox || more !== undefined || south > north)
      return "`bbox` is `west,south,east,north` in degrees, south not above north"
    filters.push(({ latitude, longitude }) => {
      const isAcross = west > east ? longitude >= west || longitude <= east : longitude >= west && longitude <= east
      return isAcross && latitude >= south && latitude <= north
    })
  }
  if (place !== undefined) {
    const wanted = plain(place)
    filters.push(({ name }) => plain(name).includes(wanted))
  }
  return filters.length === 0 ? {} : { where: (site) => filters.every((holds) => holds(site)) }
}

/** Sites of an inventory where a filter holds, by id; null = everywhere. */
export const placesWhere = ({ sites }: Inventory, filter?: PlaceFilter): ReadonlySet<string> | null =>
  filter === undefined ? null : new Set(sites.filter(filter).map(({ id }) => id as string))

/** NaN where a part is no number. */
const numbersOf = (text: string): readonly number[] =>
  text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)))

const isDegrees = (value: number | undefined, most: number): value is number =>
  value !== undefined && Math.abs(value) <= most

/** São Paulo is found by `sao paulo`. */
const plain = (text: string): string => text.normalize("NFD").replaceAll(/\p{M}/gu, "").toLowerCase()
