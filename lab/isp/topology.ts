/**
 * Who stands where and who is wired to whom: a core ring with chords through the biggest cities, aggregation dual-homed
 * to it, BNGs behind aggregation (most of them dual-homed), access routers behind BNGs, edges to the upstreams. The
 * shape is that of regional ISPs; sizes only scale the counts. Addresses and equipment come later (equip.ts).
 */
import { bigSite, checkBigSite } from "#lab/isp/big-site.ts"
import { distanceKm, slug } from "#lab/isp/cities.ts"
import type { City } from "#lab/isp/cities.ts"
import type { LinkKind, Site } from "#lab/isp/model.ts"
import type { Dice } from "#lab/isp/random.ts"
import type { Role } from "#protocol/role.ts"

export const ROUTERS_MIN = 12
export const ROUTERS_MAX = 10_000

export interface PlannedRouter {
  readonly name: string
  readonly site: number
  readonly roles: readonly Role[]
  readonly subscribers: number
  readonly bng: number | null
  /** Route reflector cluster; null for routers without BGP and for upstreams. */
  cluster: number | null
}
export interface PlannedLink {
  readonly kind: LinkKind
  readonly a: number
  readonly b: number
  readonly km: number
}
export interface Topology {
  readonly sites: readonly Site[]
  readonly routers: readonly PlannedRouter[]
  readonly links: readonly PlannedLink[]
  readonly reflectors: ReadonlyArray<readonly number[]>
  readonly upstreams: readonly number[]
  readonly cores: readonly number[]
}

interface Counts {
  readonly upstream: number
  readonly reflector: number
  readonly core: number
  readonly agg: number
  readonly bng: number
  readonly access: number
}

/** Clients of one pair of route reflectors. */
const CLIENTS_PER_CLUSTER = 250

export const countsFor = (routers: number): Counts => {
  if (!Number.isInteger(routers) || routers < ROUTERS_MIN || routers > ROUTERS_MAX)
    throw new Error(`routers must be a whole number from ${ROUTERS_MIN} to ${ROUTERS_MAX}, not ${routers}`)
  const upstream = routers < 300 ? 2 : routers < 3000 ? 4 : 6
  const reflector = routers < 40 ? 0 : 2 * Math.ceil((routers * 0.5) / CLIENTS_PER_CLUSTER)
  const core = routers < 40 ? 4 : Math.min(80, 2 * Math.round(0.4 * Math.sqrt(routers)))
  const agg = Math.max(2, Math.round(0.15 * routers))
  const rest = routers - 2 * upstream - reflector - core - agg
  const bng = Math.max(1, Math.round(0.42 * rest))
  return { upstream, reflector, core, agg, bng, access: rest - bng }
}

/** `atBigSite` of the routers stand at one site of their own; 0 = there is none such. */
export const planTopology = (routers: number, cities: readonly City[], dice: Dice, atBigSite = 0): Topology => {
  checkBigSite(atBigSite)
  const counts = countsFor(routers - atBigSite)
  const plan = new Plan(dice)
  const cores = coreRing(plan, counts.core, cities)
  const upstreams = edges(plan, counts.upstream, cores)
  const reflectors = routeReflectors(plan, counts.reflector, cores)
  const aggs = aggregation(plan, counts.agg, cities, cores)
  const bngs = broadband(plan, counts.bng, cities, aggs)
  access(plan, counts.access, cities, bngs, aggs)
  if (atBigSite > 0) bigSite(plan, atBigSite, cities[0] as City, cores)
  assignClusters(plan, reflectors)
  return { sites: plan.sites, routers: plan.routers, links: plan.links, reflectors, upstreams, cores }
}

const PREFIX: Partial<Record<Role, string>> = {
  core: "CR",
  rr: "RR",
  edge: "ED",
  upstream: "UP",
  agg: "AG",
  bng: "BNG",
  access: "ACC",
}

/** What is being drawn: sites, routers and links so far. */
class Plan {
  readonly sites: Site[] = []
  readonly routers: PlannedRouter[] = []
  readonly links: PlannedLink[] = []
  readonly dice: Dice
  private readonly siteIds = new Set<string>()
  private readonly namesAtSite = new Map<string, number>()
  private readonly wired = new Set<string>()

  constructor(dice: Dice) {
    this.dice = dice
  }

  /** A POP of a city; the first one stands in its centre, later ones some kilometres off. */
  addSite(city: City, label?: string): number {
    const base = label === undefined ? slug(city.name) : `${slug(label)}-${slug(city.name)}`
    const first = !this.siteIds.has(base)
    let nth = 1
    let id = base
    while (this.siteIds.has(id)) id = `${base}-${++nth}`
    this.siteIds.add(id)
    const name = label === undefined ? city.name : `${label} (${city.name})`
    const spread = first && label === undefined ? 0 : 0.07
    const index = this.sites.length
    this.sites.push({
      id,
      name: first ? name : `${name} ${nth}`,
      latitude: round5(city.latitude + this.dice.between(-spread, spread)),
      longitude: round5(city.longitude + this.dice.between(-spread, spread)),
    })
    return index
  }

  addRouter(site: number, roles: readonly Role[], subscribers = 0, bng: number | "self" | null = null): number {
    const index = this.routers.length
    this.routers.push({
      name: this.nameFor(site, roles[0]!),
      site,
      roles,
      subscribers,
      bng: bng === "self" ? index : bng,
      cluster: null,
    })
    return index
  }

  /** CR1-RIO001: role and number within the site, three letters of the city, number of the site. */
  private nameFor(site: number, role: Role): string {
    const code =
      this.sites[site]!.id.replace(/[^a-z]/g, "")
        .slice(0, 3)
        .toUpperCase() + String(site + 1).padStart(3, "0")
    const key = `${role} ${code}`
    const nth = (this.namesAtSite.get(key) ?? 0) + 1
    this.namesAtSite.set(key, nth)
    return `${PREFIX[role] ?? "R"}${nth}-${code}`
  }

  /** One link between two routers; a second one between the same two is not drawn. */
  addLink(kind: LinkKind, a: number, b: number): void {
    const key = a < b ? `${a} ${b}` : `${b} ${a}`
    if (a === b || this.wired.has(key)) return
    this.wired.add(key)
    this.links.push({ kind, a, b, km: this.km(a, b) })
  }

  km(a: number, b: number): number {
    return distanceKm(this.place(a), this.place(b))
  }

  place(router: number): Site {
    return this.sites[this.routers[router]!.site]!
  }

  /** Nearest routers to one, nearest first. */
  nearest(to: number, among: readonly number[], count: number): readonly number[] {
    const best: Array<{ readonly other: number; readonly km: number }> = []
    for (const other of among) {
      const km = this.km(to, other)
      if (other === to || (best.length === count && km >= best.at(-1)!.km)) continue
      best.push({ other, km })
      best.sort((x, y) => x.km - y.km)
      best.length = Math.min(best.length, count)
    }
    return best.map((candidate) => candidate.other)
  }
}

const round5 = (degrees: number): number => Math.round(degrees * 1e5) / 1e5

/** Biggest cities that keep a distance from those taken before; the distance shrinks until there are enough. */
const spacedCities = (cities: readonly City[], count: number, km: number): readonly City[] => {
  for (let spacing = km; ; spacing = spacing / 2) {
    const taken: City[] = []
    for (const city of cities) {
      if (taken.length === count) break
      if (taken.every((other) => distanceKm(city, other) >= spacing)) taken.push(city)
    }
    if (taken.length === count || spacing < 1) return taken
  }
}

/** Two routers in the bigger core cities from 40 routers on. Ring plus chords: any one router or link may fail. */
const coreRing = (plan: Plan, count: number, cities: readonly City[]): readonly number[] => {
  const siteCount = count < 6 ? count : Math.ceil(count * 0.75)
  const ring = shortRing(spacedCities(cities, siteCount, 250))
  const bySize = [...ring].sort((x, y) => y.population - x.population)
  const twins = new Set(bySize.slice(0, count - ring.length))
  const first: number[] = []
  const last: number[] = []
  for (const city of ring) {
    const site = plan.addSite(city)
    const roles: readonly Role[] = count < 6 && first.length < 2 ? ["core", "rr"] : ["core"]
    first.push(plan.addRouter(site, roles))
    if (!twins.has(city)) last.push(first.at(-1)!)
    else {
      last.push(plan.addRouter(site, ["core"]))
      plan.addLink("core", first.at(-1)!, last.at(-1)!)
    }
  }
  for (let i = 0; i < ring.length; i++) plan.addLink("core", last[i]!, first[(i + 1) % ring.length]!)
  chords(plan, first, last)
  return plan.routers.map((_, index) => index)
}

/** From every second core city to the nearest city that is not its neighbour on the ring. */
const chords = (plan: Plan, first: readonly number[], last: readonly number[]): void => {
  const n = first.length
  if (n < 4) return
  for (let i = 0; i < n; i += 2) {
    const away = first.filter((_, j) => Math.min((j - i + n) % n, (i - j + n) % n) > 1)
    const to = plan.nearest(first[i]!, away, 1)[0]
    if (to !== undefined) plan.addLink("core", first[i]!, last[first.indexOf(to)]!)
  }
}

/** Nearest-neighbour tour, then 2-opt until nothing improves: a ring that looks like one a planner would dig. */
const shortRing = (cities: readonly City[]): readonly City[] => {
  const left = [...cities]
  const tour = left.splice(0, 1)
  while (left.length > 0) {
    const here = tour.at(-1)!
    let best = 0
    for (let i = 1; i < left.length; i++) if (distanceKm(here, left[i]!) < distanceKm(here, left[best]!)) best = i
    tour.push(...left.splice(best, 1))
  }
  const at = (i: number) => tour[i % tour.length]!
  for (let improved = true; improved;) {
    improved = false
    for (let i = 0; i < tour.length - 1; i++)
      for (let j = i + 2; j < tour.length; j++) {
        const before = distanceKm(at(i), at(i + 1)) + distanceKm(at(j), at(j + 1))
        const after = distanceKm(at(i), at(j)) + distanceKm(at(i + 1), at(j + 1))
        if (after < before - 1e-9) {
          tour.splice(i + 1, j - i, ...tour.slice(i + 1, j + 1).reverse())
          improved = true
        }
      }
  }
  return tour
}

/** One edge router per upstream, in the first core cities; each edge hangs on two core routers. */
const edges = (plan: Plan, count: number, cores: readonly number[]): readonly number[] => {
  const sites = [...new Set(cores.map((core) => plan.routers[core]!.site))]
  const upstreams: number[] = []
  for (let i = 0; i < count; i++) {
    const site = sites[Math.floor((i * sites.length) / count)]!
    const edge = plan.addRouter(site, ["edge"])
    for (const core of plan.nearest(edge, cores, 2)) plan.addLink("edge", core, edge)
    const place = plan.sites[site]!
    const transit = plan.addSite({ ...place, population: 0 }, `Transit ${String.fromCharCode(65 + i)}`)
    upstreams.push(plan.addRouter(transit, ["upstream"]))
    plan.addLink("upstream", edge, upstreams.at(-1)!)
  }
  return upstreams
}

/** Pairs of route reflectors, the two of a pair in different cities. Below 40 routers two core routers reflect. */
const routeReflectors = (plan: Plan, count: number, cores: readonly number[]): ReadonlyArray<readonly number[]> => {
  if (count === 0) return [cores.filter((core) => plan.routers[core]!.roles.includes("rr"))]
  const pairs: number[][] = []
  for (let i = 0; i < count; i += 2) {
    const pair = [i, i + 1].map((nth) => {
      const home = cores[Math.floor(((nth + 0.5) * cores.length) / count) % cores.length]!
      const reflector = plan.addRouter(plan.routers[home]!.site, ["rr"])
      for (const core of plan.nearest(reflector, cores, 2)) plan.addLink("core", core, reflector)
      return reflector
    })
    pairs.push(pair)
  }
  return pairs
}

const aggregation = (
  plan: Plan,
  count: number,
  cities: readonly City[],
  cores: readonly number[],
): readonly number[] => {
  const places = spacedCities(cities, Math.min(count, Math.floor(cities.length / 4)), 60)
  const sites = places.map((city) => siteInCity(plan, city) ?? plan.addSite(city))
  const aggs: number[] = []
  for (let i = 0; i < count; i++) {
    const agg = plan.addRouter(sites[i % sites.length]!, ["agg"])
    aggs.push(agg)
    for (const core of plan.nearest(agg, cores, 2)) plan.addLink("agg", core, agg)
  }
  return aggs
}

const siteInCity = (plan: Plan, city: City): number | null => {
  const id = slug(city.name)
  const index = plan.sites.findIndex((site) => site.id === id && distanceKm(site, city) < 1)
  return index < 0 ? null : index
}

const broadband = (plan: Plan, count: number, cities: readonly City[], aggs: readonly number[]): readonly number[] => {
  const bngs: number[] = []
  for (const city of allot(cities.slice(0, Math.ceil(count * 1.2)), count)) {
    const home = siteInCity(plan, city)
    const crowded = home === null || plan.routers.filter((router) => router.site === home).length >= 6
    const site = crowded ? plan.addSite(city) : home
    const bng = plan.addRouter(site, ["bng"], plan.dice.int(300, 2500), "self")
    bngs.push(bng)
    const homes = plan.dice.chance(0.7) ? 2 : 1
    for (const agg of plan.nearest(bng, aggs, homes)) plan.addLink("bng", agg, bng)
  }
  return bngs
}

const CHILDREN_MAX = 10

const access = (
  plan: Plan,
  count: number,
  cities: readonly City[],
  bngs: readonly number[],
  aggs: readonly number[],
): void => {
  const children = new Map<number, number>()
  for (const city of allot(cities.slice(0, Math.ceil(count * 1.2)), count)) {
    const site = plan.addSite(city)
    const free = bngs.filter((bng) => (children.get(bng) ?? 0) < CHILDREN_MAX)
    const parent = nearestTo(plan, city, free.length > 0 ? free : bngs)
    children.set(parent, (children.get(parent) ?? 0) + 1)
    const router = plan.addRouter(site, ["access"], plan.dice.int(80, 900), parent)
    plan.addLink("access", parent, router)
    if (plan.dice.chance(0.25)) plan.addLink("access", nearestTo(plan, city, aggs), router)
  }
}

const nearestTo = (plan: Plan, city: City, among: readonly number[]): number => {
  let best = among[0]!
  let bestKm = Infinity
  for (const router of among) {
    const km = distanceKm(city, plan.place(router))
    if (km < bestKm) {
      best = router
      bestKm = km
    }
  }
  return best
}

/** Shares `count` routers among cities by highest averages (D'Hondt), with bigger cities damped as markets are. */
const allot = (cities: readonly City[], count: number): readonly City[] => {
  const weight = cities.map((city) => city.population ** 0.6)
  const got = cities.map(() => 0)
  const turns: City[] = []
  for (let i = 0; i < count; i++) {
    let best = 0
    for (let j = 1; j < cities.length; j++) if (weight[j]! / (got[j]! + 1) > weight[best]! / (got[best]! + 1)) best = j
    got[best]!++
    turns.push(cities[best]!)
  }
  return turns
}

/** Every BGP speaker belongs to the cluster of the nearest pair with room; access routers do not speak BGP. */
const assignClusters = (plan: Plan, reflectors: ReadonlyArray<readonly number[]>): void => {
  const members = reflectors.map(() => 0)
  reflectors.forEach((pair, cluster) => pair.forEach((router) => (plan.routers[router]!.cluster = cluster)))
  plan.routers.forEach((router, index) => {
    if (router.cluster !== null || router.roles[0] === "access" || router.roles[0] === "upstream") return
    const byDistance = reflectors
      .map((pair, cluster) => ({ cluster, km: plan.km(index, pair[0]!) }))
      .sort((x, y) => x.km - y.km || x.cluster - y.cluster)
    const open = byDistance.find(({ cluster }) => members[cluster]! < CLIENTS_PER_CLUSTER * 1.4) ?? byDistance[0]!
    members[open.cluster]!++
    router.cluster = open.cluster
  })
}
