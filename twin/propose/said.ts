/**
 * What one device says about its surroundings, in the few words that topology inference needs: its names, its addresses,
 * whom it hears and whom it routes with. Read from its view, so that the inference knows nothing of collectors.
 */
import type { BridgeHosts } from "#protocol/bridge.ts"
import { readHosts } from "#protocol/bridge.ts"
import type { DeviceView } from "#protocol/view.ts"

export interface OwnAddress {
  readonly interface: string
  /** `10.0.0.1`, `2001:db8::1`: as the device writes it, lower case. */
  readonly address: string
  /** First address of its subnet with the length, the same text for every member: `10.0.0.0/31`. */
  readonly subnet: string
  /** Hosts that the subnet has room for, as a power of two: 1 for /31 and /127, 2 for /30 and /126; 0 = a host route. */
  readonly hostBits: number
}

export interface Heard {
  readonly by: "lldp" | "mndp" | "cdp" | "discovery"
  /** Own interface; null = the agent does not say. */
  readonly interface: string | null
  readonly remoteName: string | null
  readonly remotePort: string | null
  readonly remoteAddress: string | null
}

export interface Routing {
  readonly kind: "ospf" | "bgp"
  readonly remote: string
  readonly up: boolean
  readonly interface: string | null
  /** bgp only. */
  readonly remoteAs: string | null
}

export interface Said {
  readonly device: string
  readonly name: string
  /** Names by which others may call it: of the inventory and its own. */
  readonly names: readonly string[]
  readonly management: string
  readonly site: string
  readonly roles: readonly string[]
  readonly interfaces: readonly string[]
  /** What lies beneath an interface: `bond1` -> `ether1`, `ether2`. */
  readonly lower: ReadonlyMap<string, readonly string[]>
  readonly addresses: readonly OwnAddress[]
  readonly heard: readonly Heard[]
  readonly routing: readonly Routing[]
  /** MAC of each interface that has told one. */
  readonly macs?: ReadonlyMap<string, string>
  /** Whom it hears on each port of its bridges, in its forwarding tables; absent = it has none, or none was read. */
  readonly bridge?: ReadonlyMap<string, BridgeHosts>
  /** pppoe.sessions.active; null = not measured. */
  readonly subscribers: number | null
}

export const saidBy = (view: DeviceView): Said => ({
  device: view.id,
  name: view.name,
  names: [...new Set([view.name, view.texts["device.identity"] ?? ""].filter((name) => name !== ""))],
  management: view.address.toLowerCase(),
  site: view.site,
  roles: view.roles,
  interfaces: view.interfaces.map(({ name }) => name),
  lower: new Map(
    view.interfaces.flatMap(({ name, lowerLayers }) =>
      lowerLayers === undefined || lowerLayers === null || lowerLayers.length === 0
        ? []
        : [[name, lowerLayers.split(", ")] as const],
    ),
  ),
  addresses: view.interfaces.flatMap(({ name, addresses }) => ownAddresses(name, addresses ?? "")),
  heard: view.adjacencies.flatMap((one): Heard[] => {
    if (one.kind === "ospf" || one.kind === "bgp" || !one.up) return []
    const { kind, localInterface, remotePort } = one
    return [
      {
        by: kind,
        interface: localInterface ?? null,
        remoteName: one.remote === "" ? null : one.remote,
        remotePort: remotePort ?? null,
        remoteAddress: one.remoteAddress?.toLowerCase() ?? null,
      },
    ]
  }),
  routing: view.adjacencies.flatMap((one): Routing[] =>
    one.kind === "ospf" || one.kind === "bgp"
      ? [
          {
            kind: one.kind,
            remote: one.remote.toLowerCase(),
            up: one.up,
            interface: one.localInterface ?? null,
            remoteAs: one.remoteAs ?? null,
          },
        ]
      : [],
  ),
  ...bridgeOf(view),
  subscribers:
    view.metrics.find(({ entity, metric }) => entity === "" && metric === "pppoe.sessions.active")?.value ?? null,
})

/** A table is read every five minutes: one that a device answered three times without telling is not there any more. */
const TABLE_KEPT_MS = 900_000

const bridgeOf = ({ interfaces, metrics, lastOkMs }: DeviceView): Pick<Said, "macs" | "bridge"> => {
  const macs = interfaces.flatMap(({ name, mac }) => (mac === undefined ? [] : [[name, mac] as const]))
  // One in which nobody of ours stands is a table all the same: then its silence says something.
  const read = metrics.find(({ metric }) => metric === "bridge.hosts")
  const isKept = read !== undefined && (lastOkMs ?? 0) - read.atMs <= TABLE_KEPT_MS
  const hosts = interfaces.flatMap(({ name, bridgeHosts }) =>
    isKept && bridgeHosts !== undefined ? [[name, readHosts(bridgeHosts)] as const] : [],
  )
  return { ...(macs.length === 0 ? {} : { macs: new Map(macs) }), ...(isKept ? { bridge: new Map(hosts) } : {}) }
}

/** Of `10.0.0.1/31, 2001:db8::1/64`; what is no address, link-local or loopback is left out. */
export const ownAddresses = (ifName: string, text: string): readonly OwnAddress[] =>
  text.split(", ").flatMap((one) => {
    const slash = one.indexOf("/")
    const length = Number(one.slice(slash + 1))
    const words = slash < 0 ? null : addressWords(one.slice(0, slash))
    if (words === null || !Number.isInteger(length) || length < 0) return []
    const bits = words.length * (words.length === 4 ? 8 : 16)
    if (length > bits || isLocal(words)) return []
    const subnet = `${maskedText(words, length)}/${length}`
    return [{ interface: ifName, address: one.slice(0, slash).toLowerCase(), subnet, hostBits: bits - length }]
  })

/** Four octets or eight 16-bit groups; null = neither. */
const addressWords = (text: string): readonly number[] | null => {
  if (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(text)) {
    const octets = text.split(".").map(Number)
    return octets.every((octet) => octet <= 255) ? octets : null
  }
  if (!/^[0-9a-f:]{2,39}$/i.test(text)) return null
  const [head = "", tail, more] = text.split("::")
  if (more !== undefined) return null
  const left = groups(head)
  const right = tail === undefined ? [] : groups(tail)
  const gap = 8 - left.length - right.length
  if (tail === undefined ? gap !== 0 : gap < 1) return null
  const words = [...left, ...Array.from({ length: gap }, () => 0), ...right]
  return words.every((word) => Number.isInteger(word) && word >= 0 && word <= 0xffff) ? words : null
}

const groups = (text: string): number[] =>
  text === "" ? [] : text.split(":").map((group) => (/^[0-9a-f]{1,4}$/i.test(group) ? Number.parseInt(group, 16) : -1))

/** 127/8, 169.254/16; ::1, fe80::/10. They say nothing about who is a neighbour. */
const isLocal = (words: readonly number[]): boolean => {
  const [first = 0, second = 0] = words
  if (words.length === 4) return first === 127 || (first === 169 && second === 254) || first === 0
  return (first & 0xffc0) === 0xfe80 || words.slice(0, 7).every((word) => word === 0)
}

const maskedText = (words: readonly number[], length: number): string => {
  const width = words.length === 4 ? 8 : 16
  const masked = words.map((word, index) => {
    const kept = Math.max(0, Math.min(width, length - index * width))
    return word & ~((1 << (width - kept)) - 1) & (2 ** width - 1)
  })
  return words.length === 4 ? masked.join(".") : masked.map((word) => word.toString(16)).join(":")
}
