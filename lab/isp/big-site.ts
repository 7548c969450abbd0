/**
 * One site with very many routers: a metro's point of presence, whose power feeds them all. Two aggregation routers to the
 * core, BNGs on both of them, access routers behind these. Its blackout is the storm that an ISP fears most (PRODUCT.md I7).
 */
import type { City } from "#lab/isp/cities.ts"
import type { LinkKind } from "#lab/isp/model.ts"
import type { Dice } from "#lab/isp/random.ts"
import type { Role } from "#protocol/role.ts"

export const BIG_SITE_MIN = 6
/** Each has a port on one of the aggregation routers, which have boards for so many. */
export const BIG_SITE_MAX = 1_000
export const BIG_SITE_LABEL = "Metro"

/** What it is drawn on: the plan of topology.ts. */
export interface BigSitePlan {
  readonly dice: Dice
  readonly addSite: (city: City, label?: string) => number
  readonly addRouter: (
    site: number,
    roles: readonly Role[],
    subscribers?: number,
    bng?: number | "self" | null,
  ) => number
  readonly addLink: (kind: LinkKind, a: number, b: number) => void
  readonly nearest: (to: number, among: readonly number[], count: number) => readonly number[]
}

const ACCESS_PER_BNG = 20
/** Every so many access routers hang on two BNGs. */
const DUAL_EVERY = 4

/** Throws when a site cannot have so many; 0 = there is none. */
export const checkBigSite = (routers: number): void => {
  if (routers === 0) return
  if (!Number.isInteger(routers) || routers < BIG_SITE_MIN || routers > BIG_SITE_MAX)
    throw new Error(`a big site has from ${BIG_SITE_MIN} to ${BIG_SITE_MAX} routers, not ${routers}`)
}

export const bigSite = (plan: BigSitePlan, routers: number, city: City, cores: readonly number[]): void => {
  const site = plan.addSite(city, BIG_SITE_LABEL)
  const aggs = [0, 1].map(() => {
    const agg = plan.addRouter(site, ["agg"])
    for (const core of plan.nearest(agg, cores, 2)) plan.addLink("agg", core, agg)
    return agg
  })
  const below = routers - aggs.length
  const bngs = Array.from({ length: Math.max(2, Math.ceil(below / (ACCESS_PER_BNG + 1))) }, () => {
    const bng = plan.addRouter(site, ["bng"], plan.dice.int(300, 2500), "self")
    for (const agg of aggs) plan.addLink("bng", agg, bng)
    return bng
  })
  for (let i = 0; i < below - bngs.length; i++) {
    const home = bngs[i % bngs.length] as number
    const router = plan.addRouter(site, ["access"], plan.dice.int(80, 900), home)
    plan.addLink("access", home, router)
    if (i % DUAL_EVERY === 0) plan.addLink("access", bngs[(i + 1) % bngs.length] as number, router)
  }
}
