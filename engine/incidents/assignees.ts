/**
 * Who may be given an incident: people of the tenant who are not disabled, may see the network, and whose sites it touches.
 * Their names alone, for whoever assigns: the list of users itself is for administrators.
 */
import { readCustomRoles } from "#engine/people/standing.ts"
import type { Tx } from "#engine/storage/db.ts"
import { pgText } from "#engine/storage/pg-text.ts"
import type { TenantId } from "#protocol/id.ts"
import { permissionsOf } from "#protocol/permission.ts"

interface Row {
  readonly name: string
  readonly roles: readonly string[]
}

/** Users that are looked at for one page: roles are weighed here, not in SQL. */
const SCANNED_MAX = 2_000
const NAME_MAX = 200

/** By name, behind `after`; `sites` are those that the incident touches. */
export const pageAssignees = async (
  tx: Tx,
  tenant: TenantId,
  sites: readonly string[],
  { q, after, limit }: { readonly q: string | null; readonly after: string | null; readonly limit: number },
): Promise<{ readonly names: readonly string[]; readonly next: string | null }> => {
  const roles = await readCustomRoles(tx, tenant)
  const { rows } = await tx.query<Row>(
    `select name, roles from app_user
     where tenant_id = $1 and not disabled and (sites is null or sites && $2)
       and ($3::text is null or name > $3) and ($4::text is null or position($4 in lower(name)) > 0)
     order by name limit ${SCANNED_MAX}`,
    [
      tenant,
      sites,
      after === null ? null : pgText(after, NAME_MAX),
      q === null ? null : pgText(q.toLowerCase(), NAME_MAX),
    ],
  )
  const names = rows.filter((row) => permissionsOf(row.roles, roles).includes("network.read")).map(({ name }) => name)
  const page = names.slice(0, limit)
  const isMore = names.length > limit || rows.length === SCANNED_MAX
  // What was looked at and left out is not looked at again.
  const last = names.length > limit ? page.at(-1) : rows.at(-1)?.name
  return { names: page, next: isMore && last !== undefined ? last : null }
}

/** Why this user cannot be given it; null = they can. */
export const cannotHave = async (
  tx: Tx,
  tenant: TenantId,
  sites: readonly string[],
  user: string,
): Promise<string | null> => {
  const { rows } = await tx.query<Row & { readonly disabled: boolean; readonly sees: boolean }>(
    "select name, roles, disabled, (sites is null or sites && $3) as sees from app_user where tenant_id = $1 and name = $2",
    [tenant, pgText(user, NAME_MAX), sites],
  )
  const [found] = rows
  if (found === undefined || found.disabled) return `there is no user ${user}`
  if (!permissionsOf(found.roles, await readCustomRoles(tx, tenant)).includes("network.read"))
    return `${user} may not see incidents`
  return found.sees ? null : `${user} sees other sites only`
}
