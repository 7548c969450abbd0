/** Seeded polls like a RouterOS router gives them: noisy octet counters, steady flags, drifting gauges. */
import { diceOf } from "#engine/dice.ts"
import type { DeviceId, EntityKey } from "#protocol/id.ts"
import { DEVICE_ENTITY, interfaceKey } from "#protocol/id.ts"
import { metricId, type MetricName } from "#protocol/metric.ts"
import type { Source } from "#protocol/view.ts"
import type { PollInput } from "#twin/input.ts"

export interface PollsOptions {
  readonly device: DeviceId
  readonly polls: number
  readonly interfaces: number
  readonly source?: Source
  readonly fromMs?: number
  readonly everyMs?: number
  readonly seed?: number
}

export const routerPolls = (options: PollsOptions): readonly PollInput[] => {
  const { device, polls, interfaces, source = "snmp", fromMs = 1_780_000_000_000, everyMs = 30_000 } = options
  const random = diceOf(options.seed ?? 1)
  const ports = Array.from({ length: interfaces }, () => ({
    bps: 10 ** (5 + 4 * random()),
    rx: Math.floor(random() * 1e12),
    tx: Math.floor(random() * 1e12),
    errors: 0,
  }))
  let cpu = 20
  return Array.from({ length: polls }, (_, i) => {
    const rows: Array<readonly [entity: EntityKey, metric: MetricName, value: number]> = []
    cpu = Math.max(1, Math.min(99, cpu + Math.round((random() - 0.5) * 6)))
    rows.push([DEVICE_ENTITY, "device.uptime_seconds", 86_400 + (i * everyMs) / 1000])
    rows.push([DEVICE_ENTITY, "device.cpu_pct", cpu])
    rows.push([DEVICE_ENTITY, "device.mem_used_bytes", 200e6 + Math.floor(random() * 64) * 4096])
    rows.push([DEVICE_ENTITY, "device.temp_c", 41 + Math.round(random() * 10) / 10])
    for (const [n, port] of ports.entries()) {
      const entity = interfaceKey(`ether${n + 1}`)
      const octets = Math.floor(((port.bps * everyMs) / 8000) * (0.8 + 0.4 * random()))
      port.rx += octets
      port.tx += Math.floor(octets * (0.1 + 0.05 * random()))
      if (random() < 0.02) port.errors += Math.floor(random() * 5)
      rows.push([entity, "interface.oper_up", 1], [entity, "interface.admin_up", 1])
      rows.push([entity, "interface.rx_bytes_total", port.rx], [entity, "interface.tx_bytes_total", port.tx])
      rows.push([entity, "interface.rx_packets_total", Math.floor(port.rx / 812)])
      rows.push([entity, "interface.tx_packets_total", Math.floor(port.tx / 230)])
      rows.push([entity, "interface.rx_errors_total", port.errors], [entity, "interface.tx_errors_total", 0])
      rows.push([entity, "interface.speed_bps", 1e9], [entity, "interface.if_index", n + 1])
      rows.push([entity, "interface.counter_bits", 64])
    }
    const atMs = fromMs + i * everyMs + Math.floor(random() * 40)
    return pollOf(device, source, atMs, rows)
  })
}

export const pollOf = (
  device: DeviceId,
  source: Source,
  atMs: number,
  rows: ReadonlyArray<readonly [entity: EntityKey, metric: MetricName, value: number]>,
): PollInput => {
  const entities = [...new Set(rows.map(([entity]) => entity))]
  const place = new Map(entities.map((entity, index) => [entity, index]))
  return {
    kind: "poll",
    device,
    source,
    startedMs: atMs - 200,
    atMs,
    entities,
    entity: Uint16Array.from(rows, ([entity]) => place.get(entity)!),
    metric: Uint16Array.from(rows, ([, metric]) => metricId(metric)),
    value: Float64Array.from(rows, ([, , value]) => value),
    texts: [],
    complete: ["interface"],
  }
}
