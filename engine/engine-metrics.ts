/** The running system's numbers for /metrics: read from whoever counts them, labelled by tenant slug at most (O8). */
import { statfsSync } from "node:fs"
import { DURATION_BOUNDS_MS } from "#engine/collectors/fleet-stats.ts"
import type { FleetStats } from "#engine/collectors/fleet-stats.ts"
import type { MetricsRegistry, Sample } from "#engine/metrics/registry.ts"
import type { TenantRuntimeStats } from "#engine/tenant/runtime.ts"

export interface TenantNumbers {
  readonly slug: string
  /** Null while the runtime is being rebuilt. */
  readonly runtime: TenantRuntimeStats | null
  readonly fleet: FleetStats
  readonly samples: number
}

export const engineMetrics = (
  metrics: MetricsRegistry,
  tenants: () => readonly TenantNumbers[],
  dataDir: string,
): void => {
  const perTenant = (read: (runtime: TenantRuntimeStats) => number) => (): readonly Sample[] =>
    tenants().flatMap(({ slug, runtime }) =>
      runtime === null ? [] : [{ labels: { tenant: slug }, value: read(runtime) }],
    )
  const perCollector = (read: (stats: ReturnType<FleetStats["of"]>) => number) => (): readonly Sample[] =>
    tenants().flatMap(({ slug, fleet }) =>
      [...fleet.all()].map(([source, stats]) => ({ labels: { tenant: slug, source }, value: read(stats) })),
    )
  const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0)

  metrics.counterFrom(
    "heliograph_polls_total",
    "Polls that were answered.",
    perCollector((it) => it.ok),
  )
  metrics.counterFrom(
    "heliograph_polls_failed_total",
    "Polls without a usable answer.",
    perCollector((it) => sum(it.failed) + it.defects),
  )
  metrics.counterFrom(
    "heliograph_polls_late_total",
    "Polls that began more than an interval late, or not at all because the one before was still running.",
    perCollector((it) => it.late + it.missed),
  )
  metrics.histogramFrom(
    "heliograph_poll_lateness_seconds",
    "From the time a poll was due to its start.",
    DURATION_BOUNDS_MS.map((ms) => ms / 1_000),
    () =>
      tenants().flatMap(({ slug, fleet }) =>
        [...fleet.all()].map(([source, { lateness }]) => ({
          labels: { tenant: slug, source },
          counts: lateness.counts,
          sum: lateness.sumMs / 1_000,
        })),
      ),
  )
  metrics.gauge(
    "heliograph_polls_in_flight",
    "Polls waiting for an answer.",
    perCollector((it) => it.inFlight),
  )
  metrics.gauge(
    "heliograph_breakers_open",
    "Devices that are left alone for a while after repeated failures.",
    perCollector((it) => it.breakersOpen),
  )
  metrics.counterFrom("heliograph_samples_total", "Values journaled by polls.", () =>
    tenants().map(({ slug, samples }) => ({ labels: { tenant: slug }, value: samples })),
  )
  metrics.counterFrom(
    "heliograph_inputs_total",
    "Inputs folded into the twin.",
    perTenant((it) => it.rounds.inputs),
  )
  metrics.counterFrom(
    "heliograph_inputs_refused_total",
    "Inputs that a full inbox refused or replaced.",
    perTenant((it) => it.inbox.pollsLost + it.inbox.pollsRefused + it.inbox.eventsRefused + it.inbox.malformed),
  )
  metrics.gauge(
    "heliograph_journal_waiting_inputs",
    "Inputs folded but not durable yet.",
    perTenant((it) => it.seq - it.durableSeq),
  )
  metrics.gauge(
    "heliograph_snapshot_bytes",
    "Size of the newest snapshot.",
    perTenant((it) => it.snapshots.bytes),
  )
  metrics.gauge(
    "heliograph_actors_quarantined",
    "Device actors set aside after repeated crashes.",
    perTenant((it) => it.quarantined.length),
  )
  metrics.counterFrom(
    "heliograph_actor_restarts_total",
    "Restarts of actors.",
    perTenant((it) => [...it.actors.types.values()].reduce((all, type) => all + type.restarts, 0)),
  )
  metrics.gauge("heliograph_data_dir_free_bytes", "Free space where the engine keeps its data.", () => {
    const { bavail, bsize } = statfsSync(dataDir)
    return bavail * bsize
  })
}
