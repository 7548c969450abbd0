/**
 * What a collector needs to reach one device. Holds secrets: a Target lives in the memory of the collector of that
 * device only; it is never logged, journaled, packed or shown.
 */
import type { PingPlan, ServiceProbe } from "#engine/probes/plan.ts"
import type { DeviceId } from "#protocol/id.ts"

export const AUTH_PROTOCOLS = ["md5", "sha", "sha224", "sha256", "sha384", "sha512"] as const
export const PRIV_PROTOCOLS = ["des", "aes", "aes256b", "aes256r"] as const
export type AuthProtocol = (typeof AUTH_PROTOCOLS)[number]
export type PrivProtocol = (typeof PRIV_PROTOCOLS)[number]

/** `lenient`: for agents that pad their messages or write over-long integers; the counters of /metrics tell who does. */
export interface SnmpV2cCredential {
  readonly version: "2c"
  readonly port: number
  readonly community: string
  readonly lenient?: boolean
  readonly others?: readonly SnmpCredential[]
}
/** USM user, RFC 3414. The level is what is configured: authPriv when privProtocol is set, authNoPriv with auth only. */
export interface SnmpV3Credential {
  readonly version: "3"
  readonly port: number
  readonly user: string
  readonly authProtocol?: AuthProtocol
  readonly authPassword?: string
  readonly privProtocol?: PrivProtocol
  readonly privPassword?: string
  readonly lenient?: boolean
  readonly others?: readonly SnmpCredential[]
}
/** `others` are tried behind it, in their order, where it does not open the device (PRODUCT.md C23); they have no others. */
export type SnmpCredential = SnmpV2cCredential | SnmpV3Credential

/** Credentials that are kept for one device. */
export const SNMP_CREDENTIALS_MAX = 8

/** All credentials of a device in the order in which they are tried. */
export const inOrder = (credential: SnmpCredential | null): readonly SnmpCredential[] => {
  if (credential === null) return []
  const { others = [], ...first } = credential
  return [first, ...others]
}

/** The same as one credential with the others behind it; null = none. */
export const asOne = ([first, ...others]: readonly SnmpCredential[]): SnmpCredential | null =>
  first === undefined ? null : others.length === 0 ? first : { ...first, others }

export interface RouterOsCredential {
  readonly port: number
  readonly user: string
  readonly password: string
  readonly tls: boolean
  /** SHA-256 fingerprint of the certificate, colon-separated hex; pinned on first use when absent. */
  readonly fingerprint?: string
  /** The challenge login of RouterOS < 6.43 (invites downgrade): off unless asked for. */
  readonly allowLegacyLogin?: boolean
}

export interface Target {
  readonly device: DeviceId
  readonly name: string
  /** IPv4 or IPv6 text; never a host name. */
  readonly address: string
  readonly pollSeconds: number
  readonly snmp: SnmpCredential | null
  readonly routeros: RouterOsCredential | null
  /** How often its address is pinged; absent or null = never. */
  readonly ping?: PingPlan | null
  /** Probes of its services; absent = none. */
  readonly probes?: readonly ServiceProbe[]
}
