/**
 * The workload of `npm run bench -- judgement`: a twin of N routers that are polled in turns, each poll as a collector gives
 * it (ten interfaces, two OSPF neighbours, one BGP peer: about 140 rows), with values from a seed that wander and sometimes
 * turn bad, so that alerts come and go.
 */
import { bgpKey, DEVICE_ENTITY, deviceId, interfaceKey, ospfKey, siteId } from "#protocol/id.ts"
import type { DeviceId, EntityKey } from "#protocol/id.ts"
import type { Device, Inventory } from "#protocol/inventory.ts"
import type { MetricName } from "#protocol/metric.ts"
import { metricId } from "#protocol/metric.ts"
import { plainCells } from "#twin/cells.ts"
import type { Cells } from "#twin/cells.ts"
import type { Input, PollInput } from "#twin/input.ts"
import { newWorld, runRound } from "#twin/round.ts"
import type { RoundResult, World } from "#twin/round.ts"

export const START_MS = 1_760_000_000_000
/** One poll of a device. */
export const POLL_MS = 30_000
const PORTS = 10

export interface Fleet {
  readonly world: World
  readonly cells: Cells
  /** One input; a step that throws fails the run. */
  readonly apply: (input: Input) => RoundResult
  /** A round of polls: every router once, spread over POLL_MS. */
  readonly inputs: (step: number) => readonly PollInput[]
}

export const deviceIdOf = (router: number): DeviceId => deviceId(`device-${router}`)

export const inventoryOf = (routers: number): Inventory => ({
  sites: Array.from({ length: Math.ceil(routers / 20) }, (_, site) => ({
    id: siteId(`site-${site}`),
    name: `Site ${site}`,
    latitude: 0,
    longitude: 0,
  })),
  devices: Array.from({ length: routers }, (_, router): Device => ({
    id: deviceIdOf(router),
    name: `r${router}`,
    address: "127.0.1.1",
    site: siteId(`site-${Math.floor(router / 20)}`),
    roles: [router % 10 === 0 ? "core" : router % 10 === 1 ? "edge" : "access"],
    pollSeconds: POLL_MS / 1000,
    sources: ["snmp"],
  })),
  links: [],
})

export const fleetOf = (routers: number, seed: number): Fleet => {
  const world = newWorld()
  const cells = plainCells(undefined, (_bank, _slot, error) => {
    throw error
  })
  const apply = (input: Input): RoundResult => runRound(world, cells, [{ seq: world.seq + 1, input }])
  apply({ kind: "topology", atMs: START_MS, rev: 1, inventory: inventoryOf(routers) })
  return {
    world,
    cells,
    apply,
    inputs: (step) => Array.from({ length: routers }, (_, router) => pollOf(routers, router, step, seed)),
  }
}

// -- one poll ------------------------------------------------------------------------------------------------------------

const DEVICE: readonly MetricName[] = [
  "device.uptime_seconds",
  "device.cpu_pct",
  "device.mem_used_bytes",
  "device.mem_total_bytes",
  "device.temp_c",
]
const INTERFACE: readonly MetricName[] = [
  "interface.oper_up",
  "interface.admin_up",
  "interface.rx_bytes_total",
  "interface.tx_bytes_total",
  "interface.rx_packets_total",
  "interface.tx_packets_total",
  "interface.rx_errors_total",
  "interface.tx_errors_total",
  "interface.rx_discards_total",
  "interface.tx_discards_total",
  "interface.speed_bps",
  "interface.if_index",
  "interface.counter_bits",
]
const OSPF: readonly MetricName[] = ["ospf.neighbor.state"]
const BGP: readonly MetricName[] = ["bgp.peer.state", "bgp.peer.uptime_seconds", "bgp.peer.prefixes_in"]

const SHAPE: ReadonlyArray<readonly [EntityKey, readonly MetricName[]]> = [
  [DEVICE_ENTITY, DEVICE],
  ...Array.from({ length: PORTS }, (_, port) => [interfaceKey(`ether${port + 1}`), INTERFACE] as const),
  [ospfKey("10.0.0.1"), OSPF],
  [ospfKey("10.0.0.2"), OSPF],
  [bgpKey("192.0.2.1"), BGP],
]
const ENTITIES: readonly EntityKey[] = SHAPE.map(([key]) => key)
const COLUMNS = SHAPE.flatMap(([, names], entity) => names.map((name) => ({ entity, name })))
const ENTITY = Uint16Array.from(COLUMNS, ({ entity }) => entity)
const METRIC = Uint16Array.from(COLUMNS, ({ name }) => metricId(name))
export const ROWS = COLUMNS.length

const pollOf = (routers: number, router: number, step: number, seed: number): PollInput => {
  const atMs = START_MS + step * POLL_MS + Math.floor((router * POLL_MS) / routers)
  return {
    kind: "poll",
    device: deviceIdOf(router),
    source: "snmp",
    startedMs: atMs - 40,
    atMs,
    entities: ENTITIES,
    entity: ENTITY,
    metric: METRIC,
    value: Float64Array.from(COLUMNS, ({ entity, name }) => valueOf(router, entity, name, step, seed)),
    texts: [],
    complete: ["interface", "ospf.neighbor", "bgp.peer"],
  }
}

const valueOf = (router: number, entity: number, name: MetricName, step: number, seed: number): number => {
  const dice = mixed(router * 64 + entity, step, seed)
  switch (name) {
    case "device.uptime_seconds":
      return 100_000 + (step * POLL_MS) / 1000
    case "device.cpu_pct":
      return router % 50 === 3 && step % 40 > 20 ? 97 : 20 + (dice % 30)
    case "device.mem_used_bytes":
      return 4e8 + (dice % 1e6)
    case "device.mem_total_bytes":
      return 1e9
    case "device.temp_c":
      return 40 + (dice % 5)
    case "interface.oper_up":
      // Two of ten ports were never up; of the rest one in 5000 is down at a time.
      return entity >= 9 && entity <= 10 ? 0 : Number(dice % 5000 !== 0)
    case "interface.admin_up":
      return 1
    case "interface.rx_errors_total":
    case "interface.tx_errors_total":
    case "interface.rx_discards_total":
    case "interface.tx_discards_total":
      return 17
    case "interface.speed_bps":
      return 1e9
    case "interface.if_index":
      return entity
    case "interface.counter_bits":
      return 64
    case "ospf.neighbor.state":
      return 7
    case "bgp.peer.state":
      return 5
    case "bgp.peer.uptime_seconds":
      return step * 30
    case "bgp.peer.prefixes_in":
      return 900_000 + (dice % 100)
    default:
      // Counters: they grow by what this step adds to a steady rate.
      return step * 40_000_000 + (dice % 9_000_000)
  }
}

const mixed = (a: number, b: number, c: number): number => {
  let h = Math.imul(a + 0x9e37, 0x85ebca6b) ^ Math.imul(b + 0x79b9, 0xc2b2ae35) ^ Math.imul(c + 1, 0x27d4eb2f)
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39)
  return (h ^ (h >>> 15)) >>> 0
}
