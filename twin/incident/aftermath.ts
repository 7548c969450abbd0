/**
 * What is left of a fault that is over. Ports come back at once, routing seconds later, sessions last, and whoever has not been
 * asked again still counts as silent: all of it is accounted for by the cause that was, keeps its incident open for as long as it
 * lasts, and speaks for no other cause. So the next fault beside it is seen as what it is. Only for a while, only what began
 * before, and no router longer than until it has been asked in vain: what is really broken there is found.
 */
import type { CauseMember } from "#protocol/incident.ts"
import type { Sitting } from "#twin/incident/sitting.ts"
import { isOpen } from "#twin/incident/sitting.ts"
import { isLasting, showing } from "#twin/incident/showing.ts"
import type { Shown } from "#twin/incident/showing.ts"
import type { CauseState, Incident, Symptom } from "#twin/incident/state.ts"
import { placeKey } from "#twin/incident/state.ts"
import type { Suspicion } from "#twin/incident/suspicion.ts"
import { ascending } from "#twin/incident/shadow.ts"
import { spotOf } from "#twin/incident/spot.ts"
import { assess, EXPECTED } from "#twin/rca/assess.ts"
import { excuse, isPast, kindAt } from "#twin/rca/board.ts"
import type { Board } from "#twin/rca/board.ts"
import type { Cause } from "#twin/rca/cause.ts"
import { BLIND } from "#twin/rca/evidence/kind.ts"
import { UNDECIDED } from "#twin/rca/probe.ts"
import type { Symptoms } from "#twin/rca/symptoms.ts"
import type { Topology } from "#twin/topology.ts"
import type { Inventory } from "#protocol/inventory.ts"

/** Nothing is accounted for longer than this after the end: OSPF waits for 40 s, BGP tries again within this (RFC 4271 s10). */
export const AFTERMATH_MS = 120_000
/** Who is asked so soon after the end may still be starting, and shows ports dark that will be lit. */
export const BOOT_MS = 10_000
/** Polls come a little late. */
const LATE_MS = 5_000

/** What tells at once that a fault is over. */
const AT_ONCE: ReadonlySet<string> = new Set(["port", "shut"])
const SILENCE: ReadonlySet<string> = new Set(["answer", "ping"])
/** What comes back after everything else. */
const LATE: ReadonlySet<string> = new Set(["ospf", "bgp"])
const PAST: ReadonlySet<string> = new Set(["reboot", "change"])

export interface Aftermath {
  /** What shows in this sitting, while any incident has a cause. */
  readonly shown: ReadonlyMap<Shown, number>
  /** By incident whose cause is over: since when. */
  readonly overMs: ReadonlyMap<string, number>
  /** By incident: what of it lasts. */
  readonly left: ReadonlyMap<string, Suspicion>
}

const known = new WeakMap<Sitting, Aftermath>()

/** Worked out once in a sitting, before anything is explained. */
export const aftermathOf = (sitting: Sitting, symptoms: Symptoms): Aftermath => {
  const before = known.get(sitting)
  if (before !== undefined) return before
  const { topology } = sitting.world
  const overMs = new Map<string, number>()
  const left = new Map<string, Suspicion>()
  const open = [...sitting.incidents.values()].filter((incident) => isOpen(incident) && incident.causes.length > 0)
  const shown: Aftermath["shown"] = open.length === 0 ? new Map() : showing(symptoms, topology)
  for (const incident of open) {
    const ms = endOf(sitting, incident, shown)
    if (ms === null) continue
    overMs.set(incident.id, ms)
    const suspicion = leftOf(sitting, symptoms, incident, ms)
    if (suspicion !== null) left.set(incident.id, suspicion)
  }
  const made = { shown, overMs, left }
  known.set(sitting, made)
  return made
}

/** Before it is explained: what is accounted for wants no cause. */
export const excuseAftermath = (sitting: Sitting, symptoms: Symptoms): void => {
  const ids = new Set<number>()
  for (const { candidate } of aftermathOf(sitting, symptoms).left.values())
    for (const id of candidate.explained) ids.add(id)
  excuse(symptoms.board, ids)
}

// -- whether it is over ---------------------------------------------------------------------------------------------------

/**
 * When the cause was over, by what it showed; null = it is not, or nobody knows. Ports say it for all the rest, and so does whoever
 * had no power and has started since. Of a cause that silences many, the first who answers again says it: he was asked in vain
 * before, so that it is no lost poll.
 */
const endOf = (sitting: Sitting, { causes, symptoms }: Incident, shown: ReadonlyMap<Shown, number>): number | null => {
  const [cause] = causes
  if (cause === undefined) return null
  const seen = symptoms.filter(
    ({ alert, kind, explainedBy }) => alert === "" && explainedBy !== null && !PAST.has(kind),
  )
  const ports = seen.filter(({ kind }) => AT_ONCE.has(kind))
  const first = Math.min(
    ...seen.flatMap((one) => (isBack(sitting, one, shown) ? [endedMs(sitting, one)] : [])),
    ...startsSince(sitting, cause),
  )
  if (first < Number.POSITIVE_INFINITY) return first
  const deciding = ports.length > 0 ? ports : seen
  if (deciding.length === 0 || deciding.some((one) => isLasting(shown, one))) return null
  return Math.max(...deciding.map((one) => endedMs(sitting, one)))
}

/** When those that had no power started again, and answered. */
const startsSince = ({ cells, world }: Sitting, { members, sinceMs }: CauseState): readonly number[] => {
  const { inventory, deviceSlot } = world.topology
  return members.flatMap(({ fault, id }) => {
    const dead =
      fault === "router"
        ? [deviceSlot.get(id as never) ?? -1]
        : fault === "site-power"
          ? (slotsAt(inventory).get(id) ?? [])
          : []
    return dead.flatMap((slot) => {
      if (slot < 0 || slot >= world.topology.routers.length) return []
      const { bootMs, reachable } = cells.routers.state(slot)
      return reachable === true && bootMs !== null && bootMs > sinceMs ? [bootMs] : []
    })
  })
}

/** By site. Asked of every dark site in each evaluation: the inventory says it once for all. */
export const slotsAt = ({ devices }: Inventory): ReadonlyMap<string, readonly number[]> => {
  const known = knownSlots.get(devices)
  if (known !== undefined) return known
  const slots = new Map<string, number[]>()
  for (const [slot, { site }] of devices.entries()) {
    const own = slots.get(site)
    if (own === undefined) slots.set(site, [slot])
    else own.push(slot)
  }
  knownSlots.set(devices, slots)
  return slots
}
const knownSlots = new WeakMap<Inventory["devices"], ReadonlyMap<string, readonly number[]>>()

/** It shows no more: noted as over, or about to be. */
const endedMs = ({ nowMs }: Sitting, one: Symptom): number => one.endedMs ?? nowMs

const isBack = (sitting: Sitting, one: Symptom, shown: ReadonlyMap<Shown, number>): boolean => {
  if (one.kind !== "answer" || isLasting(shown, one)) return false
  const { deviceSlot, inventory } = sitting.world.topology
  const pollSeconds = inventory.devices[deviceSlot.get(one.device as never) ?? -1]?.pollSeconds ?? 0
  return endedMs(sitting, one) - one.sinceMs >= pollSeconds * 1_000 + LATE_MS
}

// -- what is left ---------------------------------------------------------------------------------------------------------

const leftOf = (sitting: Sitting, symptoms: Symptoms, incident: Incident, overMs: number): Suspicion | null => {
  const { nowMs, world } = sitting
  const { topology } = world
  const [primary] = incident.causes
  const [member] = primary?.members ?? []
  if (primary === undefined || member === undefined || nowMs >= overMs + AFTERMATH_MS) return null
  const cause = causeAt(symptoms, topology, member)
  if (cause === null) return null
  const { board } = symptoms
  const { ids, chance } = assess(board, [cause])
  const own = new Set(ids.filter((_, i) => chance[i] === BLIND))
  const hadNoPower = cause.kind === "router" || cause.kind === "site"
  const lights: Lights = { own, overMs, litMs: hadNoPower ? overMs + BOOT_MS : overMs }
  const alarms = ids.flatMap((id, i) => {
    if (!board.alarms.has(id) || isPast(board, id) || (!own.has(id) && (chance[i] as number) < EXPECTED)) return []
    const spot = spotOf(symptoms, topology, id)
    return spot !== null && isLeft(sitting, board, id, spot.slot, lights) ? [spot] : []
  })
  if (alarms.length === 0) return null
  const isSilent = ({ id }: (typeof alarms)[number]): boolean => SILENCE.has(kindAt(board, id)[0].name)
  return {
    candidate: {
      cause,
      members: [cause],
      confidence: primary.confidence,
      part: "primary",
      rivals: [],
      // Nothing is open about it.
      features: { margin: 2 * UNDECIDED, explained: alarms.length, absent: 0, members: 1, shared: 0 },
      onsetMs: primary.sinceMs,
      explained: alarms.map(({ id }) => id),
      absent: [],
      awaited: [],
    },
    // Not the cause itself: what is left of it neither mends nor costs what the cause did.
    key: `after ${primary.key}`,
    keys: [],
    onsetMs: primary.sinceMs,
    alarms,
    silent: new Set(alarms.filter(isSilent).map(({ slot }) => slot)),
    links: new Set(),
    predicted: new Set(alarms.map(({ slot, entity }) => placeKey(topology.inventory.devices[slot]?.id ?? "", entity))),
    slots: ascending(alarms.map(({ slot }) => slot)),
    own: null,
  }
}

/** Since when it is over, when all ports are lit again, and what only those could have shown who were dead. */
interface Lights {
  readonly own: ReadonlySet<number>
  readonly overMs: number
  readonly litMs: number
}

/** Whether an alarm may be no more than what is left. */
const isLeft = ({ cells }: Sitting, board: Board, id: number, slot: number, lights: Lights): boolean => {
  const { sources, config } = cells.routers.state(slot)
  const { overMs, litMs } = lights
  const { name } = kindAt(board, id)[0]
  const sinceMs = board.atMs[id] as number
  // First seen a round later, for nobody had read it before.
  if (LATE.has(name)) return sinceMs <= overMs + config.pollSeconds * 1_000 + LATE_MS
  if (sinceMs > overMs && !isUnlit(board, id, lights)) return false
  if (SILENCE.has(name)) return sources.every(({ lastTryMs }) => lastTryMs === null || lastTryMs < overMs + BOOT_MS)
  const untilMs = AT_ONCE.has(name) ? litMs : overMs
  return sources.every(({ lastOkMs }) => lastOkMs === null || lastOkMs < untilMs)
}

/**
 * A port of whoever starts that he shows dark before it is lit: the other end has been dark since before, or starts as well.
 * One whose other end was lit meanwhile goes dark for another reason.
 */
const isUnlit = (board: Board, id: number, { own, overMs, litMs }: Lights): boolean => {
  const [kind, index] = kindAt(board, id)
  if (kind.name !== "port" || !own.has(id) || (board.atMs[id] as number) > litMs) return false
  const far = id - index + (index ^ 1)
  return own.has(far) || (board.alarms.has(far) && (board.atMs[far] as number) <= overMs)
}

/** The cause that a member stands for; null = one that leaves nothing behind. */
const causeAt = ({ board }: Symptoms, topology: Topology, { fault, id, entity }: CauseMember): Cause | null => {
  const { inventory, deviceSlot, routers } = topology
  const at = (kind: Cause["kind"], index: number | undefined): Cause | null =>
    index === undefined || index < 0 ? null : { kind, index }
  const slot = deviceSlot.get(id as never)
  switch (fault) {
    case "link":
      return at(
        "link",
        inventory.links.findIndex((link) => link.id === id),
      )
    case "interface": {
      const port = routers[slot ?? -1]?.ports.find(({ ifName }) => `if:${ifName}` === entity)
      return port === undefined ? null : at("shut", 2 * port.link + (port.end === "a" ? 0 : 1))
    }
    case "router":
    case "upstream":
      return at("router", slot)
    case "route-reflector":
      return at("bgp", slot)
    case "site-power":
      return at(
        "site",
        inventory.sites.findIndex((site) => site.id === id),
      )
    case "srlg":
      return at(
        "group",
        board.model.network.groups.findIndex(({ name }) => name === id),
      )
    default:
      return null
  }
}
