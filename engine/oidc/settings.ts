/**
 * What the relying party is told by its operator, read out of the settings: which issuer, as which client, and how a claim
 * becomes a tenant and roles. Settings that do not fit together are named before anything starts.
 */
import * as Redacted from "effect/Redacted"
import type { Config } from "#engine/config.ts"

export interface OidcSettings {
  /** Exactly as the issuer spells itself. */
  readonly issuer: string
  readonly name: string
  readonly clientId: string
  readonly clientSecret: Redacted.Redacted | null
  /** Registered at the issuer. */
  readonly redirectUri: string
  readonly roleClaim: string
  readonly roleMap: RoleMap
  readonly tenant: { readonly slug: string } | { readonly claim: string }
}

/** Value of the role claim -> roles. */
export type RoleMap = ReadonlyMap<string, readonly string[]>

/** As engine/http/server.ts and access/entries.ts name them. */
export const CALLBACK_PATH = "/oidc/callback"

/** Null = people sign in by password. The settings have passed oidcMistakes. */
export const oidcSettings = (config: Config): OidcSettings | null => {
  const { oidcIssuer, oidcClientId, oidcRoleClaim, oidcRoleMap, oidcTenant, oidcTenantClaim, publicUrl } = config
  const roleMap = oidcRoleMap === null ? null : readRoleMap(oidcRoleMap)
  if (config.authMode === "local") return null
  if (oidcIssuer === null || oidcClientId === null || oidcRoleClaim === null || roleMap === null || publicUrl === null)
    throw new Error("the OIDC settings were not checked")
  return {
    issuer: oidcIssuer,
    name: config.oidcName,
    clientId: oidcClientId,
    clientSecret: config.oidcClientSecret,
    redirectUri: `${new URL(publicUrl).origin}${CALLBACK_PATH}`,
    roleClaim: oidcRoleClaim,
    roleMap,
    tenant: oidcTenant === null ? { claim: oidcTenantClaim ?? "" } : { slug: oidcTenant },
  }
}

type OidcConfig = Pick<
  Config,
  | "authMode"
  | "publicUrl"
  | "oidcIssuer"
  | "oidcClientId"
  | "oidcRoleClaim"
  | "oidcRoleMap"
  | "oidcTenant"
  | "oidcTenantClaim"
>

/** Sentences for the operator; none holds a secret. */
export const oidcMistakes = (config: OidcConfig): readonly string[] => {
  if (config.authMode === "local") return []
  const needed = {
    HELIOGRAPH_OIDC_ISSUER: config.oidcIssuer,
    HELIOGRAPH_OIDC_CLIENT_ID: config.oidcClientId,
    HELIOGRAPH_OIDC_ROLE_CLAIM: config.oidcRoleClaim,
    HELIOGRAPH_OIDC_ROLE_MAP: config.oidcRoleMap,
    HELIOGRAPH_PUBLIC_URL: config.publicUrl,
  }
  const mistakes = Object.entries(needed)
    .filter(([, value]) => value === null)
    .map(([name]) => `HELIOGRAPH_AUTH_MODE=oidc needs ${name}`)
  if ((config.oidcTenant === null) === (config.oidcTenantClaim === null))
    mistakes.push("HELIOGRAPH_AUTH_MODE=oidc needs either HELIOGRAPH_OIDC_TENANT or HELIOGRAPH_OIDC_TENANT_CLAIM")
  if (config.oidcIssuer !== null && !isSafeUrl(config.oidcIssuer))
    mistakes.push("HELIOGRAPH_OIDC_ISSUER must be https; plain http is taken on 127.0.0.1 only")
  return mistakes
}

/** What we may send a code or a secret to. */
export const isSafeUrl = (text: string): boolean => {
  const url = URL.parse(text)
  return url !== null && (url.protocol === "https:" || (url.protocol === "http:" && url.hostname === "127.0.0.1"))
}

const VALUES_MAX = 200
const ROLE = /^[a-z][a-z0-9_-]{0,63}$/

/** Null = it is not a JSON object of texts and roles. */
export const readRoleMap = (text: string): RoleMap | null => {
  const document = parsed(text)
  if (typeof document !== "object" || document === null || Array.isArray(document)) return null
  const entries = Object.entries(document).map(([value, roles]): [string, unknown[]] => [
    value,
    Array.isArray(roles) ? roles : [roles],
  ])
  const fits = entries.every(
    ([value, roles]) =>
      value !== "" &&
      roles.length > 0 &&
      roles.length <= 16 &&
      roles.every((role) => typeof role === "string" && ROLE.test(role)),
  )
  return fits && entries.length > 0 && entries.length <= VALUES_MAX
    ? new Map(entries as Array<[string, string[]]>)
    : null
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
