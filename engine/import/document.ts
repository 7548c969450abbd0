/** The import document of `heliograph import FILE`, after validation. parse.ts checks text into this; schema.json documents it. */
import type { RouterOsCredential, SnmpCredential } from "#engine/collectors/target.ts"
import type { ServiceProbe } from "#engine/probes/plan.ts"
import type { Role } from "#protocol/role.ts"
import type { DeclaredGroup, DeclaredProvider, DeclaredService, DeclaredSrlg } from "#protocol/structure.ts"

export interface ImportSite {
  readonly id: string
  readonly name: string
  readonly latitude: number
  readonly longitude: number
  /** Nobody said where it is: the coordinates are a guess. */
  readonly guessed?: true
}
export interface ImportDevice {
  readonly name: string
  /** "" = none: it is part of the topology, and nothing asks it. */
  readonly address: string
  /** ImportSite.id. */
  readonly site: string
  readonly roles: readonly Role[]
  readonly snmp: SnmpCredential | null
  readonly routeros: RouterOsCredential | null
  /** Null = HELIOGRAPH_POLL_SECONDS. */
  readonly pollSeconds: number | null
  /** Seconds between pings of the address, 0 = never; absent = by role (engine/probes/plan.ts). */
  readonly pingSeconds?: number
  /** Probes of its services; absent = none. */
  readonly probes?: readonly ServiceProbe[]
}
export interface ImportLinkEnd {
  readonly device: string
  readonly interface: string
}
export interface ImportLink {
  readonly a: ImportLinkEnd
  readonly b: ImportLinkEnd
  readonly capacityBps: number | null
}
/** A link by its ends, in either order. */
export type ImportLinkName = Pick<ImportLink, "a" | "b">

/** As protocol/structure.ts, with names for ids; a kind that is absent stays as it is, also when the document replaces. */
export interface ImportStructure {
  readonly srlgs?: ReadonlyArray<Renamed<DeclaredSrlg>>
  readonly groups?: ReadonlyArray<Renamed<DeclaredGroup>>
  readonly providers?: ReadonlyArray<Renamed<DeclaredProvider>>
  readonly services?: ReadonlyArray<Renamed<DeclaredService>>
}
type Renamed<T> = {
  readonly [K in keyof T]: K extends "links"
    ? readonly ImportLinkName[]
    : K extends "devices" | "dependants" | "sites"
      ? readonly string[]
      : T[K]
}

export interface ImportDocument extends ImportStructure {
  readonly sites: readonly ImportSite[]
  readonly devices: readonly ImportDevice[]
  readonly links: readonly ImportLink[]
}

/** How a document is applied. */
export interface ImportMode {
  /** Only says what it would change. */
  readonly dryRun: boolean
  /** Removes sites, devices and links that the document does not name. */
  readonly replace: boolean
}

/** What an import changed. Importing the same file again reports only `unchanged`. */
export interface ImportReport {
  readonly rev: number
  readonly sites: Change
  readonly devices: Change
  readonly links: Change
  /** Of all four kinds of declared structure; absent = the document says nothing of any. */
  readonly structure?: Change
}
export interface Change {
  readonly added: number
  readonly updated: number
  readonly unchanged: number
  readonly removed: number
}
