/** The probes' own numbers for /metrics. No tenant's name: pings are shared by everybody who asks for the same address. */
import type { MetricsRegistry } from "#engine/metrics/registry.ts"
import type { Probes } from "#engine/probes/probes.ts"

export const probeMetrics = (metrics: MetricsRegistry, { tool, stats }: Probes): void => {
  metrics.gauge("heliograph_ping_devices", "Devices whose address is pinged.", () => stats.devices)
  metrics.gauge("heliograph_ping_tool", "1 for the program that pings; none = nothing here can.", () => [
    { labels: { tool: tool ?? "none" }, value: 1 },
  ])
  metrics.counterFrom("heliograph_pings_total", "Pings, by what became of them.", () => [
    { labels: { outcome: "answered" }, value: stats.answered },
    { labels: { outcome: "lost" }, value: stats.lost },
  ])
  metrics.gauge("heliograph_service_probes", "Probes of services that run.", () => stats.services().beats)
  metrics.counterFrom("heliograph_service_probe_runs_total", "Probes of services, run or missed.", () => [
    { labels: { outcome: "run" }, value: stats.services().runs },
    { labels: { outcome: "missed" }, value: stats.services().missed },
  ])
  metrics.counterFrom("heliograph_probe_reports_refused_total", "Reports that a full inbox refused.", () => [
    { labels: {}, value: stats.refused },
  ])
}
