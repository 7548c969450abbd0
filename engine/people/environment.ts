/** What the services of people share. */
import type { Doors } from "#engine/access/doors.ts"
import type { Gate } from "#engine/people/gate.ts"
import type { DbShape, Tx } from "#engine/storage/db.ts"
import { endSessionsOf } from "#engine/storage/sessions.ts"
import type { Vault } from "#engine/storage/vault.ts"
import type { TenantId } from "#protocol/id.ts"

export interface PeopleEnvironment {
  readonly db: DbShape
  readonly vault: Vault
  readonly doors: Doors
  readonly gate: Gate
  readonly nowMs: () => number
  readonly sessionHours: number
  /** What the tenant chose instead. */
  readonly sessionHoursOf?: (tenant: TenantId) => number
  /** How the issuer is called where people sign in by OIDC (engine/oidc/break-glass.ts); null = by password. */
  readonly oidcName: string | null
  /** A suspended tenant's people do not sign in. */
  readonly isSuspended: (tenant: TenantId) => boolean
  /** Before one more user or invitation; rejects with QuotaExceeded. */
  readonly admitUser: (tx: Tx, tenant: TenantId) => Promise<void>
  /** Ends what the person's programs hold (access tokens and the families they come from). */
  readonly endPrograms: (tx: Tx, tenant: TenantId, userId: string) => Promise<void>
}

/** In the transaction that takes something away; doors.forget({ userId }) follows its commit. */
export const endEverything = async (
  { endPrograms }: PeopleEnvironment,
  tx: Tx,
  tenant: TenantId,
  userId: string,
): Promise<void> => {
  await endSessionsOf(tx, tenant, userId)
  await endPrograms(tx, tenant, userId)
}
