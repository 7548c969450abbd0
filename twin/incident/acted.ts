/** What an act of somebody's makes of an incident. Total: an act that comes too late changes nothing. */
import type { IncidentAct } from "#twin/incident/act.ts"
import { learned, unlearned } from "#twin/incident/feedback.ts"
import type { Sitting } from "#twin/incident/sitting.ts"
import { isOpen, note, put, signalled, tell } from "#twin/incident/sitting.ts"
import type { Incident } from "#twin/incident/state.ts"
import { isFull } from "#twin/incident/timeline.ts"
import { confirmedWords, verdictOf } from "#twin/incident/verdict.ts"
import type { Verdict } from "#protocol/incident.ts"

/** Acts on an incident that is over; every other needs one that is not. */
const AFTERWARDS: ReadonlySet<IncidentAct["act"]> = new Set(["note", "confirm"])

/** Why an act cannot be done; null = it can. */
export const refusalOf = (
  incident: Incident | undefined,
  act: IncidentAct["act"],
): "gone" | "closed" | "full" | null => {
  if (incident === undefined) return "gone"
  if (!isOpen(incident) && !AFTERWARDS.has(act)) return "closed"
  return isFull(incident) && act !== "close" ? "full" : null
}

export const acted = (sitting: Sitting, id: string, by: string, act: IncidentAct): void => {
  if (act.act === "unlearn") {
    const { world, nowMs } = sitting
    world.desk.feedback = unlearned(world.desk.feedback, { atMs: nowMs, incident: "", by }, act.fault)
    return
  }
  const incident = sitting.incidents.get(id)
  if (incident === undefined && act.act === "confirm" && act.verdict !== undefined)
    return learn(sitting, id, by, act.verdict, act.replaces ?? null)
  if (incident === undefined || refusalOf(incident, act.act) !== null) return
  const { nowMs } = sitting
  const write = (next: Incident, action: Parameters<typeof note>[2], text: string): Incident =>
    note(sitting, next, action, text, { by })
  switch (act.act) {
    case "ack": {
      const ack = { by, atMs: nowMs, untilMs: act.untilMs }
      tell(sitting, "acked", write({ ...incident, ack }, "acked", "acknowledged"), by)
      return
    }
    case "unack":
      if (incident.ack === null) return
      write({ ...incident, ack: null }, "unacked", "acknowledgement taken back")
      sitting.updated.add(id)
      return
    case "assign": {
      const text = act.user === null ? "assigned to nobody" : `assigned to ${act.user}`
      tell(sitting, "assigned", write({ ...incident, assignee: act.user }, "assigned", text), incident.assignee)
      return
    }
    case "note":
      write(incident, "noted", act.text)
      return
    case "escalate":
      write({ ...incident, escalated: true }, "escalated", act.note)
      sitting.updated.add(id)
      return
    case "close": {
      const closed = signalled(sitting, write(incident, "noted", act.note), "ended", `closed by ${by}`)
      put(sitting, { ...closed, closedBy: by })
      return
    }
    case "confirm": {
      const verdict = verdictOf(incident.causes, act.members)
      const confirmed = { by, atMs: nowMs, members: act.members, note: act.note, verdict }
      learn(sitting, id, by, verdict, incident.confirmed?.verdict ?? null)
      write({ ...incident, confirmed }, "confirmed", confirmedWords(act))
      sitting.updated.add(id)
      return
    }
  }
}

const learn = (
  { world, nowMs }: Sitting,
  incident: string,
  by: string,
  said: Verdict,
  before: Verdict | null,
): void => {
  world.desk.feedback = learned(world.desk.feedback, { atMs: nowMs, incident, by }, said, before)
}
