/** An incident as people see it (protocol/incident.ts), out of what the desk remembers. Nothing here changes anything. */
import type { IncidentView } from "#protocol/incident.ts"
import type { Incident } from "#twin/incident/state.ts"
import { placeKey } from "#twin/incident/state.ts"

export const incidentView = (incident: Incident): IncidentView => {
  const { causes, symptoms, unlisted } = incident
  const keys = causes.map(({ key }) => key)
  const alerts = symptoms.filter(({ alert }) => alert !== "")
  const alerted = new Set(alerts.map(({ device, entity }) => placeKey(device, entity)))
  // Evidence beside an alert of the same thing would say it twice.
  const shown = symptoms.filter(({ alert, device, entity }) => alert !== "" || !alerted.has(placeKey(device, entity)))
  return {
    id: incident.id,
    title: incident.title,
    state: incident.state,
    severity: incident.severity,
    startsAtMs: incident.startsAtMs,
    endsAtMs: incident.endsAtMs,
    updatedAtMs: incident.updatedAtMs,
    alerts: alerts.length + unlisted,
    suppressed: alerts.filter(({ why }) => why !== null).length,
    ack: incident.ack,
    assignee: incident.assignee,
    escalated: incident.escalated,
    during: incident.during,
    causes: causes.map(({ key: _key, keys: _keys, weight: _weight, ...cause }) => cause),
    impact: incident.impact,
    symptoms: shown.map(({ alert, device, deviceName, entity, summary, sinceMs, explainedBy, why }) => {
      const index = explainedBy === null ? -1 : keys.indexOf(explainedBy)
      return { alert, device, deviceName, entity, summary, sinceMs, explainedBy: index < 0 ? null : index, why }
    }),
    timeline: incident.timeline,
    confirmed: incident.confirmed,
    probing: incident.probing.map(({ text, atMs, answer }) => ({ text, atMs, answer })),
  }
}

/** Null = it is not among them. */
export const viewById = (incidents: readonly Incident[], id: string): IncidentView | null => {
  const found = incidents.find((incident) => incident.id === id)
  return found === undefined ? null : incidentView(found)
}
