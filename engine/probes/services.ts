/**
 * The TCP, HTTP and DNS probes that a device's plan names, each on its own beat, as rows for the twin. A probe that
 * fails is a value (`probe.tcp.up` 0), not an exception, and says nothing of the device's reachability: that is ping's.
 */
import * as Effect from "effect/Effect"
import type { Entry } from "#engine/address-book.ts"
import { literal } from "#engine/probes/address.ts"
import type { Literal } from "#engine/probes/address.ts"
import type { Beat } from "#engine/probes/beat.ts"
import { dnsProbe } from "#engine/probes/dns.ts"
import { httpProbe } from "#engine/probes/http.ts"
import { probePoll } from "#engine/probes/ping-report.ts"
import type { DnsProbe, HttpProbe, ServiceProbe, TcpProbe } from "#engine/probes/plan.ts"
import { tcpProbe } from "#engine/probes/tcp.ts"
import type { MetricName } from "#protocol/metric.ts"

/** A probe of a service that takes longer has failed. */
export const SERVICE_DEADLINE_MS = 5_000

type Rows = ReadonlyArray<readonly [MetricName, number | null]>

/** The beats of one device. Its own address is the only one they reach. */
export const serviceBeats = (entry: Entry, submitted: (taken: boolean) => void): readonly Beat[] => {
  const { target, tenant } = entry
  const to = literal(target.address)
  if (to === null) return []
  return (target.probes ?? []).map((probe) => ({
    key: `${tenant} ${target.device} ${to.text} ${JSON.stringify(probe)}`,
    intervalMs: probe.intervalSeconds * 1_000,
    run: Effect.gen(function* () {
      const startedMs = Math.floor(Date.now())
      const rows = yield* Effect.promise((signal) => asked(probe, to, signal))
      submitted(entry.sink.submit(probePoll(target.device, startedMs, Math.floor(Date.now()), rows)))
    }),
  }))
}

const asked = (probe: ServiceProbe, to: Literal, signal: AbortSignal): Promise<Rows> => {
  switch (probe.kind) {
    case "tcp":
      return tcpRows(probe, to, signal)
    case "http":
      return httpRows(probe, to, signal)
    case "dns":
      return dnsRows(probe, to, signal)
  }
}

const tcpRows = async (probe: TcpProbe, to: Literal, signal: AbortSignal): Promise<Rows> => {
  const { up, connectMs } = await tcpProbe(to, probe.port, SERVICE_DEADLINE_MS, signal)
  return [
    ["probe.tcp.up", flag(up)],
    ["probe.tcp.connect_ms", connectMs],
  ]
}

const httpRows = async (probe: HttpProbe, to: Literal, signal: AbortSignal): Promise<Rows> => {
  const { port, tls, path, host } = probe
  const ask = { to, port, tls, path, host, deadlineMs: SERVICE_DEADLINE_MS, bodyMax: 0 }
  const { status, latencyMs } = await httpProbe(ask, signal)
  const isGood = status !== null && (probe.status === null ? status >= 200 && status < 400 : status === probe.status)
  return [
    ["probe.http.up", flag(isGood)],
    ["probe.http.status", status],
    ["probe.http.latency_ms", latencyMs],
  ]
}

const dnsRows = async (probe: DnsProbe, to: Literal, signal: AbortSignal): Promise<Rows> => {
  const { port, name, type } = probe
  const { up, latencyMs } = await dnsProbe({ server: to, port, name, type, deadlineMs: SERVICE_DEADLINE_MS }, signal)
  return [
    ["probe.dns.up", flag(up)],
    ["probe.dns.latency_ms", latencyMs],
  ]
}

const flag = (up: boolean): 0 | 1 => (up ? 1 : 0)
