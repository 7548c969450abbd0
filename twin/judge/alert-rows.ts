/**
 * The alerts of one device as the tenant hears of them: a row for each that is not quiet, and a fact when rows changed.
 * Rows hold what a correlator and a list need; windows, samples and receipts stay with the device.
 */
import type { EntityKey } from "#protocol/id.ts"
import { entityKind } from "#protocol/id.ts"
import type { AlertStateName, HeldBackBy } from "#protocol/alert.ts"
import type { AlertSeverity } from "#protocol/rule.ts"
import type { Ack, Alert } from "#twin/alert/alert.ts"
import { settle } from "#twin/alert/alert.ts"
import type { CompiledRule, DevicePlan } from "#twin/alert/plan.ts"
import type { DeviceState, EntityState } from "#twin/alert/state.ts"
import { suppressionOf } from "#twin/alert/suppression.ts"

export interface AlertRow {
  readonly rule: string
  /** "" = the device itself. */
  readonly entity: EntityKey
  /** Hash of the rule's content. */
  readonly version: string
  readonly state: AlertStateName
  readonly severity: AlertSeverity
  readonly sinceMs: number
  /** When it last began to fire; null = it has not (pending). */
  readonly firedMs: number | null
  readonly flapping: boolean
  readonly ack: Ack | null
  /** Why nobody is told; null = people were, or it does not fire. */
  readonly heldBack: { readonly by: HeldBackBy; readonly reason: string; readonly untilMs: number | null } | null
}

/** What changed among the alerts of one device. */
export interface AlertsFact {
  readonly kind: "alerts"
  readonly slot: number
  /** All of the device's rows stand in `rows`; whatever else was known of it is over. */
  readonly whole: boolean
  /** New or changed, by rule and entity. */
  readonly rows: readonly AlertRow[]
  /** Quiet again, or gone. */
  readonly ended: ReadonlyArray<Pick<AlertRow, "rule" | "entity">>
}

/** Whether rows may be different: an alert or a suppression was written to. */
export const mayDiffer = (before: DeviceState, after: DeviceState): boolean =>
  before !== after &&
  (before.suppressions !== after.suppressions ||
    before.keys !== after.keys ||
    (before.entities !== after.entities &&
      after.entities.some(({ alerts }, index) => alerts !== before.entities[index]?.alerts)))

/** By rule, then entity. */
export const rowsOf = (plan: DevicePlan, device: DeviceState): readonly AlertRow[] => {
  const rows: AlertRow[] = []
  for (let index = 0; index < device.entities.length; index++) putRows(rows, plan, device, index)
  return rows.sort(byName)
}

const putRows = (rows: AlertRow[], plan: DevicePlan, device: DeviceState, index: number): void => {
  const { alerts } = device.entities[index] as EntityState
  if (alerts.length === 0) return
  const key = device.keys[index] as EntityKey
  const { rules } = plan.kinds[entityKind(key) ?? "device"]
  for (let position = 0; position < alerts.length; position++) {
    const alert = alerts[position]
    if (alert !== null && alert !== undefined && isShown(alert, device.clockMs))
      rows.push(rowOf(rules[position] as CompiledRule, key, alert, device))
  }
}

/**
 * `rowsOf`, where `rows` are those of `before` under the same plan: at one instant only entities whose alerts were written to,
 * or whose suppressions changed, can have other rows. An incident gives a device one order for each place that it holds back,
 * most of which show nothing yet.
 */
export const rowsFrom = (
  plan: DevicePlan,
  before: DeviceState,
  rows: readonly AlertRow[],
  after: DeviceState,
): readonly AlertRow[] => {
  if (before.clockMs !== after.clockMs || before.keys !== after.keys) return rowsOf(plan, after)
  const changed = differing(before.suppressions, after.suppressions)
  if (changed.some(({ entity }) => entity === null)) return rowsOf(plan, after)
  const others = new Set(changed.map(({ entity }) => entity))
  const touched = new Set<EntityKey>()
  const fresh: AlertRow[] = []
  for (let index = 0; index < after.entities.length; index++) {
    const { alerts } = after.entities[index] as EntityState
    const key = after.keys[index] as EntityKey
    const isSame = alerts === before.entities[index]?.alerts
    if (isSame && (alerts.length === 0 || !others.has(key))) continue
    touched.add(key)
    putRows(fresh, plan, after, index)
  }
  return touched.size === 0 ? rows : [...rows.filter(({ entity }) => !touched.has(entity)), ...fresh].sort(byName)
}

/** Those that only one of both has. */
const differing = <T>(before: readonly T[], after: readonly T[]): readonly T[] => {
  if (before === after) return []
  const [was, is] = [new Set(before), new Set(after)]
  return [...before.filter((one) => !is.has(one)), ...after.filter((one) => !was.has(one))]
}

/** Not ok, or flapping between two turns: people were told so. */
const isShown = (alert: Alert, nowMs: number): boolean => alert.state !== "ok" || alert.flapUntilMs > nowMs

const rowOf = ({ rule, version }: CompiledRule, entity: EntityKey, alert: Alert, device: DeviceState): AlertRow => {
  const { clockMs, suppressions } = device
  const suppression = suppressionOf(suppressions, rule.id, entity, alert.severity)
  return {
    rule: rule.id,
    entity,
    version,
    state: alert.state,
    severity: alert.severity,
    sinceMs: alert.sinceMs,
    firedMs: alert.firedMs === 0 ? null : alert.firedMs,
    flapping: alert.flapUntilMs > clockMs,
    ack: alert.ack,
    heldBack: settle(alert, suppression, rule.cooldown_seconds * 1000, clockMs).heldBack,
  }
}

/** Null = nothing that the tenant would see. */
export const alertsFact = (
  slot: number,
  before: readonly AlertRow[],
  after: readonly AlertRow[],
  whole: boolean,
): AlertsFact | null => {
  if (whole) return after.length === 0 ? null : { kind: "alerts", slot, whole, rows: after, ended: [] }
  const was = new Map(before.map((row) => [nameOf(row), row]))
  const rows = after.filter((row) => {
    const old = was.get(nameOf(row))
    was.delete(nameOf(row))
    return old === undefined || !sameRow(old, row)
  })
  const ended = [...was.values()].map(({ rule, entity }) => ({ rule, entity }))
  return rows.length + ended.length === 0 ? null : { kind: "alerts", slot, whole, rows, ended }
}

/** Rows with what a fact says of them, in order. */
export const rowsAfter = (rows: readonly AlertRow[], fact: AlertsFact): readonly AlertRow[] => {
  if (fact.whole) return fact.rows
  const gone = new Set([...fact.rows, ...fact.ended].map(nameOf))
  return [...rows.filter((row) => !gone.has(nameOf(row))), ...fact.rows].sort(byName)
}

const nameOf = ({ rule, entity }: Pick<AlertRow, "rule" | "entity">): string => `${rule} ${entity}`

export const byName = (a: Pick<AlertRow, "rule" | "entity">, b: Pick<AlertRow, "rule" | "entity">): number =>
  a.rule < b.rule ? -1 : a.rule > b.rule ? 1 : a.entity < b.entity ? -1 : a.entity > b.entity ? 1 : 0

const sameRow = (a: AlertRow, b: AlertRow): boolean =>
  a.state === b.state &&
  a.severity === b.severity &&
  a.sinceMs === b.sinceMs &&
  a.firedMs === b.firedMs &&
  a.flapping === b.flapping &&
  a.version === b.version &&
  a.ack?.untilMs === b.ack?.untilMs &&
  a.ack?.by === b.ack?.by &&
  a.heldBack?.by === b.heldBack?.by &&
  a.heldBack?.reason === b.heldBack?.reason &&
  a.heldBack?.untilMs === b.heldBack?.untilMs
