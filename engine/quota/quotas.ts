/**
 * The limits of every tenant in force now, and what was taken of them. Whoever enforces one (API, ingest, engine) asks
 * here; whatever is refused or held back is counted here and told to whoever listens (the tenant's event list, /metrics),
 * so that no breach is silent (PRODUCT.md, Quotas). In memory: limits come from storage (engine/storage/quota-rows.ts).
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { makeRate, type Rate } from "#engine/quota/rate.ts"
import type { TenantId } from "#protocol/id.ts"
import { limitOf, QUOTA_NAMES, QUOTAS, type QuotaName, type Tier } from "#protocol/quota.ts"

/** A quota would be passed. `retryAfterS` = when a rate has room again; null for what does not pass by waiting. */
export class QuotaPassed extends Data.TaggedError("QuotaPassed")<{
  readonly quota: QuotaName
  readonly limit: number
  /** What there would be. */
  readonly wanted: number
  readonly retryAfterS: number | null
}> {
  override get message(): string {
    return `the tenant's quota ${this.quota} allows ${this.limit} ${QUOTAS[this.quota].unit}, not ${this.wanted}`
  }
}

export type Overrides = Readonly<Partial<Record<QuotaName, number>>>

/** One row of what a tenant's administrator sees. */
export interface QuotaUse {
  readonly name: QuotaName
  readonly unit: string
  readonly limit: number
  /** Null = nobody counts it, or it is a bound. */
  readonly used: number | null
  readonly enforced: string
  /** Times that something was refused or held back since the start of the engine. */
  readonly exceeded: number
}

export interface Breach {
  readonly tenant: TenantId
  readonly quota: QuotaName
  readonly limit: number
  /** Refused or held back since the breach that was told before. */
  readonly times: number
}

export interface Quotas {
  /** A tenant that was never set has the limits of the tier `large`. */
  readonly limit: (tenant: TenantId, name: QuotaName) => number
  readonly tier: (tenant: TenantId) => Tier
  /** Whether there may be `wanted` in all; a breach is counted. For totals and bounds. */
  readonly check: (tenant: TenantId, name: QuotaName, wanted: number) => Effect.Effect<void, QuotaPassed>
  /** The same for code that is no Effect: null = there may. */
  readonly refusal: (tenant: TenantId, name: QuotaName, wanted: number) => QuotaPassed | null
  /** Of a rate: false = not now, and counted. `amount` is taken whole or not at all (default 1). */
  readonly take: (tenant: TenantId, name: QuotaName, amount?: number) => boolean
  /** Of a rate: ms until it gives again; 0 = now. */
  readonly waitMs: (tenant: TenantId, name: QuotaName) => number
  /** Of a rate: the share of its limit that may be taken now, 0..1. */
  readonly leftShare: (tenant: TenantId, name: QuotaName) => number
  /** Something was refused or held back by somebody who counts on their own. */
  readonly exceeded: (tenant: TenantId, name: QuotaName, times?: number) => void
  readonly used: (tenant: TenantId) => readonly QuotaUse[]
  /** Who can tell how much is used now, until the returned function is called. */
  readonly gauge: (tenant: TenantId, name: QuotaName, read: () => number) => () => void
  readonly set: (tenant: TenantId, tier: Tier, overrides: Overrides) => void
  readonly forget: (tenant: TenantId) => void
  /** At most once a minute and quota of a tenant. */
  readonly onBreach: (listener: (breach: Breach) => void) => () => void
}

/** Between two breaches told of one quota of one tenant. */
export const TOLD_EVERY_MS = 60_000

interface Standing {
  tier: Tier
  overrides: Overrides
  readonly rates: Map<QuotaName, Rate>
  readonly gauges: Map<QuotaName, () => number>
  readonly exceeded: Map<QuotaName, number>
  /** By quota: when a breach was told last, and what came since. */
  readonly told: Map<QuotaName, { atMs: number; since: number }>
}

/** `monotonicMs` never goes back. */
export const makeQuotas = (monotonicMs: () => number): Quotas => {
  const tenants = new Map<TenantId, Standing>()
  const listeners = new Set<(breach: Breach) => void>()

  const of = (tenant: TenantId): Standing => {
    let standing = tenants.get(tenant)
    if (standing === undefined) {
      standing = {
        tier: "large",
        overrides: {},
        rates: new Map(),
        gauges: new Map(),
        exceeded: new Map(),
        told: new Map(),
      }
      tenants.set(tenant, standing)
    }
    return standing
  }
  const limit = (tenant: TenantId, name: QuotaName): number => {
    const { tier, overrides } = of(tenant)
    return limitOf(tier, overrides, name)
  }
  const rateOf = (tenant: TenantId, name: QuotaName): Rate => {
    const { rates } = of(tenant)
    let rate = rates.get(name)
    if (rate === undefined) {
      const row: { readonly perMs?: number } = QUOTAS[name]
      if (row.perMs === undefined) throw new TypeError(`${name} is no rate`)
      rates.set(name, (rate = makeRate(limit(tenant, name), row.perMs, monotonicMs())))
    }
    return rate
  }

  const exceeded = (tenant: TenantId, name: QuotaName, times = 1): void => {
    const standing = of(tenant)
    standing.exceeded.set(name, (standing.exceeded.get(name) ?? 0) + times)
    const nowMs = monotonicMs()
    const told = standing.told.get(name)
    if (told !== undefined && nowMs - told.atMs < TOLD_EVERY_MS) {
      told.since += times
      return
    }
    standing.told.set(name, { atMs: nowMs, since: 0 })
    const breach = { tenant, quota: name, limit: limit(tenant, name), times: times + (told?.since ?? 0) }
    for (const listener of listeners) listener(breach)
  }

  const refusal = (tenant: TenantId, name: QuotaName, wanted: number): QuotaPassed | null => {
    const allowed = limit(tenant, name)
    if (wanted <= allowed) return null
    exceeded(tenant, name)
    return new QuotaPassed({ quota: name, limit: allowed, wanted, retryAfterS: null })
  }

  const useOf = (tenant: TenantId, name: QuotaName): QuotaUse => {
    const standing = of(tenant)
    const { kind, unit, enforced } = QUOTAS[name]
    const gauge = standing.gauges.get(name)
    // A rate that is planned ahead (probes) tells its use by a gauge, one that is taken by its bucket.
    const used =
      gauge !== undefined ? gauge() : kind === "rate" ? (standing.rates.get(name)?.used(monotonicMs()) ?? 0) : null
    return { name, unit, limit: limit(tenant, name), used, enforced, exceeded: standing.exceeded.get(name) ?? 0 }
  }

  return {
    limit,
    tier: (tenant) => of(tenant).tier,
    refusal,
    check: (tenant, name, wanted) =>
      Effect.suspend(() => {
        const refused = refusal(tenant, name, wanted)
        return refused === null ? Effect.void : Effect.fail(refused)
      }),
    take: (tenant, name, amount = 1) => {
      const taken = rateOf(tenant, name).take(monotonicMs(), amount)
      if (!taken) exceeded(tenant, name)
      return taken
    },
    waitMs: (tenant, name) => rateOf(tenant, name).waitMs(monotonicMs()),
    leftShare: (tenant, name) => {
      const most = limit(tenant, name)
      return most === 0 ? 0 : Math.max(0, rateOf(tenant, name).left(monotonicMs()) / most)
    },
    exceeded,
    used: (tenant) => QUOTA_NAMES.map((name) => useOf(tenant, name)),
    gauge: (tenant, name, read) => {
      const { gauges } = of(tenant)
      gauges.set(name, read)
      return () => {
        if (gauges.get(name) === read) gauges.delete(name)
      }
    },
    set: (tenant, tier, overrides) => {
      const standing = of(tenant)
      standing.tier = tier
      standing.overrides = overrides
      for (const [name, rate] of standing.rates) rate.setLimit(monotonicMs(), limit(tenant, name))
    },
    forget: (tenant) => void tenants.delete(tenant),
    onBreach: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}
