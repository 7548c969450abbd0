/** The parts of the administration. To add one: its file, its needs in state/places.ts, and a line here. */
import type { FunctionComponent } from "preact"
import type { Key } from "#client/i18n/translate.ts"
import { tabOpen } from "#client/state/places.ts"
import type { TabId } from "#client/state/places.ts"
import { AuditTab } from "#client/screens/admin/audit.tsx"
import { InventoryTab } from "#client/screens/admin/inventory.tsx"
import { KeysTab } from "#client/screens/admin/keys.tsx"
import { QuotasTab } from "#client/screens/admin/quotas.tsx"
import { RolesTab } from "#client/screens/admin/roles.tsx"
import { SettingsTab } from "#client/screens/admin/settings.tsx"
import { TenantsTab } from "#client/screens/admin/tenants.tsx"
import { UsersTab } from "#client/screens/admin/users.tsx"

export interface Tab {
  readonly id: TabId
  readonly title: Key
  readonly view: FunctionComponent
}

const TABS: readonly Tab[] = [
  { id: "users", title: "users.title", view: UsersTab },
  { id: "roles", title: "roles.title", view: RolesTab },
  { id: "keys", title: "keys.title", view: KeysTab },
  { id: "inventory", title: "inventory.title", view: InventoryTab },
  { id: "quotas", title: "quotas.title", view: QuotasTab },
  { id: "audit", title: "audit.title", view: AuditTab },
  { id: "settings", title: "settings.title", view: SettingsTab },
  { id: "tenants", title: "tenants.title", view: TenantsTab },
]

/** Of whoever is signed in. */
export const openTabs = (): readonly Tab[] => TABS.filter(({ id }) => tabOpen(id))
