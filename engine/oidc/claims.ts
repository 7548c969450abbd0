/**
 * What the claims of a verified ID token mean here: which person (issuer and subject), in which tenant, with which roles,
 * called what. Pure. A claim of the wrong shape means the same as none: the person is refused, never given a default.
 */
import type { OidcSettings, RoleMap } from "#engine/oidc/settings.ts"

export interface Identity {
  readonly issuer: string
  readonly subject: string
  readonly slug: string
  /** Of the role map, ascending; at least one. */
  readonly roles: readonly string[]
  /** Not unique, and the person's own choice: only for people to read. */
  readonly name: string
}

/** Why somebody whom the issuer vouches for is refused here, for the log. */
export type NotMapped = "no-tenant" | "no-role"

export interface Refusal {
  readonly refused: NotMapped
  readonly issuer: string
  readonly subject: string
  readonly slug: string | null
}

type Claims = Readonly<Record<string, unknown>> & { readonly iss: string; readonly sub: string }
type Mapping = Pick<OidcSettings, "roleClaim" | "roleMap" | "tenant">

/** Values of the role claim that are looked at. */
const VALUES_MAX = 500
const ROLES_MAX = 16

export const identityOf = (claims: Claims, mapping: Mapping): Identity | Refusal => {
  const { iss: issuer, sub: subject } = claims
  const slug = "slug" in mapping.tenant ? mapping.tenant.slug : ownText(claims, mapping.tenant.claim)
  if (slug === null) return { refused: "no-tenant", issuer, subject, slug }
  const roles = rolesOf(own(claims, mapping.roleClaim), mapping.roleMap)
  if (roles.length === 0) return { refused: "no-role", issuer, subject, slug }
  const name = ["preferred_username", "email", "name"].map((claim) => ownText(claims, claim)).find((it) => it !== null)
  return { issuer, subject, slug, roles, name: name ?? subject }
}

const rolesOf = (claim: unknown, map: RoleMap): readonly string[] => {
  const values = Array.isArray(claim) ? claim.slice(0, VALUES_MAX) : [claim]
  const roles = values.flatMap((value) => (typeof value === "string" ? (map.get(value) ?? []) : []))
  return [...new Set(roles)].toSorted().slice(0, ROLES_MAX)
}

const own = (claims: Claims, name: string): unknown => (Object.hasOwn(claims, name) ? claims[name] : undefined)
const ownText = (claims: Claims, name: string): string | null => {
  const value = own(claims, name)
  return typeof value === "string" && value !== "" ? value : null
}
