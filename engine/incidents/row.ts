/** The line of a list that stands for an incident. Selected from the whole, so that both can never disagree. */
import type { IncidentRow, IncidentView } from "#protocol/incident.ts"

export const rowOf = (view: IncidentView): IncidentRow => {
  const { id, title, state, severity, startsAtMs, endsAtMs, updatedAtMs, alerts, suppressed } = view
  const { ack, assignee, escalated, during, causes, impact } = view
  const [cause] = causes
  return {
    id,
    title,
    state,
    severity,
    startsAtMs,
    endsAtMs,
    updatedAtMs,
    cause: cause === undefined ? null : { members: cause.members, confidence: cause.confidence },
    alerts,
    suppressed,
    impact: {
      sites: impact.sites.length,
      devices: impact.devices.length,
      subscribers: impact.subscribers,
      subscribersPart: impact.subscribersPart,
    },
    ack,
    assignee,
    escalated,
    during,
  }
}
