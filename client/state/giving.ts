/** Nobody gives what they do not hold: which roles and scopes a person may hand on. The engine decides the same again. */
import { isUserRole } from "#protocol/permission.ts"
import type { Permission } from "#protocol/permission.ts"
import type { Role } from "#protocol/rest-generated.ts"

export const givableRoles = (roles: readonly Role[], held: readonly Permission[]): readonly string[] => {
  const own = new Set<string>(held)
  return roles
    .filter(({ permissions }) => permissions.every((permission) => own.has(permission)))
    .map(({ name }) => name)
}

/** A name for a tenant's own role: what the engine takes in its path. */
export const isRoleName = (name: string): boolean => /^[a-z][a-z0-9_-]{0,63}$/.test(name) && !isUserRole(name)
