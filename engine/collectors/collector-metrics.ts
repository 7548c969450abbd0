/**
 * What the wire let in and what it did not, for /metrics: answers that the SNMP gate refused (by reason), datagrams that
 * nobody had asked for, notifications by what became of them. Sums over all devices: no device is ever a label.
 */
import type { SnmpCollector } from "#engine/collectors/snmp/collector.ts"
import { DROP_REASONS } from "#engine/collectors/snmp/gate.ts"
import type { TrapStats } from "#engine/collectors/trap.ts"
import type { MetricsRegistry } from "#engine/metrics/registry.ts"

export const snmpMetrics = (metrics: MetricsRegistry, { totals, udp, sockets }: SnmpCollector): void => {
  metrics.counterFrom("heliograph_snmp_sent_total", "SNMP requests sent, repeats included.", () => [
    { labels: {}, value: totals().sent },
  ])
  metrics.counterFrom("heliograph_snmp_answers_total", "SNMP answers, by what the gate said of them.", () => {
    const { accepted, dropped } = totals()
    return [
      { labels: { outcome: "accepted" }, value: accepted },
      ...DROP_REASONS.map((reason) => ({ labels: { outcome: `dropped_${reason}` }, value: dropped[reason] })),
    ]
  })
  metrics.counterFrom("heliograph_snmp_datagrams_total", "Datagrams on the sockets of the SNMP collector.", () => [
    { labels: { outcome: "received" }, value: udp.received },
    { labels: { outcome: "stranger" }, value: udp.strangers },
    { labels: { outcome: "unclaimed" }, value: udp.unclaimed },
    { labels: { outcome: "port_zero" }, value: udp.portZero },
    { labels: { outcome: "defect" }, value: udp.threw },
    { labels: { outcome: "socket_error" }, value: udp.socketErrors },
  ])
  metrics.gauge("heliograph_snmp_sockets", "Open UDP sockets of the SNMP collector.", () => [
    { labels: {}, value: sockets() },
  ])
}

export const trapMetrics = (metrics: MetricsRegistry, stats: TrapStats, waiting: () => number): void => {
  metrics.counterFrom("heliograph_traps_total", "SNMP notifications received, by what became of them.", () => [
    { labels: { outcome: "submitted" }, value: stats.submitted },
    { labels: { outcome: "lost" }, value: stats.lost },
    { labels: { outcome: "report" }, value: stats.reports },
    { labels: { outcome: "defect" }, value: stats.defects },
    ...Object.entries(stats.dropped).map(([reason, value]) => ({ labels: { outcome: `dropped_${reason}` }, value })),
  ])
  metrics.counterFrom("heliograph_informs_answered_total", "SNMP informs that were acknowledged.", () => [
    { labels: {}, value: stats.answered },
  ])
  metrics.gauge("heliograph_traps_waiting", "Notifications that wait for room in an inbox.", () => [
    { labels: {}, value: waiting() },
  ])
}
