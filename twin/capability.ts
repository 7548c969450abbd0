/**
 * What a device can be asked and does tell (PRODUCT.md C21, C22), derived from what was really read of it, each with its
 * newest evidence: nothing is concluded from a vendor's or a model's name. What the inventory says that it should answer is
 * declared; what neither was read nor is declared stands there as absent, SSH and flow records too, which nothing here reads.
 */
import type { Device } from "#protocol/inventory.ts"
import { CAPABILITIES } from "#protocol/view.ts"
import type { Capability, CapabilityView, DeviceView, EventView, Source } from "#protocol/view.ts"

/** A value, a neighbour or a notice: that it came, from where and when. */
interface Evidence {
  readonly source: Source
  readonly atMs: number
}

/** Names of metrics as they begin. */
const METRICS: Readonly<Partial<Record<Capability, readonly string[]>>> = {
  sensors: ["device.temp_c", "device.voltage_v", "device.power_w"],
  optics: ["optical."],
  wireless: ["wireless."],
  ppp: ["pppoe."],
  dhcp: ["dhcp."],
  nat: ["nat.", "device.conntrack_entries"],
  queues: ["queue."],
  radius: ["radius."],
  bridge: ["bridge."],
}
/** A count of zero only says that the question was answered. */
const COUNTED: ReadonlySet<Capability> = new Set(["ppp", "dhcp", "nat", "queues", "bridge"])
const NEIGHBOURS: Readonly<Partial<Record<Capability, readonly string[]>>> = {
  ospf: ["ospf"],
  bgp: ["bgp"],
  lldp: ["lldp"],
  discovery: ["mndp", "cdp", "discovery"],
}
const DECLARED: Readonly<Partial<Record<Capability, Device["sources"][number]>>> = {
  snmp: "snmp",
  api: "routeros",
  ping: "probe",
}

type Read = Pick<DeviceView, "id" | "sources" | "metrics" | "interfaces" | "adjacencies">

/** In the order of CAPABILITIES; `recent` are the newest events of the twin, of whichever device. */
export const capabilitiesOf = (
  { sources }: Pick<Device, "sources">,
  read: Read,
  recent: readonly EventView[],
): readonly CapabilityView[] =>
  CAPABILITIES.map((name) => {
    const newest = newestOf(evidenceOf(name, read, recent))
    const declared = DECLARED[name]
    return {
      name,
      declared: declared !== undefined && sources.includes(declared),
      seen: newest !== null,
      source: newest?.source ?? null,
      atMs: newest?.atMs ?? null,
    }
  })

const evidenceOf = (name: Capability, read: Read, recent: readonly EventView[]): readonly Evidence[] => {
  switch (name) {
    case "snmp":
      return answers(read, "snmp")
    case "api":
      return answers(read, "routeros")
    case "ping":
      return read.metrics.filter(({ metric, source }) => source === "probe" && metric === "probe.ping.rtt_ms")
    case "traps":
      return notices(read, recent, "trap")
    case "syslog":
      return notices(read, recent, "syslog")
    case "interfaces":
      return read.interfaces.filter(({ operUp, source }) => operUp !== null && isPolled(source))
    case "ssh":
    case "flow":
      return []
    default: {
      const metrics = METRICS[name] ?? []
      const kinds = NEIGHBOURS[name] ?? []
      return [
        ...read.metrics.filter(
          ({ metric, value }) =>
            (value !== 0 || !COUNTED.has(name)) && metrics.some((start) => metric.startsWith(start)),
        ),
        ...read.adjacencies.filter(({ kind }) => kinds.includes(kind)),
      ]
    }
  }
}

const answers = ({ sources }: Read, wanted: Source): readonly Evidence[] =>
  sources.flatMap(({ source, lastOkMs }) =>
    source === wanted && lastOkMs !== null ? [{ source, atMs: lastOkMs }] : [],
  )

/** A notice leaves an event, or the state that it told; the twin keeps neither for ever. */
const notices = (read: Read, recent: readonly EventView[], wanted: "trap" | "syslog"): readonly Evidence[] => [
  ...recent.flatMap(({ subject, source, atMs }) =>
    subject === read.id && source === wanted ? [{ source, atMs }] : [],
  ),
  ...[...read.interfaces, ...read.adjacencies].filter(({ source }) => source === wanted),
]

const isPolled = (source: Source): boolean => source === "snmp" || source === "routeros"

const newestOf = (all: readonly Evidence[]): Evidence | null =>
  all.reduce<Evidence | null>((best, one) => (best === null || one.atMs > best.atMs ? one : best), null)
