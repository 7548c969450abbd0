/**
 * Which probes a device gets and how often: the classes of PRODUCT.md C10, and the cap on packets per second that
 * holds whatever is configured. Pure. Every probe of a device goes to that device's own address.
 */
import type { Role } from "#protocol/role.ts"

export interface PingPlan {
  /** One of PING_SECONDS. */
  readonly intervalSeconds: number
}

/** Rates that pings come in: each is one process of fping, so there are few. */
export const PING_SECONDS = [1, 2, 5, 10, 20, 30, 60] as const
export const CORE_PING_SECONDS = 2
export const OTHER_PING_SECONDS = 10
const CORE_ROLES: readonly Role[] = ["core", "edge", "rr"]

/** Seconds between pings: as asked (`0` = never, null = by role), rounded down to the next rate there is. */
export const pingPlan = (asked: number | null, roles: readonly Role[]): PingPlan | null => {
  if (asked === 0) return null
  const seconds = asked ?? (roles.some((role) => CORE_ROLES.includes(role)) ? CORE_PING_SECONDS : OTHER_PING_SECONDS)
  return { intervalSeconds: PING_SECONDS.findLast((rate) => rate <= seconds) ?? PING_SECONDS[0] }
}

export const PROBE_KINDS = ["tcp", "http", "dns"] as const
export type ProbeKind = (typeof PROBE_KINDS)[number]
export const DNS_TYPES = ["A", "AAAA", "CNAME", "MX", "NS", "PTR", "SOA", "TXT"] as const
export type DnsType = (typeof DNS_TYPES)[number]

/** A TCP connection, closed as soon as it stands. */
export interface TcpProbe {
  readonly kind: "tcp"
  readonly port: number
  readonly intervalSeconds: number
}
/** One GET, redirects not followed. */
export interface HttpProbe {
  readonly kind: "http"
  readonly tls: boolean
  readonly port: number
  /** Begins with `/`. */
  readonly path: string
  /** For the Host field and the name asked for in TLS; null = the address. */
  readonly host: string | null
  /** Status that means up; null = any of 200 to 399. */
  readonly status: number | null
  readonly intervalSeconds: number
}
/** One question to the device as a name server; up = it has an answer of that type. */
export interface DnsProbe {
  readonly kind: "dns"
  readonly port: number
  readonly name: string
  readonly type: DnsType
  readonly intervalSeconds: number
}
/** At most one of each kind per device: their metrics belong to the device. */
export type ServiceProbe = TcpProbe | HttpProbe | DnsProbe

/** C10's class "service"; "sample" is the slow end of the same. */
export const SERVICE_SECONDS = 30
export const SERVICE_SECONDS_MIN = 10
export const SERVICE_SECONDS_MAX = 300

/**
 * By how much intervals grow so that all of them together stay within the cap: 1 = they fit. Everybody is slowed
 * alike; nobody is left out.
 */
export const stretch = (intervalsMs: readonly number[], maxPerSecond: number): number => {
  const perSecond = intervalsMs.reduce((sum, ms) => sum + 1_000 / ms, 0)
  return Math.max(1, perSecond / maxPerSecond)
}
