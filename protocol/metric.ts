/**
 * The metric registry: the one vocabulary that every collector writes and everything else reads.
 * Names, units and entities are PRODUCT.md's. `id` is what journals, chunks and polls store: never change or reuse one.
 * Kinds: gauge (a level), counter (monotonic, RFC 2578 Counter32/64), flag (0 or 1), state (index into `states`).
 */
import type { EntityKind } from "#protocol/id.ts"

export type MetricKind = "gauge" | "counter" | "flag" | "state"
export type Unit =
  | ""
  | "B"
  | "bit/s"
  | "B/s"
  | "pkt"
  | "pkt/s"
  | "s"
  | "ms"
  | "%"
  | "°C"
  | "V"
  | "W"
  | "dBm"
  | "1/s"
  | "1/min"

export interface Metric {
  readonly id: number
  readonly name: string
  readonly unit: Unit
  readonly kind: MetricKind
  readonly entity: EntityKind
  /** Derived in the twin from other samples; no collector may write it. */
  readonly derived?: true
  readonly states?: readonly string[]
}

/** RFC 4750 ospfNbrState, in PRODUCT.md's spelling; value = index. */
export const OSPF_STATES = ["down", "attempt", "init", "2way", "exstart", "exchange", "loading", "full"] as const
/** RFC 4273 bgpPeerState, value = index. */
export const BGP_STATES = ["idle", "connect", "active", "opensent", "openconfirm", "established"] as const
/** Whether the newest complete list of LLDP neighbours had it (IEEE 802.1AB has no states), value = index. */
export const LLDP_STATES = ["gone", "heard"] as const

const rows = [
  // device
  { id: 1, name: "device.up", unit: "", kind: "flag", entity: "device" },
  { id: 2, name: "device.api.up", unit: "", kind: "flag", entity: "device" },
  { id: 3, name: "device.snmp.up", unit: "", kind: "flag", entity: "device" },
  { id: 4, name: "device.uptime_seconds", unit: "s", kind: "gauge", entity: "device" },
  { id: 5, name: "device.cpu_pct", unit: "%", kind: "gauge", entity: "device" },
  { id: 6, name: "device.mem_used_bytes", unit: "B", kind: "gauge", entity: "device" },
  { id: 7, name: "device.mem_total_bytes", unit: "B", kind: "gauge", entity: "device" },
  { id: 8, name: "device.disk_used_bytes", unit: "B", kind: "gauge", entity: "device" },
  { id: 9, name: "device.temp_c", unit: "°C", kind: "gauge", entity: "device" },
  { id: 10, name: "device.voltage_v", unit: "V", kind: "gauge", entity: "device" },
  { id: 11, name: "device.power_w", unit: "W", kind: "gauge", entity: "device" },
  { id: 12, name: "device.clock.skew_seconds", unit: "s", kind: "gauge", entity: "device" },
  { id: 13, name: "device.route_count", unit: "", kind: "gauge", entity: "device" },
  { id: 14, name: "device.conntrack_entries", unit: "", kind: "gauge", entity: "device" },
  // interface (IF-MIB, RFC 2863). oper_up/admin_up are 1 only for up(1).
  { id: 30, name: "interface.oper_up", unit: "", kind: "flag", entity: "interface" },
  { id: 31, name: "interface.admin_up", unit: "", kind: "flag", entity: "interface" },
  { id: 32, name: "interface.rx_bytes_total", unit: "B", kind: "counter", entity: "interface" },
  { id: 33, name: "interface.tx_bytes_total", unit: "B", kind: "counter", entity: "interface" },
  { id: 34, name: "interface.rx_packets_total", unit: "pkt", kind: "counter", entity: "interface" },
  { id: 35, name: "interface.tx_packets_total", unit: "pkt", kind: "counter", entity: "interface" },
  { id: 36, name: "interface.rx_errors_total", unit: "pkt", kind: "counter", entity: "interface" },
  { id: 37, name: "interface.tx_errors_total", unit: "pkt", kind: "counter", entity: "interface" },
  { id: 38, name: "interface.rx_discards_total", unit: "pkt", kind: "counter", entity: "interface" },
  { id: 39, name: "interface.tx_discards_total", unit: "pkt", kind: "counter", entity: "interface" },
  { id: 40, name: "interface.speed_bps", unit: "bit/s", kind: "gauge", entity: "interface" },
  /** The agent's ifIndex: not a measurement, but traps name interfaces by it. Changes after a renumbering. */
  { id: 41, name: "interface.if_index", unit: "", kind: "gauge", entity: "interface" },
  /** ifCounterDiscontinuityTime as seconds of sysUpTime; a change forbids comparing counters (RFC 2863 s3.1.5). */
  { id: 42, name: "interface.counter_discontinuity_seconds", unit: "s", kind: "gauge", entity: "interface" },
  /** 32 or 64: which size the collector read the octet counters with (a Counter32 wraps at 2^32). */
  { id: 43, name: "interface.counter_bits", unit: "", kind: "gauge", entity: "interface" },
  /** What OSPF counts for sending out of it, 1 to 65535 (RFC 2328 s8.1). Absent where OSPF does not run. */
  { id: 44, name: "interface.ospf_cost", unit: "", kind: "gauge", entity: "interface" },
  { id: 50, name: "interface.rx_bps", unit: "bit/s", kind: "gauge", entity: "interface", derived: true },
  { id: 51, name: "interface.tx_bps", unit: "bit/s", kind: "gauge", entity: "interface", derived: true },
  { id: 52, name: "interface.rx_pps", unit: "pkt/s", kind: "gauge", entity: "interface", derived: true },
  { id: 53, name: "interface.tx_pps", unit: "pkt/s", kind: "gauge", entity: "interface", derived: true },
  { id: 54, name: "interface.rx_errors_per_s", unit: "1/s", kind: "gauge", entity: "interface", derived: true },
  { id: 55, name: "interface.tx_errors_per_s", unit: "1/s", kind: "gauge", entity: "interface", derived: true },
  { id: 56, name: "interface.rx_discards_per_s", unit: "1/s", kind: "gauge", entity: "interface", derived: true },
  { id: 57, name: "interface.tx_discards_per_s", unit: "1/s", kind: "gauge", entity: "interface", derived: true },
  { id: 58, name: "interface.utilization_pct", unit: "%", kind: "gauge", entity: "interface", derived: true },
  { id: 60, name: "optical.rx_power_dbm", unit: "dBm", kind: "gauge", entity: "interface" },
  { id: 61, name: "optical.tx_power_dbm", unit: "dBm", kind: "gauge", entity: "interface" },
  { id: 62, name: "wireless.signal_dbm", unit: "dBm", kind: "gauge", entity: "interface" },
  { id: 63, name: "wireless.ccq_pct", unit: "%", kind: "gauge", entity: "interface" },
  // adjacencies
  { id: 80, name: "ospf.neighbor.up", unit: "", kind: "flag", entity: "ospf.neighbor", derived: true },
  { id: 81, name: "ospf.neighbor.state", unit: "", kind: "state", entity: "ospf.neighbor", states: OSPF_STATES },
  { id: 82, name: "ospf.neighbor.uptime_seconds", unit: "s", kind: "gauge", entity: "ospf.neighbor" },
  { id: 90, name: "bgp.peer.up", unit: "", kind: "flag", entity: "bgp.peer", derived: true },
  { id: 91, name: "bgp.peer.state", unit: "", kind: "state", entity: "bgp.peer", states: BGP_STATES },
  { id: 92, name: "bgp.peer.uptime_seconds", unit: "s", kind: "gauge", entity: "bgp.peer" },
  { id: 93, name: "bgp.peer.prefixes_in", unit: "", kind: "gauge", entity: "bgp.peer" },
  { id: 94, name: "bgp.peer.prefixes_out", unit: "", kind: "gauge", entity: "bgp.peer" },
  { id: 95, name: "bgp.peer.flaps_total", unit: "", kind: "counter", entity: "bgp.peer" },
  // subscribers: counts only, never identities
  { id: 110, name: "pppoe.sessions.active", unit: "", kind: "gauge", entity: "device" },
  { id: 111, name: "pppoe.connects_per_min", unit: "1/min", kind: "gauge", entity: "device" },
  { id: 112, name: "pppoe.disconnects_per_min", unit: "1/min", kind: "gauge", entity: "device" },
  { id: 113, name: "pppoe.auth_failures_per_min", unit: "1/min", kind: "gauge", entity: "device" },
  { id: 114, name: "dhcp.leases.active", unit: "", kind: "gauge", entity: "device" },
  { id: 115, name: "nat.sessions.active", unit: "", kind: "gauge", entity: "device" },
  { id: 116, name: "radius.up", unit: "", kind: "flag", entity: "device" },
  // RouterOS queues: counts and totals only, because a queue's name and target are a customer's
  { id: 117, name: "queue.simple.count", unit: "", kind: "gauge", entity: "device" },
  { id: 118, name: "queue.tree.count", unit: "", kind: "gauge", entity: "device" },
  /** Over all queues, between two readings of the collector; a queue that came or went between them counts nothing. */
  { id: 119, name: "queue.dropped_pps", unit: "pkt/s", kind: "gauge", entity: "device" },
  // bridge tables: a count only, because most hosts behind a port are subscribers
  /** Rows of its forwarding tables (RFC 4188, RFC 4363), its own addresses included. */
  { id: 120, name: "bridge.hosts", unit: "", kind: "gauge", entity: "device" },
  /** Rows of the same reading that made no sense: no MAC address, or on a port that is none. */
  { id: 121, name: "bridge.hosts_refused", unit: "", kind: "gauge", entity: "device" },
  // probes of the device's management address; device.up above is the verdict of its pings
  { id: 130, name: "probe.ping.loss_pct", unit: "%", kind: "gauge", entity: "device" },
  { id: 131, name: "probe.ping.rtt_ms", unit: "ms", kind: "gauge", entity: "device" },
  /** Standard deviation of the round trips, as ping's `mdev`. */
  { id: 132, name: "probe.ping.jitter_ms", unit: "ms", kind: "gauge", entity: "device" },
  { id: 133, name: "probe.tcp.up", unit: "", kind: "flag", entity: "device" },
  { id: 134, name: "probe.tcp.connect_ms", unit: "ms", kind: "gauge", entity: "device" },
  { id: 135, name: "probe.http.up", unit: "", kind: "flag", entity: "device" },
  /** Status code of the answer, RFC 9110. */
  { id: 136, name: "probe.http.status", unit: "", kind: "gauge", entity: "device" },
  { id: 137, name: "probe.http.latency_ms", unit: "ms", kind: "gauge", entity: "device" },
  { id: 138, name: "probe.dns.up", unit: "", kind: "flag", entity: "device" },
  { id: 139, name: "probe.dns.latency_ms", unit: "ms", kind: "gauge", entity: "device" },
  // what the device itself watches outside of its network (RouterOS Netwatch): public addresses, and how many of them answer
  { id: 140, name: "probe.public.targets", unit: "", kind: "gauge", entity: "device" },
  { id: 141, name: "probe.public.up", unit: "", kind: "gauge", entity: "device" },
  // the engine itself (engine/self/), of the tenant alone
  /** Of the polls that began since the reading before: the bound that 99 % began no later than. Above 10 s: 20 s. */
  { id: 160, name: "engine.poll_lateness_p99_ms", unit: "ms", kind: "gauge", entity: "engine" },
  /** Age of the oldest input that is folded and not durable yet; known to one reading. */
  { id: 161, name: "ingest.lag_seconds", unit: "s", kind: "gauge", entity: "engine" },
  /** 0 while the journal goes to the local spool, because the tenant's database does not take it. */
  { id: 162, name: "engine.database_up", unit: "", kind: "flag", entity: "engine" },
  { id: 163, name: "engine.spool_used_pct", unit: "%", kind: "gauge", entity: "engine" },
  /** Inputs that a full inbox refused, or replaced by a newer one. */
  { id: 164, name: "engine.inputs_refused_total", unit: "", kind: "counter", entity: "engine" },
  /** Samples, traps and lines that the tenant's quotas left out. */
  { id: 165, name: "engine.quota_dropped_total", unit: "", kind: "counter", entity: "engine" },
  /** Inputs since the oldest poll that the history has yet to read back from the journal; 0 = none. */
  { id: 166, name: "engine.history_behind_inputs", unit: "", kind: "gauge", entity: "engine" },
  { id: 167, name: "engine.history_dropped_total", unit: "", kind: "counter", entity: "engine" },
  { id: 168, name: "engine.devices_quarantined", unit: "", kind: "gauge", entity: "engine" },
  { id: 169, name: "engine.restarts_total", unit: "", kind: "counter", entity: "engine" },
  // of the whole engine: in the platform's own tenant only
  { id: 175, name: "engine.event_loop_delay_p99_ms", unit: "ms", kind: "gauge", entity: "engine" },
  { id: 176, name: "engine.heap_used_pct", unit: "%", kind: "gauge", entity: "engine" },
  { id: 177, name: "engine.disk_free_pct", unit: "%", kind: "gauge", entity: "engine" },
  /** Streams that the engine ended because their viewer did not drain or was silent. */
  { id: 178, name: "engine.viewers_dropped_total", unit: "", kind: "counter", entity: "engine" },
] as const satisfies readonly Metric[]

export type MetricName = (typeof rows)[number]["name"]
export const METRICS: readonly Metric[] = rows

const byName = new Map<string, Metric>(rows.map((row) => [row.name, row]))
const byId: Array<Metric | undefined> = []
for (const row of rows) byId[row.id] = row

/** Compile-time checked look-up: the name must be in the registry. */
export const metricId = (name: MetricName): number => (byName.get(name) as Metric).id
/** Null when this build does not know the id (a journal of a newer build). */
export const metricById = (id: number): Metric | null => byId[id] ?? null
/** Null when there is no such metric. For text from outside. */
export const metricByName = (name: string): Metric | null => byName.get(name) ?? null

/** Facts that are text, not numbers. They are state of the entity, never stored as a series. */
export const TEXT_FACTS = [
  "device.identity",
  "device.vendor",
  "device.model",
  "device.os_version",
  "device.serial",
  "device.description",
  "device.object_id",
  "interface.alias",
  /** Own addresses with prefix lengths, `10.0.0.1/31, 2001:db8::1/64`; empty = none. */
  "interface.addresses",
  /** Interfaces directly beneath (RFC 2863 ifStackTable), `ether1, ether2` under a bond; empty = none. */
  "interface.lower_layers",
  /** Its own MAC (ifPhysAddress), `00:1a:2b:3c:4d:5e`. */
  "interface.mac",
  /** Whom of the tenant's own devices a bridge hears on this port; see bridge.ts. Empty = none. */
  "interface.bridge_hosts",
  "ospf.neighbor.interface",
  "bgp.peer.remote_as",
  "lldp.neighbor.interface",
  "lldp.neighbor.system_name",
  "lldp.neighbor.port",
  "lldp.neighbor.chassis",
  "discovery.neighbor.interface",
  "discovery.neighbor.system_name",
  "discovery.neighbor.port",
  "discovery.neighbor.mac",
  "discovery.neighbor.address",
] as const
export type TextFact = (typeof TEXT_FACTS)[number]
