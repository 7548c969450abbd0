/**
 * The incidents that somebody sees: filtered, in pages, and counted. What is not closed comes first, then newest first; a
 * cursor is the place of a row in that order and holds also when the row has moved or gone by the next page.
 */
import { PAGE_DEFAULT, writeCursor, type Page, type PageQuery } from "#engine/api/lists.ts"
import { rowOf } from "#engine/incidents/row.ts"
import type { IncidentRow, IncidentState, IncidentView } from "#protocol/incident.ts"
import type { AlertSeverity } from "#protocol/rule.ts"

export interface IncidentFilter extends PageQuery {
  readonly state?: IncidentState
  readonly severity?: AlertSeverity
  readonly q?: string
  readonly site?: string
  readonly mine?: "true" | "false"
  readonly from?: number
  readonly to?: number
}

/** Null = the cursor is not one of ours. */
export const incidentPage = (
  views: readonly IncidentView[],
  filter: IncidentFilter,
  me: string,
  after: string | undefined,
): Page<IncidentRow> | null => {
  const place = after === undefined ? null : readPlace(after)
  if (after !== undefined && place === null) return null
  const limit = filter.limit ?? PAGE_DEFAULT
  const rows = views
    .filter((view) => fits(view, filter, me) && (place === null || compare(placeOf(view), place) > 0))
    .toSorted((a, b) => compare(placeOf(a), placeOf(b)))
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return {
    items: items.map(rowOf),
    next: rows.length > items.length && last !== undefined ? writeCursor(JSON.stringify(placeOf(last))) : null,
  }
}

const fits = (view: IncidentView, { state, severity, q, site, mine, from, to }: IncidentFilter, me: string): boolean =>
  (state === undefined || view.state === state) &&
  (severity === undefined || view.severity === severity) &&
  (site === undefined || view.impact.sites.includes(site)) &&
  (mine === undefined || isMine(view, me) === (mine === "true")) &&
  (from === undefined || (view.endsAtMs ?? Number.POSITIVE_INFINITY) >= from) &&
  (to === undefined || view.startsAtMs <= to) &&
  (q === undefined || wordsOf(view).includes(q.toLowerCase()))

const isMine = ({ assignee, ack }: IncidentView, me: string): boolean => assignee === me || ack?.by === me

/** What a search looks into. */
const wordsOf = ({ id, title, causes, symptoms, timeline }: IncidentView): string =>
  [
    id,
    title,
    ...causes.flatMap(({ members }) => members.map((member) => member.name)),
    ...symptoms.flatMap(({ deviceName, entity, summary }) => [deviceName, entity, summary]),
    ...timeline.flatMap(({ by, text }) => (by === "" ? [] : [text])),
  ]
    .join("\n")
    .toLowerCase()

export const countIncidents = (views: readonly IncidentView[], me: string) => {
  const counts = { open: 0, recovering: 0, critical: 0, warn: 0, info: 0, unacknowledged: 0, mine: 0 }
  for (const view of views) {
    if (view.state === "closed") continue
    counts[view.state]++
    counts[view.severity]++
    if (view.ack === null) counts.unacknowledged++
    if (isMine(view, me)) counts.mine++
  }
  return counts
}

/** Not closed first, then newest, then by id. */
type Place = readonly [closed: number, startsAtMs: number, id: string]
const placeOf = ({ state, startsAtMs, id }: IncidentView): Place => [Number(state === "closed"), startsAtMs, id]
const compare = (a: Place, b: Place): number => a[0] - b[0] || b[1] - a[1] || (a[2] < b[2] ? -1 : a[2] > b[2] ? 1 : 0)

const readPlace = (text: string): Place | null => {
  try {
    const value = JSON.parse(text) as unknown
    if (!Array.isArray(value) || value.length !== 3) return null
    const [closed, startsAtMs, id] = value as readonly unknown[]
    return typeof closed === "number" && typeof startsAtMs === "number" && typeof id === "string"
      ? [closed, startsAtMs, id]
      : null
  } catch {
    return null
  }
}
