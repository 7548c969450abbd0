/**
 * Secrets that somebody presents (session cookies, invitations; API keys and tokens of engine/programs): 32 random bytes
 * behind the tenant they belong to, `<prefix><tenant, 22 base64url>.<random, 43 base64url>`. Naming the tenant lets the
 * look-up run as the app role of that tenant, under row security; the tenant alone opens nothing. The database holds only
 * the SHA-256.
 */
import { createHash, randomBytes } from "node:crypto"
import { tenantId, type TenantId } from "#protocol/id.ts"

/** Told apart at a glance, by people and by secret scanners; a session cookie has none. */
export type TokenPrefix = "" | "hgk_" | "hga_" | "hgr_" | "hgi_"

export interface TenantToken {
  readonly tenant: TenantId
  /** Of the whole text: what the database keeps. */
  readonly sha256: Buffer
}

export const newTenantToken = (prefix: TokenPrefix, tenant: TenantId): string =>
  `${prefix}${Buffer.from(tenant.replaceAll("-", ""), "hex").toString("base64url")}.${randomBytes(32).toString("base64url")}`

/** Null when the text is no token of this prefix; whether it opens anything, only the tenant's tables say. */
export const readTenantToken = (prefix: TokenPrefix, token: string): TenantToken | null => {
  const tenant = /^([A-Za-z0-9_-]{22})\.[A-Za-z0-9_-]{43}$/.exec(token.slice(prefix.length))?.[1]
  if (tenant === undefined || !token.startsWith(prefix)) return null
  const hex = Buffer.from(tenant, "base64url").toString("hex")
  return { tenant: tenantId(hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")), sha256: sha256(token) }
}

export const sha256 = (text: string): Buffer => createHash("sha256").update(text).digest()
