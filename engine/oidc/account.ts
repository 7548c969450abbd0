/**
 * The account of somebody whom the issuer vouches for: found by issuer and subject alone (never by name or mail, which
 * people can choose), made at their first sign-in, with the roles that the issuer's claim gives at every sign-in. Whoever
 * has no mapped role any more is refused, and what they had here ends: sessions, tokens, and the rights of their keys.
 */
import { createHash, randomBytes } from "node:crypto"
import * as Effect from "effect/Effect"
import type { OpenedSession, Unavailable } from "#engine/api/ports.ts"
import { recordAct, type Actor } from "#engine/audit/act.ts"
import type { Identity, Refusal } from "#engine/oidc/claims.ts"
import { away } from "#engine/people/away.ts"
import { endEverything, type PeopleEnvironment } from "#engine/people/environment.ts"
import { openSession } from "#engine/people/sign-in.ts"
import type { Tx } from "#engine/storage/db.ts"
import { pgText } from "#engine/storage/pg-text.ts"
import { findTenant } from "#engine/storage/tenants.ts"
import { insertUser, passwordHash, type User } from "#engine/storage/users.ts"
import type { TenantId } from "#protocol/id.ts"
import { isUserRole } from "#protocol/permission.ts"

/** Why somebody does not get in, for the log. */
export type Denied = Refusal["refused"] | "unknown-tenant" | "unknown-role" | "disabled" | "quota"

export type Entered =
  | { readonly kind: "in"; readonly session: OpenedSession }
  | { readonly kind: "denied"; readonly why: Denied }

/** No role can have this name (tenant_role's check), so it gives nothing. */
const NO_ROLE = "-"
const NAME_MAX = 180

export const enterByIssuer = (
  environment: PeopleEnvironment,
  identity: Identity | Refusal,
  source: string,
): Effect.Effect<Entered, Unavailable> =>
  Effect.gen(function* () {
    const denied = (why: Denied): Entered => ({ kind: "denied", why })
    if (identity.slug === null) return denied("no-tenant")
    const tenant = yield* findTenant(environment.db, identity.slug).pipe(Effect.mapError(away))
    if (tenant === null || environment.isSuspended(tenant.id)) return denied("unknown-tenant")
    if ("refused" in identity) return yield* takeRoles(environment, tenant.id, identity, source)
    // A password that nobody knows: this account opens by the issuer only. Made outside the transaction, for it is slow.
    const password = yield* passwordHash(randomBytes(32).toString("base64url")).pipe(Effect.mapError(away))
    const outcome = yield* environment.db
      .tenant(tenant.id)((tx) => enter(environment, tx, tenant.id, identity, { source, password }))
      .pipe(
        Effect.catchIf(
          (error): error is never => "_tag" in error && (error._tag as string) === "QuotaExceeded",
          () => Effect.succeed({ entered: denied("quota"), changed: null }),
        ),
        Effect.mapError(away),
      )
    if (outcome.changed !== null) environment.doors.forget({ userId: outcome.changed })
    return outcome.entered
  })

interface Outcome {
  readonly entered: Entered
  /** The user whose roles are other ones now. */
  readonly changed: string | null
}

const enter = async (
  environment: PeopleEnvironment,
  tx: Tx,
  tenant: TenantId,
  identity: Identity,
  given: { readonly source: string; readonly password: string },
): Promise<Outcome> => {
  const roles = await knownRoles(tx, tenant, identity.roles)
  if (roles.length === 0) return { entered: { kind: "denied", why: "unknown-role" }, changed: null }
  await takeTurn(tx, tenant, identity)
  const linked = await findLinked(tx, tenant, identity)
  if (linked?.disabled === true) return { entered: { kind: "denied", why: "disabled" }, changed: null }
  const user = linked ?? (await makeLinked(environment, tx, tenant, identity, { ...given, roles }))
  const changed = !sameRoles(user.roles, roles)
  if (changed) await setRoles(tx, user, roles, given.source)
  await tx.query("update app_user set last_sign_in_ms = $3 where tenant_id = $1 and user_id = $2", [
    tenant,
    user.id,
    environment.nowMs(),
  ])
  const session = await openSession(environment, tx, { ...user, roles }, given.source, "session.create")
  return { entered: { kind: "in", session }, changed: changed ? user.id : null }
}

/** The issuer vouches for them, and gives them nothing here (any more). */
const takeRoles = (environment: PeopleEnvironment, tenant: TenantId, refusal: Refusal, source: string) =>
  environment.db
    .tenant(tenant)(async (tx) => {
      await takeTurn(tx, tenant, refusal)
      const linked = await findLinked(tx, tenant, refusal)
      if (linked === null || sameRoles(linked.roles, [NO_ROLE])) return null
      await setRoles(tx, linked, [NO_ROLE], source)
      await endEverything(environment, tx, tenant, linked.id)
      return linked.id
    })
    .pipe(
      Effect.mapError(away),
      Effect.map((userId): Entered => {
        if (userId !== null) environment.doors.forget({ userId })
        return { kind: "denied", why: refusal.refused }
      }),
    )

type Who = Pick<Identity, "issuer" | "subject">

/** Two first sign-ins of one person at the same moment make one account. */
const takeTurn = (tx: Tx, tenant: TenantId, { issuer, subject }: Who) =>
  tx.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [JSON.stringify(["oidc", tenant, issuer, subject])])

const findLinked = async (tx: Tx, tenant: TenantId, { issuer, subject }: Who) => {
  const { rows } = await tx.query<{ user_id: string; name: string; roles: readonly string[]; disabled: boolean }>(
    `select u.user_id, u.name, u.roles, u.disabled from oidc_link l
     join app_user u on u.tenant_id = l.tenant_id and u.user_id = l.user_id
     where l.tenant_id = $1 and l.issuer = $2 and l.subject = $3`,
    [tenant, pgText(issuer, 500), pgText(subject, 255)],
  )
  const row = rows[0]
  return row === undefined
    ? null
    : { id: row.user_id, tenant, name: row.name, roles: row.roles, disabled: row.disabled }
}

const makeLinked = async (
  { admitUser, nowMs }: PeopleEnvironment,
  tx: Tx,
  tenant: TenantId,
  identity: Identity,
  {
    source,
    password,
    roles,
  }: { readonly source: string; readonly password: string; readonly roles: readonly string[] },
): Promise<User> => {
  await admitUser(tx, tenant)
  const { issuer, subject } = identity
  const plain = pgText(identity.name.trim() === "" ? subject : identity.name.trim(), NAME_MAX)
  const mark = createHash("sha256")
    .update(JSON.stringify([issuer, subject]))
    .digest("hex")
    .slice(0, 8)
  // Somebody else's name stays theirs.
  const user =
    (await insertUser(tx, tenant, { name: plain, password, roles, sites: null })) ??
    (await insertUser(tx, tenant, { name: `${plain} (${mark})`, password, roles, sites: null }))
  if (user === null) throw new Error("two accounts have the mark of one issuer and subject")
  await tx.query(
    "insert into oidc_link (tenant_id, issuer, subject, user_id, created_ms) values ($1, $2, $3, $4, $5)",
    [tenant, pgText(issuer, 500), pgText(subject, 255), user.id, nowMs()],
  )
  await recordAct(tx, tenant, issuerActor(source), {
    action: "user.create",
    object: { kind: "user", id: user.id, name: user.name },
    before: null,
    after: { name: user.name, roles, issuer, subject },
  })
  return user
}

const setRoles = async (tx: Tx, user: User, roles: readonly string[], source: string): Promise<void> => {
  await tx.query("update app_user set roles = $3 where tenant_id = $1 and user_id = $2", [user.tenant, user.id, roles])
  await recordAct(tx, user.tenant, issuerActor(source), {
    action: "user.update",
    object: { kind: "user", id: user.id, name: user.name },
    before: { roles: user.roles },
    after: { roles },
  })
}

const issuerActor = (source: string): Actor => ({ kind: "system", id: "", name: "OpenID issuer", source })

/** Roles of the map that are neither built in nor the tenant's own give nothing, and are not kept. */
const knownRoles = async (tx: Tx, tenant: TenantId, roles: readonly string[]): Promise<readonly string[]> => {
  const { rows } = await tx.query<{ name: string }>(
    "select name from tenant_role where tenant_id = $1 and name = any ($2) and permissions is not null",
    [tenant, roles],
  )
  const own = new Set(rows.map((row) => row.name))
  return roles.filter((role) => isUserRole(role) || own.has(role))
}

const sameRoles = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((role) => b.includes(role))
