/**
 * What should worry us although nothing is down: every single link, router, site and shared-risk group failed in turn on
 * the network as it is now, ranked by customers times probability; and every router that has only one way left. The same
 * engine as `whatIf`, without the parts that a ranking does not need (traffic that no demand explains stays where it is).
 */
import type { CustomersLost } from "#twin/whatif/customers.ts"
import { applyFaults } from "#twin/whatif/fault.ts"
import type { Failed, Fault } from "#twin/whatif/fault.ts"
import { dependenceNow } from "#twin/whatif/model.ts"
import type { Model } from "#twin/whatif/model.ts"
import { redundancyOf, singleWays } from "#twin/whatif/redundancy.ts"
import type { Spanning } from "#twin/whatif/spanning.ts"
import { flowThrough, Shift } from "#twin/whatif/shift.ts"
import { isAbove } from "#twin/whatif/traffic.ts"
import type { Demand } from "#twin/whatif/traffic.ts"
import { failWays } from "#twin/whatif/what-if.ts"

export type Element =
  | { readonly kind: "link"; readonly link: number }
  | Extract<Fault, { kind: "router" | "site" | "srlg" }>

/** Expected failures of one element a year. Assumptions, to be replaced by what an operator's own years say. */
export interface Priors {
  readonly link: number
  readonly router: number
  readonly site: number
  readonly srlg: number
}
export const PRIORS: Priors = { link: 0.5, router: 0.2, site: 0.1, srlg: 0.1 }

export interface Candidate {
  readonly element: Element
  /** Our routers that lose every exit, the failed ones included. */
  readonly routers: number
  readonly customers: CustomersLost
  /** Where nobody of ours is left with service and somebody was. */
  readonly sites: number
  /** Link directions that would be above capacity and are not now; null = not asked, or no load is known. */
  readonly overloaded: number | null
  readonly perYear: number
  /** Customers times expected failures a year; customers of unknown number count as none. */
  readonly score: number
}

export interface Ranking {
  /** Worst first: by score, then by routers times failures a year; at most `most`. Those that hurt nobody are left out. */
  readonly candidates: readonly Candidate[]
  /** Elements tried, and how many of them cut somebody off or fill a link. */
  readonly tried: number
  readonly harmful: number
  /** Our routers with service that one failure would cut off. */
  readonly single: readonly SinglePoint[]
  readonly assumptions: readonly string[]
}

/** Who hangs on one link or one router. */
export interface SinglePoint {
  readonly router: number
  /** The nearest link, and router, without which it has no way; -1 = none. */
  readonly link: number
  readonly byRouter: number
  /** True = with everything up it would have a way without these: redundancy is lost, not missing. */
  readonly lostNow: boolean
}

export interface RankingOptions {
  readonly priors?: Priors
  readonly most?: number
  /** Ask for full links as well: most of the time goes there. Default true. */
  readonly traffic?: boolean
}

const MOST = 200

export const nextFailures = (model: Model, options: RankingOptions = {}): Ranking => {
  const { priors = PRIORS, most = MOST, traffic = true } = options
  const trial = new Trial(model, traffic)
  const candidates: Candidate[] = []
  let tried = 0
  for (const element of elementsOf(model)) {
    tried++
    const { routers, customers, sites, overloaded } = trial.of(element)
    if (routers === 0 && (overloaded ?? 0) === 0) continue
    const perYear = priors[element.kind]
    const score = (customers.count ?? customers.measured + customers.estimated) * perYear
    candidates.push({ element, routers, customers, sites, overloaded, perYear, score })
  }
  const order = (x: Candidate, y: Candidate): number =>
    y.score - x.score || y.routers * y.perYear - x.routers * x.perYear || (y.overloaded ?? 0) - (x.overloaded ?? 0)
  return {
    candidates: candidates.toSorted(order).slice(0, most),
    tried,
    harmful: candidates.length,
    single: singlePoints(model),
    assumptions: [
      ...model.assumptions,
      `failures a year are assumed: link ${priors.link}, router ${priors.router}, site ${priors.site}, shared-risk group ${priors.srlg}`,
    ],
  }
}

/** What is up and can fail. */
function* elementsOf({ graph, downLinks, downNodes, sites, srlgs }: Model): Generator<Element> {
  for (let link = 0; link < graph.links; link++) if (downLinks[link] === 0) yield { kind: "link", link }
  for (let router = 0; router < graph.nodes; router++) if (downNodes[router] === 0) yield { kind: "router", router }
  for (let site = 0; site < sites; site++) yield { kind: "site", site }
  for (let srlg = 0; srlg < srlgs.length; srlg++) yield { kind: "srlg", srlg }
}

/** One element at a time, on structures that are taken back each time. */
class Trial {
  private readonly model: Model
  private readonly asksTraffic: boolean
  private readonly lost: Uint32Array
  private readonly shift: Shift
  /** What passes through each node of each tree now. */
  private readonly flows: readonly Demand[]
  private readonly alreadyLost: ReadonlySet<number>
  private readonly hasGroups: boolean
  /** Our routers, by site. */
  private readonly atSite: readonly (readonly number[])[]

  constructor(model: Model, asksTraffic: boolean) {
    this.model = model
    const { graph, loadNow, groups } = model
    this.asksTraffic = asksTraffic && loadNow.some((bps) => bps > 0)
    this.lost = new Uint32Array(graph.nodes)
    this.shift = new Shift(graph)
    this.flows = model.nearest.map(({ spf, demand }) => flowThrough(graph, spf, demand))
    this.hasGroups = groups.length > 0
    this.atSite = ownBySite(model)
    this.alreadyLost = new Set(dependenceNow(model).lost)
  }

  of(element: Element): Pick<Candidate, "routers" | "customers" | "sites" | "overloaded"> {
    const { model, lost } = this
    const failed = single(model, element)
    const { service } = model
    service.begin()
    const cutOff = this.collect(service, failed)
    const dependent = this.hasGroups ? dependenceNow(model).lost : []
    const count = this.withDependents(cutOff, dependent)
    const sites = this.sitesLost(cutOff, count, new Set(dependent))
    service.undo()
    const customers = model.customerCount.of(lost, count)
    let routers = 0
    for (let i = 0; i < count; i++) if (model.outside[lost[i] as number] === 0) routers++
    return { routers, customers, sites, overloaded: this.asksTraffic ? this.full(failed) : null }
  }

  private collect(service: Spanning, { nodes, links }: Failed): number {
    const { lost } = this
    let count = 0
    const take = (more: number): void => {
      for (let i = 0; i < more; i++) lost[count++] = service.changed[i] as number
    }
    for (const link of links) take(service.failLink(link))
    for (const node of nodes) take(service.failNode(node))
    return count
  }

  private withDependents(count: number, dependent: readonly number[]): number {
    let all = count
    for (const node of dependent) if (!this.alreadyLost.has(node)) this.lost[all++] = node
    return all
  }

  /** Asked while the fault stands: the first `cutOff` of `lost` have no way, the others only depend on somebody. */
  private sitesLost(cutOff: number, count: number, dependent: ReadonlySet<number>): number {
    const { siteOf, outside, service } = this.model
    const hit = new Set<number>()
    for (let i = 0; i < count; i++) {
      const node = this.lost[i] as number
      const site = siteOf[node] as number
      if (site >= 0 && (i >= cutOff || outside[node] === 0)) hit.add(site)
    }
    const isDark = (node: number): boolean => service.reached[node] !== 1 || dependent.has(node)
    return [...hit].filter((site) => (this.atSite[site] ?? []).every(isDark)).length
  }

  /** Directions that become full; only what the demands explain moves. */
  private full(failed: Failed): number {
    const { shift, flows } = this
    const { nearest: trees, graph, loadNow } = this.model
    for (const [i, { spf }] of trees.entries()) {
      spf.begin()
      failWays(spf, failed)
      shift.add(spf, flows[i] as Demand)
      spf.undo()
    }
    let count = 0
    for (let i = 0; i < shift.changedCount; i++) {
      const direction = shift.changed[i] as number
      const capacityBps = graph.capacityBps[direction >> 1] as number
      const now = loadNow[direction] as number
      if (!isAbove(now, capacityBps) && isAbove(now + (shift.more[direction] as number), capacityBps)) count++
    }
    shift.clear()
    return count
  }
}

const ownBySite = ({ siteOf, sites, outside }: Model): readonly (readonly number[])[] => {
  const own: number[][] = Array.from({ length: sites }, () => [])
  for (const [node, site] of siteOf.entries()) if (outside[node] === 0) own[site]?.push(node)
  return own
}

const single = (model: Model, element: Element): Failed => {
  if (element.kind === "link") return { nodes: [], links: [element.link], drained: [], unknown: [] }
  if (element.kind === "router") return { nodes: [element.router], links: [], drained: [], unknown: [] }
  return applyFaults(model, [element])
}

/** [W8] "No redundant path": who hangs on one link or one router now, and whether the plan has more. */
export const singlePoints = (model: Model): readonly SinglePoint[] => {
  const { graph, exits, downNodes, downLinks, service, outside } = model
  const now = redundancyOf(graph, exits, downNodes, downLinks)
  const planned = redundancyOf(graph, exits, new Uint8Array(graph.nodes), new Uint8Array(graph.links))
  return singleWays(now, planned, outside).filter(({ router }) => service.reached[router] === 1)
}
