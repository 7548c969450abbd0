/**
 * What people and programs may do: permissions `module.action`, and the eight built-in roles as sets of them
 * (PRODUCT.md, Roles and permissions). The engine decides by this table; the client hides what the engine would refuse.
 * A tenant's custom roles are further sets of the same permissions.
 */
export const PERMISSIONS = [
  // Of the platform: whoever runs this Heliograph for several tenants.
  "tenants.manage",
  "platform.config",
  // Of a tenant's administration.
  "users.manage",
  "roles.manage",
  "apikeys.manage",
  "tenant.settings",
  "quotas.view",
  "credentials.manage",
  "audit.read",
  "audit.export",
  // Of the network.
  "network.read",
  "devices.update",
  "devices.delete",
  "inventory.import",
  "inventory.export",
  "topology.edit",
  "rules.configure",
  "maintenance.manage",
  "alerts.ack",
  "alerts.close",
  "diagnostics.run",
  "scan.run",
  "cpe.provision",
  // Of time.
  "replay.view",
  "replay.run",
  "whatif.run",
  "feedback.give",
  "reports.generate",
  // Of subscribers: opt-in, audited.
  "subscriber.view",
] as const
export type Permission = (typeof PERMISSIONS)[number]
export const isPermission = (text: string): text is Permission => (PERMISSIONS as readonly string[]).includes(text)

export const USER_ROLES = [
  "platform_admin",
  "tenant_admin",
  "manager",
  "noc",
  "engineer",
  "technician",
  "viewer",
  "auditor",
] as const
export type UserRole = (typeof USER_ROLES)[number]
export const isUserRole = (text: string): text is UserRole => (USER_ROLES as readonly string[]).includes(text)

const PLATFORM_ONLY: ReadonlySet<Permission> = new Set(["tenants.manage", "platform.config"])

/**
 * platform_admin reads no tenant's network: for that there is a time-boxed grant that the tenant sees in its audit.
 * tenant_admin holds everything but the platform's two.
 */
export const ROLE_PERMISSIONS: Readonly<Record<UserRole, readonly Permission[]>> = {
  platform_admin: [
    "tenants.manage",
    "platform.config",
    "users.manage",
    "roles.manage",
    "apikeys.manage",
    "tenant.settings",
    "quotas.view",
    "audit.read",
    "audit.export",
  ],
  tenant_admin: PERMISSIONS.filter((permission) => !PLATFORM_ONLY.has(permission)),
  manager: [
    "network.read",
    "devices.update",
    "inventory.import",
    "inventory.export",
    "topology.edit",
    "rules.configure",
    "maintenance.manage",
    "alerts.ack",
    "alerts.close",
    "diagnostics.run",
    "replay.view",
    "replay.run",
    "whatif.run",
    "feedback.give",
    "reports.generate",
  ],
  noc: [
    "network.read",
    "maintenance.manage",
    "alerts.ack",
    "alerts.close",
    "diagnostics.run",
    "scan.run",
    "cpe.provision",
    "replay.view",
    "replay.run",
    "whatif.run",
    "feedback.give",
    "subscriber.view",
    "reports.generate",
  ],
  engineer: [
    "network.read",
    "alerts.ack",
    "diagnostics.run",
    "replay.view",
    "replay.run",
    "whatif.run",
    "feedback.give",
  ],
  technician: ["network.read", "diagnostics.run", "cpe.provision", "subscriber.view"],
  viewer: ["network.read", "replay.view"],
  auditor: [
    "network.read",
    "replay.view",
    "replay.run",
    "whatif.run",
    "reports.generate",
    "audit.read",
    "audit.export",
  ],
}

/**
 * The union of the roles' permissions; `custom` holds the tenant's own roles. A role that no longer exists gives nothing.
 * Ascending in the order of PERMISSIONS.
 */
export const permissionsOf = (
  roles: readonly string[],
  custom: ReadonlyMap<string, readonly Permission[]> = new Map(),
): readonly Permission[] => {
  const granted = new Set(
    roles.flatMap((role) => (isUserRole(role) ? ROLE_PERMISSIONS[role] : (custom.get(role) ?? []))),
  )
  return PERMISSIONS.filter((permission) => granted.has(permission))
}
