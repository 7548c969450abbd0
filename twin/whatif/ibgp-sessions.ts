/**
 * The iBGP sessions of a running twin: what BGP4-MIB (RFC 4273) and RouterOS list as peers, where the peer's address is one of
 * ours and both ends are of one AS. Who reflects is no object of either: role `rr` says it, else who joins routers that have
 * no session with each other, up or down: a mesh of which one session is down has no reflectors. A session that an end calls
 * down brings nothing; what is not known is said with every answer.
 */
import type { Device } from "#protocol/inventory.ts"
import type { Adjacency } from "#twin/adjacency.ts"
import { isUp } from "#twin/adjacency.ts"
import type { Cells } from "#twin/cells.ts"
import { ownAddresses } from "#twin/propose/said.ts"
import type { Topology } from "#twin/topology.ts"
import type { Ibgp } from "#twin/whatif/ibgp.ts"

export interface KnownSessions {
  /** Null = none is known, or what is known would leave routers without any exit for want of a reflector. */
  readonly ibgp: Ibgp | null
  readonly said: readonly string[]
}

const FULL_MESH = "exits assume a full mesh of iBGP: every router hears of every exit"

export const sessionsKnown = (
  { topology, cells }: { topology: Topology; cells: Cells },
  outside: Uint8Array,
): KnownSessions => {
  const { devices } = topology.inventory
  const told = toldSessions(topology, cells, outside)
  const { peers, listed, down } = standing(told, devices.length)
  if (peers.every((one) => one.length === 0)) return { ibgp: null, said: [`no iBGP session is known: ${FULL_MESH}`] }
  const declared = devices.flatMap(({ roles }, slot) => (roles.includes("rr") && outside[slot] === 0 ? [slot] : []))
  const reflectors = declared.length > 0 ? declared : reflectorsOf(listed)
  if (reflectors.length === 0 && !isMesh(listed))
    return { ibgp: null, said: [`iBGP is no full mesh and nobody is known to reflect: ${FULL_MESH}`] }
  const reflects = new Uint8Array(devices.length)
  for (const slot of reflectors) reflects[slot] = 1
  return {
    ibgp: { peers, reflects, rank: ranksOf(told, devices.length) },
    said: saidOf(devices, outside, peers, down, declared.length > 0 ? [] : reflectors),
  }
}

const saidOf = (
  devices: readonly Device[],
  outside: Uint8Array,
  peers: Ibgp["peers"],
  down: number,
  learned: readonly number[],
): readonly string[] => {
  const silent = peers.filter((one, slot) => one.length === 0 && outside[slot] === 0).length
  const names = learned.slice(0, NAMES_MAX).map((slot) => devices[slot]?.name ?? "")
  const more = learned.length > NAMES_MAX ? ` and ${learned.length - NAMES_MAX} more` : ""
  return [
    "exits follow the iBGP sessions that the routers tell; local preference, AS paths and MED are not known",
    ...(learned.length > 0
      ? [`${names.join(", ")}${more} are taken for route reflectors: no role says who reflects`]
      : []),
    ...(down > 0 ? [`${down} iBGP sessions are down now and taken to stay down`] : []),
    ...(silent > 0 ? [`${silent} routers tell no iBGP session: they are taken to hear of every exit`] : []),
  ]
}
const NAMES_MAX = 5

/** One end's word. */
interface Told {
  readonly from: number
  readonly to: number
  readonly up: boolean
  /** Of `to`; null = not told. */
  readonly remoteAs: string | null
  readonly address: string
}

const toldSessions = ({ inventory, routers }: Topology, cells: Cells, outside: Uint8Array): readonly Told[] => {
  const tables: Array<readonly Adjacency[]> = routers.map((_, slot) =>
    outside[slot] === 1 ? [] : cells.routers.state(slot).adjacencies.filter(({ kind }) => kind === "bgp"),
  )
  if (tables.every((table) => table.length === 0)) return []
  const whose = addressesOf(inventory.devices, cells)
  return tables.flatMap((table, from) =>
    table.flatMap(({ remote, state, detail }): Told[] => {
      const to = whose.get(remote.toLowerCase()) ?? -1
      if (to < 0 || to === from || outside[to] === 1) return []
      return [{ from, to, up: isUp("bgp", state), remoteAs: detail, address: remote.toLowerCase() }]
    }),
  )
}

/** What two devices claim is nobody's: -1. */
const addressesOf = (devices: readonly Device[], cells: Cells): ReadonlyMap<string, number> => {
  const whose = new Map<string, number>()
  for (const [slot, { address }] of devices.entries()) {
    const { addresses = [] } = cells.routers.state(slot).interfaces
    const own = addresses.flatMap((text) => ownAddresses("", text ?? "").map((one) => one.address))
    for (const one of new Set([(address ?? "").toLowerCase(), ...own])) {
      if (one === "") continue
      const known = whose.get(one)
      whose.set(one, known === undefined || known === slot ? slot : -1)
    }
  }
  return whose
}

/** Between routers of one AS: the sessions that no end calls down, those that any end lists, and how many are down. */
const standing = (
  told: readonly Told[],
  nodes: number,
): { readonly peers: Ibgp["peers"]; readonly listed: Ibgp["peers"]; readonly down: number } => {
  const asOf = systemsOf(told)
  const pairs = new Map<number, boolean>()
  for (const { from, to, up } of told) {
    if (asOf(from) !== asOf(to)) continue
    const pair = Math.min(from, to) * nodes + Math.max(from, to)
    pairs.set(pair, up && pairs.get(pair) !== false)
  }
  const joined = (wanted: (up: boolean) => boolean): Ibgp["peers"] => {
    const peers: number[][] = Array.from({ length: nodes }, () => [])
    for (const [pair, up] of pairs) {
      if (!wanted(up)) continue
      peers[Math.floor(pair / nodes)]?.push(pair % nodes)
      peers[pair % nodes]?.push(Math.floor(pair / nodes))
    }
    for (const list of peers) list.sort((x, y) => x - y)
    return peers
  }
  const down = [...pairs.values()].filter((up) => !up).length
  return { peers: joined((up) => up), listed: joined(() => true), down }
}

/** The AS of a router is the one that most of its peers name; of whom none speaks it is the one named most of all. */
const systemsOf = (told: readonly Told[]): ((node: number) => string | null) => {
  const votes = new Map<number, Map<string, number>>()
  const all = new Map<string, number>()
  for (const { to, remoteAs } of told) {
    if (remoteAs === null) continue
    const of = votes.get(to) ?? new Map<string, number>()
    votes.set(to, of)
    for (const count of [of, all]) count.set(remoteAs, (count.get(remoteAs) ?? 0) + 1)
  }
  const ours = mostOf(all)
  const by = new Map([...votes].map(([node, of]) => [node, mostOf(of)]))
  return (node) => by.get(node) ?? ours
}

const mostOf = (votes: ReadonlyMap<string, number>): string | null =>
  [...votes].sort(([x, n], [y, m]) => m - n || (x < y ? -1 : 1))[0]?.[0] ?? null

/** Everybody who has a session has one with everybody else who has. */
export const isMesh = (peers: Ibgp["peers"]): boolean => {
  const speakers = peers.filter((one) => one.length > 0).length
  return peers.every((one) => one.length === 0 || one.length === speakers - 1)
}

/**
 * Who joins two routers, each with fewer sessions than itself, that have none with each other: a router that does not
 * reflect would leave one of these without what the other knows. In a full mesh nobody.
 */
export const reflectorsOf = (peers: Ibgp["peers"]): readonly number[] => {
  if (isMesh(peers)) return []
  const sets = peers.map((one) => new Set(one))
  return peers.flatMap((mine, node) => {
    const lesser = mine.filter((peer) => (peers[peer] as readonly number[]).length < mine.length)
    const joins = lesser.some((x, at) => lesser.slice(at + 1, at + 1 + LOOKED_AT).some((y) => sets[x]?.has(y) !== true))
    return joins ? [node] : []
  })
}
/** Peers that each peer is held against: clients of one reflector rarely have sessions with each other at all. */
const LOOKED_AT = 64

/**
 * BGP identifiers are not polled: the address by which a router is met stands for it, as most routers take their loopback.
 * Whom nobody meets comes last, in the order of the slots.
 */
const ranksOf = (told: readonly Told[], nodes: number): Uint32Array => {
  const least = new Map<number, string>()
  for (const { to, address } of told) {
    const key = sortable(address)
    const known = least.get(to)
    if (known === undefined || key < known) least.set(to, key)
  }
  const order = Array.from({ length: nodes }, (_, node) => node).sort((x, y) => {
    const [a, b] = [least.get(x), least.get(y)]
    if (a === b) return x - y
    if (a === undefined || b === undefined) return a === undefined ? 1 : -1
    return a < b ? -1 : 1
  })
  const rank = new Uint32Array(nodes)
  for (const [place, node] of order.entries()) rank[node] = place
  return rank
}

/** IPv4 in the order of its number; anything else after it, as written. */
const sortable = (address: string): string => {
  const octets = address.split(".")
  return octets.length === 4 ? octets.map((octet) => octet.padStart(3, "0")).join(".") : `x${address}`
}
