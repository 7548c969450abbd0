/**
 * All alerts of a tenant that are not quiet, by device: what lists, counts and a correlator read. Kept by the facts of the
 * routers, one device at a time; a device without alerts costs one pointer.
 */
import type { AlertSeverity } from "#protocol/rule.ts"
import { isLit } from "#twin/alert/alert.ts"
import type { Chunked } from "#twin/chunked.ts"
import { at, chunkedOf, replaced } from "#twin/chunked.ts"
import type { AlertRow, AlertsFact } from "#twin/judge/alert-rows.ts"
import { rowsAfter } from "#twin/judge/alert-rows.ts"

export interface AlertTable {
  /** Rows of each device, by rule and entity. */
  readonly bySlot: Chunked<readonly AlertRow[]>
  /** Alerts that fire or recover, by severity. */
  readonly lit: Readonly<Record<AlertSeverity, number>>
}

const NONE: readonly AlertRow[] = []

export const noAlerts = (routers: number): AlertTable => ({
  bySlot: chunkedOf(routers, NONE),
  lit: { info: 0, warn: 0, critical: 0 },
})

export const alertsOf = (table: AlertTable, slot: number): readonly AlertRow[] => at(table.bySlot, slot)

export const alertsTaken = (table: AlertTable, fact: AlertsFact): AlertTable => {
  const before = at(table.bySlot, fact.slot)
  const after = rowsAfter(before, fact)
  const lit = { ...table.lit }
  for (const { state, severity } of before) if (isLit(state)) lit[severity]--
  for (const { state, severity } of after) if (isLit(state)) lit[severity]++
  return { bySlot: replaced(table.bySlot, fact.slot, after.length === 0 ? NONE : after), lit }
}
