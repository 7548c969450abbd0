/**
 * The network as root-cause analysis sees it: the what-if engine's flat graph, who looks from where, and what else fails
 * together (sites, shared-risk groups, BGP sessions). Built when the inventory changes; every observable thing and every
 * possible cause then has a number, so that an evaluation moves only integers.
 */
import type { FlatGraph } from "#twin/whatif/graph.ts"
import { dominatorsFrom } from "#twin/rca/dominators.ts"
import type { Dominators } from "#twin/rca/dominators.ts"
import { Spanning } from "#twin/whatif/spanning.ts"

export interface Session {
  /** Nodes. Both ends may be observed; an external end is not ours to read. */
  readonly a: number
  readonly b: number
  /** The link that a session between direct neighbours stands on; -1 = between loopbacks. */
  readonly link: number
}

export interface RiskGroup {
  readonly name: string
  readonly links: readonly number[]
}

/** An operator's word on redundancy, where the graph cannot know: the node lives while `need` of the members do. */
export interface Dependency {
  readonly node: number
  readonly members: readonly number[]
  /** 1 = any, members.length = all. */
  readonly need: number
}

export interface Network {
  readonly graph: FlatGraph
  readonly nodeName: (node: number) => string
  readonly linkName: (link: number) => string
  readonly siteName: (site: number) => string
  /** By node; -1 = none. */
  readonly siteOf: ArrayLike<number>
  readonly sites: number
  /**
   * Each vantage point is the set of nodes it stands at; [0] is where polls, traps and syslog pass. Empty = whoever looks
   * reaches every device over a network of its own.
   */
  readonly vantages: ReadonlyArray<readonly number[]>
  readonly groups: readonly RiskGroup[]
  readonly sessions: readonly Session[]
  readonly dependencies: readonly Dependency[]
  /** By node, 1 = yes. External = somebody else's router (an upstream). */
  readonly external: Uint8Array
  readonly reflector: Uint8Array
  /** Read by a collector: ports, neighbours and sessions of this node can be seen. */
  readonly polled: Uint8Array
  readonly pinged: Uint8Array
  /** By link, 1 = OSPF runs over it. */
  readonly ospf: Uint8Array
}

/** Causes, in the order of their numbers. `router` of an external node is an upstream. */
export const CAUSE_KINDS = [
  "link",
  "shut",
  "loss",
  "congestion",
  "flap",
  "router",
  "agent",
  "bgp",
  "session",
  "site",
  "group",
] as const
export type CauseKind = (typeof CAUSE_KINDS)[number]

export interface Model {
  readonly network: Network
  readonly graph: FlatGraph
  /** Everybody is reached over a network of its own. */
  readonly outOfBand: boolean
  /** How many vantage points can ping; at least 1. */
  readonly views: number
  /** By vantage; where nobody stands in the network, one from its reflectors, for BGP's sake. */
  readonly dominators: readonly Dominators[]
  /** The what-if engine, one forest for each of `dominators`: every question is taken back before the next. */
  readonly forests: readonly Spanning[]
  readonly sessionsOf: ReadonlyArray<readonly number[]>
  /** By link: the session that stands on it, -1 = none. */
  readonly sessionOn: Int32Array
  readonly groupsOf: ReadonlyArray<readonly number[]>
  readonly nodesOf: ReadonlyArray<readonly number[]>
  /** By node: the dependencies it is a member of, and those it hangs on. */
  readonly supports: ReadonlyMap<number, readonly Dependency[]>
  readonly hangsOn: ReadonlyMap<number, readonly Dependency[]>
  /** First number of each kind of cause. */
  readonly causeFrom: Readonly<Record<CauseKind, number>>
  readonly causes: number
}

/** `kin` = a model of a network that may be the same but for what was learned of OSPF and BGP: what they share is not built anew. */
export const buildModel = (network: Network, kin: Model | null = null): Model => {
  const { graph, sessions } = network
  const sessionsOf: number[][] = Array.from({ length: graph.nodes }, () => [])
  const sessionOn = new Int32Array(graph.links).fill(-1)
  for (const [s, { a, b, link }] of sessions.entries()) {
    sessionsOf[a]?.push(s)
    if (b !== a) sessionsOf[b]?.push(s)
    if (link >= 0 && link < graph.links) sessionOn[link] = s
  }
  const isKin = kin !== null && DECLARED.every((of) => kin.network[of] === network[of])
  return { ...(isKin ? kin : declared(network)), network, sessionsOf, sessionOn, ...numbered(network) }
}

const DECLARED = ["graph", "vantages", "reflector", "groups", "dependencies", "siteOf", "sites"] as const

/** What follows from the inventory alone. */
const declared = (network: Network): Omit<Model, "network" | "sessionsOf" | "sessionOn" | "causeFrom" | "causes"> => {
  const { graph, groups, dependencies } = network
  const outOfBand = network.vantages.length === 0
  const groupsOf: number[][] = Array.from({ length: graph.links }, () => [])
  for (const [g, { links }] of groups.entries()) for (const l of new Set(links)) groupsOf[l]?.push(g)
  const nodesOf: number[][] = Array.from({ length: network.sites }, () => [])
  for (let n = 0; n < graph.nodes; n++) nodesOf[network.siteOf[n] as number]?.push(n)
  const stands = outOfBand ? [marked(network.reflector)] : network.vantages
  return {
    graph,
    outOfBand,
    views: Math.max(1, network.vantages.length),
    dominators: stands.map((at) => dominatorsFrom(graph, at)),
    forests: stands.map((at) => new Spanning(graph, at)),
    groupsOf,
    nodesOf,
    supports: indexed(dependencies, ({ members }) => members),
    hangsOn: indexed(dependencies, ({ node }) => [node]),
  }
}

const marked = (flags: Uint8Array): readonly number[] =>
  Array.from(flags, (flag, node) => (flag === 1 ? node : -1)).filter((node) => node >= 0)

const indexed = (
  dependencies: readonly Dependency[],
  of: (one: Dependency) => readonly number[],
): ReadonlyMap<number, readonly Dependency[]> => {
  const index = new Map<number, Dependency[]>()
  for (const one of dependencies) for (const node of of(one)) index.set(node, [...(index.get(node) ?? []), one])
  return index
}

const numbered = ({ graph, sessions, sites, groups }: Network): Pick<Model, "causeFrom" | "causes"> => {
  const sizes: Readonly<Record<CauseKind, number>> = {
    link: graph.links,
    shut: 2 * graph.links,
    loss: graph.links,
    congestion: graph.links,
    flap: graph.links,
    router: graph.nodes,
    agent: graph.nodes,
    bgp: graph.nodes,
    session: sessions.length,
    site: sites,
    group: groups.length,
  }
  const causeFrom: Partial<Record<CauseKind, number>> = {}
  let causes = 0
  for (const kind of CAUSE_KINDS) {
    causeFrom[kind] = causes
    causes += sizes[kind]
  }
  return { causeFrom: causeFrom as Record<CauseKind, number>, causes }
}

/** The node at an end of a link (0 = a, 1 = b); -1 = no router of the graph. */
export const endOf = ({ a, b }: FlatGraph, link: number, end: number): number =>
  (end === 0 ? a[link] : b[link]) as number
