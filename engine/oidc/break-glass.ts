/**
 * Who may still sign in by a password where people sign in by OIDC: administrators, so that somebody can enter when the
 * issuer is down or misconfigured. Such an entry stands in the audit as what it is: `session.break-glass`. People whom
 * the issuer made have no password that anybody knows, so only accounts made here can use it.
 */
import { WrongCredentials } from "#engine/api/problems.ts"

const BREAK_GLASS_ROLES: ReadonlySet<string> = new Set(["tenant_admin", "platform_admin"])

/**
 * For a password that was right, after the second factor: `usual` where passwords are the way in (`oidcName` null).
 * Throws WrongCredentials that names the way to sign in for everybody else.
 */
export const admitPassword = (oidcName: string | null, roles: readonly string[]): "usual" | "breakGlass" => {
  if (oidcName === null) return "usual"
  if (roles.some((role) => BREAK_GLASS_ROLES.has(role))) return "breakGlass"
  throw new WrongCredentials({ detail: `Sign in with ${oidcName}: passwords are only for administrators here` })
}
