/**
 * What judgement remembers of one device: a row of samples and windows and a few bytes per rule for each entity, and a
 * record for every alert that is more than quiet. Plain data, packable and hashable; which rules it belongs to stands in
 * `planKey`. An evaluation copies what it touches, unless nobody else can see it (hand.ts).
 */
import type { EntityKey } from "#protocol/id.ts"
import { DEVICE_ENTITY, entityKind } from "#protocol/id.ts"
import type { Alert } from "#twin/alert/alert.ts"
import type { DevicePlan } from "#twin/alert/plan.ts"
import type { DeviceFacts } from "#twin/alert/scope.ts"
import { newRow } from "#twin/alert/series-layout.ts"
import type { Suppression } from "#twin/alert/suppression.ts"

/** Entities of one device at most; samples of more are refused and counted. */
export const ENTITIES_MAX = 8192

export interface EntityState {
  /** Samples and windows: series-layout.ts. */
  row: Float64Array
  /** Alert of each rule of the kind, null = quiet; empty while all are. */
  alerts: ReadonlyArray<Alert | null>
  /** Times of matched events, oldest first, by EventRef.index; empty until one matches. */
  events: ReadonlyArray<readonly number[]>
  readonly sinceMs: number
  /** No later than the first time at which something changes by time alone. */
  dueMs: number
}

export interface DeviceState {
  readonly planKey: string
  readonly facts: DeviceFacts
  /** Time of the newest evaluation. */
  readonly clockMs: number
  readonly dueMs: number
  /** The device itself is the first. */
  readonly keys: readonly EntityKey[]
  readonly entities: readonly EntityState[]
  readonly suppressions: readonly Suppression[]
  /** Samples refused: not finite, from the future, of an unknown kind of entity or one too many. */
  readonly refused: number
}

export const newEntity = (plan: DevicePlan, key: EntityKey, atMs: number): EntityState => {
  const kind = entityKind(key) ?? "device"
  const { series } = plan.kinds[kind]
  // Due at once: what is absent from the start has to be noticed too.
  return { row: newRow(series), alerts: [], events: [], sinceMs: atMs, dueMs: atMs }
}

export const newDeviceState = (plan: DevicePlan, facts: DeviceFacts, atMs: number): DeviceState => ({
  planKey: plan.key,
  facts,
  clockMs: atMs,
  dueMs: atMs,
  keys: [DEVICE_ENTITY],
  entities: [newEntity(plan, DEVICE_ENTITY, atMs)],
  suppressions: [],
  refused: 0,
})

/** Alerts that nobody else has: when there was last evidence is written in place. */
export const copiedAlerts = (alerts: EntityState["alerts"]): EntityState["alerts"] =>
  alerts.length === 0 ? alerts : alerts.map((alert) => (alert === null ? null : { ...alert }))

export const copiedEntity = (entity: EntityState): EntityState => ({ ...entity, row: entity.row.slice() })

/** Alerts go on, samples and times of events begin anew: after a throw rows may be half-written. */
export const withoutSamples = (plan: DevicePlan, state: DeviceState, atMs: number): DeviceState => ({
  ...state,
  dueMs: atMs,
  entities: state.entities.map((entity, index) => ({
    ...newEntity(plan, state.keys[index] ?? DEVICE_ENTITY, atMs),
    alerts: entity.alerts,
  })),
})
