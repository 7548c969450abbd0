/**
 * The desk where incidents are made: it hears what every input changed, and evaluates at once, or, when it did so within
 * the last EVALUATE_MS of the twin's time, as soon as that has passed. So a trap has its incident in its own input, and a
 * storm costs one evaluation a second. Everything it remembers lies in the snapshot: live = replay = restart.
 */
import type { Cells } from "#twin/cells.ts"
import type { IncidentInput } from "#twin/input.ts"
import { isLit } from "#twin/alert/alert.ts"
import type { AlertsFact } from "#twin/judge/alert-rows.ts"
import { judgeOf } from "#twin/judge/rejudge.ts"
import type { World } from "#twin/round.ts"
import type { NodeFact } from "#twin/router.ts"
import type { AlertOrder } from "#twin/tenant.ts"
import type { Topology } from "#twin/topology.ts"
import { acted } from "#twin/incident/acted.ts"
import type { Feedback } from "#twin/incident/feedback.ts"
import { NO_FEEDBACK, weighed } from "#twin/incident/feedback.ts"
import type { Correlated } from "#twin/incident/correlate.ts"
import { contributed, correlate, HOLD_MS, mergeParts } from "#twin/incident/correlate.ts"
import type { SessionMemory } from "#twin/incident/impact.ts"
import { impactOf, noteSessions } from "#twin/incident/impact.ts"
import { COOLDOWN_MS, REOPEN_MS } from "#twin/incident/lifecycle.ts"
import { ordersOf } from "#twin/incident/orders.ts"
import { gather, placeLoose, settleSymptoms } from "#twin/incident/placing.ts"
import { takeAnswers } from "#twin/incident/answering.ts"
import { forgotten, probed } from "#twin/incident/probing.ts"
import type { Allowance, ProbeRequest } from "#twin/incident/question.ts"
import { awaited, FULL, questionTimes } from "#twin/incident/question.ts"
import type { Sight, StoredSight } from "#twin/incident/sight.ts"
import { atRest, explained, look, read, restoredSight, storedSight, study, studyMs } from "#twin/incident/sight.ts"
import type { Say, Sitting } from "#twin/incident/sitting.ts"
import { isOpen, note, put, raised, signalled, tell } from "#twin/incident/sitting.ts"
import type { HeldCause, Incident, LooseAlert } from "#twin/incident/state.ts"
import { CLOSED_MAX, LOOSE_MAX } from "#twin/incident/state.ts"
import { hasTransitNews, servicesNoted, transitsTaken } from "#twin/incident/transit.ts"
import { transitClaims } from "#twin/incident/transit-claims.ts"
import type { Suspicion } from "#twin/incident/suspicion.ts"
import { membersOf, suspicionOf } from "#twin/incident/suspicion.ts"
import { isNamed, NAMED_FROM } from "#twin/rca/explain.ts"
import type { Candidate } from "#twin/rca/explain.ts"

/** Between two evaluations, of the twin's time: a millisecond for each router, within these. */
export const EVALUATE_MS = 1_000
const EVALUATE_MS_MIN = 250
/** Causes that are followed at once, first come first. */
const SUSPICIONS_MAX = 128
/**
 * Impacts that are worked out in one evaluation: each is a what-if, the dearest thing here. The others follow in the next ones,
 * of which a network that fell silent as a whole, an incident a site, shall not want hundreds: the more wait, the more at once
 */
const IMPACTS_MAX = 4
const impactsNow = (waiting: number): number => Math.max(1, Math.min(IMPACTS_MAX, Math.ceil(waiting / 8)))

/** Beside a world; written by the round only. */
export interface Desk {
  /** Newest first. */
  incidents: readonly Incident[]
  loose: readonly LooseAlert[]
  held: readonly HeldCause[]
  readonly sessions: SessionMemory
  sight: Sight | null
  evaluatedMs: number
  /** Something happened since. */
  isDue: boolean
  /** Incidents that were not opened because there are too many. */
  refused: number
  /** What confirmations say about the confidence of verdicts. */
  feedback: Feedback
  /** Ended, changed after their end, or opened again since this was last taken: what storage keeps. Not in a snapshot. */
  readonly over: Map<string, Incident>
  /** To be asked of the network, since this was last taken: an effect of the live twin. Not in a snapshot. */
  readonly asks: ProbeRequest[]
  /** Devices of which an answer is awaited; derived. */
  waiting: ReadonlySet<string>
  allowance: Allowance
  /** World.services.version that it has heard of. Not in a snapshot: a twin that is restored counts from none. */
  services: number
}

export const newDesk = (): Desk => ({
  incidents: [],
  loose: [],
  held: [],
  sessions: new Map(),
  sight: null,
  evaluatedMs: 0,
  isDue: false,
  refused: 0,
  feedback: NO_FEEDBACK,
  over: new Map(),
  asks: [],
  waiting: new Set(),
  allowance: FULL,
  services: 0,
})

/** What one input changed. */
export interface Heard {
  /** Routers whose state may be another, those at the ends of links that are among them. */
  readonly slots: ReadonlySet<number>
  readonly alerts: readonly AlertsFact[]
  readonly nodes: readonly NodeFact[]
}

/** Another inventory: the board has another shape. */
export const reshaped = (desk: Desk): void => {
  desk.sight = null
  desk.isDue = true
  desk.incidents = desk.incidents.map(forgotten)
}

export const hear = (world: World, cells: Cells, { slots, alerts, nodes }: Heard): void => {
  const { desk, topology } = world
  if (topology.routers.length === 0) return
  for (const { slot, subscribers } of nodes) {
    const device = topology.inventory.devices[slot]
    if (subscribers !== null && device !== undefined) noteSessions(desk.sessions, device.id, world.atMs, subscribers)
  }
  for (const fact of alerts) hearAlerts(world, fact)
  if (desk.services !== world.services.version) {
    desk.services = world.services.version
    desk.isDue = true
  }
  const sight = (desk.sight ??= look(world))
  if (read(sight, world, cells, slots)) desk.isDue = true
  const { anew, news } = study(sight, world, cells)
  if (anew) desk.incidents = desk.incidents.map(forgotten)
  if (news) desk.isDue = true
}

/** What begins to fire looks for a place; what has ended is seen at the next evaluation. */
const hearAlerts = ({ desk, topology }: World, { slot, rows, ended }: AlertsFact): void => {
  const device = topology.inventory.devices[slot]
  if (device === undefined) return
  const fresh = rows.filter(({ state, severity }) => isLit(state) && severity !== "info")
  if (fresh.length + ended.length + rows.length > 0) desk.isDue = true
  if (fresh.length === 0) return
  const known = new Set(desk.loose.map((one) => `${one.device} ${one.rule} ${one.entity}`))
  const loose = fresh
    .filter(({ rule, entity }) => !known.has(`${device.id} ${rule} ${entity}`))
    .map(({ rule, entity, severity, firedMs, sinceMs }): LooseAlert => ({
      device: device.id,
      rule,
      entity,
      severity,
      firedMs: firedMs ?? sinceMs,
    }))
  if (loose.length > 0) desk.loose = [...desk.loose, ...loose].slice(-LOOSE_MAX)
}

/** Evaluates if there is reason to, and time. */
export const evaluate = (world: World, cells: Cells, say: Say): readonly AlertOrder[] => {
  const { desk, atMs: nowMs } = world
  const dueMs = dueOf(world)
  if (desk.sight === null || desk.sight.isPartial || dueMs === null || nowMs < dueMs) return []
  desk.evaluatedMs = nowMs
  desk.isDue = false
  const { sight } = desk
  const isIdle =
    sight.symptoms.board.alarms.size === 0 &&
    desk.held.length === 0 &&
    !hasTransitNews(world) &&
    desk.loose.length === 0 &&
    !desk.incidents.some(isOpen)
  if (isIdle) {
    atRest(sight)
    return []
  }
  const sitting = begin(world, cells, say)
  const answers = takeAnswers(sitting, sight)
  const { taken, waiting } = causes(sitting, sight)
  settleSymptoms(sitting)
  gather(sitting, sight.symptoms, taken)
  mergeParts(sitting, taken)
  transitsTaken(sitting)
  desk.loose = transitClaims(sitting, desk.loose)
  desk.loose = placeLoose(sitting, waiting)
  for (const incident of sitting.incidents.values()) lived(sitting, incident)
  impacts(sitting, sight, taken)
  servicesNoted(sitting)
  probed(sitting, sight, taken, answers)
  const orders = ordersOf(sitting, taken)
  finish(sitting)
  return orders
}

const begin = (world: World, cells: Cells, say: Say): Sitting => ({
  world,
  cells,
  nowMs: world.atMs,
  say,
  incidents: new Map(world.desk.incidents.map((incident) => [incident.id, incident])),
  updated: new Set(),
  fresh: new Set(),
})

const causes = (sitting: Sitting, sight: Sight): Correlated => {
  const { symptoms } = sight
  const candidates = experienced(sitting, sight)
  const { topology } = sitting.world
  const suspects = candidates.filter(isNamed).slice(0, SUSPICIONS_MAX)
  const correlated = correlate(
    sitting,
    symptoms,
    suspects.map((one) => suspicionOf(symptoms, topology, one)),
  )
  const aside = candidates.filter(({ part, confidence }) => part === "contributing" && confidence >= NAMED_FROM)
  contributed(
    sitting,
    symptoms,
    aside.slice(0, SUSPICIONS_MAX).map((one) => suspicionOf(symptoms, topology, one)),
  )
  return correlated
}

/** As sure as experience has it: what confirmations taught is in what is said, and so in what is named. */
const experienced = ({ world: { desk, topology } }: Sitting, sight: Sight): readonly Candidate[] => {
  const { candidates } = explained(sight)
  if (desk.feedback.log.length === 0) return candidates
  return candidates.map((candidate) => {
    const [member] = membersOf(sight.symptoms, topology, { candidate })
    if (member === undefined) return candidate
    return { ...candidate, confidence: weighed(desk.feedback, member.fault, candidate.confidence) }
  })
}

/** What time and the end of its alerts make of it. */
const lived = (sitting: Sitting, before: Incident): void => {
  if (!isOpen(before)) return
  const { nowMs } = sitting
  let incident = before
  if (incident.ack !== null && incident.ack.untilMs <= nowMs) {
    incident = note(sitting, { ...incident, ack: null }, "unacked", "the acknowledgement has expired")
    sitting.updated.add(incident.id)
  }
  // What its cause brought about once keeps it open no longer than the cause's own alarms do.
  const isKnown = incident.causes.length > 0
  const isAlarmed = incident.symptoms.some(({ endedMs, isNews }) => endedMs === null && !(isKnown && isNews === true))
  if (isAlarmed) incident = signalled(sitting, incident, "alarmed", "it is back")
  else if (incident.state === "open")
    incident = signalled(sitting, incident, "quiet", "all of its alerts have recovered")
  else if (nowMs - (incident.endsAtMs ?? nowMs) >= COOLDOWN_MS)
    incident = signalled(sitting, incident, "settled", `quiet for ${COOLDOWN_MS / 60_000} minutes`)
  const during = duringOf(sitting, incident)
  if (during !== null && during !== incident.during) put(sitting, { ...incident, during })
}

/** Somebody is at work where it shows. It stays so in the record. */
const duringOf = ({ world, nowMs }: Sitting, { symptoms, during }: Incident): Incident["during"] => {
  let found = during
  for (const { device, endedMs } of symptoms) {
    if (endedMs !== null || found === "maintenance") continue
    const slot = world.topology.deviceSlot.get(device as never)
    for (const { kind, times } of slot === undefined ? [] : (judgeOf(world, slot)?.silences ?? []))
      if (kind !== "mute" && times.some(([fromMs, toMs]) => fromMs <= nowMs && nowMs < toMs))
        found = kind === "maintenance" ? kind : (found ?? kind)
  }
  return found
}

/** A fifth of all subscribers without service is critical, whatever the rules say (PRODUCT.md I3). */
const CRITICAL_PART = 0.2

const impacts = (sitting: Sitting, sight: Sight, taken: ReadonlyMap<string, Suspicion>): void => {
  const waiting = [...sitting.incidents.values()].filter((incident) => incident.impactDue && isOpen(incident))
  let left = impactsNow(waiting.length)
  for (const incident of waiting) {
    if (left-- === 0) {
      sitting.world.desk.isDue = true
      return
    }
    const { world, cells } = sitting
    const suspicion = taken.get(incident.id) ?? null
    // The rest of a fault on its way back costs less than the fault did.
    const isOwn = suspicion !== null && incident.causes[0]?.key === suspicion.key
    const { sessions } = world.desk
    const impact =
      isOwn || incident.causes.length === 0
        ? impactOf(world, cells, sessions, incident, isOwn ? suspicion : null, sight.symptoms.board.model)
        : incident.impact
    const next = put(sitting, { ...incident, impact, impactDue: false })
    if ((impact.subscribersPart ?? 0) >= CRITICAL_PART) raised(sitting, next, "critical")
  }
}

const finish = (sitting: Sitting): void => {
  const { incidents, updated, world, nowMs } = sitting
  for (const id of updated) {
    const incident = incidents.get(id)
    if (incident !== undefined && !sitting.fresh.has(id)) tell(sitting, "updated", incident, incident.state)
  }
  const before = new Map(world.desk.incidents.map((incident) => [incident.id, incident]))
  for (const incident of incidents.values()) {
    const was = before.get(incident.id)
    const wasOver = was !== undefined && !isOpen(was)
    if (incident !== was && (wasOver || !isOpen(incident))) world.desk.over.set(incident.id, incident)
  }
  const all = [...incidents.values()].sort(newestFirst)
  const closed = all
    .filter(({ closedMs }) => closedMs !== null && nowMs - closedMs < REOPEN_MS)
    .sort((a, b) => (b.closedMs ?? 0) - (a.closedMs ?? 0))
    .slice(0, CLOSED_MAX)
  const kept = new Set(closed)
  world.desk.incidents = all.filter((incident) => isOpen(incident) || kept.has(incident))
  if (all.filter(isOpen).length < world.desk.incidents.length) world.desk.refused = 0
}

const newestFirst = (a: Incident, b: Incident): number =>
  b.startsAtMs - a.startsAtMs || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0)

/** When it wants to be asked again; null = not before something happens. */
export const dueOf = ({ desk, topology }: World): number | null => {
  // Without anything to look at no evaluation would ever be over: it waits for an inventory, not for the time.
  if (desk.sight === null) return null
  const everyMs = Math.min(EVALUATE_MS, Math.max(EVALUATE_MS_MIN, topology.routers.length))
  let due = Number.POSITIVE_INFINITY
  const soonest = (ms: number): void => {
    if (ms < due) due = ms
  }
  soonest(incidentsDueMs(desk))
  for (const { sinceMs } of desk.held) soonest(sinceMs + HOLD_MS)
  const wishMs = studyMs(desk.sight)
  if (wishMs !== null) soonest(wishMs)
  if (desk.isDue) soonest(0)
  return due === Number.POSITIVE_INFINITY ? null : Math.max(due, desk.evaluatedMs + everyMs)
}

/** Asked after every timer of every router, and the same until the desk has sat again. */
const incidentsDueMs = ({ incidents, evaluatedMs }: Desk): number => {
  const known = knownDue.get(incidents)
  if (known?.evaluatedMs === evaluatedMs) return known.dueMs
  let dueMs = Number.POSITIVE_INFINITY
  for (const incident of incidents) {
    const { state, endsAtMs, ack } = incident
    if (state === "closed") continue
    for (const ms of questionTimes(incident, evaluatedMs)) dueMs = Math.min(dueMs, ms)
    if (state === "recovering" && endsAtMs !== null) dueMs = Math.min(dueMs, endsAtMs + COOLDOWN_MS)
    if (ack !== null) dueMs = Math.min(dueMs, ack.untilMs)
  }
  knownDue.set(incidents, { evaluatedMs, dueMs })
  return dueMs
}
const knownDue = new WeakMap<readonly Incident[], { readonly evaluatedMs: number; readonly dueMs: number }>()

export const act = (
  world: World,
  cells: Cells,
  say: Say,
  { incident, by, act: what }: IncidentInput,
): readonly AlertOrder[] => {
  const sitting = begin(world, cells, say)
  acted(sitting, incident, by, what)
  const orders = what.act === "close" ? ordersOf(sitting, new Map()) : []
  finish(sitting)
  return orders
}

// -- in a snapshot -------------------------------------------------------------------------------------------------------

export interface StoredDesk {
  readonly incidents: readonly Incident[]
  readonly loose: readonly LooseAlert[]
  readonly held: readonly HeldCause[]
  readonly sessions: ReadonlyArray<readonly [device: string, counts: ReadonlyArray<readonly [number, number]>]>
  readonly evaluatedMs: number
  readonly isDue: boolean
  readonly refused: number
  readonly sight: StoredSight | null
  /** Absent in snapshots of before they were kept. */
  readonly feedback?: Feedback
  readonly allowance?: Allowance
}

export const storedDesk = ({
  incidents,
  loose,
  held,
  sessions,
  evaluatedMs,
  isDue,
  refused,
  sight,
  feedback,
  allowance,
}: Desk): StoredDesk => ({
  incidents,
  loose,
  held,
  sessions: [...sessions],
  evaluatedMs,
  isDue,
  refused,
  sight: sight === null ? null : storedSight(sight),
  feedback,
  allowance,
})

export const restoredDesk = (stored: StoredDesk, topology: Topology): Desk => ({
  incidents: stored.incidents,
  loose: stored.loose,
  held: stored.held,
  sessions: new Map(stored.sessions),
  evaluatedMs: stored.evaluatedMs,
  services: 0,
  isDue: stored.isDue,
  refused: stored.refused,
  feedback: stored.feedback ?? NO_FEEDBACK,
  over: new Map(),
  asks: [],
  waiting: awaited(stored.incidents),
  allowance: stored.allowance ?? FULL,
  sight: stored.sight === null ? null : restoredSight(stored.sight, topology),
})
