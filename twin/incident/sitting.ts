/**
 * One evaluation of the desk in the making: the incidents as they become, what is told of them, and the small steps that
 * every part of it is made of. Incidents are replaced, never written to; a sitting lasts no longer than its evaluation.
 */
import type { IncidentAction, TimelineEntry } from "#protocol/incident.ts"
import type { AlertSeverity } from "#protocol/rule.ts"
import { ALERT_SEVERITIES } from "#protocol/rule.ts"
import type { Severity } from "#protocol/status.ts"
import type { Cells } from "#twin/cells.ts"
import type { IncidentSignal } from "#twin/incident/lifecycle.ts"
import { LIFE } from "#twin/incident/lifecycle.ts"
import type { Incident } from "#twin/incident/state.ts"
import { NO_IMPACT, OPEN_MAX } from "#twin/incident/state.ts"
import { written } from "#twin/incident/timeline.ts"
import type { World } from "#twin/round.ts"
import type { Happening } from "#twin/step.ts"

/** Gives an event its id, and tells it. */
export type Say = (happening: Happening) => string

export interface Sitting {
  readonly world: World
  readonly cells: Cells
  readonly nowMs: number
  readonly say: Say
  /** By id. */
  readonly incidents: Map<string, Incident>
  /** Those of which people are told that they are not what they were. */
  readonly updated: Set<string>
  /** Those that this very evaluation opened: their opening says it all. */
  readonly fresh: Set<string>
}

export const isOpen = ({ state }: Incident): boolean => state !== "closed"

export const put = ({ incidents }: Sitting, incident: Incident): Incident => {
  incidents.set(incident.id, incident)
  return incident
}

export const note = (
  sitting: Sitting,
  incident: Incident,
  action: TimelineEntry["action"],
  text: string,
  at: Partial<Pick<TimelineEntry, "by" | "device" | "entity" | "atMs">> = {},
): Incident => put(sitting, written(incident, { atMs: sitting.nowMs, action, by: "", text, ...at }))

/** Of the events of an incident: how severe it is, in the words of alarms. */
export const INCIDENT_SEVERITY: Readonly<Record<AlertSeverity, Severity>> = {
  info: "warning",
  warn: "major",
  critical: "critical",
}

/** An event of the tenant; its entity is the incident. */
export const tell = (
  { nowMs, say }: Pick<Sitting, "nowMs" | "say">,
  type: IncidentAction,
  { id, severity, state, title }: Pick<Incident, "id" | "severity" | "state" | "title">,
  old: string | null,
): string =>
  say({
    atMs: nowMs,
    type: `incident.${type}`,
    severity: state === "closed" || state === "recovering" ? "cleared" : INCIDENT_SEVERITY[severity],
    subject: "",
    subjectKind: "tenant",
    entity: id,
    old,
    new: state,
    raw: title,
    source: "twin",
  })

/** Null = there are too many. */
export const opened = (
  sitting: Sitting,
  title: string,
  severity: AlertSeverity,
  startsAtMs: number,
): Incident | null => {
  const { incidents, nowMs, world } = sitting
  if ([...incidents.values()].filter(isOpen).length >= OPEN_MAX) {
    if (world.desk.refused++ === 0) sitting.say(tooMany(nowMs))
    return null
  }
  // The event that opens it names it: `<seq>-<index>`, the same in every replay.
  const id = tell(sitting, "opened", { id: "", severity, state: "open", title }, null)
  const incident: Incident = {
    id,
    state: "open",
    title,
    severity,
    startsAtMs: Math.min(startsAtMs, nowMs),
    endsAtMs: null,
    closedMs: null,
    closedBy: "",
    updatedAtMs: nowMs,
    causes: [],
    symptoms: [],
    unlisted: 0,
    impact: NO_IMPACT,
    impactDue: true,
    timeline: [],
    ack: null,
    assignee: null,
    escalated: false,
    during: null,
    confirmed: null,
    probing: [],
    quieted: [],
  }
  sitting.fresh.add(id)
  return note(sitting, incident, "opened", title)
}

const tooMany = (atMs: number): Happening => ({
  atMs,
  type: "monitoring.degraded",
  severity: "major",
  subject: "",
  subjectKind: "tenant",
  entity: "",
  old: null,
  new: `${OPEN_MAX} incidents are open: more are not opened until some close`,
  raw: null,
  source: "twin",
})

/** Moves it along its life; tells and writes what that means. */
export const signalled = (sitting: Sitting, incident: Incident, signal: IncidentSignal, why: string): Incident => {
  const state = LIFE[incident.state][signal]
  if (state === incident.state) return incident
  const { nowMs } = sitting
  const action: IncidentAction =
    state === "closed"
      ? "closed"
      : state === "recovering"
        ? "recovering"
        : incident.state === "closed"
          ? "reopened"
          : "updated"
  const moved = put(sitting, {
    ...incident,
    state,
    endsAtMs: state === "open" ? null : (incident.endsAtMs ?? nowMs),
    closedMs: state === "closed" ? nowMs : null,
    closedBy: "",
  })
  tell(sitting, action, moved, incident.state)
  sitting.updated.delete(incident.id)
  return note(sitting, moved, action, why)
}

export const worse = (a: AlertSeverity, b: AlertSeverity): AlertSeverity =>
  ALERT_SEVERITIES.indexOf(a) >= ALERT_SEVERITIES.indexOf(b) ? a : b

/** Severity only rises while it lasts. */
export const raised = (sitting: Sitting, incident: Incident, severity: AlertSeverity): Incident => {
  const now = worse(incident.severity, severity)
  if (now === incident.severity) return incident
  sitting.updated.add(incident.id)
  return note(sitting, { ...incident, severity: now }, "updated", `it is ${now} now`)
}
