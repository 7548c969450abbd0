/** Nobody gives what they do not hold: which roles and scopes a person may hand on. The engine decides the same again. */
import { isUserRole, permissionsOf } from "#protocol/permission.ts"
import type { Permission } from "#protocol/permission.ts"
import type { Role } from "#protocol/rest-generated.ts"

export const givableRoles = (roles: readonly Role[], held: readonly Permission[]): readonly string[] => {
  const own = new Set<string>(held)
  return roles
    .filter(({ permissions }) => permissions.every((permission) => own.has(permission)))
    .map(({ name }) => name)
}

/** The built-in roles as the API would list them: for who may manage users and not read roles. */
export const builtInRoles = (names: readonly string[]): readonly Role[] =>
  names.filter(isUserRole).map((name) => ({
    name,
    builtIn: true,
    permissions: permissionsOf([name]),
    secondFactorRequired: false,
    users: 0,
  }))

/** A name for a tenant's own role: what the engine takes in its path. */
export const isRoleName = (name: string): boolean => /^[a-z][a-z0-9_-]{1,62}$/.test(name) && !isUserRole(name)
