/**
 * The triage of incidents: which are shown and in what order. Pure. What is not over stands before what is, worse before
 * less bad, what nobody has before what somebody has, more customers before fewer, and the newest first among equals.
 */
import { said } from "#client/i18n/said.ts"
import { plain } from "#client/state/search.ts"
import type { FaultType, IncidentRow, IncidentState } from "#protocol/incident.ts"
import type { AlertSeverity } from "#protocol/rule.ts"

/** `live` = not closed. */
export type StateFilter = "live" | IncidentState | "all"
export interface IncidentFilter {
  /** "" = all. */
  readonly severity: AlertSeverity | ""
  readonly state: StateFilter
  readonly mine: boolean
  /** Only what nobody has taken yet. */
  readonly needsYou: boolean
  readonly text: string
  /** Of closed ones; the engine filters these. Null = any time, "" = any cause. */
  readonly fromMs: number | null
  readonly toMs: number | null
  readonly cause: FaultType | "unknown" | ""
}
export const LIVE: IncidentFilter = {
  severity: "",
  state: "live",
  mine: false,
  needsYou: false,
  text: "",
  fromMs: null,
  toMs: null,
  cause: "",
}

const STATE_ORDER: Readonly<Record<IncidentState, number>> = { open: 0, recovering: 1, closed: 2 }
const SEVERITY_ORDER: Readonly<Record<AlertSeverity, number>> = { critical: 0, warn: 1, info: 2 }

/** Nobody took it, nobody works on it, and no work that was planned explains it. */
export const needsSomebody = ({ state, ack, assignee, during }: IncidentRow): boolean =>
  state !== "closed" && ack === null && assignee === null && during === null

export const isMine = ({ ack, assignee }: Pick<IncidentRow, "ack" | "assignee">, user: string): boolean =>
  user !== "" && (assignee === user || ack?.by === user)

const customers = ({ impact }: IncidentRow): number => impact.subscribers?.count ?? -1

export const triageOrder = (a: IncidentRow, b: IncidentRow): number =>
  STATE_ORDER[a.state] - STATE_ORDER[b.state] ||
  (a.state === "closed"
    ? b.startsAtMs - a.startsAtMs
    : SEVERITY_ORDER[a.severity] - SEVERITY_ORDER[b.severity] ||
      Number(needsSomebody(b)) - Number(needsSomebody(a)) ||
      customers(b) - customers(a) ||
      b.startsAtMs - a.startsAtMs) ||
  (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)

/** `user` is whoever is signed in; `found` are those that the engine found by the same text. */
export const shownIncidents = (
  rows: readonly IncidentRow[],
  filter: IncidentFilter,
  user: string,
  found: ReadonlySet<string> = NONE,
): readonly IncidentRow[] => {
  const words = plain(filter.text).split(/\s+/).filter(Boolean)
  const fits = (row: IncidentRow): boolean =>
    (filter.severity === "" || row.severity === filter.severity) &&
    stateFits(row.state, filter.state) &&
    (!filter.mine || isMine(row, user)) &&
    (!filter.needsYou || needsSomebody(row))
  const says = (row: IncidentRow): boolean => {
    if (words.length === 0 || found.has(row.id)) return true
    const members = row.cause?.members.map(({ name, fault }) => `${name} ${fault}`).join(" ") ?? ""
    const text = plain(
      `${row.title} ${said(row.title)} ${members} ${row.assignee ?? ""} ${row.ack?.by ?? ""} ${row.id}`,
    )
    return words.every((word) => text.includes(word))
  }
  return rows.filter((row) => fits(row) && says(row)).sort(triageOrder)
}

const NONE: ReadonlySet<string> = new Set()

const stateFits = (state: IncidentState, wanted: StateFilter): boolean =>
  wanted === "all" || (wanted === "live" ? state !== "closed" : state === wanted)

export interface IncidentTally {
  /** Not closed. */
  readonly live: number
  readonly critical: number
  readonly needsYou: number
  /** Customers of all that are not closed, never more than there are; null = of none it is known. One that two incidents hit may count twice. */
  readonly subscribers: number | null
}

/** All customers of the tenant, as the incidents know it: each says how many it hits, and what part that is. */
const everybody = (rows: readonly IncidentRow[]): number => {
  const said = rows.flatMap(({ impact: { subscribers, subscribersPart } }) =>
    subscribers === null || subscribersPart === null || subscribersPart <= 0
      ? []
      : [Math.round(subscribers.count / Math.min(1, subscribersPart))],
  )
  return said.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...said)
}

export const tallyOf = (rows: readonly IncidentRow[]): IncidentTally => {
  const live = rows.filter(({ state }) => state !== "closed")
  const known = live.flatMap(({ impact }) => (impact.subscribers === null ? [] : [impact.subscribers.count]))
  const sum = known.reduce((all, count) => all + count, 0)
  return {
    live: live.length,
    critical: live.filter(({ severity }) => severity === "critical").length,
    needsYou: live.filter(needsSomebody).length,
    subscribers: known.length === 0 ? null : Math.min(sum, everybody(live)),
  }
}
