/**
 * Which alert belongs to which incident: to the one whose cause explains it, else to a young one beside it, else a critical
 * alert opens one of its own, cause unknown, and so do several warnings at one site. Evidence without a rule (a port that is
 * down where no rule looks) is a symptom, too. What has ended is kept, and marked.
 */
import { alertId } from "#protocol/alert.ts"
import type { Cells } from "#twin/cells.ts"
import { isLit } from "#twin/alert/alert.ts"
import type { AlertRow } from "#twin/judge/alert-rows.ts"
import { alertsOf } from "#twin/judge/alert-table.ts"
import { isAfter, isNear, NEAR_MS } from "#twin/incident/correlate.ts"
import { REOPEN_MS } from "#twin/incident/lifecycle.ts"
import { shownAt, shownBy } from "#twin/incident/showing.ts"
import { namedOnce } from "#twin/incident/named-once.ts"
import type { Sitting } from "#twin/incident/sitting.ts"
import { isOpen, note, opened, put, raised, signalled, worse } from "#twin/incident/sitting.ts"
import type { Incident, LooseAlert, Symptom } from "#twin/incident/state.ts"
import { SYMPTOMS_MAX } from "#twin/incident/state.ts"
import type { Suspicion } from "#twin/incident/suspicion.ts"
import { explains, observedWords } from "#twin/incident/suspicion.ts"
import { kindAt } from "#twin/rca/board.ts"
import type { Rule } from "#protocol/rule.ts"
import type { Symptoms } from "#twin/rca/symptoms.ts"
import type { World } from "#twin/round.ts"

/** So many warnings at one site within WARNINGS_MS are an incident. */
export const WARNINGS = 5
export const WARNINGS_MS = 300_000
/** New alerts of one evaluation that stand in the timeline one by one. */
const LINES = 3

/** Null = it does not fire (any more). */
const rowOf = (cells: Cells, slot: number | undefined, rule: string, entity: string): AlertRow | null => {
  if (slot === undefined) return null
  const row = alertsOf(cells.tenant.state(0).alerts, slot).find((one) => one.rule === rule && one.entity === entity)
  return row !== undefined && isLit(row.state) ? row : null
}

const symptomOf = (world: World, cells: Cells, slot: number, row: AlertRow): Symptom => {
  const device = world.topology.inventory.devices[slot] as (typeof world.topology.inventory.devices)[number]
  const { rule, entity, severity, sinceMs, firedMs } = row
  const by = world.judging.rules.find(({ id }) => id === rule)
  const receipt = cells.routers
    .state(slot)
    .judgement?.receipts.findLast((one) => one.rule.id === rule && one.entity === entity)
  return {
    alert: alertId({ device: device.id, rule, entity }),
    kind: "",
    device: device.id,
    deviceName: device.name,
    site: device.site,
    entity,
    summary: receipt?.summary ?? by?.name ?? rule,
    severity,
    sinceMs: firedMs ?? sinceMs,
    endedMs: null,
    explainedBy: null,
    why: null,
    ...(by !== undefined && isNews(by) ? { isNews: true } : {}),
  }
}

/** Of a single event, and nothing ends it but time: "has rebooted" says nothing of what is wrong now. */
export const isNews = ({ condition, recover }: Rule): boolean =>
  condition.type === "event" && condition.count === 1 && recover === undefined

const nameOf = ({ alert, kind, device, entity }: Symptom): string => `${alert}${kind} ${device} ${entity}`

/** Where each symptom stands in its list. A list that grows hands it on: an outage adds hundreds to a thousand, one by one. */
const placesOf = (symptoms: readonly Symptom[]): Map<string, number> => {
  const known = knownPlaces.get(symptoms)
  knownPlaces.delete(symptoms)
  return known ?? new Map(symptoms.map((one, index) => [nameOf(one), index]))
}
const knownPlaces = new WeakMap<readonly Symptom[], Map<string, number>>()

/** Of an alert that has no incident; null = it does not fire (any more). */
export const looseSymptom = ({ world, cells }: Sitting, { device, rule, entity }: LooseAlert): Symptom | null => {
  const slot = world.topology.deviceSlot.get(device as never)
  const row = rowOf(cells, slot, rule, entity)
  return slot === undefined || row === null ? null : symptomOf(world, cells, slot, row)
}

/** New ones are added, ended ones that are back revived. */
export const joined = (sitting: Sitting, incident: Incident, found: readonly Symptom[]): Incident => {
  if (found.length === 0) return incident
  const at = placesOf(incident.symptoms)
  const symptoms = incident.symptoms.slice()
  const news: Symptom[] = []
  let { severity } = incident
  let beyond = 0
  for (const symptom of found) {
    const index = at.get(nameOf(symptom))
    const known = index === undefined ? undefined : symptoms[index]
    if (symptom.severity !== null) severity = worse(severity, symptom.severity)
    if (index !== undefined && known !== undefined) {
      if (known.endedMs !== null) symptoms[index] = { ...symptom, sinceMs: known.sinceMs }
      else if (known.explainedBy !== symptom.explainedBy && symptom.explainedBy !== null)
        symptoms[index] = { ...known, explainedBy: symptom.explainedBy, why: symptom.why }
    } else if (symptoms.length >= SYMPTOMS_MAX) beyond += Number(symptom.alert !== "")
    else {
      at.set(nameOf(symptom), symptoms.length)
      symptoms.push(symptom)
      news.push(symptom)
    }
  }
  knownPlaces.set(symptoms, at)
  const alerts = news.filter(({ alert }) => alert !== "")
  const unlisted = Math.max(incident.unlisted, beyond)
  // Of a cause that takes something down the reach is known without them (impact.ts), and working it out is dear.
  const isReached = incident.causes.length > 0 && incident.impact.devices.length > 0
  const impactDue = incident.impactDue || (news.length > 0 && !isReached)
  let next = put(sitting, { ...incident, symptoms, unlisted, impactDue })
  for (const one of alerts.slice(0, LINES)) {
    const { device, entity, sinceMs } = one
    next = note(sitting, next, "alert", namedOnce(one), { device, entity, atMs: sinceMs })
  }
  if (alerts.length > LINES) {
    const devices = new Set(alerts.slice(LINES).map(({ device }) => device)).size
    const text = `${alerts.length - LINES} more alerts, on ${devices} ${devices === 1 ? "device" : "devices"}`
    next = note(sitting, next, "alert", text)
  }
  return raised(sitting, next, severity)
}

// -- symptoms of causes -------------------------------------------------------------------------------------------------

/** Everything that shows because of the cause: alerts where it predicts some, and what was observed without a rule. */
export const gather = (sitting: Sitting, symptoms: Symptoms, taken: ReadonlyMap<string, Suspicion>): void => {
  const { world, cells } = sitting
  const { devices } = world.topology.inventory
  const { alerts } = cells.tenant.state(0)
  for (const [id, suspicion] of taken) {
    const incident = sitting.incidents.get(id) as Incident
    const by = incident.causes[0]?.key ?? null
    const cause = incident.title
    const found: Symptom[] = []
    for (const slot of suspicion.slots) {
      const device = devices[slot]
      if (device === undefined) continue
      for (const row of alertsOf(alerts, slot)) {
        const firedMs = row.firedMs ?? row.sinceMs
        if (!isLit(row.state) || firedMs < suspicion.onsetMs - NEAR_MS) continue
        if (!explains(suspicion, slot, device.id, row.entity)) continue
        const isOwn = suspicion.own?.slot === slot && suspicion.own.entity === row.entity
        const why = isOwn ? null : `explained by ${cause}`
        found.push({ ...symptomOf(world, cells, slot, row), explainedBy: by, why })
      }
    }
    joined(sitting, incident, [...found, ...evidence(world, symptoms, suspicion, by, cause)])
    endEvidence(sitting, id, suspicion, symptoms)
  }
  for (const incident of sitting.incidents.values())
    if (isOpen(incident) && !taken.has(incident.id)) endEvidence(sitting, incident.id, null, symptoms)
}

const evidence = (
  world: World,
  { board }: Symptoms,
  { alarms }: Suspicion,
  explainedBy: string | null,
  cause: string,
): readonly Symptom[] =>
  alarms.flatMap(({ id, slot, entity }) => {
    const device = world.topology.inventory.devices[slot]
    if (device === undefined) return []
    return [
      {
        alert: "",
        kind: kindAt(board, id)[0].name,
        device: device.id,
        deviceName: device.name,
        site: device.site,
        entity,
        summary: observedWords(board, id),
        severity: null,
        sinceMs: board.atMs[id] as number,
        endedMs: null,
        explainedBy,
        why: `evidence for ${cause}`,
      },
    ]
  })

const endEvidence = (sitting: Sitting, id: string, suspicion: Suspicion | null, symptoms: Symptoms): void => {
  const incident = sitting.incidents.get(id) as Incident
  const { topology } = sitting.world
  const alarmed = new Set((suspicion?.alarms ?? []).map((spot) => shownAt(symptoms, topology, spot.id, spot)))
  const isOver = (one: Symptom): boolean => one.alert === "" && one.endedMs === null && !alarmed.has(shownBy(one))
  if (!incident.symptoms.some(isOver)) return
  const left = incident.symptoms.map((one) => (isOver(one) ? { ...one, endedMs: sitting.nowMs } : one))
  put(sitting, { ...incident, symptoms: left })
}

// -- alerts without a cause ---------------------------------------------------------------------------------------------

/** Alerts that fire no more have ended. */
export const settleSymptoms = (sitting: Sitting): void => {
  const { cells, world, nowMs } = sitting
  for (const incident of sitting.incidents.values()) {
    if (!isOpen(incident)) continue
    let severity = incident.severity
    const ended = new Set<string>()
    for (const one of incident.symptoms) {
      if (one.alert === "" || one.endedMs !== null) continue
      const slot = world.topology.deviceSlot.get(one.device as never)
      const row = slot === undefined ? null : litOf(cells, slot, one)
      if (row === null) ended.add(one.alert)
      else severity = worse(severity, row.severity)
    }
    if (severity !== incident.severity) raised(sitting, incident, severity)
    if (ended.size === 0) continue
    const now = sitting.incidents.get(incident.id) as Incident
    put(sitting, {
      ...now,
      symptoms: now.symptoms.map((one) =>
        ended.has(one.alert) && one.endedMs === null ? { ...one, endedMs: nowMs } : one,
      ),
    })
  }
}

/** Of its own entity: an id is only made where it may be the one. */
const litOf = (cells: Cells, slot: number, { alert, device, entity: own }: Symptom): AlertRow | null =>
  alertsOf(cells.tenant.state(0).alerts, slot).find(
    ({ rule, entity, state }) => entity === own && isLit(state) && alertId({ device, rule, entity }) === alert,
  ) ?? null

/** Finds a place for the alerts that have none; returns those that go on waiting, some of them for a cause that waits. */
export const placeLoose = (sitting: Sitting, causes: readonly Suspicion[]): readonly LooseAlert[] => {
  const { world, cells, nowMs } = sitting
  const waiting: LooseAlert[] = []
  const patient: LooseAlert[] = []
  const known = lastingAlerts(sitting)
  for (const loose of world.desk.loose) {
    const slot = world.topology.deviceSlot.get(loose.device as never)
    const row = rowOf(cells, slot, loose.rule, loose.entity)
    if (slot === undefined || row === null) continue
    const symptom = symptomOf(world, cells, slot, row)
    if (known.has(symptom.alert)) continue
    if (causes.some((one) => explains(one, slot, loose.device, loose.entity))) {
      patient.push(loose)
      continue
    }
    const home = homeOf(sitting, slot, symptom)
    if (home !== null) {
      joined(
        sitting,
        home.state === "closed" ? signalled(sitting, home, "alarmed", `${namedOnce(symptom)} again`) : home,
        [symptom],
      )
      continue
    }
    if (row.severity === "critical") {
      const made = opened(sitting, namedOnce(symptom), "critical", symptom.sinceMs)
      if (made !== null) joined(sitting, made, [symptom])
    } else if (row.severity === "warn" && nowMs - symptom.sinceMs < WARNINGS_MS) waiting.push(loose)
  }
  return [...patient, ...crowds(sitting, waiting)]
}

const lastingAlerts = ({ incidents }: Sitting): ReadonlySet<string> => {
  const known = new Set<string>()
  for (const incident of incidents.values())
    if (isOpen(incident)) for (const { alert, endedMs } of incident.symptoms) if (endedMs === null) known.add(alert)
  return known
}

/** An incident that had this alert before, or a young one beside it. */
const homeOf = ({ incidents, world, nowMs }: Sitting, slot: number, symptom: Symptom): Incident | null => {
  let beside: Incident | null = null
  for (const incident of incidents.values()) {
    const had = incident.symptoms.some(({ alert }) => alert === symptom.alert)
    if (isOpen(incident)) {
      if (had) return incident
      const isYoung =
        symptom.sinceMs <= newestMs(incident) + NEAR_MS && symptom.sinceMs >= incident.startsAtMs - NEAR_MS
      const isSpot = incident.symptoms.some((one) => one.device === symptom.device && one.entity === symptom.entity)
      if (beside !== null || !isYoung || (!isSpot && isAfter(incident, symptom.sinceMs))) continue
      if (isNear(world.topology, incident, slot)) beside = incident
    } else if (had && incident.closedMs !== null && nowMs - incident.closedMs < REOPEN_MS) {
      const dismissed = incident.closedBy !== "" && symptom.sinceMs <= incident.closedMs
      if (!dismissed) return incident
    }
  }
  return beside
}

const newestMs = ({ symptoms, startsAtMs }: Incident): number =>
  symptoms.reduce((newest, { sinceMs }) => Math.max(newest, sinceMs), startsAtMs)

/** Sites with many warnings at once; returns the rest. */
const crowds = (sitting: Sitting, waiting: readonly LooseAlert[]): readonly LooseAlert[] => {
  const { world, cells } = sitting
  const bySite = new Map<string, LooseAlert[]>()
  for (const loose of waiting) {
    const device = world.topology.inventory.devices[world.topology.deviceSlot.get(loose.device as never) ?? -1]
    if (device === undefined) continue
    bySite.set(device.site, [...(bySite.get(device.site) ?? []), loose])
  }
  const placed = new Set<LooseAlert>()
  for (const [site, crowd] of bySite) {
    if (crowd.length < WARNINGS) continue
    const name = world.topology.inventory.sites.find(({ id }) => id === site)?.name ?? site
    const startsAtMs = Math.min(...crowd.map(({ firedMs }) => firedMs))
    const made = opened(sitting, `${crowd.length} warnings at ${name}`, "warn", startsAtMs)
    if (made === null) continue
    const found = crowd.flatMap((loose) => {
      const slot = world.topology.deviceSlot.get(loose.device as never)
      const row = rowOf(cells, slot, loose.rule, loose.entity)
      return slot === undefined || row === null ? [] : [symptomOf(world, cells, slot, row)]
    })
    joined(sitting, made, found)
    for (const loose of crowd) placed.add(loose)
  }
  return waiting.filter((loose) => !placed.has(loose))
}
