/** What devices say without being asked: the ports for traps and syslog of all tenants, and what became of each message. */
import * as Effect from "effect/Effect"
import type { AddressBook } from "#engine/address-book.ts"
import { snmpMetrics, trapMetrics } from "#engine/collectors/collector-metrics.ts"
import { snmpCollector } from "#engine/collectors/snmp/collector.ts"
import { makeSyslogStats, syslogListener } from "#engine/collectors/syslog/listener.ts"
import { makeTrapStats, trapListener } from "#engine/collectors/trap.ts"
import type { Config } from "#engine/config.ts"
import type { Log } from "#engine/log.ts"
import type { MetricsRegistry } from "#engine/metrics/registry.ts"
import type { Quotas } from "#engine/quota/quotas.ts"
import type { CertificateKeeper } from "#engine/tls/keeper.ts"

/** Traps and syslog of all tenants' devices; what they say is confirmed by a poll at once. */
export const listen = (
  config: Config,
  book: AddressBook,
  metrics: MetricsRegistry,
  log: Log,
  quotas: Quotas,
  certificate: CertificateKeeper | null,
) =>
  Effect.gen(function* () {
    const trapStats = makeTrapStats()
    const traps = yield* trapListener({
      host: config.listenHost,
      port: config.trapPort,
      resolve: (address) => {
        const found = book.find(address)
        return found === null ? null : { device: found.target.device, snmp: found.target.snmp }
      },
      sink: book.sink,
      laneOf: (device) => book.byDevice(device)?.tenant ?? "",
      stats: trapStats,
      onTrap: ({ device }) => book.byDevice(device)?.pollNow(),
      log,
    })
    const syslogStats = makeSyslogStats()
    const syslog = yield* syslogListener({
      host: config.listenHost,
      port: config.syslogPort,
      tls:
        certificate === null || config.syslogTlsPort === null
          ? null
          : { port: Number(config.syslogTlsPort), certificate },
      resolve: (address) => book.find(address)?.target.device ?? null,
      sink: book.sink,
      laneOf: (device) => book.byDevice(device)?.tenant ?? "",
      admit: (device) => {
        const tenant = book.byDevice(device)?.tenant
        return tenant === undefined || quotas.take(tenant, "max_syslog_msgs_per_s")
      },
      stats: syslogStats,
      onEvent: (device) => book.byDevice(device)?.pollNow(),
      filter: { severityMax: config.syslogSeverityMax, eventOnly: config.syslogMode === "event-only" },
    })
    snmpMetrics(metrics, snmpCollector)
    trapMetrics(metrics, trapStats, traps.waiting)
    metrics.counterFrom("heliograph_syslog_lines_total", "Syslog lines received, by what became of them.", () => [
      { labels: { outcome: "accepted" }, value: syslogStats.accepted },
      { labels: { outcome: "unknown_source" }, value: syslogStats.unknownSource },
      { labels: { outcome: "over_quota" }, value: syslogStats.overQuota },
      { labels: { outcome: "filtered" }, value: syslogStats.filtered },
      { labels: { outcome: "heard_twice" }, value: syslogStats.echoes },
      { labels: { outcome: "lost" }, value: syslogStats.lost },
      { labels: { outcome: "kernel_dropped" }, value: syslog.kernelDrops() ?? 0 },
    ])
    metrics.counterFrom("heliograph_syslog_tls_failed_total", "Handshakes of known devices that failed.", () => [
      { labels: {}, value: syslogStats.tlsFailed },
    ])
    return { trapPort: traps.port, syslogPort: syslog.udpPort, syslogTlsPort: syslog.tlsPort, hear: syslog.hear }
  })
