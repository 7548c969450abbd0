/**
 * The tenant's matrix of roles: the built-in ones, of which it decides only whether they demand a second factor, and its
 * own. A changed role counts for everybody who has it at once, because permissions are looked up with each credential.
 */
import * as Effect from "effect/Effect"
import { etagOf, fitsIfMatch } from "#engine/api/etag.ts"
import type { Unavailable } from "#engine/api/ports.ts"
import { Changed, Forbidden, NotFound, Refused } from "#engine/api/problems.ts"
import { recordAct, type Json } from "#engine/audit/act.ts"
import { away } from "#engine/people/away.ts"
import type { By } from "#engine/people/by.ts"
import type { PeopleEnvironment } from "#engine/people/environment.ts"
import { customOf, type KeptRole } from "#engine/people/holder.ts"
import { keepingAdministrators, readKeptRoles, takeTurn } from "#engine/people/standing.ts"
import type { Tx } from "#engine/storage/db.ts"
import type { TenantId } from "#protocol/id.ts"
import { isUserRole, PERMISSIONS, ROLE_PERMISSIONS, USER_ROLES, type Permission } from "#protocol/permission.ts"

/** A tenant's own roles. */
export const CUSTOM_ROLES_MAX = 100

export interface Role {
  readonly name: string
  readonly builtIn: boolean
  readonly permissions: readonly Permission[]
  readonly secondFactorRequired: boolean
  /** Who has it, the disabled included. */
  readonly users: number
}

/** Absent = as it is. */
export interface RoleChange {
  readonly permissions?: readonly Permission[]
  readonly secondFactorRequired?: boolean
}

export interface Roles {
  readonly list: (by: By) => Effect.Effect<readonly Role[], Unavailable>
  readonly get: (by: By, name: string) => Effect.Effect<Role, NotFound | Unavailable>
  /** Makes it, or changes it. */
  readonly put: (
    by: By,
    name: string,
    change: RoleChange,
    ifMatch: string | undefined,
  ) => Effect.Effect<Role, Forbidden | Refused | Changed | Unavailable>
  readonly remove: (by: By, name: string) => Effect.Effect<void, NotFound | Refused | Unavailable>
}

export const roleEtag = (role: Role): string => etagOf([role.name, role.permissions, role.secondFactorRequired])

export const makeRoles = ({ db, doors }: PeopleEnvironment): Roles => {
  const changing = <A, E>({ principal: { tenant } }: By, body: (tx: Tx, tenant: TenantId) => Promise<A>) =>
    db
      .tenant(tenant)<A, E>(async (tx) => {
        await takeTurn(tx, tenant)
        return body(tx, tenant)
      })
      .pipe(Effect.tap(() => Effect.sync(() => doors.forget({ tenant }))))
  return {
    list: ({ principal: { tenant } }) =>
      db
        .tenant(tenant)((tx) => readRoles(tx, tenant))
        .pipe(Effect.mapError(away)),

    get: ({ principal: { tenant } }, name) =>
      db
        .tenant(tenant)<Role, NotFound>(async (tx) => {
          const role = (await readRoles(tx, tenant)).find((it) => it.name === name)
          if (role === undefined) throw new NotFound({})
          return role
        })
        .pipe(Effect.mapError(away)),

    put: (by, name, change, ifMatch) =>
      changing<Role, Forbidden | Refused | Changed>(by, async (tx, tenant) => {
        const roles = await readRoles(tx, tenant)
        const before = roles.find((role) => role.name === name) ?? null
        if (ifMatch !== undefined && (before === null || !fitsIfMatch(ifMatch, roleEtag(before)))) throw new Changed({})
        const after = changed(name, before, change, roles)
        const added = after.permissions.filter((permission) => before?.permissions.includes(permission) !== true)
        const missing = added.filter((permission) => !by.principal.permissions.has(permission))
        if (missing.length > 0)
          throw new Forbidden({ detail: `nobody gives what they do not hold: ${missing.join(", ")}` })
        await keepingAdministrators(tx, tenant, () => store(tx, tenant, after))
        await audited(tx, by, "role.put", name, before, after)
        return after
      }).pipe(Effect.mapError(away)),

    remove: (by, name) =>
      changing<void, NotFound | Refused>(by, async (tx, tenant) => {
        const role = (await readRoles(tx, tenant)).find((it) => it.name === name)
        if (role === undefined) throw new NotFound({})
        if (role.builtIn) throw new Refused({ detail: "a built-in role cannot be removed" })
        if (role.users > 0) throw new Refused({ detail: `${role.users} users have this role: give them another first` })
        await tx.query("delete from tenant_role where tenant_id = $1 and name = $2", [tenant, name])
        await audited(tx, by, "role.remove", name, role, null)
      }).pipe(Effect.mapError(away)),
  }
}

const changed = (name: string, before: Role | null, change: RoleChange, roles: readonly Role[]): Role => {
  const secondFactorRequired = change.secondFactorRequired ?? before?.secondFactorRequired ?? false
  if (before?.builtIn === true) {
    if (change.permissions !== undefined)
      throw new Refused({ detail: "the permissions of a built-in role are fixed: make a role of your own" })
    return { ...before, secondFactorRequired }
  }
  if (!/^[a-z][a-z0-9_-]{0,63}$/.test(name))
    throw new Refused({ detail: "a role's name is of a-z, 0-9, _ and -, opens with a letter, and has at most 64" })
  if (before === null && roles.filter((role) => !role.builtIn).length >= CUSTOM_ROLES_MAX)
    throw new Refused({ detail: `a tenant has at most ${CUSTOM_ROLES_MAX} roles of its own` })
  const wanted = new Set<Permission>(change.permissions ?? before?.permissions ?? [])
  const permissions = PERMISSIONS.filter((permission) => wanted.has(permission))
  return { name, builtIn: false, permissions, secondFactorRequired, users: before?.users ?? 0 }
}

const store = async (tx: Tx, tenant: TenantId, role: Role): Promise<void> => {
  await tx.query(
    `insert into tenant_role (tenant_id, name, permissions, second_factor_required) values ($1, $2, $3, $4)
     on conflict (tenant_id, name) do update set permissions = $3, second_factor_required = $4`,
    [tenant, role.name, role.builtIn ? null : role.permissions, role.secondFactorRequired],
  )
}

/** Built-in ones first, in their order; then the tenant's own by name. */
const readRoles = async (tx: Tx, tenant: TenantId): Promise<readonly Role[]> => {
  const kept = await readKeptRoles(tx, tenant)
  const { rows } = await tx.query<{ role: string; n: number }>(
    "select role, count(*)::int as n from app_user, unnest(roles) role where tenant_id = $1 group by role",
    [tenant],
  )
  const users = new Map(rows.map(({ role, n }) => [role, n]))
  const demands = new Map(kept.map(({ name, required }) => [name, required]))
  const own = kept.filter((role: KeptRole) => role.permissions !== null && !isUserRole(role.name))
  const roleOf = (name: string, builtIn: boolean, permissions: readonly Permission[]): Role => ({
    name,
    builtIn,
    permissions,
    secondFactorRequired: demands.get(name) ?? false,
    users: users.get(name) ?? 0,
  })
  return [
    ...USER_ROLES.map((name) => roleOf(name, true, ROLE_PERMISSIONS[name])),
    ...[...customOf(own)].map(([name, permissions]) => roleOf(name, false, permissions)),
  ]
}

const audited = (tx: Tx, by: By, action: string, name: string, before: Role | null, after: Role | null) =>
  recordAct(tx, by.principal.tenant, by.actor, {
    action,
    object: { kind: "role", id: name, name },
    before: before === null ? null : said(before),
    after: after === null ? null : said(after),
  })

const said = ({ permissions, secondFactorRequired }: Role): Json => ({ permissions, secondFactorRequired })
