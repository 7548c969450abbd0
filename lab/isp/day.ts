/**
 * The time of day as traffic knows it: households peak at nine in the evening, businesses at office hours. The shapes
 * are those that Brazilian exchange points publish (IX.br aggregate graphs): a night valley at about a quarter.
 */
const HOUSEHOLD = [
  0.55, 0.42, 0.33, 0.28, 0.25, 0.26, 0.32, 0.4, 0.48, 0.54, 0.58, 0.62, 0.66, 0.66, 0.64, 0.64, 0.66, 0.7, 0.78, 0.88,
  0.96, 1, 0.95, 0.75,
]
const BUSINESS = [
  0.15, 0.12, 0.1, 0.1, 0.1, 0.12, 0.2, 0.4, 0.75, 0.95, 1, 0.98, 0.8, 0.85, 0.98, 1, 0.97, 0.85, 0.5, 0.35, 0.28, 0.24,
  0.2, 0.17,
]
const HOUR_MS = 3_600_000

export interface DayFactors {
  readonly household: number
  readonly business: number
}

/** Shares of the daily peak at a moment, 0..1. `utcOffsetHours` is -3 for most of Brazil. */
export const dayFactors = (atMs: number, utcOffsetHours: number): DayFactors => {
  const hour = (((atMs / HOUR_MS + utcOffsetHours) % 24) + 24) % 24
  return { household: between(HOUSEHOLD, hour), business: between(BUSINESS, hour) }
}

const between = (shape: readonly number[], hour: number): number => {
  const from = Math.floor(hour) % 24
  const share = hour - Math.floor(hour)
  return shape[from]! * (1 - share) + shape[(from + 1) % 24]! * share
}
