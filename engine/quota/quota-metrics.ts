/** The quotas on /metrics: each tenant's limits, what is used of them, and what was refused or held back. */
import type { MetricsRegistry, Sample } from "#engine/metrics/registry.ts"
import type { IngestStats } from "#engine/quota/ingest-gate.ts"
import type { Quotas, QuotaUse } from "#engine/quota/quotas.ts"
import type { TenantInfo } from "#engine/tenant/live-twin.ts"

export interface QuotaSubject {
  readonly twin: { readonly tenant: TenantInfo }
  readonly ingest: () => IngestStats
}

export const quotaMetrics = (
  metrics: MetricsRegistry,
  quotas: Quotas,
  tenants: () => readonly QuotaSubject[],
): void => {
  metrics.counterFrom("heliograph_ingest_lost_total", "What quotas kept from a tenant's twin, by why.", () =>
    tenants().flatMap(({ twin, ingest }) => {
      const { samplesLost, samplesCut, eventsLost } = ingest()
      const tenant = twin.tenant.slug
      return [
        { labels: { tenant, what: "samples_replaced" }, value: samplesLost },
        { labels: { tenant, what: "samples_cut" }, value: samplesCut },
        { labels: { tenant, what: "events" }, value: eventsLost },
      ]
    }),
  )
  const each = (read: (use: QuotaUse) => number | null) => (): readonly Sample[] =>
    tenants().flatMap(({ twin: { tenant } }) =>
      quotas.used(tenant.id).flatMap((use) => {
        const value = read(use)
        return value === null ? [] : [{ labels: { tenant: tenant.slug, quota: use.name }, value }]
      }),
    )
  metrics.counterFrom(
    "heliograph_quota_exceeded_total",
    "Times that something of a tenant was refused or held back, by quota.",
    each(({ exceeded }) => exceeded),
  )
  metrics.gauge(
    "heliograph_quota_limit",
    "A tenant's limits in force.",
    each(({ limit }) => limit),
  )
  metrics.gauge(
    "heliograph_quota_used",
    "How much of a limit is used; of a rate, within the last period.",
    each(({ used }) => used),
  )
}
