/**
 * The seeded ISP: same seed, same size, same country, same network, byte for byte. The cities are real, everything else
 * is invented; whatever shows it to people must say that it is a demo (its name does).
 */
import { citiesOf } from "#lab/isp/cities.ts"
import { equip } from "#lab/isp/equip.ts"
import type { Isp } from "#lab/isp/model.ts"
import { dice } from "#lab/isp/random.ts"
import { planTopology } from "#lab/isp/topology.ts"

export const DEMO_NAME = "Aurora Telecom (demo)"
export const DEFAULT_ROUTERS = 120
export const DEFAULT_SEED = 1

export interface IspOptions {
  /** How many devices, upstreams included: ROUTERS_MIN to ROUTERS_MAX. */
  readonly routers: number
  readonly seed: number
  /** ISO 3166-1 alpha-2; default BR. */
  readonly country?: string
  /** How many of them stand at one site (big-site.ts); default none. */
  readonly bigSite?: number
}

/** Throws an Error that names the option when one is out of range. */
export const generate = (options: IspOptions): Isp => {
  const { routers, seed, country = "BR", bigSite = 0 } = options
  const topology = planTopology(routers, citiesOf(country), dice(seed, "topology"), bigSite)
  return equip(topology, seed, country, DEMO_NAME, dice(seed, "equipment"))
}
