/**
 * OSPF neighbours (RFC 4750), BGP peers (RFC 4273) and neighbours heard by LLDP (IEEE 802.1AB), MNDP or CDP of one router.
 * An adjacency is what two devices say to each other; it never makes a link (W2). A neighbour that vanishes from a complete
 * list is kept as down, for a protocol that is its news; a heard one is kept as gone, as evidence, and makes neither event
 * nor fault.
 */
import { bgpKey, discoveryKind, entityName, ospfKey } from "#protocol/id.ts"
import type { DiscoveryKind, EntityKey, EntityKind } from "#protocol/id.ts"
import { BGP_STATES, LLDP_STATES, metricId, OSPF_STATES } from "#protocol/metric.ts"
import type { TextFact } from "#protocol/metric.ts"
import type { AdjacencyKind, Source } from "#protocol/view.ts"
import type { PollInput } from "#twin/input.ts"
import { sourceBit } from "#twin/source.ts"

/** Adjacencies of one router; more are refused and counted. */
export const MAX_ADJACENCIES = 1024
/** LLDP neighbours among them: a switch full of telephones must not take the place of routing neighbours. */
export const MAX_LLDP = 512
/** Neighbours heard by something else, likewise: they leave LLDP's places alone, too. */
export const MAX_DISCOVERED = 256
/** A vanished neighbour is forgotten after a day: by then it is a change of plan, not a fault. */
export const VANISHED_KEEP_MS = 24 * 3600 * 1000
const MAX_TEXT = 256

/** What an LLDP neighbour says of itself; null = it did not. */
export interface LldpTexts {
  readonly systemName: string | null
  readonly port: string | null
  readonly chassis: string | null
}

/** What a neighbour heard by MNDP or CDP says of itself; null = it did not. */
export interface DiscoveryTexts {
  readonly systemName: string | null
  readonly port: string | null
  readonly mac: string | null
  readonly address: string | null
}

export interface Adjacency {
  readonly key: EntityKey
  readonly kind: AdjacencyKind
  /** Neighbour's router id, the peer's address, or what of `lldpKey` follows the prefix. */
  readonly remote: string
  /** Index into OSPF_STATES, BGP_STATES or LLDP_STATES. */
  readonly state: number
  readonly sinceMs: number
  readonly atMs: number
  /** ospf only: in 2-Way on its way up. Every neighbour passes it, and few rest there (isAdjacencyUp). */
  readonly forming?: true
  readonly source: Source
  /** Bits of the sources that listed it in their newest complete poll. */
  readonly listedBy: number
  readonly uptimeSeconds: number | null
  readonly prefixesIn: number | null
  readonly prefixesOut: number | null
  readonly flaps: number | null
  /** bgp: remote AS; all others: local interface. */
  readonly detail: string | null
  /** lldp only. */
  readonly lldp?: LldpTexts
  /** mndp, cdp, discovery only. */
  readonly discovery?: DiscoveryTexts
}

/** The protocols whose states are events and faults. */
export type RoutingKind = Exclude<AdjacencyKind, "lldp" | DiscoveryKind>

export type AdjacencyTable = readonly Adjacency[]
export const NO_ADJACENCIES: AdjacencyTable = []

/** A state that was known and is different now. */
export interface AdjacencyChange {
  readonly key: EntityKey
  readonly kind: RoutingKind
  readonly old: string
  readonly new: string
  readonly up: boolean
}

export interface PolledAdjacencies {
  readonly table: AdjacencyTable
  readonly changes: readonly AdjacencyChange[]
  readonly refused: number
}

/** What a poll means for the adjacencies, besides its rows. */
export interface AdjacencyContext {
  /** Kind of each entity of the poll; null = none of ours. */
  readonly kinds: ReadonlyArray<EntityKind | null>
  /** Bits of the sources that answer, this one included. */
  readonly answering: number
}

const OSPF_FULL = OSPF_STATES.indexOf("full")
const OSPF_2WAY = OSPF_STATES.indexOf("2way")
const BGP_ESTABLISHED = BGP_STATES.indexOf("established")
const HEARD = LLDP_STATES.indexOf("heard")

export const isRouting = (kind: AdjacencyKind): kind is RoutingKind => kind === "ospf" || kind === "bgp"

/** Two OSPF routers of a broadcast net that are both not designated rest in 2-Way (RFC 2328 s10.4): that is up. */
export const isUp = (kind: AdjacencyKind, state: number): boolean => {
  if (!isRouting(kind)) return state === HEARD
  return kind === "bgp" ? state === BGP_ESTABLISHED : state === OSPF_FULL || state === OSPF_2WAY
}

/**
 * A neighbour that comes back passes 2-Way on its way to Full, and devices tell of each step: to take that for up would make
 * four changes of one cut and mend. It has come to rest there when it is still in 2-Way so much later.
 */
const RESTS_MS = 10_000

export const isAdjacencyUp = ({ kind, state, forming }: Pick<Adjacency, "kind" | "state" | "forming">): boolean =>
  forming !== true && isUp(kind, state)

/** `after` as it stands, whose state was another one before. */
const formed = (before: Adjacency, after: Adjacency): Adjacency => {
  const isRising = before.state < OSPF_2WAY || (before.forming === true && after.atMs - after.sinceMs < RESTS_MS)
  const forming = after.kind === "ospf" && after.state === OSPF_2WAY && isRising
  if (forming === (after.forming === true)) return after
  const { forming: _before, ...rest } = after
  return forming ? { ...rest, forming } : rest
}

const STATES: Readonly<Record<AdjacencyKind, readonly string[]>> = {
  ospf: OSPF_STATES,
  bgp: BGP_STATES,
  lldp: LLDP_STATES,
  mndp: LLDP_STATES,
  cdp: LLDP_STATES,
  discovery: LLDP_STATES,
}

export const stateName = (kind: AdjacencyKind, state: number): string => STATES[kind][state] ?? "unknown"

/** The index of a state as vendors write it (`Full`, `2-Way`, `ExStart`); -1 = not a state. */
export const parseState = (kind: RoutingKind, text: string): number => {
  const word = text.toLowerCase().replaceAll("-", "").replace("twoway", "2way")
  return STATES[kind].indexOf(word)
}

export const adjacencyKey = (kind: RoutingKind, remote: string): EntityKey =>
  kind === "bgp" ? bgpKey(remote) : ospfKey(remote)

/** Takes one poll into the table. */
export const pollAdjacencies = (
  table: AdjacencyTable,
  poll: PollInput,
  context: AdjacencyContext,
): PolledAdjacencies => {
  const { rows, refused } = rowsOfPoll(poll, context.kinds)
  if (rows.size === 0 && !poll.complete.some(isAdjacency)) return { table, changes: [], refused }
  const changes: AdjacencyChange[] = []
  const next: Adjacency[] = []
  for (const before of table) {
    const row = rows.get(before.key)
    rows.delete(before.key)
    const after = row === undefined ? unlisted(before, poll, context.answering) : polledOnce(before, row, poll)
    if (after === null) continue
    if (after.state !== before.state) changes.push(...changeOf(before, after))
    next.push(after)
  }
  let left = 0
  const room = roomBeside(next)
  for (const [key, row] of rows) {
    if (row.state === null) continue
    if (next.length >= MAX_ADJACENCIES || !room(row.kind)) left++
    else next.push(discovered(key, row, row.state, poll))
  }
  return { table: next, changes, refused: refused + left }
}

/** Takes a place of a kind, while it has one. */
const roomBeside = (table: AdjacencyTable): ((kind: AdjacencyKind) => boolean) => {
  let lldp = 0
  let discovered = 0
  const room = (kind: AdjacencyKind): boolean => {
    if (isRouting(kind)) return true
    return kind === "lldp" ? ++lldp <= MAX_LLDP : ++discovered <= MAX_DISCOVERED
  }
  for (const { kind } of table) room(kind)
  return room
}

/** Takes a state that a trap or a syslog line told. Null change = not known here, newer evidence, or nothing new. */
export const tellAdjacency = (
  table: AdjacencyTable,
  key: EntityKey,
  state: number,
  atMs: number,
  source: Source,
): { readonly table: AdjacencyTable; readonly changed: AdjacencyChange | null } => {
  const row = table.findIndex((adjacency) => adjacency.key === key)
  const before = table[row]
  if (before === undefined || atMs < before.atMs) return { table, changed: null }
  const sinceMs = before.state === state ? before.sinceMs : atMs
  const after = formed(before, { ...before, state, sinceMs, atMs, source })
  return {
    table: table.with(row, after),
    changed: (before.state === state ? undefined : changeOf(before, after)[0]) ?? null,
  }
}

// -- one poll --------------------------------------------------------------------------------------------------------

/** The rows of one adjacency in one poll. */
interface Row {
  readonly kind: AdjacencyKind
  state: number | null
  uptimeSeconds: number | null
  prefixesIn: number | null
  prefixesOut: number | null
  flaps: number | null
  detail: string | null
  /** Facts of this poll only: texts travel when they change. */
  readonly heard: { -readonly [Name in keyof (LldpTexts & DiscoveryTexts)]?: string }
}

const OSPF_STATE = metricId("ospf.neighbor.state")
const OSPF_UPTIME = metricId("ospf.neighbor.uptime_seconds")
const BGP_STATE = metricId("bgp.peer.state")
const BGP_UPTIME = metricId("bgp.peer.uptime_seconds")
const BGP_IN = metricId("bgp.peer.prefixes_in")
const BGP_OUT = metricId("bgp.peer.prefixes_out")
const BGP_FLAPS = metricId("bgp.peer.flaps_total")

const ENTITY_KIND: Readonly<Record<AdjacencyKind, EntityKind>> = {
  ospf: "ospf.neighbor",
  bgp: "bgp.peer",
  lldp: "lldp.neighbor",
  mndp: "discovery.neighbor",
  cdp: "discovery.neighbor",
  discovery: "discovery.neighbor",
}
const ADJACENCY_ENTITIES: readonly EntityKind[] = [...new Set(Object.values(ENTITY_KIND))]
const isAdjacency = (entity: EntityKind): boolean => ADJACENCY_ENTITIES.includes(entity)

const kindOf = (entity: EntityKind | null, key: EntityKey): AdjacencyKind | null => {
  switch (entity) {
    case "ospf.neighbor":
      return "ospf"
    case "bgp.peer":
      return "bgp"
    case "lldp.neighbor":
      return "lldp"
    case "discovery.neighbor":
      return discoveryKind(key)
    default:
      return null
  }
}

const DETAILS: readonly TextFact[] = [
  "ospf.neighbor.interface",
  "bgp.peer.remote_as",
  "lldp.neighbor.interface",
  "discovery.neighbor.interface",
]
/** Which field of a row a text is, and of which kind of entity. */
const HEARD_FIELD: Readonly<Partial<Record<TextFact, readonly [EntityKind, keyof Row["heard"]]>>> = {
  "lldp.neighbor.system_name": ["lldp.neighbor", "systemName"],
  "lldp.neighbor.port": ["lldp.neighbor", "port"],
  "lldp.neighbor.chassis": ["lldp.neighbor", "chassis"],
  "discovery.neighbor.system_name": ["discovery.neighbor", "systemName"],
  "discovery.neighbor.port": ["discovery.neighbor", "port"],
  "discovery.neighbor.mac": ["discovery.neighbor", "mac"],
  "discovery.neighbor.address": ["discovery.neighbor", "address"],
}

const rowsOfPoll = (
  poll: PollInput,
  kinds: ReadonlyArray<EntityKind | null>,
): { readonly rows: Map<EntityKey, Row>; readonly refused: number } => {
  const rows = new Map<EntityKey, Row>()
  const byEntity = kinds.map((entity, e) => {
    const key = poll.entities[e] as EntityKey
    const kind = kindOf(entity, key)
    return kind === null ? null : rowFor(rows, key, kind)
  })
  let refused = 0
  const count = Math.min(poll.entity.length, poll.metric.length, poll.value.length)
  for (let i = 0; rows.size > 0 && i < count; i++) {
    const row = byEntity[poll.entity[i] as number]
    if (row && !writeRow(row, poll.metric[i] as number, poll.value[i] as number)) refused++
  }
  for (const { entity, fact, text } of poll.texts) {
    const row = rows.get(entity)
    if (row === undefined) continue
    const [of, field] = HEARD_FIELD[fact] ?? []
    if (DETAILS.includes(fact)) row.detail = text.slice(0, MAX_TEXT)
    else if (field !== undefined && of === ENTITY_KIND[row.kind]) row.heard[field] = text.slice(0, MAX_TEXT)
  }
  return { rows, refused }
}

const rowFor = (rows: Map<EntityKey, Row>, key: EntityKey, kind: AdjacencyKind): Row => {
  const known = rows.get(key)
  if (known) return known
  const row: Row = {
    kind,
    // To be listed is the whole state of a heard neighbour.
    state: isRouting(kind) ? null : HEARD,
    uptimeSeconds: null,
    prefixesIn: null,
    prefixesOut: null,
    flaps: null,
    detail: null,
    heard: {},
  }
  rows.set(key, row)
  return row
}

/** False = refused. */
const writeRow = (row: Row, metric: number, value: number): boolean => {
  if (!Number.isFinite(value) || !isRouting(row.kind)) return false
  const bgp = row.kind === "bgp"
  if (metric === (bgp ? BGP_STATE : OSPF_STATE)) {
    if (stateName(row.kind, value) === "unknown") return false
    row.state = value
  } else if (metric === (bgp ? BGP_UPTIME : OSPF_UPTIME)) row.uptimeSeconds = value
  else if (bgp && metric === BGP_IN) row.prefixesIn = value
  else if (bgp && metric === BGP_OUT) row.prefixesOut = value
  else if (bgp && metric === BGP_FLAPS) row.flaps = value
  else return false
  return true
}

const polledOnce = (before: Adjacency, row: Row, poll: PollInput): Adjacency => {
  // A state is as old as the poll's first request: a trap that came meanwhile is newer.
  const stateMs = Math.min(poll.startedMs, poll.atMs)
  const newer = row.state !== null && stateMs >= before.atMs
  const state = newer ? (row.state as number) : before.state
  return formed(before, {
    ...before,
    state,
    sinceMs: state === before.state ? before.sinceMs : stateMs,
    atMs: newer ? stateMs : before.atMs,
    source: newer ? poll.source : before.source,
    listedBy: before.listedBy | sourceBit(poll.source),
    uptimeSeconds: row.uptimeSeconds ?? before.uptimeSeconds,
    prefixesIn: row.prefixesIn ?? before.prefixesIn,
    prefixesOut: row.prefixesOut ?? before.prefixesOut,
    flaps: row.flaps ?? before.flaps,
    detail: row.detail ?? before.detail,
    ...heardTexts(row, before),
  })
}

/** A poll without this adjacency. Null = forgotten. */
const unlisted = (before: Adjacency, poll: PollInput, answering: number): Adjacency | null => {
  if (!poll.complete.includes(ENTITY_KIND[before.kind])) return before
  const listedBy = before.listedBy & ~sourceBit(poll.source)
  const stateMs = Math.min(poll.startedMs, poll.atMs)
  if ((listedBy & answering) !== 0 || stateMs < before.atMs) return { ...before, listedBy }
  if (before.state === 0 && poll.atMs - before.sinceMs > VANISHED_KEEP_MS) return null
  const sinceMs = before.state === 0 ? before.sinceMs : stateMs
  const gone = { uptimeSeconds: null, prefixesIn: null, prefixesOut: null }
  return formed(before, { ...before, ...gone, listedBy, state: 0, sinceMs, atMs: stateMs, source: poll.source })
}

const discovered = (key: EntityKey, row: Row, state: number, poll: PollInput): Adjacency => {
  const stateMs = Math.min(poll.startedMs, poll.atMs)
  return {
    key,
    kind: row.kind,
    remote: entityName(key),
    state,
    sinceMs: sinceOf(row.uptimeSeconds, stateMs),
    atMs: stateMs,
    source: poll.source,
    listedBy: sourceBit(poll.source),
    uptimeSeconds: row.uptimeSeconds,
    prefixesIn: row.prefixesIn,
    prefixesOut: row.prefixesOut,
    flaps: row.flaps,
    detail: row.detail,
    ...heardTexts(row, null),
  }
}

/** An uptime that cannot be true is not believed. */
const sinceOf = (uptimeSeconds: number | null, atMs: number): number => {
  const sinceMs = uptimeSeconds === null ? atMs : Math.round(atMs - uptimeSeconds * 1000)
  return sinceMs >= 0 && sinceMs <= atMs ? sinceMs : atMs
}

const NO_TEXTS: LldpTexts = { systemName: null, port: null, chassis: null }
const NO_DISCOVERY: DiscoveryTexts = { systemName: null, port: null, mac: null, address: null }

/** Texts of before stand until others are told. */
const heardTexts = ({ kind, heard }: Row, before: Adjacency | null): Pick<Adjacency, "lldp" | "discovery"> => {
  if (isRouting(kind)) return {}
  return kind === "lldp"
    ? { lldp: { ...NO_TEXTS, ...before?.lldp, ...heard } }
    : { discovery: { ...NO_DISCOVERY, ...before?.discovery, ...heard } }
}

/** None for a heard neighbour: what hears whom is no event. */
const changeOf = ({ key, kind, state }: Adjacency, after: Adjacency): readonly AdjacencyChange[] =>
  isRouting(kind)
    ? [{ key, kind, old: stateName(kind, state), new: stateName(kind, after.state), up: isAdjacencyUp(after) }]
    : []
