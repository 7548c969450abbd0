/**
 * What outbound requests that somebody can aim may reach (OWASP SSRF cheat sheet; notes/security.md row 24). Two rules,
 * because the two uses are opposites. A webhook goes to the internet: private and special addresses are refused. A
 * monitored device lives in private ranges by nature: there this machine itself and clouds' metadata services are refused.
 * Both judge one resolved address in its one spelling (engine/probes/address.ts), never a text as a person wrote it.
 */
import { BlockList, isIP } from "node:net"
import { networkInterfaces } from "node:os"
import type { Log } from "#engine/log.ts"
import { literal } from "#engine/probes/address.ts"
import type { Literal } from "#engine/probes/address.ts"
import { onlyThese, type TargetPolicy } from "#engine/probes/policy.ts"

export type AddressClass = "public" | "private" | "loopback" | "linkLocal" | "transition" | "reserved"

/** IANA special-purpose registries (RFC 6890). IPv6 forms that carry an IPv4 address inside reach places that no rule for IPv4 saw. */
const CLASSES: ReadonlyArray<readonly [Exclude<AddressClass, "public">, readonly string[]]> = [
  ["loopback", ["127.0.0.0/8", "::1/128"]],
  ["linkLocal", ["169.254.0.0/16", "fe80::/10"]],
  // IPv4-compatible, NAT64 (RFC 6052, RFC 8215), 6to4, Teredo, SIIT (RFC 2765).
  [
    "transition",
    ["::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::ffff:0:0:0/96", "192.88.99.0/24"],
  ],
  ["private", ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fec0::/10"]],
  [
    "reserved",
    [
      "192.0.0.0/24",
      "192.0.2.0/24",
      "198.18.0.0/15",
      "198.51.100.0/24",
      "203.0.113.0/24",
      "100::/64",
      "2001:db8::/32",
      "3fff::/20",
      "5f00::/16",
    ],
  ],
]
const LISTS = CLASSES.map(([name, ranges]) => [name, listOf(ranges)] as const)

function listOf(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [base = "", bits = ""] = range.split("/")
    list.addSubnet(base, Number(bits), isIP(base) === 6 ? "ipv6" : "ipv4")
  }
  return list
}

/** Metadata services that stand in public or carrier ranges; 169.254.169.254 and its like are link-local already. */
const CLOUD_PUBLIC = new Set(["168.63.129.16", "100.100.100.200"])
const CLOUD_PRIVATE = new Set(["fd00:ec2::254", "fd20:ce::254"])

export const classOf = ({ text, family }: Literal): AddressClass =>
  LISTS.find(([, list]) => list.check(text, family === 6 ? "ipv6" : "ipv4"))?.[0] ?? "public"

/** For webhooks and other calls to the internet. `allowed` = ranges in CIDR form that an operator opened for a tenant. */
export const publicReach = (allowed: readonly string[]): TargetPolicy => {
  const opened = onlyThese([], allowed)
  return {
    allows: (to) => {
      if (isCloud(to) || classOf(to) === "transition") return false
      return opened.allows(to) || classOf(to) === "public"
    },
  }
}

const isCloud = ({ text }: Literal): boolean => CLOUD_PUBLIC.has(text) || CLOUD_PRIVATE.has(text)

/**
 * For addresses of devices that a tenant declares. `loopback`: the tenant may aim at this machine itself, as the demo's
 * emulated ISP on 127/8 needs (HELIOGRAPH_LOOPBACK_TARGETS); else neither at 127/8 nor at any address of ours.
 */
export const deviceReach = (loopback: boolean): TargetPolicy => {
  const ours = loopback ? new Set<string>() : ownAddresses()
  return {
    allows: (to) => {
      if (CLOUD_PRIVATE.has(to.text) || ours.has(to.text)) return false
      const kind = classOf(to)
      return kind === "loopback" ? loopback : kind !== "linkLocal" && kind !== "transition"
    },
  }
}

/** Null = a device may have this address; else what is wrong with it, for whoever declares it. */
export type WrongAddress = (address: string) => string | null

/** The same rule as words. A text that is no address at all is judged by whoever reads documents. */
export const wrongDeviceAddress = (loopback: boolean): WrongAddress => {
  const reach = deviceReach(loopback)
  return (address) => {
    const to = literal(address)
    if (to === null || reach.allows(to)) return null
    const why = isCloud(to) ? "is a cloud's own service" : WHY[classOf(to)]
    return `${JSON.stringify(address)} ${why}: no device is polled there`
  }
}
const OURS = "is this machine's own (HELIOGRAPH_LOOPBACK_TARGETS=allow is for laboratories)"
const WHY: Readonly<Record<AddressClass, string>> = {
  loopback: OURS,
  linkLocal: "is link-local: it means another machine on every link",
  transition: "carries an IPv4 address inside an IPv6 one: give the address itself",
  private: OURS,
  public: OURS,
  reserved: OURS,
}

/** The others are not polled, probed or listened to, and the operator is told how many they are. */
export const reachableTargets = <T extends { readonly address: string }>(
  targets: readonly T[],
  reach: TargetPolicy,
  log: Log,
): readonly T[] => {
  const allowed = targets.filter(({ address }) => {
    const to = literal(address)
    return to !== null && reach.allows(to)
  })
  if (allowed.length < targets.length)
    log.warn("devices are not polled: their addresses are this machine's own, link-local or a cloud's", {
      devices: targets.length - allowed.length,
      setting: "HELIOGRAPH_LOOPBACK_TARGETS",
    })
  return allowed
}

const ownAddresses = (): Set<string> => {
  const found = new Set<string>()
  for (const list of Object.values(networkInterfaces()))
    for (const { address } of list ?? []) {
      const one = literal(address.split("%", 1)[0] ?? "")
      if (one !== null) found.add(one.text)
    }
  return found
}
