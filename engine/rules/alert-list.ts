/**
 * The alerts that somebody sees: filtered, in pages, and counted. Judgement gives them most severe and newest first; a
 * cursor is the place of a row in that order and holds also when the row is gone by the next page.
 */
import { PAGE_DEFAULT, writeCursor, type Page, type PageQuery } from "#engine/api/lists.ts"
import type { AlertStateName, AlertView } from "#protocol/alert.ts"
import { ALERT_SEVERITIES, type AlertSeverity } from "#protocol/rule.ts"

export interface AlertFilter extends PageQuery {
  readonly state?: AlertStateName
  readonly severity?: AlertSeverity
  readonly device?: string
  readonly rule?: string
  readonly site?: string
  readonly heldBack?: "true" | "false"
  readonly q?: string
}

export const alertPage = (
  alerts: readonly AlertView[],
  filter: AlertFilter,
  after: string | undefined,
): Page<AlertView> | null => {
  const place = after === undefined ? null : readPlace(after)
  if (after !== undefined && place === null) return null
  const limit = filter.limit ?? PAGE_DEFAULT
  const fits = fitting(filter)
  const rows = alerts
    .filter((alert) => fits(alert) && (place === null || compare(placeOf(alert), place) > 0))
    .toSorted((a, b) => compare(placeOf(a), placeOf(b)))
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return { items, next: rows.length > items.length && last !== undefined ? writePlace(placeOf(last)) : null }
}

const fitting = ({ state, severity, device, rule, site, heldBack, q }: AlertFilter) => {
  const wanted = q?.toLowerCase()
  return (alert: AlertView): boolean =>
    (state === undefined || alert.state === state) &&
    (severity === undefined || alert.severity === severity) &&
    (device === undefined || alert.device === device) &&
    (rule === undefined || alert.rule === rule) &&
    (site === undefined || alert.site === site) &&
    (heldBack === undefined || (alert.heldBack !== null) === (heldBack === "true")) &&
    (wanted === undefined ||
      [alert.deviceName, alert.ruleName, alert.rule, alert.entity, alert.summary].some((text) =>
        text.toLowerCase().includes(wanted),
      ))
}

/** `firing` counts those that recover, too: they are not over. Severities are of those that fire. */
export const countAlerts = (alerts: readonly AlertView[]) => {
  const counts = { pending: 0, firing: 0, critical: 0, warn: 0, info: 0, acknowledged: 0, heldBack: 0 }
  for (const { state, severity, ack, heldBack } of alerts) {
    if (state === "pending") counts.pending++
    else if (state !== "ok") {
      counts.firing++
      counts[severity]++
    }
    if (ack !== null) counts.acknowledged++
    if (heldBack !== null) counts.heldBack++
  }
  return counts
}

/** Most severe first, then newest, then by id. */
type Place = readonly [severity: number, sinceMs: number, id: string]
const placeOf = ({ severity, sinceMs, id }: AlertView): Place => [ALERT_SEVERITIES.indexOf(severity), sinceMs, id]
const compare = (a: Place, b: Place): number => b[0] - a[0] || b[1] - a[1] || (a[2] < b[2] ? -1 : a[2] > b[2] ? 1 : 0)

const writePlace = (place: Place): string => writeCursor(JSON.stringify(place))
const readPlace = (text: string): Place | null => {
  try {
    const value = JSON.parse(text) as unknown
    if (!Array.isArray(value) || value.length !== 3) return null
    const [severity, sinceMs, id] = value as readonly unknown[]
    return typeof severity === "number" && typeof sinceMs === "number" && typeof id === "string"
      ? [severity, sinceMs, id]
      : null
  } catch {
    return null
  }
}
