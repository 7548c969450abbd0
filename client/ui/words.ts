/** Words of the wire (roles, permissions, quotas) in the screen's language; what has no translation stays as it is. */
import { isKey, t } from "#client/i18n/translate.ts"

const word = (prefix: string, name: string): string => {
  const key = `${prefix}.${name}`
  return isKey(key) ? t(key) : name
}
/** A tenant's own roles keep the name that the tenant gave them. */
export const userRoleName = (role: string): string => word("userRole", role)
export const permissionName = (permission: string): string => word("permission", permission)
export const quotaName = (quota: string): string => word("quota", quota)
export const tierName = (tier: string): string => word("tier", tier)
