/** `max_users`: whether there may be one more user or open invitation (PeopleEnvironment.admitUser). */
import { QuotaExceeded } from "#engine/api/problems.ts"
import type { Quotas } from "#engine/quota/quotas.ts"
import type { Tx } from "#engine/storage/db.ts"
import type { TenantId } from "#protocol/id.ts"

/** Rejects with QuotaExceeded. Whoever asks holds the turn of the tenant's people, and has removed what it replaces. */
export const usersWithin =
  (quotas: Quotas, nowMs: () => number) =>
  async (tx: Tx, tenant: TenantId): Promise<void> => {
    const { rows } = await tx.query<{ n: number }>(
      `select (select count(*)::int from app_user where tenant_id = $1)
         + (select count(*)::int from invitation where tenant_id = $1 and expires_ms > $2) as n`,
      [tenant, nowMs()],
    )
    const used = rows[0]?.n ?? 0
    const refused = quotas.refusal(tenant, "max_users", used + 1)
    if (refused === null) return
    throw new QuotaExceeded({
      quota: "max_users",
      limit: refused.limit,
      used,
      retryAfterS: null,
      detail: refused.message,
    })
  }
