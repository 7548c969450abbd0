/**
 * Who asks: a person by the browser's session, or a program by an API key or an access token of a person. Everything that
 * decides on access (REST, stream, files) gets this one type from the one door `Doors.admit` (engine/access/doors.ts).
 */
import type { TenantId } from "#protocol/id.ts"
import type { Permission } from "#protocol/permission.ts"

export type CredentialKind = "session" | "accessToken" | "apiKey"

export interface Principal {
  /** The person; of an API key, its owner. */
  readonly userId: string
  readonly userName: string
  readonly tenant: TenantId
  readonly roles: readonly string[]
  /** Of an API key: its scope, cut down to what its owner may do now. */
  readonly permissions: ReadonlySet<Permission>
  /** Only these sites (technicians, PRODUCT.md "own site"); null = all. */
  readonly sites: readonly string[] | null
  readonly credential: {
    readonly kind: CredentialKind
    /** Names the credential in audit and for closing its streams; useless to a thief. */
    readonly id: string
    readonly expiresAtMs: number
  }
  /**
   * `enrol` = a role of this person demands a second factor and none is set up: everything but the person's own
   * sign-in matters is refused until it is.
   */
  readonly secondFactor: "ok" | "enrol"
  /** Set while a platform administrator looks into this tenant by a time-boxed grant. */
  readonly grant: {
    readonly id: string
    /** The tenant that they come from and go back to. */
    readonly home: TenantId
    readonly reason: string
    readonly untilMs: number
  } | null
}

/** What a request carries to prove who it is. */
export type Presented =
  | { readonly kind: "cookie"; readonly token: string }
  /** `Authorization: Bearer ...`: an API key (`hgk_...`) or an access token (`hga_...`). */
  | { readonly kind: "bearer"; readonly token: string }
