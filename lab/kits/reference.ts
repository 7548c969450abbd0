/**
 * The reference lab (PRODUCT.md): a small ISP that a user builds with RouterOS CHR images of his own. This description
 * is the one source; scripts, topologies, the addressing plan and the import document are generated from it, so that
 * they agree. Addresses: loopbacks 10.255/16, links /31 out of 10.0/16, LANs of POP X 10.10.X/24. RouterOS' first
 * port, ether1, is left for management: data begins at ether2.
 */

export type NodeKind = "routeros" | "frr" | "linux"

export interface KitPort {
  /** `ether2` of RouterOS, `eth1` of Linux. */
  readonly name: string
  /** Counted from 1 over the node's data ports: containerlab's ethN, EVE-NG's interface id. */
  readonly index: number
  /** With its prefix length. */
  readonly address: string
  readonly network: KitNetwork
}

export interface KitNode {
  readonly name: string
  readonly kind: NodeKind
  /** As the import document spells it; null = not monitored. */
  readonly role: string | null
  /** KitSite.id. */
  readonly site: string
  /** Without prefix length; null for hosts. */
  readonly loopback: string | null
  /** Null for hosts. */
  readonly asn: number | null
  readonly ports: readonly KitPort[]
}

/** A link between two routers, or a LAN. */
export interface KitNetwork {
  readonly name: string
  readonly kind: "link" | "lan"
  readonly prefix: string
  /** bit/s of a link that the import document knows. */
  readonly capacityBps: number
}

export interface KitSession {
  /** The route reflector, or our edge. */
  readonly a: KitNode
  readonly b: KitNode
  readonly kind: "ibgp" | "ebgp"
}

export interface KitSite {
  readonly id: string
  readonly name: string
  readonly latitude: number
  readonly longitude: number
}

export interface ReferenceLab {
  readonly name: string
  readonly asn: number
  readonly sites: readonly KitSite[]
  readonly nodes: readonly KitNode[]
  readonly networks: readonly KitNetwork[]
  readonly sessions: readonly KitSession[]
}

const ASN = 65000
const GIGABIT = 1e9

const SITES: readonly KitSite[] = [
  { id: "pop1", name: "POP 1 Sao Paulo", latitude: -23.55, longitude: -46.63 },
  { id: "pop2", name: "POP 2 Campinas", latitude: -22.91, longitude: -47.06 },
  { id: "pop3", name: "POP 3 Sorocaba", latitude: -23.5, longitude: -47.46 },
  { id: "pop4", name: "POP 4 Sao Jose dos Campos", latitude: -23.18, longitude: -45.88 },
  { id: "ix", name: "Upstreams", latitude: -23.63, longitude: -46.7 },
]

interface Plan {
  readonly name: string
  readonly kind: NodeKind
  readonly role: string | null
  readonly site: string
  readonly loopback: string | null
  readonly asn: number | null
}

const router = (name: string, role: string, site: string, number: number): Plan => ({
  name,
  kind: "routeros",
  role,
  site,
  loopback: `10.255.0.${number}`,
  asn: ASN,
})
const upstream = (number: number): Plan => ({
  name: `UPSTREAM${number}`,
  kind: "frr",
  role: "upstream",
  site: "ix",
  loopback: `10.255.1.${number}`,
  asn: 65100 + number,
})
const host = (name: string, site: string): Plan => ({
  name,
  kind: "linux",
  role: null,
  site,
  loopback: null,
  asn: null,
})

const NODES: readonly Plan[] = [
  router("CORE1", "core", "pop1", 1),
  router("CORE2", "core", "pop2", 2),
  router("RR1", "rr", "pop1", 3),
  router("EDGE1", "edge", "pop1", 4),
  router("EDGE2", "edge", "pop2", 5),
  router("AGG1", "agg", "pop3", 6),
  router("AGG2", "agg", "pop4", 7),
  router("ACCESS1", "access", "pop3", 8),
  router("ACCESS2", "access", "pop4", 9),
  upstream(1),
  upstream(2),
  host("TOOLS", "pop1"),
  host("TARGETS", "ix"),
]

/** Two rings (core and edges, aggregation and access) and two upstreams: every single cut leaves a way round. */
const LINKS: ReadonlyArray<readonly [string, string]> = [
  ["CORE1", "CORE2"],
  ["CORE1", "RR1"],
  ["CORE2", "RR1"],
  ["CORE1", "EDGE1"],
  ["CORE2", "EDGE2"],
  ["EDGE1", "EDGE2"],
  ["CORE1", "AGG1"],
  ["CORE2", "AGG2"],
  ["AGG1", "AGG2"],
  ["AGG1", "ACCESS1"],
  ["AGG2", "ACCESS2"],
  ["ACCESS1", "ACCESS2"],
  ["EDGE1", "UPSTREAM1"],
  ["EDGE2", "UPSTREAM2"],
]

/** Members with their host numbers. LANs out of 10.10/16 are the ISP's; TARGETS stand in documentation prefixes (RFC 5737). */
const LANS: ReadonlyArray<{
  readonly name: string
  readonly prefix: string
  readonly members: ReadonlyArray<readonly [string, number]>
}> = [
  {
    name: "lan-pop1",
    prefix: "10.10.1.0/24",
    members: [
      ["CORE1", 1],
      ["TOOLS", 10],
    ],
  },
  { name: "lan-pop3", prefix: "10.10.3.0/24", members: [["ACCESS1", 1]] },
  { name: "lan-pop4", prefix: "10.10.4.0/24", members: [["ACCESS2", 1]] },
  {
    name: "lan-targets1",
    prefix: "198.51.100.0/24",
    members: [
      ["UPSTREAM1", 1],
      ["TARGETS", 10],
    ],
  },
  {
    name: "lan-targets2",
    prefix: "203.0.113.0/24",
    members: [
      ["UPSTREAM2", 1],
      ["TARGETS", 10],
    ],
  },
]

export const referenceLab = (): ReferenceLab => {
  const ports = new Map<string, KitPort[]>(NODES.map(({ name }) => [name, []]))
  const attach = (node: string, address: string, network: KitNetwork): void => {
    const own = ports.get(node)!
    const index = own.length + 1
    const isRouterOs = NODES.find(({ name }) => name === node)!.kind === "routeros"
    own.push({ name: isRouterOs ? `ether${index + 1}` : `eth${index}`, index, address, network })
  }
  const networks: KitNetwork[] = []
  LINKS.forEach(([a, b], nth) => {
    // 10.0.0/24 is left out: QEMU's user networking and vrnetlab use it behind ether1.
    const even = `10.0.1.${2 * nth}`
    const network: KitNetwork = { name: `${a}-${b}`, kind: "link", prefix: `${even}/31`, capacityBps: GIGABIT }
    networks.push(network)
    attach(a, `${even}/31`, network)
    attach(b, `10.0.1.${2 * nth + 1}/31`, network)
  })
  for (const { name, prefix, members } of LANS) {
    const network: KitNetwork = { name, kind: "lan", prefix, capacityBps: GIGABIT }
    networks.push(network)
    for (const [node, number] of members) attach(node, prefix.replace(/\.0\/24$/, `.${number}/24`), network)
  }
  const nodes = NODES.map((plan): KitNode => ({ ...plan, ports: ports.get(plan.name)! }))
  return { name: "heliograph-reference", asn: ASN, sites: SITES, nodes, networks, sessions: sessionsOf(nodes) }
}

/** iBGP of everybody with the reflector, eBGP of the edges with their upstreams. */
const sessionsOf = (nodes: readonly KitNode[]): readonly KitSession[] => {
  const reflector = nodes.find(({ role }) => role === "rr")!
  const clients = nodes.filter((node) => node.asn === ASN && node !== reflector)
  const byName = new Map(nodes.map((node) => [node.name, node]))
  return [
    ...clients.map((b): KitSession => ({ a: reflector, b, kind: "ibgp" })),
    ...LINKS.flatMap(([a, b]): KitSession[] => {
      const [us, them] = [byName.get(a)!, byName.get(b)!]
      return us.asn === them.asn ? [] : [{ a: us, b: them, kind: "ebgp" }]
    }),
  ]
}

/** `10.0.1.0` of `10.0.1.0/31`. */
export const hostOf = (address: string): string => address.split("/")[0]!

/** The two ends of a link, or all members of a LAN. */
export const membersOf = (
  lab: ReferenceLab,
  network: KitNetwork,
): ReadonlyArray<{ readonly node: KitNode; readonly port: KitPort }> =>
  lab.nodes.flatMap((node) => node.ports.filter((port) => port.network === network).map((port) => ({ node, port })))

/** The other end of a link. */
export const farEnd = (
  lab: ReferenceLab,
  node: KitNode,
  { network }: KitPort,
): { readonly node: KitNode; readonly port: KitPort } => membersOf(lab, network).find((member) => member.node !== node)!
