/**
 * The incidents that somebody sees: filtered, in pages, and counted. What is not closed comes first, then newest first; a
 * cursor is the place of a row in that order and holds also when the row has moved or gone by the next page. What the twin
 * holds is filtered here, what only the table has by PostgreSQL (stored-incidents.ts), and both in the same order.
 */
import * as Effect from "effect/Effect"
import { PAGE_DEFAULT, writeCursor, type Page, type PageQuery } from "#engine/api/lists.ts"
import { rowOf } from "#engine/incidents/row.ts"
import type { IncidentRow, IncidentState, IncidentView } from "#protocol/incident.ts"
import type { AlertSeverity } from "#protocol/rule.ts"

export interface IncidentFilter extends PageQuery {
  readonly state?: IncidentState
  readonly severity?: AlertSeverity
  readonly q?: string
  readonly site?: string
  /** A kind of fault that was named, or `unknown`. */
  readonly cause?: string
  readonly mine?: "true" | "false"
  readonly from?: number
  readonly to?: number
}

/** A place among those that are closed. */
export interface ClosedPlace {
  readonly startsAtMs: number
  readonly id: string
}
export interface StoredRows {
  readonly rows: readonly IncidentRow[]
  /** Not null = it stopped looking here, and there may be more behind. */
  readonly stoppedAt: ClosedPlace | null
}
/** What the table has, in its own order: at most `limit` rows behind a place. */
export type ReadStored<E, R> = (after: ClosedPlace | null, limit: number) => Effect.Effect<StoredRows, E, R>
const NONE: StoredRows = { rows: [], stoppedAt: null }

/** Null = the cursor is not one of ours. `held` is all that the twin has and this person sees; `siteOf` names their sites. */
export const incidentPage = <E = never, R = never>(
  held: readonly IncidentView[],
  filter: IncidentFilter,
  me: string,
  after: string | undefined,
  sitesOf: (view: IncidentView) => readonly string[],
  stored: ReadStored<E, R>,
): Effect.Effect<Page<IncidentRow> | null, E, R> =>
  Effect.gen(function* () {
    const place = after === undefined ? null : readPlace(after)
    if (after !== undefined && place === null) return null
    const limit = filter.limit ?? PAGE_DEFAULT
    const rows = held
      .filter((view) => fits(view, filter, me, sitesOf) && (place === null || compare(placeOf(view), place) > 0))
      .map(rowOf)
    // Enough that are not closed stand before all of the table's.
    const live = rows.filter(({ state }) => state !== "closed").length
    const wantsStored = (filter.state === undefined || filter.state === "closed") && live <= limit
    const behind = place !== null && place[0] === 1 ? { startsAtMs: place[1], id: place[2] } : null
    const { rows: more, stoppedAt } = wantsStored ? yield* stored(behind, limit + 1) : NONE
    const stop: Place | null = stoppedAt === null ? null : [1, stoppedAt.startsAtMs, stoppedAt.id]
    const all = [...rows, ...more]
      .filter((row) => stop === null || compare(placeOf(row), stop) <= 0)
      .sort((a, b) => compare(placeOf(a), placeOf(b)))
    const items = all.slice(0, limit)
    const last = items.at(-1)
    const next = all.length > items.length && last !== undefined ? placeOf(last) : stop
    return { items, next: next === null ? null : writeCursor(JSON.stringify(next)) }
  })

const fits = (
  view: IncidentView,
  { state, severity, q, site, cause, mine, from, to }: IncidentFilter,
  me: string,
  sitesOf: (view: IncidentView) => readonly string[],
): boolean =>
  (state === undefined || view.state === state) &&
  (severity === undefined || view.severity === severity) &&
  (site === undefined || sitesOf(view).includes(site)) &&
  (cause === undefined || faultsOf(view).includes(cause)) &&
  (mine === undefined || isMine(view, me) === (mine === "true")) &&
  (from === undefined || (view.endsAtMs ?? Number.POSITIVE_INFINITY) >= from) &&
  (to === undefined || view.startsAtMs <= to) &&
  (q === undefined || wordsOf(view).includes(q.toLowerCase()))

/** Kinds of fault that were named, without repeats; `unknown` alone = none was. */
export const faultsOf = ({ causes }: Pick<IncidentView, "causes">): readonly string[] => {
  const faults = new Set<string>(causes.flatMap(({ members }) => members.map(({ fault }) => fault)))
  return faults.size === 0 ? [UNKNOWN_CAUSE] : [...faults]
}
export const UNKNOWN_CAUSE = "unknown"

const isMine = ({ assignee, ack }: IncidentView, me: string): boolean => assignee === me || ack?.by === me

/** What a search looks into. */
export const wordsOf = ({ id, title, causes, symptoms, timeline }: IncidentView): string =>
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
const placeOf = ({ state, startsAtMs, id }: Pick<IncidentRow, "state" | "startsAtMs" | "id">): Place => [
  Number(state === "closed"),
  startsAtMs,
  id,
]
const compare = (a: Place, b: Place): number => a[0] - b[0] || b[1] - a[1] || (a[2] < b[2] ? -1 : a[2] > b[2] ? 1 : 0)

const readPlace = (text: string): Place | null => {
  try {
    const value = JSON.parse(text) as unknown
    if (!Array.isArray(value) || value.length !== 3) return null
    const [closed, startsAtMs, id] = value as readonly unknown[]
    return (closed === 0 || closed === 1) && Number.isSafeInteger(startsAtMs) && typeof id === "string"
      ? [closed, startsAtMs as number, id]
      : null
  } catch {
    return null
  }
}
