/**
 * A tenant's alerts as people see them: the list of all that are not ok, why a rule does or does not fire on an entity right
 * now, and the receipt of the newest decision. Selected from the states; nothing here changes one.
 */
import { alertId } from "#protocol/alert.ts"
import type { AlertName, AlertView } from "#protocol/alert.ts"
import { deviceId, entityKind } from "#protocol/id.ts"
import type { EntityKey } from "#protocol/id.ts"
import type { Device } from "#protocol/inventory.ts"
import type { Rule } from "#protocol/rule.ts"
import { ALERT_SEVERITIES } from "#protocol/rule.ts"
import type { Alert } from "#twin/alert/alert.ts"
import type { Explained } from "#twin/alert/explain.ts"
import { explain } from "#twin/alert/explain.ts"
import type { Receipt } from "#twin/alert/receipt.ts"
import { sealed } from "#twin/alert/receipt.ts"
import type { Cells } from "#twin/cells.ts"
import type { AlertRow } from "#twin/judge/alert-rows.ts"
import { alertsOf } from "#twin/judge/alert-table.ts"
import type { RouterJudgement } from "#twin/judge/judged.ts"
import { judgeOf } from "#twin/judge/rejudge.ts"
import type { World } from "#twin/round.ts"
import { ENGINE_DEVICE, ENGINE_FACTS, selfPlan, type SelfState } from "#twin/self/self.ts"

/** Most severe and newest first. */
export const alertViews = (world: World, cells: Cells): readonly AlertView[] => {
  const { alerts } = cells.tenant.state(0)
  const rules = new Map(world.judging.rules.map((rule) => [rule.id, rule]))
  const ofDevices = world.topology.inventory.devices.flatMap((device, slot) => {
    const rows = alertsOf(alerts, slot)
    const judgement = rows.length === 0 ? null : cells.routers.state(slot).judgement
    if (judgement === null) return []
    return rows.map((row) => viewOf(device, judgement, row, alertIn(world, slot, judgement, row), rules))
  })
  const { self } = world
  const ofEngine = (self?.rows ?? []).map((row) =>
    viewOf(ENGINE, self as SelfState, row, alertOfSelf(self, row), rules),
  )
  return [...ofDevices, ...ofEngine].sort(worstAndNewestFirst)
}

const worstAndNewestFirst = (a: AlertView, b: AlertView): number =>
  ALERT_SEVERITIES.indexOf(b.severity) - ALERT_SEVERITIES.indexOf(a.severity) ||
  b.sinceMs - a.sinceMs ||
  (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)

const ENGINE = { id: ENGINE_DEVICE, name: ENGINE_FACTS.name, site: "" } as const

const viewOf = (
  device: Pick<Device, "id" | "name"> & { readonly site: string },
  judgement: Pick<RouterJudgement, "receipts">,
  row: AlertRow,
  alert: Alert | null,
  rules: ReadonlyMap<string, Rule>,
): AlertView => {
  const rule = rules.get(row.rule)
  const { entity, version, state, severity, sinceMs, firedMs, flapping, ack, heldBack } = row
  return {
    id: alertId({ device: device.id, rule: row.rule, entity }),
    rule: row.rule,
    ruleName: rule?.name ?? row.rule,
    version,
    device: device.id,
    deviceName: device.name,
    site: device.site,
    entity,
    state,
    severity,
    sinceMs,
    firedMs,
    knownMs: alert?.knownMs ?? sinceMs,
    flapping,
    ack,
    heldBack,
    summary: receiptIn(judgement, row)?.summary ?? rule?.name ?? row.rule,
    runbook: rule?.annotations.runbook_url ?? "",
  }
}

const receiptIn = (
  { receipts }: Pick<RouterJudgement, "receipts">,
  { rule, entity }: Pick<AlertRow, "rule" | "entity">,
) => receipts.findLast((receipt) => receipt.rule.id === rule && receipt.entity === entity)

const alertIn = (
  world: World,
  slot: number,
  { device }: RouterJudgement,
  { rule, entity }: { readonly rule: string; readonly entity: string },
): Alert | null => {
  const index = device.keys.indexOf(entity as EntityKey)
  const plan = judgeOf(world, slot)?.planOf(device)
  const rules = plan?.kinds[entityKind(entity as EntityKey) ?? "device"].rules ?? []
  const position = rules.findIndex((compiled) => compiled.rule.id === rule)
  return device.entities[index]?.alerts[position] ?? null
}

const alertOfSelf = (
  self: SelfState | null,
  { rule, entity }: { readonly rule: string; readonly entity: string },
): Alert | null => {
  if (self === null) return null
  const index = self.device.keys.indexOf(entity as EntityKey)
  const { rules } = selfPlan(self.rules).plan.kinds.engine
  return self.device.entities[index]?.alerts[rules.findIndex((compiled) => compiled.rule.id === rule)] ?? null
}

const slotOf = (world: World, device: string): number | undefined => world.topology.deviceSlot.get(deviceId(device))

/** Null = quiet, or there is no such thing. */
export const findAlert = (world: World, cells: Cells, name: AlertName): Alert | null => {
  if (name.device === ENGINE_DEVICE) return alertOfSelf(world.self, name)
  const slot = slotOf(world, name.device)
  const judgement = slot === undefined ? null : cells.routers.state(slot).judgement
  return slot === undefined || judgement === null ? null : alertIn(world, slot, judgement, name)
}

/** Null = the device is unknown. */
export const explainAlert = (world: World, cells: Cells, { device, rule, entity }: AlertName): Explained | null => {
  if (device === ENGINE_DEVICE) return explainSelf(world, rule, entity)
  const slot = slotOf(world, device)
  if (slot === undefined) return null
  const judge = judgeOf(world, slot)
  const { judgement } = cells.routers.state(slot)
  if (judge === null || judgement === null) return { found: false, reason: "nothing is judged: there are no rules" }
  if (judge.idle || judgement.device.planKey !== judge.plan.key)
    return { found: false, reason: "the rules of this device have just changed" }
  return explain(judge.plan, judgement.device, world.judging.rules, rule, entity)
}

const explainSelf = ({ self, judging }: World, rule: string, entity: string): Explained => {
  if (self === null)
    return { found: false, reason: "the engine is not judged: it has said nothing, or there are no rules" }
  return explain(selfPlan(self.rules).plan, self.device, judging.rules, rule, entity)
}

/** Of the decision that brought an alert to where it is; null = it is ok, or has more than 64 newer ones beside it. */
export const receiptOfAlert = (world: World, cells: Cells, name: AlertName): Receipt | null => {
  const slot = slotOf(world, name.device)
  const judgement =
    name.device === ENGINE_DEVICE ? world.self : slot === undefined ? null : cells.routers.state(slot).judgement
  const receipt = judgement === null ? undefined : receiptIn(judgement, { ...name, entity: name.entity as EntityKey })
  return receipt === undefined ? null : sealed(receipt)
}
