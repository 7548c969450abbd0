/**
 * How people come in: an administrator makes an invitation and hands its token over; whoever brings it once becomes a user
 * with the roles it names. The token names its tenant and is stored as a hash; accepting always weighs one password, so
 * that its time tells nothing about which tokens there are.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Unavailable } from "#engine/api/ports.ts"
import {
  Conflict,
  NotFound,
  Refused,
  type Forbidden,
  type QuotaExceeded,
  type TooManyAttempts,
} from "#engine/api/problems.ts"
import { recordAct, type Json } from "#engine/audit/act.ts"
import { away } from "#engine/people/away.ts"
import type { By } from "#engine/people/by.ts"
import type { PeopleEnvironment } from "#engine/people/environment.ts"
import type { Checked } from "#engine/people/gate.ts"
import { actorAt } from "#engine/people/sign-in.ts"
import { readCustomRoles, takeTurn } from "#engine/people/standing.ts"
import { unknownRole } from "#engine/people/giving.ts"
import { mayGive } from "#engine/people/users.ts"
import type { Tx } from "#engine/storage/db.ts"
import { pgText } from "#engine/storage/pg-text.ts"
import { newTenantToken, readTenantToken, sha256 } from "#engine/storage/tenant-token.ts"
import { insertUser, isUuid, passwordHash, refuse, type User } from "#engine/storage/users.ts"
import { uuidv7 } from "#engine/storage/uuidv7.ts"
import type { TenantId } from "#protocol/id.ts"

/** Open ones of a tenant. */
export const INVITATIONS_MAX = 500
export const INVITATION_HOURS = 72
const HOUR_MS = 3_600_000

export interface Invitation {
  readonly id: string
  /** For whom, in the inviter's words. */
  readonly note: string
  readonly roles: readonly string[]
  readonly sites: readonly string[] | null
  readonly createdMs: number
  readonly expiresMs: number
  readonly by: string
}

export interface NewInvitation {
  readonly note: string
  readonly roles: readonly string[]
  readonly sites: readonly string[] | null
  readonly hours: number
}

export interface Invitations {
  readonly list: (
    by: By,
    page: { readonly after: string | null; readonly limit: number },
  ) => Effect.Effect<readonly Invitation[], Unavailable>
  readonly invite: (
    by: By,
    wanted: NewInvitation,
  ) => Effect.Effect<
    { readonly invitation: Invitation; readonly token: string },
    Forbidden | Refused | QuotaExceeded | Unavailable
  >
  readonly withdraw: (by: By, id: string) => Effect.Effect<void, NotFound | Unavailable>
  readonly accept: (accepting: {
    readonly token: string
    readonly name: string
    readonly password: Redacted.Redacted
    readonly source: string
  }) => Effect.Effect<User, NotFound | Refused | Conflict | QuotaExceeded | TooManyAttempts | Unavailable>
}

export const makeInvitations = (environment: PeopleEnvironment): Invitations => {
  const { db, nowMs, admitUser } = environment
  return {
    list: (by, { after, limit }) =>
      db
        .tenant(by.principal.tenant)(async (tx) => {
          const { rows } = await tx.query<InvitationRow>(
            `select ${COLUMNS} from invitation where tenant_id = $1 and expires_ms > $2
               and ($3::uuid is null or invitation_id > $3) order by invitation_id limit $4`,
            [by.principal.tenant, nowMs(), after, limit],
          )
          return rows.map(invitationOf)
        })
        .pipe(Effect.mapError(away)),

    invite: (by, wanted) =>
      db
        .tenant(by.principal.tenant)<
          { readonly invitation: Invitation; readonly token: string },
          Forbidden | Refused | QuotaExceeded
        >(async (tx) => {
          const { tenant } = by.principal
          await takeTurn(tx, tenant)
          await admitUser(tx, tenant)
          const roles = [...new Set(wanted.roles)]
          await mayGive(tx, by, null, { roles, sites: wanted.sites, disabled: false })
          const inviter = by.principal.userId
          const made = await insertInvitation(tx, tenant, { ...wanted, roles }, inviter, by.actor.name, nowMs())
          await recordAct(tx, tenant, by.actor, {
            action: "invitation.create",
            object: { kind: "invitation", id: made.invitation.id, name: made.invitation.note },
            before: null,
            after: offered(made.invitation),
          })
          return made
        })
        .pipe(Effect.mapError(away)),

    withdraw: (by, id) =>
      db
        .tenant(by.principal.tenant)<void, NotFound>(async (tx) => {
          if (!isUuid(id)) throw new NotFound({})
          const { rows } = await tx.query<InvitationRow>(
            `delete from invitation where tenant_id = $1 and invitation_id = $2 returning ${COLUMNS}`,
            [by.principal.tenant, id],
          )
          if (rows[0] === undefined) throw new NotFound({})
          const gone = invitationOf(rows[0])
          await recordAct(tx, by.principal.tenant, by.actor, {
            action: "invitation.withdraw",
            object: { kind: "invitation", id, name: gone.note },
            before: offered(gone),
            after: null,
          })
        })
        .pipe(Effect.mapError(away)),

    accept: (accepting) => {
      const check = Effect.gen(function* () {
        const password = Redacted.value(accepting.password)
        const unusable = refuse(accepting.name, password)
        if (unusable !== null) return yield* new Refused({ detail: unusable })
        const hash = yield* passwordHash(password).pipe(Effect.mapError(away))
        const token = readTenantToken("hgi_", accepting.token)
        if (token === null || environment.isSuspended(token.tenant)) return { is: "wrong" } as const
        const taken = take(environment, token, { ...accepting, hash })
        return yield* db
          .tenant(token.tenant)<Checked<User>, Conflict | Refused | QuotaExceeded>(taken)
          .pipe(Effect.mapError(away))
      })
      return environment.gate.pass({ name: "an invitation", source: accepting.source }, check).pipe(
        Effect.catchTags({
          WrongCredentials: () => Effect.fail(new NotFound({})),
          SecondFactorNeeded: () => Effect.fail(new NotFound({})),
        }),
      )
    },
  }
}

const take =
  (
    { nowMs, admitUser }: PeopleEnvironment,
    token: { readonly tenant: TenantId; readonly sha256: Buffer },
    { name, source, hash }: { readonly name: string; readonly source: string; readonly hash: string },
  ) =>
  async (tx: Tx): Promise<Checked<User>> => {
    const { tenant } = token
    await takeTurn(tx, tenant)
    // An inviter who was disabled since no longer vouches for anybody; one who left took the row along.
    const { rows } = await tx.query<InvitationRow>(
      `delete from invitation i where tenant_id = $1 and token_sha256 = $2 and expires_ms > $3
         and not exists (select 1 from app_user u where u.tenant_id = i.tenant_id and u.user_id = i.by_user and u.disabled)
       returning ${COLUMNS}`,
      [tenant, token.sha256, nowMs()],
    )
    if (rows[0] === undefined) return { is: "wrong" }
    const invitation = invitationOf(rows[0])
    const unknown = unknownRole(invitation.roles, await readCustomRoles(tx, tenant))
    if (unknown !== null) throw new Refused({ detail: `${unknown} any more: ask for a new invitation` })
    await admitUser(tx, tenant)
    const { roles, sites } = invitation
    const user = await insertUser(tx, tenant, { name, password: hash, roles, sites })
    if (user === null) throw new Conflict({ detail: "this name is taken; choose another" })
    await recordAct(tx, tenant, actorAt(user, source), {
      action: "user.create",
      object: { kind: "user", id: user.id, name: user.name },
      before: null,
      after: { roles, sites, invitation: invitation.id, invitedBy: invitation.by },
    })
    return { is: "right", value: user }
  }

/** As the tenant. `byUser` null = the platform, for a new tenant's first administrator. Writes no audit row itself. */
export const insertInvitation = async (
  tx: Tx,
  tenant: TenantId,
  wanted: NewInvitation,
  byUser: string | null,
  byName: string,
  nowMs: number,
): Promise<{ readonly invitation: Invitation; readonly token: string }> => {
  await tx.query("delete from invitation where tenant_id = $1 and expires_ms <= $2", [tenant, nowMs])
  const { rows } = await tx.query<{ n: number }>("select count(*)::int as n from invitation where tenant_id = $1", [
    tenant,
  ])
  if ((rows[0]?.n ?? 0) >= INVITATIONS_MAX)
    throw new Refused({ detail: `${INVITATIONS_MAX} invitations are open: withdraw some first` })
  const token = newTenantToken("hgi_", tenant)
  const invitation: Invitation = {
    id: uuidv7(),
    note: pgText(wanted.note, 200),
    roles: wanted.roles,
    sites: wanted.sites,
    createdMs: nowMs,
    expiresMs: nowMs + Math.round(wanted.hours * HOUR_MS),
    by: pgText(byName, 200),
  }
  await tx.query(
    `insert into invitation (tenant_id, invitation_id, token_sha256, note, roles, sites, created_ms, expires_ms,
       by_user, by_name) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      tenant,
      invitation.id,
      sha256(token),
      invitation.note,
      invitation.roles,
      invitation.sites,
      invitation.createdMs,
      invitation.expiresMs,
      byUser,
      invitation.by,
    ],
  )
  return { invitation, token }
}

const COLUMNS = `invitation_id, note, roles, sites, created_ms::float8 as created_ms,
  expires_ms::float8 as expires_ms, by_name`

interface InvitationRow {
  readonly invitation_id: string
  readonly note: string
  readonly roles: readonly string[]
  readonly sites: readonly string[] | null
  readonly created_ms: number
  readonly expires_ms: number
  readonly by_name: string
}
const invitationOf = (row: InvitationRow): Invitation => ({
  id: row.invitation_id,
  note: row.note,
  roles: row.roles,
  sites: row.sites,
  createdMs: row.created_ms,
  expiresMs: row.expires_ms,
  by: row.by_name,
})

const offered = ({ note, roles, sites, expiresMs }: Invitation): Json => ({ note, roles, sites, expiresMs })
