/**
 * The triage list: which alerts are shown, in what order, grouped by what, and which rows of thousands are drawn. Pure.
 * Worst first, then what fires before what waits, then newest first: what needs somebody now stands on top.
 */
import { said } from "#client/i18n/said.ts"
import { plain } from "#client/state/search.ts"
import type { AlertStateName, HeldBackBy } from "#protocol/alert.ts"
import type { Alert } from "#protocol/rest-generated.ts"
import type { AlertSeverity } from "#protocol/rule.ts"

/** `told` = nothing holds it back. */
export type HeldFilter = "any" | "told" | "held" | HeldBackBy
export interface AlertFilter {
  /** "" = all. */
  readonly severity: AlertSeverity | ""
  readonly state: AlertStateName | ""
  readonly site: string
  readonly held: HeldFilter
  readonly text: string
}
export const ALL: AlertFilter = { severity: "", state: "", site: "", held: "any", text: "" }

export type Grouping = "none" | "device" | "rule"

const SEVERITY_ORDER: Readonly<Record<AlertSeverity, number>> = { critical: 0, warn: 1, info: 2 }
const STATE_ORDER: Readonly<Record<AlertStateName, number>> = { firing: 0, recovering: 1, pending: 2, ok: 3 }

export const worstFirst = (a: Alert, b: Alert): number =>
  SEVERITY_ORDER[a.severity] - SEVERITY_ORDER[b.severity] ||
  STATE_ORDER[a.state] - STATE_ORDER[b.state] ||
  b.sinceMs - a.sinceMs ||
  (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)

/** `siteName` turns a site's id into the name that people type. */
export const shownAlerts = (
  alerts: readonly Alert[],
  filter: AlertFilter,
  siteName: (site: string) => string,
): readonly Alert[] => {
  const words = plain(filter.text).split(/\s+/).filter(Boolean)
  const fits = (alert: Alert): boolean =>
    (filter.severity === "" || alert.severity === filter.severity) &&
    (filter.state === "" || alert.state === filter.state) &&
    (filter.site === "" || alert.site === filter.site) &&
    heldFits(alert, filter.held)
  const says = (alert: Alert): boolean => {
    if (words.length === 0) return true
    const { summary, deviceName, entity, rule, ruleName, site } = alert
    const text = plain(
      `${summary} ${said(summary)} ${said(ruleName)} ${deviceName} ${entity} ${rule} ${ruleName} ${siteName(site)}`,
    )
    return words.every((word) => text.includes(word))
  }
  return alerts.filter((alert) => fits(alert) && says(alert)).sort(worstFirst)
}

const heldFits = ({ heldBack }: Alert, held: HeldFilter): boolean => {
  if (held === "any") return true
  if (held === "told") return heldBack === null
  return held === "held" ? heldBack !== null : heldBack?.by === held
}

export interface GroupRow {
  readonly kind: "group"
  /** Device or rule. */
  readonly key: string
  readonly title: string
  readonly severity: AlertSeverity
  readonly count: number
  readonly open: boolean
}
export interface AlertRow {
  readonly kind: "alert"
  readonly alert: Alert
}
export type ListRow = GroupRow | AlertRow

/** Groups stand in the order of their worst alert; `closed` ones show their head only. */
export const rowsOf = (
  sorted: readonly Alert[],
  grouping: Grouping,
  closed: ReadonlySet<string>,
): readonly ListRow[] => {
  if (grouping === "none") return sorted.map((alert) => ({ kind: "alert", alert }))
  const groups = new Map<string, Alert[]>()
  for (const alert of sorted) {
    const key = grouping === "device" ? alert.device : alert.rule
    const known = groups.get(key)
    if (known === undefined) groups.set(key, [alert])
    else known.push(alert)
  }
  return [...groups].flatMap(([key, alerts]) => {
    const first = alerts[0] as Alert
    const open = !closed.has(key)
    const head: GroupRow = {
      kind: "group",
      key,
      title: grouping === "device" ? first.deviceName : first.ruleName,
      severity: first.severity,
      count: alerts.length,
      open,
    }
    return [head, ...(open ? alerts.map((alert): AlertRow => ({ kind: "alert", alert })) : [])]
  })
}

/** Where the cursor lands `step` rows on; it stays inside. -1 = there is nothing. */
export const stepped = (count: number, from: number, step: number): number => {
  if (count === 0) return -1
  return from < 0 ? (step < 0 ? count - 1 : 0) : Math.max(0, Math.min(count - 1, from + step))
}

export interface Slice {
  readonly first: number
  /** One past the last. */
  readonly end: number
}
/** The rows that are drawn for a scroll position; `over` more on both sides hide the gaps of fast scrolling. */
export const sliceOf = (count: number, topPx: number, heightPx: number, rowPx: number, over = 6): Slice => {
  const end = Math.min(count, Math.ceil((topPx + heightPx) / rowPx) + over)
  return { first: Math.max(0, Math.min(end, Math.floor(topPx / rowPx) - over)), end }
}

export interface FiringCounts {
  readonly critical: number
  readonly warn: number
}
/** What the badge counts: what fires (a recovering one fires until it is over) and was not yet taken by anybody. */
export const firingCounts = (alerts: readonly Alert[]): FiringCounts => {
  const lit = alerts.filter(({ state, ack }) => (state === "firing" || state === "recovering") && ack === null)
  const of = (severity: AlertSeverity) => lit.filter((alert) => alert.severity === severity).length
  return { critical: of("critical"), warn: of("warn") }
}
