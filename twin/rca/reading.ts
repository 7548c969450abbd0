/**
 * What one router shows, as observations for the board: a function of its state, of what its links believe, of the events
 * that are remembered of it, and of the time. It says until when it holds, so that nobody reads a router again of which
 * nothing is news (symptoms.ts).
 */
import type { EventView } from "#protocol/view.ts"
import { isAdjacencyUp } from "#twin/adjacency.ts"
import { HOT } from "#twin/link.ts"
import type { EndFact, LinkState } from "#twin/link.ts"
import { ALARM, CLEAR, kindNumber, observe, UNKNOWN } from "#twin/rca/board.ts"
import type { Board, Seen } from "#twin/rca/board.ts"
import { hasLeft } from "#twin/rca/remembered.ts"
import type { Structure } from "#twin/rca/network-of.ts"
import { hasSay, isManaged, isManagement, PROBE_STALE_MS } from "#twin/reach.ts"
import type { RouterState } from "#twin/router.ts"
import type { Topology } from "#twin/topology.ts"

/** Downs of a port within this time make it flap (I5: three transitions in ten minutes). */
const FLAP_MS = 600_000
const FLAP_DOWNS = 3
/** A change of configuration counts as "shortly before" for this long. */
const CHANGE_MS = 600_000
/** Uptimes are whole seconds of another clock, and a silence is noticed late. */
const RESTART_SLACK_MS = 60_000

const ANSWER = kindNumber("answer")
const PING = kindNumber("ping")
const PORT = kindNumber("port")
const SHUT = kindNumber("shut")
const HOT_LINK = kindNumber("hot")
const FLAP = kindNumber("flap")
const CHANGE = kindNumber("change")
const REBOOT = kindNumber("reboot")
const ADJACENT = { ospf: kindNumber("ospf"), bgp: kindNumber("bgp") }

/** Of a state, what is read: the whole of it, with its windows of judgement, is not held on to. */
type Read = Pick<
  RouterState,
  "config" | "sources" | "ends" | "adjacencies" | "reachable" | "reachableSinceMs" | "bootMs"
> &
  Pick<Readable, "events">

const readFrom = ({ state, events }: Readable): Read => {
  const { config, sources, ends, adjacencies, reachable, reachableSinceMs, bootMs } = state
  return { config, sources, ends, adjacencies, reachable, reachableSinceMs, bootMs, events }
}

/** What a reading is made of; equal ones at a time before `untilMs` give equal readings. */
export interface Readable {
  readonly state: RouterState
  /** remembered.ts; the same list = no news. */
  readonly events: readonly EventView[]
  readonly linkOf: (link: number) => LinkState
}

export interface Reading {
  readonly of: Read
  /** By end of the router: since when its link is down. */
  readonly downSinceMs: ReadonlyArray<number | null>
  /** What is put on the board: observables, and what is seen of each. */
  readonly ids: readonly number[]
  readonly seen: readonly Seen[]
  readonly atMs: readonly number[]
  /** From then on time alone takes the say from something. */
  readonly untilMs: number
  /** False = it has a neighbour or session that the structure does not know. */
  readonly isKnown: boolean
}

/** Whether it would be read the same again now. */
export const holds = (
  { of, downSinceMs, untilMs }: Reading,
  { state, events, linkOf }: Readable,
  nowMs: number,
): boolean => {
  if (nowMs >= untilMs || of.events !== events) return false
  const { config, sources, ends, adjacencies, reachable, reachableSinceMs, bootMs } = state
  if (of.config !== config || of.sources !== sources || of.ends !== ends || of.adjacencies !== adjacencies) return false
  if (of.reachable !== reachable || of.reachableSinceMs !== reachableSinceMs || of.bootMs !== bootMs) return false
  for (let i = 0; i < ends.length; i++)
    if (linkOf((ends[i] as EndFact).link).downSinceMs !== downSinceMs[i]) return false
  return true
}

/** Writes it, again or for the first time: what somebody else wrote there since is written over. */
export const put = (board: Board, { ids, seen, atMs }: Reading): void => {
  for (let i = 0; i < ids.length; i++) observe(board, ids[i] as number, seen[i] as Seen, atMs[i] as number)
}

/** In the making. */
interface Draft {
  readonly from: Board["from"]
  readonly ids: number[]
  readonly seen: Seen[]
  readonly atMs: number[]
  untilMs: number
}

const say = ({ from, ids, seen, atMs }: Draft, kind: number, index: number, what: Seen, ms: number): void => {
  ids.push((from[kind] as number) + index)
  seen.push(what)
  atMs.push(ms)
}

const until = (draft: Draft, ms: number): void => {
  if (ms < draft.untilMs) draft.untilMs = ms
}

/** `structure`, `topology`: those that the board was built for. */
export const readingOf = (
  readable: Readable,
  { from }: Board,
  { places }: Structure,
  { links }: Topology,
  nowMs: number,
): Reading => {
  const { state, events, linkOf } = readable
  const draft: Draft = { from, ids: [], seen: [], atMs: [], untilMs: Number.POSITIVE_INFINITY }
  const { slot } = state.config
  readAnswers(draft, state, nowMs)
  let readMs = 0
  for (const one of state.sources) if (isManagement(one)) readMs = Math.max(readMs, one.lastOkMs ?? 0)
  const downSinceMs: Array<number | null> = []
  for (const end of state.ends) {
    const downMs = linkOf(end.link).downSinceMs
    downSinceMs.push(downMs)
    readEnd(draft, end, readMs, downMs, links[end.link]?.capacityBps ?? end.speedBps)
  }
  readPorts(draft, state, events, nowMs)
  readRest(draft, state, events, nowMs)
  const leftMs = leftIn(events)
  let isKnown = true
  for (const one of state.adjacencies) {
    const { key, kind, sinceMs } = one
    if (kind !== "ospf" && kind !== "bgp") continue
    const place = places[slot]?.get(key)
    if (place === undefined) isKnown = false
    else if (place !== null) {
      // As everybody else of the twin takes it: who passes 2-Way on the way up is not there yet.
      const up = isAdjacencyUp(one)
      say(draft, ADJACENT[place.kind], place.index, up ? CLEAR : ALARM, up ? readMs : (leftMs.get(key) ?? sinceMs))
    }
  }
  const { ids, seen, atMs, untilMs } = draft
  return { of: readFrom(readable), downSinceMs, ids, seen, atMs, untilMs, isKnown }
}

const readAnswers = (draft: Draft, state: RouterState, nowMs: number): void => {
  const { sources, config } = state
  for (const one of sources)
    if (!isManagement(one) && hasSay(one, nowMs)) until(draft, (one.lastTryMs ?? 0) + PROBE_STALE_MS)
  // A router that answers its collector and never answered a ping lets none through: its silence says nothing.
  const lacksPings = isManaged(sources)
  for (const kind of [ANSWER, PING]) {
    let [voices, okMs, isUpSomewhere, isDownEverywhere] = [0, 0, false, true]
    for (const one of sources) {
      const isPing = !isManagement(one)
      if (isPing !== (kind === PING) || !hasSay(one, nowMs)) continue
      if (isPing && one.lastOkMs === null && lacksPings) continue
      voices++
      okMs = Math.max(okMs, one.lastOkMs ?? 0)
      isUpSomewhere ||= one.up === true
      isDownEverywhere &&= one.up === false
    }
    const sinceMs = state.reachable === false ? (state.reachableSinceMs ?? 0) : okMs + config.pollSeconds * 1000
    if (isUpSomewhere) say(draft, kind, config.slot, CLEAR, okMs)
    else if (voices > 0 && isDownEverywhere) say(draft, kind, config.slot, ALARM, sinceMs)
    else say(draft, kind, config.slot, UNKNOWN, 0)
  }
}

/** A port that was read down stays down until somebody reads it up: that its router fell silent since is no mending. */
const readEnd = (
  draft: Draft,
  end: EndFact,
  readMs: number,
  downSinceMs: number | null,
  capacityBps: number | null,
): void => {
  const index = endIndex(end)
  const toldMs = end.atMs ?? 0
  const alarmMs = downSinceMs ?? toldMs
  const clearMs = end.fresh ? Math.max(toldMs, readMs) : toldMs
  sayWhether(draft, PORT, index, end.operUp === null ? null : !end.operUp, alarmMs, clearMs)
  sayWhether(draft, SHUT, index, end.adminUp === null ? null : !end.adminUp, alarmMs, clearMs)
  const bps = Math.max(end.rxBps ?? -1, end.txBps ?? -1)
  const isMeasured = bps >= 0 && capacityBps !== null && capacityBps > 0
  sayWhether(draft, HOT_LINK, index, isMeasured ? bps >= HOT * capacityBps : null, readMs, readMs)
}

/** Null = nobody knows. */
const sayWhether = (
  draft: Draft,
  kind: number,
  index: number,
  alarms: boolean | null,
  alarmMs: number,
  clearMs: number,
): void => {
  if (alarms === null) say(draft, kind, index, UNKNOWN, 0)
  else if (alarms) say(draft, kind, index, ALARM, alarmMs)
  else say(draft, kind, index, CLEAR, clearMs)
}

const endIndex = ({ link, end }: { readonly link: number; readonly end: "a" | "b" }): number =>
  2 * link + (end === "a" ? 0 : 1)

/** Ports that came and went. */
const readPorts = (draft: Draft, { config }: RouterState, events: readonly EventView[], nowMs: number): void => {
  const downs = new Map<string, number[]>()
  for (const { type, entity, atMs, new: now } of events)
    if (type === "interface.oper.changed" && now === "down" && atMs > nowMs - FLAP_MS) {
      const times = downs.get(entity)
      if (times === undefined) downs.set(entity, [atMs])
      else times.push(atMs)
    }
  for (const port of config.ports) {
    const flaps = downs.size === 0 ? undefined : downs.get(`if:${port.ifName}`)?.toSorted((x, y) => x - y)
    const first = flaps?.at(-FLAP_DOWNS)
    if (first === undefined) say(draft, FLAP, endIndex(port), CLEAR, 0)
    else {
      say(draft, FLAP, endIndex(port), ALARM, flaps?.at(-1) ?? first)
      until(draft, first + FLAP_MS)
    }
  }
}

/** Changes, and restarts after a silence. */
const readRest = (
  draft: Draft,
  { config, reachable, bootMs }: RouterState,
  events: readonly EventView[],
  nowMs: number,
): void => {
  let silentMs: number | null = null
  let changedMs: number | null = null
  for (const { type, atMs, new: now } of events) {
    if (type === "device.reachable.changed" && now === "down") silentMs = atMs
    if (type === "config.changed.detected" && atMs > nowMs - CHANGE_MS) changedMs = atMs
  }
  say(draft, CHANGE, config.slot, changedMs === null ? UNKNOWN : ALARM, changedMs ?? 0)
  if (changedMs !== null) until(draft, changedMs + CHANGE_MS)
  const restarted = silentMs !== null && reachable === true && bootMs !== null && bootMs >= silentMs - RESTART_SLACK_MS
  say(draft, REBOOT, config.slot, restarted ? ALARM : UNKNOWN, silentMs ?? 0)
}

const NEVER_LEFT: ReadonlyMap<string, number> = new Map()

/** When each neighbour or session last left its good state: one that tries again and again was down all the while. */
const leftIn = (events: readonly EventView[]): ReadonlyMap<string, number> => {
  if (events.length === 0) return NEVER_LEFT
  const leftMs = new Map<string, number>()
  for (const event of events) if (hasLeft(event)) leftMs.set(event.entity, event.atMs)
  return leftMs
}
