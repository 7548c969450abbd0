/**
 * Who is cut off when things fail: routers, sites and customers, without where the traffic of the others goes. It is the
 * first half of every what-if (what-if.ts), and all that an incident asks for its impact.
 */
import type { CustomersLost } from "#twin/whatif/customers.ts"
import type { Failed } from "#twin/whatif/fault.ts"
import { dependenceNow } from "#twin/whatif/model.ts"
import type { LossModel } from "#twin/whatif/model.ts"
import type { Spanning } from "#twin/whatif/spanning.ts"

/** Slots everywhere; lists ascend. */
export interface Losses {
  /** Our routers that the core no longer reaches, failed ones included. */
  readonly unreachable: readonly number[]
  /** Our routers that lose every exit, failed ones included. */
  readonly offline: readonly number[]
  /** Dependency groups that break by it, and routers that are lost by these alone. */
  readonly brokenGroups: readonly number[]
  readonly lostByGroups: readonly number[]
  /** Sites of which some router had service and none has any more. */
  readonly isolatedSites: readonly number[]
  readonly customers: CustomersLost
}

/** The model is as before afterwards. */
export const losses = (model: LossModel, failed: Pick<Failed, "nodes" | "links">): Losses => {
  const { service, management, outside } = model
  const isOurs = (node: number): boolean => outside[node] === 0
  const cutOff = (spanning: Spanning): readonly number[] => failAll(spanning, failed).filter(isOurs)
  management.begin()
  const unreachable = cutOff(management)
  management.undo()
  const before = dependenceNow(model)
  service.begin()
  const offline = cutOff(service)
  const after = dependenceNow(model)
  const brokenGroups = after.broken.filter((group) => !before.broken.includes(group))
  const lostByGroups = after.lost.filter((node) => !before.lost.includes(node))
  const gone = [...offline, ...lostByGroups]
  const isolatedSites = sitesWithout(model, gone, new Set(after.lost))
  service.undo()
  return {
    unreachable,
    offline,
    brokenGroups,
    lostByGroups,
    isolatedSites,
    customers: model.customerCount.of(gone, gone.length),
  }
}

/** Everybody who is cut off by it, ascending. */
const failAll = (spanning: Spanning, { nodes, links }: Pick<Failed, "nodes" | "links">): readonly number[] => {
  const lost: number[] = []
  const take = (count: number): void => {
    for (let i = 0; i < count; i++) lost.push(spanning.changed[i] as number)
  }
  for (const link of links) take(spanning.failLink(link))
  for (const node of nodes) take(spanning.failNode(node))
  return lost.sort((x, y) => x - y)
}

/** `gone` lost service just now; a site counts when nobody there is left with service. */
const sitesWithout = (
  { service, siteOf, outside }: Pick<LossModel, "service" | "siteOf" | "outside">,
  gone: readonly number[],
  dependent: ReadonlySet<number>,
): readonly number[] => {
  const hit = new Set(gone.map((node) => siteOf[node] as number).filter((site) => site >= 0))
  if (hit.size === 0) return []
  for (const [node, site] of siteOf.entries())
    if (outside[node] === 0 && service.reached[node] === 1 && !dependent.has(node)) hit.delete(site)
  return [...hit].sort((x, y) => x - y)
}
