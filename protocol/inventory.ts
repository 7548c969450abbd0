/**
 * What an operator declares: sites, devices, links. This is the twin's structure; credentials are never part of it
 * (they stay in the vault, and only the collector of that device ever holds them).
 */
import type { DeviceId, LinkId, SiteId } from "#protocol/id.ts"
import type { Role } from "#protocol/role.ts"
import type { DeclaredStructure } from "#protocol/structure.ts"

export interface Site {
  readonly id: SiteId
  readonly name: string
  /** WGS 84 degrees. */
  readonly latitude: number
  readonly longitude: number
  /** Nobody said where it is: its coordinates were guessed from its neighbours'. Absent = they were given. */
  readonly guessed?: true
}

export interface Device {
  readonly id: DeviceId
  readonly name: string
  /** Management address, IPv4 or IPv6 text. */
  readonly address: string
  readonly site: SiteId
  readonly roles: readonly Role[]
  /** Free words that rules and silences may scope by; absent = none. */
  readonly tags?: readonly string[]
  /** Whole-device polling interval. */
  readonly pollSeconds: number
  /** Which collectors have credentials for it; `probe` = it is pinged. */
  readonly sources: ReadonlyArray<"snmp" | "routeros" | "probe">
}

export interface LinkEnd {
  readonly device: DeviceId
  /** ifName. */
  readonly interface: string
}

export interface Link {
  readonly id: LinkId
  readonly a: LinkEnd
  readonly b: LinkEnd
  /** Declared capacity, bit/s, or null: then the slower end's interface.speed_bps counts. */
  readonly capacityBps: number | null
}

/**
 * Sorted by id (sites) and by name (devices) and by id (links), so that equal inventories are equal bytes. Groups, providers
 * and services are absent where there are none, as in journals and snapshots of before there were any.
 */
export interface Inventory extends DeclaredStructure {
  readonly sites: readonly Site[]
  readonly devices: readonly Device[]
  readonly links: readonly Link[]
}

export const EMPTY_INVENTORY: Inventory = { sites: [], devices: [], links: [] }
