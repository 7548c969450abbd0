/** What is probed of each device, how often, and what the last probe found: the plan of the engine beside the twin's metrics. */
import { deviceScan, named, type Keyed } from "#engine/api/device-lists.ts"
import type { PageQuery } from "#engine/api/lists.ts"
import type { ProbePlan } from "#engine/api/ports.ts"
import type { LiveTwin } from "#engine/tenant/live-twin.ts"
import type { Device } from "#protocol/inventory.ts"
import type { MetricName } from "#protocol/metric.ts"
import type { DeviceView, MetricView } from "#protocol/view.ts"

export type ProbeKindShown = "ping" | "tcp" | "http" | "dns"
export interface ProbeFilter extends PageQuery {
  readonly device?: string
  readonly kind?: ProbeKindShown
}

export const probePage = (
  twin: LiveTwin,
  plans: readonly ProbePlan[],
  filter: ProbeFilter,
  after: string | undefined,
) => {
  const planOf = new Map<string, ProbePlan>(plans.map((plan) => [plan.device, plan]))
  return deviceScan(twin, filter, after, (device, view) => {
    const plan = planOf.get(device.id)
    if (plan === undefined) return []
    return probesOf(plan)
      .filter((probe) => filter.kind === undefined || probe.kind === filter.kind)
      .map((probe): Keyed<ReturnType<typeof rowOf>> => ({ key: probe.kind, row: rowOf(device, view, probe) }))
  })
}

interface Probe {
  readonly kind: ProbeKindShown
  readonly port: number | null
  readonly intervalSeconds: number
}
const probesOf = ({ ping, probes }: ProbePlan): readonly Probe[] => [
  ...(ping === null ? [] : [{ kind: "ping" as const, port: null, intervalSeconds: ping.intervalSeconds }]),
  ...probes.map(({ kind, port, intervalSeconds }) => ({ kind, port, intervalSeconds })),
]

/** Which metrics tell the last result of each kind. */
const RESULT: Readonly<Record<ProbeKindShown, { readonly up: MetricName; readonly ms: MetricName }>> = {
  ping: { up: "device.up", ms: "probe.ping.rtt_ms" },
  tcp: { up: "probe.tcp.up", ms: "probe.tcp.connect_ms" },
  http: { up: "probe.http.up", ms: "probe.http.latency_ms" },
  dns: { up: "probe.dns.up", ms: "probe.dns.latency_ms" },
}

const rowOf = (device: Device, view: DeviceView, { kind, port, intervalSeconds }: Probe) => {
  const metric = (name: MetricName): MetricView | undefined =>
    view.metrics.find((one) => one.entity === "" && one.metric === name && one.source === "probe")
  const up = metric(RESULT[kind].up)
  return {
    ...named(device),
    kind,
    class: classOf(intervalSeconds),
    address: device.address,
    port,
    intervalSeconds,
    up: up === undefined ? null : up.value === 1,
    ms: metric(RESULT[kind].ms)?.value ?? null,
    lossPct: kind === "ping" ? (metric("probe.ping.loss_pct")?.value ?? null) : null,
    atMs: up?.atMs ?? null,
    quality: up?.quality ?? null,
  }
}

const CORE_SECONDS_MAX = 30
const SERVICE_SECONDS_MAX = 60
const classOf = (seconds: number): "core" | "service" | "sample" =>
  seconds <= CORE_SECONDS_MAX ? "core" : seconds <= SERVICE_SECONDS_MAX ? "service" : "sample"
