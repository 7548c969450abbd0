/** Small networks and inputs for the twin's tests: short to write, and exactly what a collector would send. */
import { DEVICE_ENTITY, deviceId, interfaceKey, linkId, siteId } from "#protocol/id.ts"
import type { DeviceId, EntityKey, EntityKind } from "#protocol/id.ts"
import type { Device, Inventory, Link } from "#protocol/inventory.ts"
import { metricId } from "#protocol/metric.ts"
import type { MetricName, TextFact } from "#protocol/metric.ts"
import type { Source } from "#protocol/view.ts"
import type { PollInput, TrapInput, UnreachableInput } from "#twin/input.ts"

export const T0 = 1_760_000_000_000
export const POLL_SECONDS = 10

export const device = (name: string, change: Partial<Device> = {}): Device => ({
  id: deviceId(`id-${name}`),
  name,
  address: "127.0.1.1",
  site: siteId("s1"),
  roles: ["core"],
  pollSeconds: POLL_SECONDS,
  sources: ["snmp"],
  ...change,
})

/** `a:ether1 b:ether2` */
export const link = (id: string, ends: string, capacityBps: number | null = 1e9): Link => {
  const [a, b] = ends.split(" ").map((end) => {
    const [name, port] = end.split(":")
    return { device: deviceId(`id-${name}`), interface: port ?? "" }
  })
  return { id: linkId(id), a: a as Link["a"], b: b as Link["b"], capacityBps }
}

export const inventory = (devices: readonly Device[], links: readonly Link[] = []): Inventory => ({
  sites: [
    { id: siteId("s1"), name: "Site 1", latitude: 0, longitude: 0 },
    { id: siteId("s2"), name: "Site 2", latitude: 1, longitude: 1 },
  ],
  devices,
  links,
})

/** Values by entity and metric: `{ "if:ether1": { "interface.oper_up": 1 } }`; "" = the device. */
export type Rows = Readonly<Record<string, Readonly<Partial<Record<MetricName, number>>>>>

export interface PollOptions {
  readonly source?: Source
  readonly startedMs?: number
  readonly complete?: readonly EntityKind[]
  readonly texts?: ReadonlyArray<readonly [entity: string, fact: TextFact, text: string]>
}

export const poll = (device: string, atMs: number, rows: Rows = {}, options: PollOptions = {}): PollInput => {
  const entities = Object.keys(rows) as EntityKey[]
  const flat = entities.flatMap((key, entity) =>
    Object.entries(rows[key] ?? {}).map(([metric, value]) => ({
      entity,
      metric: metricId(metric as MetricName),
      value,
    })),
  )
  return {
    kind: "poll",
    device: deviceId(`id-${device}`),
    source: options.source ?? "snmp",
    startedMs: options.startedMs ?? atMs - 100,
    atMs,
    entities: entities.length === 0 ? [DEVICE_ENTITY] : entities,
    entity: Uint16Array.from(flat, (row) => row.entity),
    metric: Uint16Array.from(flat, (row) => row.metric),
    value: Float64Array.from(flat, (row) => row.value),
    texts: (options.texts ?? []).map(([entity, fact, text]) => ({ entity: entity as EntityKey, fact, text })),
    complete: options.complete ?? [],
  }
}

/** A poll that lists these interfaces completely: name -> oper state. */
export const ports = (
  device: string,
  atMs: number,
  up: Readonly<Record<string, boolean>>,
  options: PollOptions = {},
): PollInput =>
  poll(
    device,
    atMs,
    Object.fromEntries(
      Object.entries(up).map(([name, oper], index) => [
        interfaceKey(name),
        { "interface.oper_up": oper ? 1 : 0, "interface.admin_up": 1, "interface.if_index": index + 1 },
      ]),
    ),
    { complete: ["interface"], ...options },
  )

export const silence = (device: string, atMs: number, source: Source = "snmp"): UnreachableInput => ({
  kind: "unreachable",
  device: deviceId(`id-${device}`),
  source,
  atMs,
  reason: "timeout",
  detail: "no answer in 3 s",
})

export const trap = (device: string, atMs: number, change: Partial<TrapInput>): TrapInput => ({
  kind: "trap",
  device: deviceId(`id-${device}`),
  atMs,
  trap: "linkDown",
  oid: "1.3.6.1.6.3.1.1.5.3",
  ifIndex: null,
  ifName: null,
  adminUp: null,
  remote: null,
  state: null,
  raw: "a trap",
  ...change,
})

export const idOf = (name: string): DeviceId => deviceId(`id-${name}`)
