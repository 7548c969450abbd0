/**
 * What each screen, tab and action needs. One table, so that a test can say for every role what it sees (PRODUCT.md S1);
 * the engine's own table is engine/access/entries.ts.
 */
import { may, mayAny } from "#client/state/session.ts"
import type { Permission } from "#protocol/permission.ts"

/** Any one of them opens the tab. */
export const TAB_NEEDS = {
  users: ["users.manage"],
  roles: ["roles.manage"],
  keys: ["apikeys.manage"],
  inventory: ["inventory.import", "inventory.export"],
  quotas: ["quotas.view"],
  audit: ["audit.read"],
  settings: ["tenant.settings"],
  tenants: ["tenants.manage"],
} as const satisfies Readonly<Record<string, readonly Permission[]>>
export type TabId = keyof typeof TAB_NEEDS
export const TAB_IDS = Object.keys(TAB_NEEDS) as readonly TabId[]

/** Any one of them opens the screen; none = everybody who is signed in. */
export const SCREEN_NEEDS = {
  map: ["network.read"],
  devices: ["network.read"],
  events: ["network.read"],
  replay: ["replay.view"],
  alerts: ["network.read"],
  incidents: ["network.read"],
  graph: ["network.read"],
  rules: ["network.read"],
  maintenance: ["network.read"],
  whatif: ["whatif.run"],
  topology: ["network.read"],
  admin: Object.values(TAB_NEEDS).flat(),
  account: [],
  setup: ["devices.update"],
} as const satisfies Readonly<Record<string, readonly Permission[]>>
export type ScreenId = keyof typeof SCREEN_NEEDS

export const ACTION_NEEDS = {
  siteEdit: "topology.edit",
  deviceAdd: "devices.update",
  deviceEdit: "devices.update",
  deviceRemove: "devices.delete",
  credential: "credentials.manage",
  linkAdd: "topology.edit",
  linkEdit: "topology.edit",
  linkRemove: "topology.edit",
  import: "inventory.import",
  export: "inventory.export",
  auditExport: "audit.export",
  alertAck: "alerts.ack",
  incidentAck: "alerts.ack",
  incidentNote: "alerts.ack",
  incidentAssign: "alerts.close",
  incidentEscalate: "alerts.close",
  incidentClose: "alerts.close",
  incidentConfirm: "feedback.give",
  ruleEdit: "rules.configure",
  windowEdit: "maintenance.manage",
  proposalDecide: "topology.edit",
} as const satisfies Readonly<Record<string, Permission>>
export type ActionId = keyof typeof ACTION_NEEDS

export const screenOpen = (id: ScreenId): boolean => {
  const needs: readonly Permission[] = SCREEN_NEEDS[id]
  return needs.length === 0 || mayAny(needs)
}
export const tabOpen = (id: TabId): boolean => mayAny(TAB_NEEDS[id])
export const can = (action: ActionId): boolean => may(ACTION_NEEDS[action])
