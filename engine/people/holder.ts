/**
 * What a person holds at this moment: the union of their roles' permissions, the sites that limit them, and whether a role
 * demands a second factor. Read anew for every credential (session, API key, access token), so that a changed role counts
 * at once and nothing that was once given outlives what its owner holds.
 */
import type { Tx } from "#engine/storage/db.ts"
import type { TenantId } from "#protocol/id.ts"
import { isPermission, permissionsOf, type Permission } from "#protocol/permission.ts"

export interface Holder {
  readonly userId: string
  readonly userName: string
  readonly roles: readonly string[]
  readonly permissions: ReadonlySet<Permission>
  readonly sites: readonly string[] | null
  readonly secondFactor: { readonly enabled: boolean; readonly required: boolean }
}

/** Null = no such user in this tenant, or disabled. */
export const readHolder = async (tx: Tx, tenant: TenantId, userId: string): Promise<Holder | null> => {
  const { rows } = await tx.query<HolderRow>(
    `select u.name, u.roles, u.sites,
       exists (select 1 from user_totp f where f.tenant_id = u.tenant_id and f.user_id = u.user_id
         and f.confirmed_ms is not null) as second_factor,
       exists (select 1 from oidc_link l where l.tenant_id = u.tenant_id and l.user_id = u.user_id) as by_issuer,
       array(select jsonb_build_object('name', r.name, 'permissions', r.permissions,
         'required', r.second_factor_required) from tenant_role r
         where r.tenant_id = u.tenant_id and r.name = any (u.roles)) as kept
     from app_user u where u.tenant_id = $1 and u.user_id = $2 and not u.disabled`,
    [tenant, userId],
  )
  const row = rows[0]
  if (row === undefined) return null
  return {
    userId,
    userName: row.name,
    roles: row.roles,
    permissions: new Set(permissionsOf(row.roles, customOf(row.kept))),
    sites: row.sites,
    secondFactor: { enabled: row.second_factor, required: !row.by_issuer && row.kept.some((role) => role.required) },
  }
}

/** What a tenant keeps of a role. */
export interface KeptRole {
  readonly name: string
  /** Null = of a built-in role. */
  readonly permissions: readonly string[] | null
  readonly required: boolean
}

/** The tenant's own roles; a permission that this version does not know gives nothing. */
export const customOf = (kept: readonly KeptRole[]): ReadonlyMap<string, readonly Permission[]> =>
  new Map(kept.map((role) => [role.name, (role.permissions ?? []).filter(isPermission)]))

interface HolderRow {
  readonly name: string
  readonly roles: readonly string[]
  readonly sites: readonly string[] | null
  readonly second_factor: boolean
  /** They sign in by an OpenID issuer, who asks for a second factor of its own. */
  readonly by_issuer: boolean
  readonly kept: readonly KeptRole[]
}
