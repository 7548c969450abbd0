/**
 * From the plan to devices: boards and systems, ports named as RouterOS and Linux name them, addresses (loopbacks in
 * 10.255/16, a /31 per link in 10.0/16), credentials, and line rates bought for the evening peak of the shortest-path
 * traffic, as an ISP's planner would: never sized so that everything is comfortable.
 */
import { demandsAtPeak, wireLayout } from "#lab/isp/demand.ts"
import type {
  BgpSession,
  Isp,
  Link,
  LinkKind,
  Persona,
  Port,
  PortKind,
  Router,
  SnmpV2c,
  SnmpV3,
} from "#lab/isp/model.ts"
import type { Dice } from "#lab/isp/random.ts"
import { graphOf, shortestPaths } from "#lab/isp/spf.ts"
import type { PlannedLink, PlannedRouter, Topology } from "#lab/isp/topology.ts"
import { loadsOf } from "#lab/isp/traffic.ts"

const OUR_ASN = 64512
const PEAK_BPS_PER_SUBSCRIBER = 2.5e6
const G = 1e9
const LINE_RATES = [1 * G, 10 * G, 25 * G, 40 * G, 100 * G, 200 * G, 400 * G] as const
/** Smallest interface that one buys for a kind of link. */
const RATE_FLOOR: Readonly<Record<LinkKind, number>> = {
  core: 10 * G,
  edge: 10 * G,
  upstream: 10 * G,
  agg: 10 * G,
  bng: 10 * G,
  access: 1 * G,
}
/** Load at the peak that the planner aims at; the next line rate up is bought, so most links are emptier. */
const PLANNED_LOAD: Readonly<Record<LinkKind, readonly [number, number]>> = {
  core: [0.4, 0.65],
  edge: [0.4, 0.65],
  upstream: [0.5, 0.75],
  agg: [0.45, 0.7],
  bng: [0.5, 0.85],
  access: [0.6, 0.95],
}
const COST: Readonly<Record<LinkKind, number>> = {
  core: 10,
  edge: 20,
  upstream: 10_000,
  agg: 100,
  bng: 200,
  access: 400,
}

export const equip = (topology: Topology, seed: number, country: string, name: string, dice: Dice): Isp => {
  const routers = topology.routers.map((planned, index) => equipRouter(planned, index, topology, dice))
  const sketch = topology.links.map((link) => ({
    ...link,
    // Long-haul capacity counts by distance; the rest by class, so that equal-cost paths exist.
    cost: COST[link.kind] + (link.kind === "core" ? Math.round(link.km / 10) : 0),
    transport: link.kind === "core" && link.km > 300 && dice.chance(0.3),
  }))
  const hubs = topology.cores.slice(0, Math.min(6, topology.cores.length))
  const layout = wireLayout(routers, sketch.length, topology.upstreams, hubs)
  const roots = [topology.upstreams, ...hubs.map((hub) => [hub])]
  const { peak, worst } = plannedLoads(sketch, routers, roots, hubs)
  const capacity = sketch.map((link, i) => lineRate(link.kind, peak[i]!, worst[i]!, dice))
  const cabling = new Cabling(routers, dice)
  const links = sketch.map((link, index): Link => {
    const a = cabling.plug(link.a, "link", capacity[index]!, index, 0, `${routers[link.b]!.name}`, p2p(index, 0))
    const b = cabling.plug(link.b, "link", capacity[index]!, index, 1, `${routers[link.a]!.name}`, p2p(index, 1))
    const { kind, cost, transport } = link
    return { index, kind, a, b, capacityBps: capacity[index]!, cost, transport, ospf: kind !== "upstream" }
  })
  for (const stub of layout.stubs)
    cabling.plug(stub.router, stub.kind, stubRate(stub.kind, routers[stub.router]!), stub.wire, 0, ALIAS[stub.kind])
  for (const router of routers) cabling.finish(router)
  const isp: Isp = {
    name,
    seed,
    country,
    sites: topology.sites,
    routers: routers.map((router) => ({ ...router, ports: cabling.portsOf(router.index) })),
    ports: cabling.ports,
    links,
    wires: layout.wires,
    sessions: sessionsOf(topology, routers, links, cabling.ports),
    noc: nocRouters(topology),
    hubs,
    peakBpsPerSubscriber: PEAK_BPS_PER_SUBSCRIBER,
  }
  return isp
}

/** The NOC hangs on core routers of two cities, so that no single site takes its eyes away. */
const nocRouters = ({ cores, routers }: Topology): readonly number[] => {
  const first = cores[0]!
  const second = cores.find((core) => routers[core]!.site !== routers[first]!.site)!
  return [first, second]
}

const ALIAS: Readonly<Record<PortKind, string>> = {
  link: "",
  subscribers: "OLT - assinantes PPPoE",
  customers: "Clientes corporativos",
  internet: "Internet",
  spare: "",
  loopback: "",
}

/** bit/s offered to each link's busier direction. */
interface LinkLoads {
  /** At the peak, everything up. */
  readonly peak: Float64Array
  /** At the peak, after the worst single cut in the core (of those tried). */
  readonly worst: Float64Array
}

/** Cuts tried for `worst`: all of an ISP with a thousand routers; the biggest ISPs would take minutes. */
const CUTS_MAX = 48

const plannedLoads = (
  links: ReadonlyArray<PlannedLink & { readonly cost: number }>,
  routers: readonly Router[],
  roots: ReadonlyArray<readonly number[]>,
  hubs: readonly number[],
): LinkLoads => {
  const graph = graphOf(routers.length, links)
  const usable = new Uint8Array(links.length).fill(1)
  const endless = new Float64Array(links.length).fill(Infinity)
  const noLoop = new Float64Array(links.length)
  const busier = (): Float64Array => {
    const dags = roots.map((tree) => shortestPaths(graph, tree, usable))
    const { offered } = loadsOf(demandsAtPeak(routers, dags, hubs, PEAK_BPS_PER_SUBSCRIBER), endless, noLoop)
    return Float64Array.from(links, (_, i) => Math.max(offered[2 * i]!, offered[2 * i + 1]!))
  }
  const peak = busier()
  const worst = peak.slice()
  const core = links.flatMap((link, i) => (link.kind === "core" ? [i] : [])).sort((x, y) => peak[y]! - peak[x]!)
  for (const cut of core.slice(0, CUTS_MAX)) {
    usable[cut] = 0
    busier().forEach((load, i) => (worst[i] = Math.max(worst[i]!, load)))
    usable[cut] = 1
  }
  return { peak, worst }
}

/** Load that a planner accepts while something in the core is broken. */
const WORST_LOAD = 0.9

const lineRate = (kind: LinkKind, peakBps: number, worstBps: number, dice: Dice): number => {
  const wanted = Math.max(RATE_FLOOR[kind], peakBps / dice.between(...PLANNED_LOAD[kind]), worstBps / WORST_LOAD)
  const biggest = LINE_RATES.at(-1)!
  return LINE_RATES.find((rate) => rate >= wanted) ?? biggest * Math.ceil(wanted / biggest)
}

const stubRate = (kind: PortKind, router: Router): number => {
  if (kind === "subscribers") return router.subscribers * PEAK_BPS_PER_SUBSCRIBER > 8 * G ? 25 * G : 10 * G
  return kind === "internet" ? 400 * G : 100 * G
}

const p2p = (link: number, end: 0 | 1): string => `10.0.${(2 * link) >> 8}.${((2 * link) & 255) + end}/31`

// ---- devices

const BOARDS: Readonly<Record<"big" | "small", readonly string[]>> = {
  big: ["CCR2216-1G-12XS-2XQ", "CCR2116-12G-4S+", "CCR2004-1G-12S+2XS"],
  small: ["CCR2004-16G-2S+", "CCR1009-7G-1C-1S+", "RB5009UG+S+", "CRS317-1G-16S+"],
}
const VERSIONS: Readonly<Record<Persona, readonly string[]>> = {
  // Both sides of 7.18, where an empty answer became !empty, and early 7, whose OSPF neighbours name no interface.
  routeros7: ["7.20.1", "7.18.2", "7.16.2", "7.12.1"],
  routeros6: ["6.49.18", "6.49.10"],
  frr: ["FRRouting 8.4.4", "FRRouting 10.1"],
}

const equipRouter = (planned: PlannedRouter, index: number, topology: Topology, dice: Dice): Router => {
  const role = planned.roles[0]!
  const persona = personaFor(role, dice)
  const upstream = topology.upstreams.indexOf(index)
  const big = role !== "access" && role !== "bng"
  return {
    index,
    name: planned.name,
    site: planned.site,
    roles: planned.roles,
    persona,
    model: persona === "frr" ? "x86_64 server" : dice.pick(BOARDS[big ? "big" : "small"]),
    osVersion: dice.pick(VERSIONS[persona]),
    serial: serial(dice),
    asn: upstream < 0 ? OUR_ASN : 64496 + upstream,
    loopback: `10.255.${(index + 1) >> 8}.${(index + 1) & 255}`,
    ports: [],
    snmp: snmpFor(dice, index),
    routeros: persona === "frr" ? null : { user: "heliograph", password: API_PASSWORD },
    subscribers: planned.subscribers,
    bng: planned.bng,
    businessBps: role === "core" || role === "agg" ? dice.between(0.2, 1.6) * G : 0,
    memoryBytes: (big ? 16 : 4) * 2 ** 30,
    uptimeMsAtStart: Math.round(dice.between(2, 300) * 86_400_000),
  }
}

/** Only RouterOS terminates PPPoE here; servers with FRR stand where ISPs put them: reflectors, upstreams, some core. */
const personaFor = (role: string, dice: Dice): Persona => {
  if (role === "upstream" || role === "rr") return "frr"
  if (role === "bng") return dice.chance(0.85) ? "routeros7" : "routeros6"
  const roll = dice.next()
  return roll < 0.25 ? "frr" : roll < 0.4 ? "routeros6" : "routeros7"
}

// The lab's credentials open nothing but the lab: they are published with the source.
const COMMUNITY = "aurora-demo"
const API_PASSWORD = "aurora-demo-api"
const V3_PASSWORDS = { authPassword: "aurora-demo-auth", privPassword: "aurora-demo-priv" }

/** Every fifth device speaks v3, drawn; the first two routers show both kinds whatever the size. */
const snmpFor = (dice: Dice, index: number): SnmpV2c | SnmpV3 => {
  const v3 = dice.chance(0.2)
  if (index === 0 || !(v3 || index === 1)) return { version: "2c", community: COMMUNITY }
  return { version: "3", user: "heliograph", authProtocol: "sha256", privProtocol: "aes", ...V3_PASSWORDS }
}

const serial = (dice: Dice): string =>
  Array.from({ length: 11 }, () => "0123456789ABCDEFGHJKMNPQRSTVWXYZ"[dice.int(0, 31)]).join("")

// ---- ports

/** Port names of RouterOS by line rate; a bundle of 400G ports is a bonding interface. */
const ROUTEROS_PORT: ReadonlyArray<readonly [number, (nth: number) => string]> = [
  [1 * G, (nth) => `ether${nth + 1}`],
  [10 * G, (nth) => `sfp-sfpplus${nth}`],
  [25 * G, (nth) => `sfp28-${nth}`],
  [40 * G, (nth) => `qsfpplus${nth}-1`],
  [100 * G, (nth) => `qsfp28-${nth}-1`],
  [200 * G, (nth) => `qsfp56-${nth}-1`],
  [400 * G, (nth) => `qsfp56-dd-${nth}-1`],
]

const ETHERNET = "ethernet"

/** Plugs cables into routers and gives each port what a device would give it. */
class Cabling {
  readonly ports: Port[] = []
  private readonly routers: readonly Router[]
  private readonly dice: Dice
  private readonly byRouter: number[][]
  private readonly used = new Map<string, number>()

  constructor(routers: readonly Router[], dice: Dice) {
    this.routers = routers
    this.dice = dice
    this.byRouter = routers.map(() => [])
  }

  portsOf(router: number): readonly number[] {
    return this.byRouter[router]!
  }

  plug(
    router: number,
    kind: PortKind,
    speedBps: number,
    wire: number,
    end: 0 | 1,
    alias: string,
    address: string | null = null,
    adminUp = true,
  ): number {
    const index = this.ports.length
    const persona = this.routers[router]!.persona
    this.ports.push({
      index,
      router,
      ifIndex: this.nextIfIndex(router, kind),
      name: this.nameFor(router, persona, kind, speedBps),
      alias,
      kind,
      mac: kind === "loopback" ? "" : macOf(index),
      speedBps: kind === "loopback" ? 0 : speedBps,
      adminUp,
      address,
      wire,
      end,
    })
    this.byRouter[router]!.push(index)
    return index
  }

  /** Two empty ports, one of them shut, and the loopback: RouterOS adds it late and leaves a gap in ifIndex. */
  finish(router: Router): void {
    this.plug(router.index, "spare", 10 * G, -1, 0, "")
    this.plug(router.index, "spare", 10 * G, -1, 0, "reserva", null, false)
    this.plug(router.index, "loopback", 0, -1, 0, "router-id", `${router.loopback}/32`)
  }

  private nextIfIndex(router: number, kind: PortKind): number {
    const taken = this.byRouter[router]!.length
    // Linux: lo is 1. RouterOS: ports first, a removed tunnel's number (the gap), then the loopback.
    if (this.routers[router]!.persona === "frr") return kind === "loopback" ? 1 : taken + 2
    return kind === "loopback" ? taken + 1 + this.dice.int(1, 4) : taken + 1
  }

  private nameFor(router: number, persona: Persona, kind: PortKind, speedBps: number): string {
    if (kind === "loopback") return persona === "routeros6" ? "loopback" : "lo"
    if (persona === "frr") return `eth${this.count(router, ETHERNET) - 1}`
    const named = ROUTEROS_PORT.find(([rate]) => rate === speedBps)
    if (named === undefined) return `bonding${this.count(router, "bonding")}`
    return named[1](this.count(router, `${named[0]}`))
  }

  /** 1, 2, 3 ... per router and series. */
  private count(router: number, series: string): number {
    const key = `${router} ${series}`
    const nth = (this.used.get(key) ?? 0) + 1
    this.used.set(key, nth)
    return nth
  }
}

/** Locally administered (bit 2 of the first octet), so no vendor is impersonated. */
const macOf = (port: number): string =>
  [0x02, 0x1a, 0xb0, (port >> 16) & 255, (port >> 8) & 255, port & 255]
    .map((octet) => octet.toString(16).padStart(2, "0").toUpperCase())
    .join(":")

// ---- BGP

/** Each speaker with the pair of reflectors of its cluster, all reflectors with each other, edges with upstreams. */
const sessionsOf = (
  topology: Topology,
  routers: readonly Router[],
  links: readonly Link[],
  ports: readonly Port[],
): readonly BgpSession[] => {
  const sessions: BgpSession[] = []
  const add = (a: number, b: number, aAddress: string, bAddress: string, link: number) =>
    sessions.push({ index: sessions.length, a, b, aAddress, bAddress, link })
  const ibgp = (a: number, b: number) => add(a, b, routers[a]!.loopback, routers[b]!.loopback, -1)
  const reflectors = topology.reflectors.flat()
  reflectors.forEach((a, i) => reflectors.slice(i + 1).forEach((b) => ibgp(a, b)))
  topology.routers.forEach((router, index) => {
    if (router.cluster === null || reflectors.includes(index)) return
    for (const reflector of topology.reflectors[router.cluster]!) ibgp(reflector, index)
  })
  for (const link of links) {
    if (link.ospf) continue
    const [a, b] = [ports[link.a]!, ports[link.b]!]
    add(a.router, b.router, hostOf(a), hostOf(b), link.index)
  }
  return sessions
}

const hostOf = (port: Port): string => port.address!.split("/")[0]!
