/**
 * The ISP of the real-router lab, described once: four core routers in a ring with a chord, two borders with an
 * upstream each, four access routers. Every configuration file, interface, address and the import document come from
 * this description. Pure; nothing here touches the machine. Addresses are documentation and private ranges (RFC 5737,
 * RFC 6598, RFC 2544, RFC 5398).
 */
import type { Role } from "#protocol/role.ts"

export interface FrrSite {
  readonly id: string
  readonly name: string
  readonly latitude: number
  readonly longitude: number
}

export interface FrrRouter {
  readonly name: string
  /** 1..12: last octet of the loopback, of the management address (plus 10), and so on. */
  readonly number: number
  readonly site: string
  readonly roles: readonly Role[]
  readonly asn: number
  readonly loopback: string
  readonly management: string
  readonly isReflector: boolean
  /** v3 authPriv or v2c; both are used in this ISP. */
  readonly snmp: "2c" | "3"
  /** Announced by BGP. */
  readonly prefixes: readonly string[]
}

export interface FrrPort {
  readonly router: string
  /** Linux interface, `eth1`... in the order of the links. */
  readonly interface: string
  readonly address: string
}

export interface FrrLink {
  readonly a: FrrPort
  readonly b: FrrPort
  readonly kind: "core" | "edge" | "access" | "upstream"
  /** OSPF metric; null between us and an upstream: eBGP there. */
  readonly cost: number | null
}

/** One side of a BGP session. */
export interface FrrPeer {
  readonly router: string
  readonly remote: string
  readonly remoteAddress: string
  readonly remoteAsn: number
}

export interface FrrIsp {
  readonly sites: readonly FrrSite[]
  readonly routers: readonly FrrRouter[]
  readonly links: readonly FrrLink[]
}

export const ISP_ASN = 64500
/** Management network: only inside the lab's namespaces and one interface of the host. */
export const MANAGEMENT = { network: "172.30.0.0", prefix: 24, host: "172.30.0.1" } as const
/** What a virtual Ethernet pair says of itself (ifHighSpeed 10000). */
export const LINK_CAPACITY_BPS = 10_000_000_000
const PREFIXES_PER_UPSTREAM = 100

const SITES: readonly FrrSite[] = [
  { id: "sao", name: "São Paulo", latitude: -23.5475, longitude: -46.6361 },
  { id: "rio", name: "Rio de Janeiro", latitude: -22.9064, longitude: -43.1822 },
  { id: "bhz", name: "Belo Horizonte", latitude: -19.9208, longitude: -43.9378 },
  { id: "cwb", name: "Curitiba", latitude: -25.4278, longitude: -49.2731 },
  { id: "cps", name: "Campinas", latitude: -22.9056, longitude: -47.0608 },
  { id: "vix", name: "Vitória", latitude: -20.3194, longitude: -40.3378 },
  { id: "for", name: "Fortaleza", latitude: -3.7172, longitude: -38.5431 },
  { id: "poa", name: "Porto Alegre", latitude: -30.0331, longitude: -51.23 },
]

/** [name, site, roles, AS] */
const ROUTERS: ReadonlyArray<readonly [string, string, readonly Role[], number]> = [
  ["c1", "sao", ["core", "rr"], ISP_ASN],
  ["c2", "rio", ["core", "rr"], ISP_ASN],
  ["c3", "bhz", ["core"], ISP_ASN],
  ["c4", "cwb", ["core"], ISP_ASN],
  ["b1", "sao", ["edge"], ISP_ASN],
  ["b2", "rio", ["edge"], ISP_ASN],
  ["a1", "cps", ["access"], ISP_ASN],
  ["a2", "vix", ["access"], ISP_ASN],
  ["a3", "bhz", ["access"], ISP_ASN],
  ["a4", "cwb", ["access"], ISP_ASN],
  ["u1", "for", ["upstream"], 64501],
  ["u2", "poa", ["upstream"], 64502],
]

/** [a, b, kind, OSPF cost] */
const LINKS: ReadonlyArray<readonly [string, string, FrrLink["kind"], number | null]> = [
  ["c1", "c2", "core", 10],
  ["c2", "c3", "core", 10],
  ["c3", "c4", "core", 10],
  ["c4", "c1", "core", 10],
  ["c1", "c3", "core", 15],
  ["b1", "c1", "edge", 10],
  ["b1", "c2", "edge", 20],
  ["b2", "c3", "edge", 10],
  ["b2", "c4", "edge", 20],
  ["b1", "b2", "edge", 50],
  ["a1", "c1", "access", 20],
  ["a2", "c2", "access", 20],
  ["a3", "c3", "access", 20],
  ["a4", "c4", "access", 20],
  ["a1", "a2", "access", 40],
  ["a3", "a4", "access", 40],
  ["b1", "u1", "upstream", null],
  ["b2", "u2", "upstream", null],
]

const router = ([name, site, roles, asn]: (typeof ROUTERS)[number], index: number): FrrRouter => {
  const number = index + 1
  return {
    name,
    number,
    site,
    roles,
    asn,
    loopback: `10.255.0.${number}`,
    management: `172.30.0.${10 + number}`,
    isReflector: roles.includes("rr"),
    snmp: roles.includes("core") || roles.includes("edge") ? "3" : "2c",
    prefixes: prefixesOf(name, roles, number),
  }
}

const prefixesOf = (name: string, roles: readonly Role[], number: number): readonly string[] => {
  if (roles.includes("access")) return [`100.64.${number}.0/24`]
  if (!roles.includes("upstream")) return []
  // The benchmarking range 198.18.0.0/15, half for each upstream.
  return Array.from({ length: PREFIXES_PER_UPSTREAM }, (_, n) => `198.${name === "u1" ? 18 : 19}.${n}.0/24`)
}

const links = (): readonly FrrLink[] => {
  const used = new Map<string, number>()
  const port = (name: string, address: string): FrrPort => {
    const number = (used.get(name) ?? 0) + 1
    used.set(name, number)
    return { router: name, interface: `eth${number}`, address }
  }
  return LINKS.map(([a, b, kind, cost], index) => ({
    a: port(a, `10.0.${index}.1`),
    b: port(b, `10.0.${index}.2`),
    kind,
    cost,
  }))
}

export const FRR_ISP: FrrIsp = { sites: SITES, routers: ROUTERS.map(router), links: links() }

export const routerNamed = (isp: FrrIsp, name: string): FrrRouter | undefined =>
  isp.routers.find((one) => one.name === name)

/** The link between two routers, whichever way round they are named. */
export const linkBetween = (isp: FrrIsp, a: string, b: string): FrrLink | undefined =>
  isp.links.find((link) => [link.a.router, link.b.router].toSorted().join() === [a, b].toSorted().join())

export const portsOf = (isp: FrrIsp, name: string): ReadonlyArray<{ link: FrrLink; own: FrrPort; far: FrrPort }> =>
  isp.links.flatMap((link) => {
    if (link.a.router === name) return [{ link, own: link.a, far: link.b }]
    return link.b.router === name ? [{ link, own: link.b, far: link.a }] : []
  })

/** OSPF neighbours of a router when all is well. */
export const ospfNeighbours = (isp: FrrIsp, name: string): readonly string[] =>
  portsOf(isp, name)
    .filter(({ link }) => link.cost !== null)
    .map(({ far }) => far.router)

/** BGP sessions of a router: eBGP over its upstream links, iBGP from everyone to the two reflectors (RFC 4456). */
export const bgpPeers = (isp: FrrIsp, name: string): readonly FrrPeer[] => {
  const own = routerNamed(isp, name)
  if (own === undefined) return []
  const external = portsOf(isp, name)
    .filter(({ link }) => link.kind === "upstream")
    .map(({ far }) => ({
      router: name,
      remote: far.router,
      remoteAddress: far.address,
      remoteAsn: routerNamed(isp, far.router)?.asn ?? 0,
    }))
  const internal = isp.routers
    .filter((far) => far !== own && far.asn === own.asn && (far.isReflector || own.isReflector))
    .map((far) => ({ router: name, remote: far.name, remoteAddress: far.loopback, remoteAsn: far.asn }))
  return [...external, ...internal]
}
