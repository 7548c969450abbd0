/**
 * What people say about an incident that the twin has forgotten: a note, and what it truly was. Written into the stored one,
 * as the twin would have done (twin/incident/acted.ts); a confirmation also goes to the twin, which learns from its verdict.
 */
import { Refused } from "#engine/api/problems.ts"
import { readIncident, rewriteIncident } from "#engine/incidents/stored-incidents.ts"
import type { Tx } from "#engine/storage/db.ts"
import type { TenantId } from "#protocol/id.ts"
import type { IncidentView } from "#protocol/incident.ts"
import type { IncidentAct } from "#twin/incident/act.ts"
import { isFull, written } from "#twin/incident/timeline.ts"
import { confirmedWords, verdictOf } from "#twin/incident/verdict.ts"

/** The lesson for the twin, if there is one. */
export const actAfterwards = async (
  tx: Tx,
  tenant: TenantId,
  id: string,
  by: string,
  act: IncidentAct,
  atMs: number,
): Promise<IncidentAct | null> => {
  const stored = await readIncident(tx, tenant, id, "for update")
  if (stored === null) throw new Refused({ detail: "it is not kept any more" })
  if (isFull(stored.view)) throw new Refused({ detail: "so much was said about it that no more can be kept" })
  if (act.act === "note") {
    await rewriteIncident(tx, tenant, { ...stored, view: noted(stored.view, by, act.text, atMs) })
    return null
  }
  if (act.act !== "confirm") throw new Refused({ detail: "it is closed" })
  const before = stored.view.confirmed?.verdict
  const verdict = verdictOf(stored.view.causes, act.members)
  await rewriteIncident(tx, tenant, { ...stored, view: confirmed(stored.view, by, act, verdict, atMs) })
  return { ...act, verdict, ...(before === undefined ? {} : { replaces: before }) }
}

const noted = (view: IncidentView, by: string, text: string, atMs: number): IncidentView =>
  written(view, { atMs, action: "noted", by, text })

const confirmed = (
  view: IncidentView,
  by: string,
  act: IncidentAct & { readonly act: "confirm" },
  verdict: ReturnType<typeof verdictOf>,
  atMs: number,
): IncidentView =>
  written(
    { ...view, confirmed: { by, atMs, members: act.members, note: act.note, verdict } },
    { atMs, action: "confirmed", by, text: confirmedWords(act) },
  )
