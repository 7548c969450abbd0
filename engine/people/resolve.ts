/**
 * Whose credential is this? The resolvers behind the one door (engine/access/doors.ts): session cookies here, bearer
 * tokens in engine/programs. While a break-glass grant of a session lasts, its principal stands in the granted tenant and
 * may read the network, nothing else; when it has ended the session is what it was before.
 */
import * as Effect from "effect/Effect"
import type { Resolve } from "#engine/access/doors.ts"
import type { Principal } from "#engine/access/principal.ts"
import { away } from "#engine/people/away.ts"
import { readHolder, type Holder } from "#engine/people/holder.ts"
import type { DbShape } from "#engine/storage/db.ts"
import { findSession, type Session } from "#engine/storage/sessions.ts"
import { readTenantToken } from "#engine/storage/tenant-token.ts"
import type { TenantId } from "#protocol/id.ts"
import type { Permission } from "#protocol/permission.ts"

/** Asked at every look-up; a suspended tenant's people are strangers. */
export type IsSuspended = (tenant: TenantId) => boolean

export const composeResolve =
  (by: { readonly cookie: Resolve; readonly bearer: Resolve | null }): Resolve =>
  (presented) => {
    const resolve = presented.kind === "cookie" ? by.cookie : by.bearer
    return resolve === null ? Effect.succeed(null) : resolve(presented)
  }

export const cookieResolve =
  (db: DbShape, nowMs: () => number, isSuspended: IsSuspended = () => false): Resolve =>
  (presented) => {
    const token = readTenantToken("", presented.token)
    if (token === null || isSuspended(token.tenant)) return Effect.succeed(null)
    return db
      .tenant(token.tenant)(async (tx) => {
        const session = await findSession(tx, token.tenant, token.sha256, nowMs())
        const holder = session === null ? null : await readHolder(tx, token.tenant, session.userId)
        return session === null || holder === null ? null : principalOf(token.tenant, session, holder, nowMs())
      })
      .pipe(Effect.mapError(away))
  }

const GRANTED: ReadonlySet<Permission> = new Set(["network.read"])

const principalOf = (home: TenantId, session: Session, holder: Holder, nowMs: number): Principal => {
  const { enabled, required } = holder.secondFactor
  const own: Principal = {
    userId: holder.userId,
    userName: holder.userName,
    tenant: home,
    roles: holder.roles,
    permissions: holder.permissions,
    sites: holder.sites,
    credential: { kind: "session", id: session.id, expiresAtMs: session.expiresAtMs },
    secondFactor: required && !enabled ? "enrol" : "ok",
    grant: null,
  }
  const { grant } = session
  // Who may not give themselves such a grant any more has lost the one they have.
  if (grant === null || grant.untilMs <= nowMs || !holder.permissions.has("tenants.manage")) return own
  return {
    ...own,
    tenant: grant.tenant,
    permissions: GRANTED,
    sites: null,
    // Nothing that was found or opened under the grant outlives it.
    credential: { ...own.credential, expiresAtMs: Math.min(session.expiresAtMs, grant.untilMs) },
    grant: { id: grant.id, home, reason: grant.reason, untilMs: grant.untilMs },
  }
}
