/**
 * Rows of the RouterOS API to rows of the metric registry, with the differences between v6 and v7 hidden here and
 * nowhere else (field names: data/routeros/SAMPLES.md). An interface has the same key and metrics as when SNMP read
 * it (PRODUCT.md C3). A value that the router did not give is absent, never zero.
 */
import { isOwnable, macText, readMac } from "#protocol/bridge.ts"
import type { EntityKey, EntityKind } from "#protocol/id.ts"
import type { MetricName, TextFact } from "#protocol/metric.ts"
import type { PollInput } from "#twin/input.ts"
import type { Light } from "#engine/collectors/routeros/ethernet.ts"
import type { Row } from "#engine/collectors/routeros/reply.ts"
import type { Subnet } from "#engine/collectors/routeros/subnets.ts"
import { bgpKey, DEVICE_ENTITY, interfaceKey, ospfKey } from "#protocol/id.ts"
import { BGP_STATES, metricId, OSPF_STATES } from "#protocol/metric.ts"
import { deviceText } from "#engine/collectors/device-text.ts"
import { interfaceFacing } from "#engine/collectors/routeros/subnets.ts"
import { parseCount, parseDecimal, parseDuration, parseFlag } from "#engine/collectors/routeros/values.ts"

/** Entities of one poll; the rest is left out, and the poll then claims no complete list. */
export const MAX_ENTITIES = 16_384

/** Collects one poll's rows into the columns of a PollInput. */
export interface Batch {
  readonly value: (entity: EntityKey, metric: MetricName, value: number | null) => void
  readonly text: (entity: EntityKey, fact: TextFact, text: string | undefined) => void
  /** The poll listed all entities of this kind. */
  readonly complete: (kind: EntityKind) => void
  readonly columns: () => Pick<PollInput, "entities" | "entity" | "metric" | "value" | "texts" | "complete">
}

export const makeBatch = (): Batch => {
  const index = new Map<EntityKey, number>()
  const entity: number[] = []
  const metric: number[] = []
  const value: number[] = []
  const texts: Array<PollInput["texts"][number]> = []
  const complete = new Set<EntityKind>()
  let overfull = false
  const indexOf = (key: EntityKey): number | null => {
    const known = index.get(key)
    if (known !== undefined) return known
    if (index.size >= MAX_ENTITIES) {
      overfull = true
      return null
    }
    index.set(key, index.size)
    return index.size - 1
  }
  return {
    value: (key, name, number) => {
      if (number === null || !Number.isFinite(number)) return
      const at = indexOf(key)
      if (at === null) return
      entity.push(at)
      metric.push(metricId(name))
      value.push(number)
    },
    text: (key, fact, text) => {
      if (text !== undefined && indexOf(key) !== null) texts.push({ entity: key, fact, text: deviceText(text) })
    },
    complete: (kind) => void complete.add(kind),
    columns: () => ({
      entities: [...index.keys()],
      entity: Uint16Array.from(entity),
      metric: Uint16Array.from(metric),
      value: Float64Array.from(value),
      texts,
      complete: overfull ? [] : [...complete],
    }),
  }
}

// --- device

/** /system/resource/print */
export const mapResource = (batch: Batch, row: Row, withTexts: boolean): void => {
  const memory = difference(row, "total-memory", "free-memory")
  batch.value(DEVICE_ENTITY, "device.api.up", 1)
  batch.value(DEVICE_ENTITY, "device.uptime_seconds", parseDuration(row.get("uptime") ?? ""))
  batch.value(DEVICE_ENTITY, "device.cpu_pct", parseCount(row.get("cpu-load")))
  batch.value(DEVICE_ENTITY, "device.mem_used_bytes", memory)
  batch.value(DEVICE_ENTITY, "device.mem_total_bytes", parseCount(row.get("total-memory")))
  batch.value(DEVICE_ENTITY, "device.disk_used_bytes", difference(row, "total-hdd-space", "free-hdd-space"))
  if (!withTexts) return
  batch.text(DEVICE_ENTITY, "device.model", row.get("board-name"))
  // "7.18.2 (stable)": SNMP's mtxrLicVersion has no channel, and two sources must not quarrel over one version (C3).
  const version = row.get("version")?.split(" ")[0]
  batch.text(DEVICE_ENTITY, "device.os_version", version === undefined ? undefined : `RouterOS ${version}`)
}

/** /system/identity/print */
export const mapIdentity = (batch: Batch, row: Row): void =>
  batch.text(DEVICE_ENTITY, "device.identity", row.get("name"))

/** /system/routerboard/print; a CHR has none. The model is /system/resource's, which SNMP also gives. */
export const mapRouterboard = (batch: Batch, row: Row): void =>
  batch.text(DEVICE_ENTITY, "device.serial", row.get("serial-number"))

/** In the order in which the first sensor found wins: board sensors before the CPU's own. */
const SENSORS: ReadonlyArray<readonly [MetricName, readonly string[]]> = [
  ["device.temp_c", ["temperature", "board-temperature", "board-temperature1", "cpu-temperature"]],
  ["device.voltage_v", ["voltage", "psu-voltage", "psu1-voltage"]],
  ["device.power_w", ["power-consumption"]],
]

/** /system/health/print: v6 and x86 give one row whose names are sensors, v7 one row {name, value} per sensor. */
export const mapHealth = (batch: Batch, rows: readonly Row[]): void => {
  const sensors = new Map<string, string>()
  for (const row of rows) {
    const name = row.get("name")
    const value = row.get("value")
    if (name !== undefined && value !== undefined) sensors.set(name, value)
    else for (const [sensor, reading] of row) sensors.set(sensor, reading)
  }
  for (const [metric, names] of SENSORS) {
    const reading = names.map((name) => parseDecimal(sensors.get(name))).find((number) => number !== null)
    batch.value(DEVICE_ENTITY, metric, reading ?? null)
  }
}

// --- interfaces

/**
 * Types of the interfaces that subscribers' sessions make. They are counted, never listed: a BNG has thousands, their
 * names are people's user names (`<pppoe-USER>`), and they come and go.
 */
export const SUBSCRIBER_TYPES = ["pppoe-in", "pptp-in", "l2tp-in", "sstp-in", "ovpn-in"] as const

const COUNTERS: ReadonlyArray<readonly [MetricName, string]> = [
  ["interface.rx_bytes_total", "rx-byte"],
  ["interface.tx_bytes_total", "tx-byte"],
  ["interface.rx_packets_total", "rx-packet"],
  ["interface.tx_packets_total", "tx-packet"],
  ["interface.rx_errors_total", "rx-error"],
  ["interface.tx_errors_total", "tx-error"],
  ["interface.rx_discards_total", "rx-drop"],
  ["interface.tx_discards_total", "tx-drop"],
]

/** Attributes that mapInterfaces reads, for `.proplist`. */
export const INTERFACE_PROPERTIES = [".id", "name", "type", "running", "disabled", ...COUNTERS.map(([, name]) => name)]

export const isSubscriber = (row: Row): boolean =>
  (SUBSCRIBER_TYPES as readonly string[]).includes(row.get("type") ?? "")

/** Null for a row that is no interface of ours. */
export const interfaceOf = (row: Row): EntityKey | null => {
  const name = deviceText(row.get("name") ?? "")
  return name === "" || isSubscriber(row) ? null : interfaceKey(name)
}

/** /interface/print. `speeds` in bit/s, by entity. */
export const mapInterfaces = (batch: Batch, rows: readonly Row[], speeds: ReadonlyMap<EntityKey, number>): void => {
  for (const row of rows) {
    const key = interfaceOf(row)
    if (key === null) continue
    const running = parseFlag(row.get("running"))
    const disabled = parseFlag(row.get("disabled"))
    batch.value(key, "interface.oper_up", running === null ? null : Number(running && disabled !== true))
    batch.value(key, "interface.admin_up", disabled === null ? null : Number(!disabled))
    for (const [metric, name] of COUNTERS) batch.value(key, metric, parseCount(row.get(name)))
    batch.value(key, "interface.counter_bits", row.has("rx-byte") ? 64 : null)
    batch.value(key, "interface.speed_bps", speeds.get(key) ?? null)
  }
  batch.complete("interface")
}

/** Own MACs, as SNMP's ifPhysAddress writes them. */
export const mapMacs = (batch: Batch, rows: readonly Row[]): void => {
  for (const row of rows) {
    const key = interfaceOf(row)
    const mac = readMac(row.get("mac-address") ?? "")
    if (key !== null && mac !== null && isOwnable(mac)) batch.text(key, "interface.mac", macText(mac))
  }
}

/** Light levels as /interface/ethernet/monitor gave them. */
export const mapLights = (batch: Batch, lights: readonly Light[]): void => {
  for (const { key, rxPowerDbm, txPowerDbm } of lights) {
    batch.value(key, "optical.rx_power_dbm", rxPowerDbm)
    batch.value(key, "optical.tx_power_dbm", txPowerDbm)
  }
}

// --- adjacencies

/** v6 `2-way`, RFC 4750 and ours `2way`; the rest differs in capitals only. */
const ospfState = (text: string | undefined): number | null => {
  const state = OSPF_STATES.indexOf((text ?? "").toLowerCase().replace("2-way", "2way") as (typeof OSPF_STATES)[number])
  return state < 0 ? null : state
}

/**
 * /routing/ospf/neighbor/print. One adjacency per neighbour's router id: of parallel ones the best counts, as the
 * neighbour is reachable while one of them is full. A neighbour that never said its id (0.0.0.0) has no key yet. Where
 * the router does not name the interface, the subnet of the neighbour's address does.
 */
export const mapOspf = (batch: Batch, rows: readonly Row[], subnets: readonly Subnet[]): void => {
  const best = new Map<EntityKey, { readonly state: number; readonly row: Row }>()
  for (const row of rows) {
    const state = ospfState(row.get("state"))
    const id = deviceText(row.get("router-id") ?? "")
    if (state === null || id === "" || id === "0.0.0.0") continue
    const known = best.get(ospfKey(id))
    if (known === undefined || known.state < state) best.set(ospfKey(id), { state, row })
  }
  for (const [key, { state, row }] of best) {
    batch.value(key, "ospf.neighbor.state", state)
    batch.value(key, "ospf.neighbor.uptime_seconds", parseDuration(row.get("adjacency") ?? ""))
    batch.text(key, "ospf.neighbor.interface", row.get("interface") ?? interfaceFacing(subnets, row.get("address")))
  }
  batch.complete("ospf.neighbor")
}

/**
 * /routing/bgp/peer/print (v6) or /routing/bgp/session/print (v7). v7 only says whether a session is established:
 * one that is not reads as idle, the state that claims least. Of two rows with one remote address the better counts.
 */
export const mapBgp = (batch: Batch, rows: readonly Row[]): void => {
  const best = new Map<EntityKey, { readonly state: number; readonly row: Row }>()
  for (const row of rows) {
    if (parseFlag(row.get("disabled")) === true) continue
    const key = bgpPeerOf(row.get("remote.address") ?? row.get("remote-address") ?? "")
    if (key === null) continue
    const state = bgpState(row)
    const known = best.get(key)
    if (known === undefined || known.state < state) best.set(key, { state, row })
  }
  for (const [key, { state, row }] of best) {
    batch.value(key, "bgp.peer.state", state)
    batch.value(key, "bgp.peer.uptime_seconds", parseDuration(row.get("uptime") ?? ""))
    batch.value(key, "bgp.peer.prefixes_in", parseCount(row.get("prefix-count")))
    batch.text(key, "bgp.peer.remote_as", row.get("remote.as") ?? row.get("remote-as"))
  }
  batch.complete("bgp.peer")
}

const ESTABLISHED = BGP_STATES.indexOf("established")

const bgpState = (row: Row): number => {
  if (parseFlag(row.get("established")) === true) return ESTABLISHED
  const state = BGP_STATES.indexOf((row.get("state") ?? "").toLowerCase() as (typeof BGP_STATES)[number])
  return Math.max(0, state)
}

/** `10.0.0.1` of `10.0.0.1@vrf1` and `10.0.0.1/32`. `fe80::1%ether1` keeps its zone: the address means nothing without. */
const bgpPeerOf = (address: string): EntityKey | null => {
  const bare = deviceText(address).split("@", 1)[0]?.split("/", 1)[0] ?? ""
  return bare === "" ? null : bgpKey(bare)
}

const difference = (row: Row, total: string, free: string): number | null => {
  const a = parseCount(row.get(total))
  const b = parseCount(row.get(free))
  return a === null || b === null || b > a ? null : a - b
}
