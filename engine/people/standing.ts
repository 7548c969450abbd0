/**
 * The rules of giving.ts over storage. All changes of a tenant's people and roles take turns, so that two administrators
 * who take each other away at the same moment cannot both succeed.
 */
import { Refused } from "#engine/api/problems.ts"
import { keptHeld, lastTaken, type CustomRoles, type Standing } from "#engine/people/giving.ts"
import { customOf, type KeptRole } from "#engine/people/holder.ts"
import type { Tx } from "#engine/storage/db.ts"
import type { TenantId } from "#protocol/id.ts"
import type { Permission } from "#protocol/permission.ts"

/** Until the transaction ends. Taken before anything is read that the rules judge. */
export const takeTurn = async (tx: Tx, tenant: TenantId): Promise<void> => {
  await tx.query("select pg_advisory_xact_lock(hashtextextended('people ' || $1, 0))", [tenant])
}

export const readKeptRoles = async (tx: Tx, tenant: TenantId): Promise<readonly KeptRole[]> => {
  const { rows } = await tx.query<KeptRole>(
    "select name, permissions, second_factor_required as required from tenant_role where tenant_id = $1 order by name",
    [tenant],
  )
  return rows
}

/** The tenant's own roles, without what it keeps of built-in ones. */
export const readCustomRoles = async (tx: Tx, tenant: TenantId): Promise<CustomRoles> =>
  customOf((await readKeptRoles(tx, tenant)).filter((role) => role.permissions !== null))

const readStandings = async (tx: Tx, tenant: TenantId): Promise<readonly Standing[]> => {
  const { rows } = await tx.query<Standing>("select roles, sites, disabled from app_user where tenant_id = $1", [
    tenant,
  ])
  return rows
}

const heldNow = async (tx: Tx, tenant: TenantId): Promise<readonly Permission[]> =>
  keptHeld(await readStandings(tx, tenant), await readCustomRoles(tx, tenant))

/** Runs a change that may take power away; rejects with Refused when it took the last of it. */
export const keepingAdministrators = async <A>(tx: Tx, tenant: TenantId, change: () => Promise<A>): Promise<A> => {
  const before = await heldNow(tx, tenant)
  const result = await change()
  const refused = lastTaken(before, await heldNow(tx, tenant))
  if (refused !== null) throw new Refused({ detail: refused })
  return result
}

/** Rejects with Refused for a site that is none of the tenant's. */
export const checkSites = async (tx: Tx, tenant: TenantId, sites: readonly string[] | null): Promise<void> => {
  if (sites === null || sites.length === 0) return
  const { rows } = await tx.query<{ site: string }>(
    `select w.site from unnest($2::text[]) w (site)
     where not exists (select 1 from site s where s.tenant_id = $1 and s.site_id = w.site) limit 1`,
    [tenant, sites],
  )
  const unknown = rows[0]
  if (unknown !== undefined) throw new Refused({ detail: `there is no site ${JSON.stringify(unknown.site)}` })
}
