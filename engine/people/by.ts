/** Who does something, as the services of people see it. */
import type { Principal } from "#engine/access/principal.ts"
import type { Actor } from "#engine/audit/act.ts"
import type { TenantId } from "#protocol/id.ts"

export interface By {
  readonly principal: Principal
  readonly actor: Actor
}

/** Where the person's own account is: not the tenant that they only look into. */
export const homeOf = ({ grant, tenant }: Principal): TenantId => grant?.home ?? tenant
