/** What a planned window must be beside its form, and who may see and change it. All here throw Refused. */
import { Refused } from "#engine/api/problems.ts"
import type { Timing } from "#engine/maintenance/occurrences.ts"
import type { StoredWindow } from "#engine/maintenance/silences.ts"
import { isTimeZone } from "#engine/maintenance/time-zone.ts"
import type { MaintenanceWindow } from "#protocol/maintenance.ts"
import type { Scope } from "#protocol/rule.ts"

/** What a person writes of a window. */
export type WindowFields = Omit<MaintenanceWindow, "id" | "changeState">

/** How far somebody reaches. */
export interface WindowReach {
  /** Only these sites; null = all. */
  readonly sites: readonly string[] | null
  /** Ids of the devices that they see. Asked only of whoever is bound to sites. */
  readonly devices: () => ReadonlySet<string>
}

/** A window that begins later is a mistake in the year. */
const AHEAD_MAX_MS = 10 * 366 * 86_400_000

export const checkWindow = (fields: WindowFields, nowMs: number): void => {
  const { timeZone, startsAtMs, untilMs, recurrence, kind } = fields
  const wrong = (detail: string): never => {
    throw new Refused({ detail })
  }
  if (!isTimeZone(timeZone)) wrong("timeZone: is none of the IANA time zones (America/Sao_Paulo, UTC)")
  if (startsAtMs > nowMs + AHEAD_MAX_MS) wrong("startsAtMs: is more than ten years from now")
  if (recurrence.every !== "never" && kind === "change") wrong("recurrence: a change is made once")
  if (recurrence.every === "never" && untilMs !== null) wrong("untilMs: is of windows that recur")
  if (untilMs !== null && untilMs < startsAtMs) wrong("untilMs: is before the first occurrence")
  if (isOver({ window: fields, endedMs: 0 }, nowMs))
    wrong("startsAtMs, durationSeconds: the window would be over already")
}

/** No occurrence of it can be now or later. */
export const isOver = (
  { window, endedMs }: { readonly window: Timing & { readonly changeState?: string }; readonly endedMs: number },
  nowMs: number,
): boolean => {
  if (window.changeState === "completed" || window.changeState === "canceled") return true
  const lastMs = window.recurrence.every === "never" ? window.startsAtMs : window.untilMs
  if (lastMs === null) return false
  return lastMs + window.durationSeconds * 1_000 <= nowMs || lastMs < endedMs
}

/** Whether it covers anything that they see. */
export const seesWindow = (reach: WindowReach, { window }: Pick<StoredWindow, "window">): boolean => {
  const { sites } = reach
  if (sites === null) return true
  const { by_site_ids, by_device_ids } = window.scope
  return (
    (by_site_ids === undefined || by_site_ids.some((site) => sites.includes(site))) &&
    (by_device_ids === undefined || by_device_ids.some((device) => reach.devices().has(device)))
  )
}

/** Whoever is bound to sites silences what stands there and nothing else. */
export const mayPlan = (reach: WindowReach, { by_site_ids, by_device_ids }: Scope): void => {
  const { sites } = reach
  if (sites === null) return
  const own =
    (by_site_ids !== undefined && by_site_ids.every((site) => sites.includes(site))) ||
    (by_device_ids !== undefined && by_device_ids.every((device) => reach.devices().has(device)))
  if (!own)
    throw new Refused({ detail: "scope: name only your own sites (by_site_ids) or devices of them (by_device_ids)" })
}
