/**
 * The rules of power among people, without storage: nobody gives what they do not hold, nobody takes from a platform
 * administrator without being one, and a tenant never loses its last administrator. Each answers why not, in words for the
 * person; null = it may be.
 */
import type { Principal } from "#engine/access/principal.ts"
import { isUserRole, permissionsOf, type Permission } from "#protocol/permission.ts"

export type CustomRoles = ReadonlyMap<string, readonly Permission[]>

/** What decides about a user's power. */
export interface Standing {
  readonly roles: readonly string[]
  readonly sites: readonly string[] | null
  readonly disabled: boolean
}

/** Powers over all tenants. */
const PLATFORM: readonly Permission[] = ["tenants.manage", "platform.config"]
/** Once somebody in a tenant holds one of these, somebody always does. */
const NEVER_LOST: readonly Permission[] = ["users.manage", "tenants.manage"]

export const unknownRole = (roles: readonly string[], custom: CustomRoles): string | null => {
  const unknown = roles.find((role) => !isUserRole(role) && !custom.has(role))
  return unknown === undefined ? null : `there is no role ${JSON.stringify(unknown)}`
}

/** `before` null = a new user. A disabled user holds nothing, so enabling them gives everything. */
export const cannotGive = (
  giver: Pick<Principal, "permissions" | "sites">,
  before: Standing | null,
  after: Standing,
  custom: CustomRoles,
): string | null => {
  const held = before === null || before.disabled ? [] : permissionsOf(before.roles, custom)
  const wanted = after.disabled ? [] : permissionsOf(after.roles, custom)
  const missing = wanted.filter((permission) => !held.includes(permission) && !giver.permissions.has(permission))
  if (missing.length > 0) return `nobody gives what they do not hold: ${missing.join(", ")}`
  if (giver.sites === null || after.disabled) return null
  const sameSites = before !== null && !before.disabled && seesNoMore(after.sites, before.sites)
  return sameSites || seesNoMore(after.sites, giver.sites) ? null : "nobody gives a site that they do not see"
}

const seesNoMore = (sites: readonly string[] | null, than: readonly string[] | null): boolean =>
  than === null || (sites !== null && sites.every((site) => than.includes(site)))

/** Changing, ending or removing somebody. */
export const cannotTouch = (
  who: Pick<Principal, "permissions">,
  target: Pick<Standing, "roles">,
  custom: CustomRoles,
): string | null => {
  const above = permissionsOf(target.roles, custom).filter(
    (permission) => PLATFORM.includes(permission) && !who.permissions.has(permission),
  )
  return above.length === 0 ? null : `only a platform administrator may do this to one: needs ${above.join(", ")}`
}

/** The permissions of NEVER_LOST that somebody holds. */
export const keptHeld = (users: readonly Standing[], custom: CustomRoles): readonly Permission[] => {
  const held = new Set(users.filter((user) => !user.disabled).flatMap((user) => permissionsOf(user.roles, custom)))
  return NEVER_LOST.filter((permission) => held.has(permission))
}

export const lastTaken = (before: readonly Permission[], after: readonly Permission[]): string | null => {
  const lost = before.find((permission) => !after.includes(permission))
  return lost === undefined ? null : `somebody has to hold ${lost}: make another administrator first`
}
