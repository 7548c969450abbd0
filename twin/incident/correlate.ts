/**
 * Which named cause belongs to which incident. By root cause first: the same element, or the same alarms, is the same
 * incident, and a better explanation corrects its cause in the open. Then by neighbourhood: a cause beside a young incident
 * waits a little, because one fault is often seen as several before all of its alarms are in. What is left is another fault,
 * and so is at once whatever shows beside an incident whose own cause is over (aftermath.ts).
 */
import type { HeldCause, Incident } from "#twin/incident/state.ts"
import { HELD_MAX, placeKey } from "#twin/incident/state.ts"
import { REOPEN_MS } from "#twin/incident/lifecycle.ts"
import { aftermathOf } from "#twin/incident/aftermath.ts"
import { isLasting } from "#twin/incident/showing.ts"
import type { Sitting } from "#twin/incident/sitting.ts"
import { isOpen, note, opened, put, raised, signalled } from "#twin/incident/sitting.ts"
import { titled } from "#twin/incident/transit.ts"
import type { Suspicion } from "#twin/incident/suspicion.ts"
import { causeState, explains, membersOf, sameCause, titleOf } from "#twin/incident/suspicion.ts"
import type { CauseMember } from "#protocol/incident.ts"
import { say } from "#protocol/phrase.ts"
import type { AlertSeverity } from "#protocol/rule.ts"
import type { Symptoms } from "#twin/rca/symptoms.ts"
import type { Topology } from "#twin/topology.ts"

/** What happens so shortly after one another, side by side, may be one fault (PRODUCT.md: 60-120 s). */
export const NEAR_MS = 120_000
/** How long a cause beside a young incident waits for what shows that both are one. */
export const HOLD_MS = 15_000

export interface Correlated {
  /** By incident: the suspicion that it has now. */
  readonly taken: ReadonlyMap<string, Suspicion>
  /** Those that wait: what they explain waits with them. */
  readonly waiting: readonly Suspicion[]
}

/** Gives each suspicion its incident, or lets it wait; writes the causes. */
export const correlate = (sitting: Sitting, symptoms: Symptoms, suspicions: readonly Suspicion[]): Correlated => {
  const { overMs, left } = aftermathOf(sitting, symptoms)
  const taken = new Map<string, Suspicion>()
  const take = (incident: Incident, suspicion: Suspicion): void => {
    taken.set(incident.id, suspicion)
    caused(sitting, symptoms, incident, suspicion)
  }
  const all = (): readonly Incident[] => [...sitting.incidents.values()].filter(({ id }) => !taken.has(id))
  const byAlarms: Suspicion[] = []
  for (const suspicion of suspicions) {
    const same = all().filter((incident) => hasElement(incident, suspicion))
    const known = same.find(isOpen) ?? same.find((incident) => mayReopen(incident, suspicion, sitting.nowMs))
    if (known !== undefined) take(known, suspicion)
    else if (!same.some((incident) => isDismissed(incident, suspicion))) byAlarms.push(suspicion)
  }
  const { world } = sitting
  const byPlace: Suspicion[] = []
  for (const suspicion of byAlarms) {
    const known = mostShared(
      all().filter((incident) => isOpen(incident) && !overMs.has(incident.id)),
      suspicion,
    )
    if (known !== null) take(known, suspicion)
    else byPlace.push(suspicion)
  }
  const held: HeldCause[] = []
  const waiting: Suspicion[] = []
  for (const suspicion of byPlace) {
    const near = [...sitting.incidents.values()].filter(
      (incident) =>
        isOpen(incident) &&
        !isAfter(incident, suspicion.onsetMs) &&
        !overMs.has(incident.id) &&
        isYoung(incident, suspicion.onsetMs) &&
        isBeside(sitting, incident, suspicion),
    )
    const unknown = near.find(({ id, causes }) => causes.length === 0 && !taken.has(id))
    if (unknown !== undefined) take(unknown, suspicion)
    else if (near.length > 0 && isHeld(sitting, held, suspicion)) waiting.push(suspicion)
    else {
      const made = opened(
        sitting,
        titleOf(symptoms, world.topology, suspicion.candidate),
        severityOf(membersOf(symptoms, world.topology, suspicion)),
        suspicion.onsetMs,
      )
      if (made !== null) take(made, suspicion)
    }
  }
  // What is left of a cause that is over stays with it, and opens nothing again.
  for (const [id, suspicion] of left)
    if (!taken.has(id) && sitting.incidents.get(id)?.state === "open") taken.set(id, suspicion)
  world.desk.held = held
  return { taken, waiting }
}

const hasElement = ({ causes }: Incident, { key, keys }: Suspicion): boolean =>
  causes.some((cause) => cause.rank === "primary" && (cause.keys.includes(key) || keys.includes(cause.key)))

const mayReopen = (incident: Incident, suspicion: Suspicion, nowMs: number): boolean =>
  incident.closedMs !== null && nowMs - incident.closedMs < REOPEN_MS && !isDismissed(incident, suspicion)

/** Somebody has said that this very fault is over. */
const isDismissed = ({ closedMs, closedBy }: Incident, { onsetMs }: Suspicion): boolean =>
  closedMs !== null && closedBy !== "" && onsetMs <= closedMs

/** It began when all of the incident's alarms had recovered: another fault, unless it is the same element again. */
export const isAfter = ({ state, endsAtMs }: Incident, sinceMs: number): boolean =>
  state === "recovering" && endsAtMs !== null && sinceMs > endsAtMs

/** The oldest of those that share most of their lasting symptoms with it; null = none shares any. */
const mostShared = (incidents: readonly Incident[], suspicion: Suspicion): Incident | null => {
  let best: Incident | null = null
  let most = 0
  for (const incident of incidents) {
    const shared = sharedWith(incident, suspicion)
    if (shared > most || (shared === most && best !== null && shared > 0 && incident.startsAtMs < best.startsAtMs)) {
      best = incident
      most = shared
    }
  }
  return best
}

/** What only stands in an incident because it is near says nothing about its cause. */
const sharedWith = (incident: Incident, suspicion: Suspicion): number =>
  incident.symptoms.filter(
    ({ device, entity, endedMs, explainedBy }) =>
      endedMs === null &&
      (incident.causes.length === 0 || explainedBy !== null) &&
      suspicion.predicted.has(placeKey(device, entity)),
  ).length

const isYoung = ({ startsAtMs, updatedAtMs }: Incident, onsetMs: number): boolean =>
  onsetMs >= startsAtMs - NEAR_MS && onsetMs <= Math.max(startsAtMs, updatedAtMs) + NEAR_MS

/** At one site, or next to each other. */
const isBeside = ({ world }: Sitting, incident: Incident, { alarms }: Suspicion): boolean =>
  alarms.some(({ slot }) => isNear(world.topology, incident, slot))

export const isNear = ({ inventory, tenant, routers }: Topology, incident: Incident, slot: number): boolean => {
  const device = inventory.devices[slot]
  if (device === undefined || routers[slot] === undefined) return false
  const devices = new Set<string>()
  for (const symptom of incident.symptoms) {
    if (symptom.endedMs !== null) continue
    if (symptom.site === device.site) return true
    devices.add(symptom.device)
  }
  for (const { members } of incident.causes) for (const { id } of members) devices.add(id)
  if (devices.has(device.id) || devices.has(device.site)) return true
  for (let i = tenant.from[slot] as number; i < (tenant.from[slot + 1] as number); i++)
    if (devices.has(inventory.devices[tenant.neighbour[i] as number]?.id ?? "")) return true
  return false
}

const isHeld = ({ world, nowMs }: Sitting, held: HeldCause[], { key }: Suspicion): boolean => {
  const sinceMs = world.desk.held.find((one) => one.key === key)?.sinceMs ?? nowMs
  if (nowMs - sinceMs >= HOLD_MS || held.length >= HELD_MAX) return false
  held.push({ key, sinceMs })
  return true
}

// -- the cause of one incident --------------------------------------------------------------------------------------------

const caused = (sitting: Sitting, symptoms: Symptoms, before: Incident, suspicion: Suspicion): void => {
  const incident =
    before.state === "closed"
      ? signalled(sitting, before, "alarmed", "the same cause is seen again")
      : (sitting.incidents.get(before.id) ?? before)
  const cause = causeState(symptoms, sitting.world.topology, suspicion, "primary")
  const [known] = incident.causes
  const isSame = known !== undefined && (known.keys.includes(cause.key) || cause.keys.includes(known.key))
  if (known !== undefined && cause.weight < known.weight && (isSame || isReceding(sitting, symptoms, incident))) return
  if (known !== undefined && isSame && sameCause(known, cause)) return
  const title = titled(incident, titleOf(symptoms, sitting.world.topology, suspicion.candidate))
  const others = incident.causes.slice(1)
  const isNews = known === undefined || !isSame || title !== incident.title
  const next = put(sitting, {
    ...incident,
    title,
    causes: [cause, ...others],
    impactDue: incident.impactDue || isNews,
    symptoms:
      isSame || known === undefined ? incident.symptoms : explainedAnew(sitting, incident, known.key, suspicion),
  })
  const sure = `${Math.round(cause.confidence * 100)} %`
  if (isNews) {
    const text =
      known === undefined
        ? `cause: ${title} (${sure}). ${cause.because}`
        : `cause corrected: ${title} (${sure}), before: ${incident.title}. ${cause.because}`
    note(sitting, next, "cause", text)
    if (known !== undefined || incident.timeline.length > 1) sitting.updated.add(incident.id)
  }
  raised(sitting, sitting.incidents.get(incident.id) ?? next, severityOf(cause.members))
}

/**
 * Something that it showed is over: what explains the rest explains less than the cause did, and is the same fault on its way
 * back. As long as all of it lasts, another explanation is a better one, however few of the alarms it takes.
 */
const isReceding = (sitting: Sitting, symptoms: Symptoms, incident: Incident): boolean => {
  const { shown } = aftermathOf(sitting, symptoms)
  return incident.symptoms.some((one) => one.alert === "" && one.explainedBy !== null && !isLasting(shown, one))
}

/** What the cause of before explained and the new one does not only stands there for being near. */
const explainedAnew = (
  { world }: Sitting,
  { symptoms }: Incident,
  before: string,
  suspicion: Suspicion,
): Incident["symptoms"] =>
  symptoms.map((one) => {
    if (one.explainedBy !== before) return one
    const slot = world.topology.deviceSlot.get(one.device as never) ?? -1
    return explains(suspicion, slot, one.device, one.entity)
      ? { ...one, explainedBy: suspicion.key }
      : { ...one, explainedBy: null, why: null }
  })

const GRAVE: ReadonlySet<string> = new Set(["router", "site-power", "srlg", "upstream", "route-reflector"])

const severityOf = ([first]: readonly CauseMember[]): AlertSeverity =>
  first !== undefined && GRAVE.has(first.fault) ? "critical" : "warn"

/** Congestions and the like that follow from the cause of an incident stand beside it. */
export const contributed = (sitting: Sitting, symptoms: Symptoms, contributing: readonly Suspicion[]): void => {
  const { topology } = sitting.world
  for (const incident of sitting.incidents.values()) {
    if (!isOpen(incident) || incident.causes.length === 0) continue
    const [primary, ...before] = incident.causes
    const now = contributing
      .filter(({ alarms }) => alarms.some(({ slot }) => isNear(topology, incident, slot)))
      .slice(0, CONTRIBUTING_MAX)
      .map((suspicion) => causeState(symptoms, topology, suspicion, "contributing"))
    // What once contributed stays in the record.
    const kept = before.filter(({ key }) => !now.some((one) => one.key === key))
    const causes = [...now, ...kept].slice(0, CONTRIBUTING_MAX)
    if (causes.length === before.length && causes.every((one, i) => sameCause(one, before[i] as typeof one))) continue
    put(sitting, { ...incident, causes: primary === undefined ? causes : [primary, ...causes] })
  }
}

const CONTRIBUTING_MAX = 11

/**
 * An incident whose every symptom another one's cause explains is part of that one. What stood in it unexplained, for being
 * near, goes where it is explained, and the incident that had it may recover.
 */
export const mergeParts = (sitting: Sitting, taken: ReadonlyMap<string, Suspicion>): void => {
  const { deviceSlot } = sitting.world.topology
  for (const [id, suspicion] of taken)
    for (const other of sitting.incidents.values()) {
      if (other.id === id || !isOpen(other)) continue
      const isIts = ({ device, entity }: Incident["symptoms"][number]): boolean =>
        explains(suspicion, deviceSlot.get(device as never) ?? -1, device, entity)
      const part = other.causes.length === 0 ? other : handedOver(sitting, other, id, isIts, suspicion.onsetMs)
      if (taken.has(part.id)) continue
      const lasting = part.symptoms.filter(({ endedMs }) => endedMs === null)
      const isPart = lasting.length > 0 && lasting.every(isIts)
      if (!isPart) continue
      const whole = sitting.incidents.get(id) as Incident
      signalled(sitting, { ...part, symptoms: [] }, "ended", `part of incident ${id}: ${whole.title}`)
      const known = new Set(
        whole.symptoms.map(({ alert, kind, device, entity }) => `${alert}${kind} ${device} ${entity}`),
      )
      const moved = part.symptoms
        .filter(({ alert, kind, device, entity }) => !known.has(`${alert}${kind} ${device} ${entity}`))
        .map((one) => ({ ...one, explainedBy: whole.causes[0]?.key ?? null }))
      note(
        sitting,
        { ...whole, symptoms: [...whole.symptoms, ...moved], startsAtMs: Math.min(whole.startsAtMs, part.startsAtMs) },
        "updated",
        `incident ${part.id} is part of this one`,
      )
    }
}

/** Its own cause never explained them. */
const handedOver = (
  sitting: Sitting,
  incident: Incident,
  to: string,
  isIts: (symptom: Incident["symptoms"][number]) => boolean,
  onsetMs: number,
): Incident => {
  // Evidence that a passing cause took along has ended here; the one whose it is has it.
  const isThere = ({ alert, endedMs, sinceMs }: Incident["symptoms"][number]): boolean =>
    endedMs === null || (alert === "" && sinceMs >= onsetMs)
  const goes = (one: Incident["symptoms"][number]): boolean => one.explainedBy === null && isThere(one) && isIts(one)
  // Of most incidents everything is explained, and each is asked by each cause.
  if (!hasUnexplained(incident.symptoms)) return incident
  const symptoms = incident.symptoms.filter((one) => !goes(one))
  const count = incident.symptoms.length - symptoms.length
  if (count === 0) return incident
  const text = say(count === 1 ? "line.belongs.one" : "line.belongs", { count, incident: to })
  return note(sitting, { ...incident, symptoms, impactDue: true }, "updated", text)
}

const hasUnexplained = (symptoms: Incident["symptoms"]): boolean => {
  let found = unexplained.get(symptoms)
  if (found === undefined) {
    found = symptoms.some(({ explainedBy }) => explainedBy === null)
    unexplained.set(symptoms, found)
  }
  return found
}
const unexplained = new WeakMap<Incident["symptoms"], boolean>()
