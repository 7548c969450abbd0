/**
 * The door between a live twin and root-cause analysis: what its routers and links show, as a board. `symptomsOf` reads all
 * of it, `refresh` only the devices that a round touched (RoundResult.nodes); both give the same board. It is derived: kept
 * beside the twin, never in its state, and built anew after a restart or a change of the inventory.
 */
import type { EventView } from "#protocol/view.ts"
import { isUp } from "#twin/adjacency.ts"
import type { Cells } from "#twin/cells.ts"
import { HOT } from "#twin/link.ts"
import type { EndFact } from "#twin/link.ts"
import { ALARM, CLEAR, newBoard, observable, observe, UNKNOWN } from "#twin/rca/board.ts"
import type { Board } from "#twin/rca/board.ts"
import { buildModel } from "#twin/rca/model.ts"
import { structureOf } from "#twin/rca/network-of.ts"
import type { Structure, StructureOptions } from "#twin/rca/network-of.ts"
import { hasSay, isManaged, isManagement, PROBE_STALE_MS } from "#twin/reach.ts"
import type { RouterState } from "#twin/router.ts"
import type { World } from "#twin/round.ts"

/** Downs of a port within this time make it flap (I5: three transitions in ten minutes). */
export const FLAP_MS = 600_000
const FLAP_DOWNS = 3
/** A change of configuration counts as "shortly before" for this long. */
export const CHANGE_MS = 600_000

export interface Symptoms {
  readonly board: Board
  readonly structure: Structure
  /** Revision of the inventory that it was built for. */
  readonly rev: number
  readonly lapses: Lapses
}

/** When what was read says nothing any more, although nobody tells anything new. */
export interface Lapses {
  readonly bySlot: Map<number, number>
  /** Nothing lapses before it: only then is it worth a look. */
  soonestMs: number
}

export const noLapses = (): Lapses => ({ bySlot: new Map(), soonestMs: Number.POSITIVE_INFINITY })

export const symptomsOf = (world: World, cells: Cells, options: StructureOptions = {}): Symptoms => {
  const structure = structureOf(world, cells, options)
  const { rev } = world.topology
  const symptoms: Symptoms = { board: newBoard(buildModel(structure.network)), structure, rev, lapses: noLapses() }
  refresh(
    symptoms,
    world,
    cells,
    world.topology.routers.map((_, slot) => slot),
  )
  return symptoms
}

/**
 * Reads these devices anew, and those whose readings have lapsed. False = the structure is another one (inventory, or a
 * neighbour that was never seen before): call `symptomsOf` again.
 */
export const refresh = (symptoms: Symptoms, world: World, cells: Cells, slots: Iterable<number>): boolean => {
  if (symptoms.rev !== world.topology.rev) return false
  const all = new Set(slots)
  for (const slot of lapsed(symptoms, world.atMs)) all.add(slot)
  const events = eventsOf(world, all)
  let isKnown = true
  for (const slot of all) isKnown = readRouter(symptoms, world, cells, slot, events) && isKnown
  return isKnown
}

/** Devices that have something on the board which time alone has taken the say from. */
const lapsed = ({ lapses }: Symptoms, nowMs: number): readonly number[] => {
  if (nowMs < lapses.soonestMs) return []
  const due: number[] = []
  lapses.soonestMs = Number.POSITIVE_INFINITY
  for (const [slot, atMs] of lapses.bySlot) {
    if (atMs <= nowMs) due.push(slot)
    lapses.soonestMs = Math.min(lapses.soonestMs, atMs)
  }
  return due
}

/** The twin's newest events of these devices. */
const eventsOf = (
  { recent, topology }: World,
  slots: ReadonlySet<number>,
): ReadonlyMap<string, readonly EventView[]> => {
  const events = new Map<string, EventView[]>()
  for (const slot of slots) events.set(topology.routers[slot]?.device ?? "", [])
  for (const event of recent) events.get(event.subject)?.push(event)
  return events
}

const readRouter = (
  { board, structure, lapses }: Symptoms,
  world: World,
  cells: Cells,
  slot: number,
  events: ReadonlyMap<string, readonly EventView[]>,
): boolean => {
  const state = cells.routers.state(slot)
  let lapseMs = Number.POSITIVE_INFINITY
  const until = (ms: number): void => {
    lapseMs = Math.min(lapseMs, ms)
  }
  readAnswers(board, state, world.atMs, until)
  const readMs = state.sources.filter(isManagement).reduce((newest, one) => Math.max(newest, one.lastOkMs ?? 0), 0)
  for (const end of state.ends)
    readEnd(board, end, readMs, cells.links.state(end.link).downSinceMs, capacityOf(world, end))
  const leftMs = readEvents(board, world.atMs, events.get(state.config.device) ?? [], state, until)
  lapses.soonestMs = Math.min(lapses.soonestMs, lapseMs)
  if (lapseMs === Number.POSITIVE_INFINITY) lapses.bySlot.delete(slot)
  else lapses.bySlot.set(slot, lapseMs)
  let isKnown = true
  for (const { key, kind, state: at, sinceMs } of state.adjacencies) {
    const place = structure.places[slot]?.get(key)
    if (place === undefined && kind !== "lldp") isKnown &&= kind !== "ospf" && kind !== "bgp"
    if (place === undefined || place === null || (kind !== "ospf" && kind !== "bgp")) continue
    const up = isUp(kind, at)
    observe(
      board,
      observable(board, place.kind, place.index),
      up ? CLEAR : ALARM,
      up ? readMs : (leftMs.get(key) ?? sinceMs),
    )
  }
  return isKnown
}

/** Hears until when the readings count. */
type Until = (ms: number) => void

const readAnswers = (board: Board, state: RouterState, nowMs: number, until: Until): void => {
  for (const one of state.sources)
    if (!isManagement(one) && hasSay(one, nowMs)) until((one.lastTryMs ?? 0) + PROBE_STALE_MS)
  for (const kind of ["answer", "ping"] as const) {
    const voices = state.sources.filter(
      (one) => isManagement(one) === (kind === "answer") && hasSay(one, nowMs) && !isFiltered(one, state),
    )
    const id = observable(board, kind, state.config.slot)
    const okMs = voices.reduce((ms, one) => Math.max(ms, one.lastOkMs ?? 0), 0)
    const sinceMs = state.reachable === false ? (state.reachableSinceMs ?? 0) : okMs + state.config.pollSeconds * 1000
    if (voices.some(({ up }) => up === true)) observe(board, id, CLEAR, okMs)
    else if (voices.length > 0 && voices.every(({ up }) => up === false)) observe(board, id, ALARM, sinceMs)
    else observe(board, id, UNKNOWN, 0)
  }
}

/** A router that answers its collector and never answered a ping lets none through: its silence says nothing. */
const isFiltered = (one: RouterState["sources"][number], { sources }: RouterState): boolean =>
  !isManagement(one) && one.lastOkMs === null && isManaged(sources)

/** A port that was read down stays down until somebody reads it up: that its router fell silent since is no mending. */
const readEnd = (
  board: Board,
  end: EndFact,
  readMs: number,
  downSinceMs: number | null,
  capacityBps: number | null,
): void => {
  const index = 2 * end.link + (end.end === "a" ? 0 : 1)
  const put = (name: string, alarms: boolean | null, alarmMs: number, clearMs: number): void =>
    observe(
      board,
      observable(board, name, index),
      alarms === null ? UNKNOWN : alarms ? ALARM : CLEAR,
      alarms === null ? 0 : alarms ? alarmMs : clearMs,
    )
  const toldMs = end.atMs ?? 0
  const clearMs = end.fresh ? Math.max(toldMs, readMs) : toldMs
  put("port", end.operUp === null ? null : !end.operUp, downSinceMs ?? toldMs, clearMs)
  put("shut", end.adminUp === null ? null : !end.adminUp, downSinceMs ?? toldMs, clearMs)
  const bps = Math.max(end.rxBps ?? -1, end.txBps ?? -1)
  put("hot", bps < 0 || capacityBps === null ? null : bps >= HOT * capacityBps, readMs, readMs)
}

const capacityOf = ({ topology }: World, { link, speedBps }: EndFact): number | null => {
  const bps = topology.links[link]?.capacityBps ?? speedBps
  return bps !== null && bps > 0 ? bps : null
}

/**
 * What only the twin's newest events remember: ports that came and went, changes, and restarts after a silence. Returns when
 * each neighbour or session last left its good state: one that tries again and again was down all the while.
 */
const readEvents = (
  board: Board,
  nowMs: number,
  events: readonly EventView[],
  { config, reachable, bootMs }: RouterState,
  until: Until,
): ReadonlyMap<string, number> => {
  const leftMs = new Map<string, number>()
  const downs = new Map<string, number[]>()
  let silentMs: number | null = null
  let changedMs: number | null = null
  for (const { type, entity, atMs, old, new: now } of events) {
    if (old === "full" || old === "2way" || old === "established") leftMs.set(entity, atMs)
    if (type === "interface.oper.changed" && now === "down" && atMs > nowMs - FLAP_MS)
      downs.set(entity, [...(downs.get(entity) ?? []), atMs])
    if (type === "device.reachable.changed" && now === "down") silentMs = atMs
    if (type === "config.changed.detected" && atMs > nowMs - CHANGE_MS) changedMs = atMs
  }
  for (const { ifName, link, end } of config.ports) {
    const flaps = (downs.get(`if:${ifName}`) ?? []).sort((x, y) => x - y)
    const id = observable(board, "flap", 2 * link + (end === "a" ? 0 : 1))
    const first = flaps.at(-FLAP_DOWNS)
    if (first === undefined) observe(board, id, CLEAR, 0)
    else {
      observe(board, id, ALARM, flaps.at(-1) ?? first)
      until(first + FLAP_MS)
    }
  }
  const change = observable(board, "change", config.slot)
  observe(board, change, changedMs === null ? UNKNOWN : ALARM, changedMs ?? 0)
  if (changedMs !== null) until(changedMs + CHANGE_MS)
  const restarted = silentMs !== null && reachable === true && bootMs !== null && bootMs >= silentMs - RESTART_SLACK_MS
  observe(board, observable(board, "reboot", config.slot), restarted ? ALARM : UNKNOWN, silentMs ?? 0)
  return leftMs
}

/** Uptimes are whole seconds of another clock, and a silence is noticed late. */
const RESTART_SLACK_MS = 60_000
