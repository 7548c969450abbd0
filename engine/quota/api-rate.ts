/**
 * `max_api_requests_per_min` of a tenant, and a fair share of it for each person: while half of the minute's requests is
 * left everybody may ask; below that, whoever has used more than an even share of the last minute waits, so that one
 * script never locks its colleagues out.
 */
import { QuotaPassed, type Quotas } from "#engine/quota/quotas.ts"
import type { TenantId } from "#protocol/id.ts"

export interface ApiRate {
  /** Counts one request; null = it may go on. `user` = whoever has a share: a person, or a program's key. */
  readonly admit: (tenant: TenantId, user: string) => QuotaPassed | null
}

const QUOTA = "max_api_requests_per_min"
const MINUTE_MS = 60_000
/** People of one tenant that are told apart in a minute; the others share what is left. */
const USERS_MAX = 10_000

interface Minute {
  startedMs: number
  readonly requests: Map<string, number>
}

export const makeApiRate = (quotas: Quotas, monotonicMs: () => number): ApiRate => {
  const minutes = new Map<TenantId, Minute>()
  const minuteOf = (tenant: TenantId, nowMs: number): Minute => {
    const known = minutes.get(tenant)
    if (known !== undefined && nowMs - known.startedMs < MINUTE_MS) return known
    const fresh = { startedMs: nowMs, requests: new Map<string, number>() }
    minutes.set(tenant, fresh)
    return fresh
  }
  const refused = (tenant: TenantId, wanted: number, waitMs: number): QuotaPassed =>
    new QuotaPassed({
      quota: QUOTA,
      limit: quotas.limit(tenant, QUOTA),
      wanted,
      retryAfterS: Math.max(1, Math.ceil(Math.min(waitMs, MINUTE_MS) / 1_000)),
    })
  return {
    admit: (tenant, user) => {
      const nowMs = monotonicMs()
      const { startedMs, requests } = minuteOf(tenant, nowMs)
      const key = requests.has(user) || requests.size < USERS_MAX ? user : ""
      const asked = requests.get(key) ?? 0
      const share = quotas.limit(tenant, QUOTA) / Math.max(1, requests.size)
      if (quotas.leftShare(tenant, QUOTA) < 0.5 && asked >= share) {
        quotas.exceeded(tenant, QUOTA)
        return refused(tenant, asked + 1, startedMs + MINUTE_MS - nowMs)
      }
      if (!quotas.take(tenant, QUOTA))
        return refused(tenant, quotas.limit(tenant, QUOTA) + 1, quotas.waitMs(tenant, QUOTA))
      requests.set(key, asked + 1)
      return null
    },
  }
}
