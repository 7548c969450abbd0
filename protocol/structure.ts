/**
 * What an operator declares beside devices and links (PRODUCT.md W5, W7): shared-risk groups (RFC 4202 s2.3), dependency
 * groups, providers and services. Members are named by id; a member that is no longer in the inventory is no member.
 */
import type { DeviceId, LinkId, SiteId } from "#protocol/id.ts"

export const SRLG_KINDS = ["duct", "power", "other"] as const
export const DEPENDENCY_MODES = ["any", "all", "kofn"] as const
export const PROVIDER_KINDS = ["transit", "peering", "fibre", "power", "other"] as const
export const SERVICE_KINDS = ["transit", "core", "dns", "pppoe", "site", "other"] as const

/** Members of one list of one group. */
export const STRUCTURE_MEMBERS_MAX = 2_000
/** Groups of one kind of one tenant. */
export const STRUCTURE_MAX = 5_000

interface Named {
  /** Chosen by who declares it; unique within its kind. */
  readonly id: string
  readonly name: string
}

/** What one cause takes down together: links of a duct, all of a site's power. */
export interface DeclaredSrlg extends Named {
  readonly kind: (typeof SRLG_KINDS)[number]
  readonly links: readonly LinkId[]
  readonly sites: readonly SiteId[]
}

export interface DeclaredGroup extends Named {
  readonly mode: (typeof DEPENDENCY_MODES)[number]
  /** Of kofn. */
  readonly k: number
  readonly devices: readonly DeviceId[]
  readonly links: readonly LinkId[]
  /** Devices that cannot do without. */
  readonly dependants: readonly DeviceId[]
}

export interface DeclaredProvider extends Named {
  readonly kind: (typeof PROVIDER_KINDS)[number]
  readonly devices: readonly DeviceId[]
  readonly links: readonly LinkId[]
}

export interface DeclaredService extends Named {
  readonly kind: (typeof SERVICE_KINDS)[number]
  readonly devices: readonly DeviceId[]
  readonly links: readonly LinkId[]
  readonly sites: readonly SiteId[]
  readonly providers: readonly string[]
}

/** Each sorted by id; a kind of which there is none is absent, so that inventories of before it stay equal bytes. */
export interface DeclaredStructure {
  readonly srlgs?: readonly DeclaredSrlg[]
  readonly groups?: readonly DeclaredGroup[]
  readonly providers?: readonly DeclaredProvider[]
  readonly services?: readonly DeclaredService[]
}
