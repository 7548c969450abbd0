/**
 * Health and perceived severity of one resource, and the single byte that carries both over the wire and in columns.
 * Severity words are RFC 8632 s5.3 (perceived-severity, plus `cleared`); health is PRODUCT.md's list.
 * The order of both arrays is part of the wire: append only.
 */
export const HEALTH = ["unknown", "ok", "degraded", "down", "unreachable"] as const
export type Health = (typeof HEALTH)[number]

export const SEVERITY = ["cleared", "indeterminate", "warning", "minor", "major", "critical"] as const
export type Severity = (typeof SEVERITY)[number]

/** One resource's state as people see it. `stale` = the newest evidence is older than three polling intervals. */
export interface Status {
  readonly health: Health
  readonly severity: Severity
  readonly maintenance: boolean
  readonly stale: boolean
}

export const UNKNOWN_STATUS: Status = { health: "unknown", severity: "indeterminate", maintenance: false, stale: false }

const MAINTENANCE = 1 << 6
const STALE = 1 << 7

/** bits 0-2 health, 3-5 severity, 6 maintenance, 7 stale. */
export const packStatus = (status: Status): number =>
  HEALTH.indexOf(status.health) |
  (SEVERITY.indexOf(status.severity) << 3) |
  (status.maintenance ? MAINTENANCE : 0) |
  (status.stale ? STALE : 0)

/** The inverse of packStatus; codes from a newer version read as unknown/indeterminate. */
export const unpackStatus = (byte: number): Status => ({
  health: HEALTH[byte & 7] ?? "unknown",
  severity: SEVERITY[(byte >> 3) & 7] ?? "indeterminate",
  maintenance: (byte & MAINTENANCE) !== 0,
  stale: (byte & STALE) !== 0,
})

export const sameStatus = (a: Status, b: Status): boolean =>
  a.health === b.health && a.severity === b.severity && a.maintenance === b.maintenance && a.stale === b.stale
