/**
 * What a router's own routing table says (`show ip route json` of FRR 8), in names of routers: to whom it has an OSPF route,
 * over which neighbours, and over which upstream the rest of the world is. Pure; network.ts asks the routers.
 */
import type { FrrIsp, FrrLink } from "#lab/frr/isp.ts"
import { portsOf } from "#lab/frr/isp.ts"

/** As FRR prints it; only what is read here. */
interface Entry {
  readonly protocol?: string
  readonly selected?: boolean
  readonly nexthops?: ReadonlyArray<{
    readonly ip?: string
    readonly interfaceName?: string
    readonly active?: boolean
    readonly recursive?: boolean
    readonly fib?: boolean
  }>
}
export type FrrRoutes = Readonly<Record<string, readonly Entry[]>>

export interface RoutingTable {
  readonly router: string
  /** Names of the next hops towards each router's loopback, sorted; absent = no OSPF route. */
  readonly ospf: Readonly<Record<string, readonly string[]>>
  /** Of the selected default route of BGP: the upstream, and the next hops towards it; null = there is none. */
  readonly exit: { readonly upstream: string; readonly next: readonly string[] } | null
}

export const tableOf = (isp: FrrIsp, router: string, routes: FrrRoutes): RoutingTable => {
  const ospf: Record<string, readonly string[]> = {}
  for (const { name, loopback } of isp.routers) {
    const entry = selected(routes, `${loopback}/32`, "ospf")
    if (name !== router && entry !== null) ospf[name] = farEnds(isp, router, entry)
  }
  return { router, ospf, exit: exitOf(isp, router, selected(routes, "0.0.0.0/0", "bgp")) }
}

const selected = (routes: FrrRoutes, prefix: string, protocol: string): Entry | null =>
  routes[prefix]?.find((entry) => entry.protocol === protocol && entry.selected === true) ?? null

/** Only what is in the forwarding table counts. */
const farEnds = (isp: FrrIsp, router: string, { nexthops = [] }: Entry): readonly string[] => {
  const used = new Set(nexthops.flatMap(({ fib, interfaceName }) => (fib === true ? [interfaceName] : [])))
  return portsOf(isp, router)
    .flatMap(({ own, far }) => (used.has(own.interface) ? [far.router] : []))
    .toSorted()
}

const isUpstream = ({ kind }: FrrLink): boolean => kind === "upstream"

/** The next hop of BGP is the upstream itself, or the loopback of the border (next-hop-self) that has it. */
const exitOf = (isp: FrrIsp, router: string, entry: Entry | null): RoutingTable["exit"] => {
  if (entry === null) return null
  const [via] = entry.nexthops?.filter(({ active }) => active === true) ?? []
  const border = isp.routers.find(({ loopback }) => loopback === via?.ip)?.name
  const link = isp.links.find(
    (one) => isUpstream(one) && (one.b.address === via?.ip || one.a.router === (border ?? "")),
  )
  return link === undefined ? null : { upstream: link.b.router, next: farEnds(isp, router, entry) }
}

export const sameTable = (x: RoutingTable, y: RoutingTable): boolean => JSON.stringify(x) === JSON.stringify(y)
