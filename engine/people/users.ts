/**
 * A tenant's users, for its administrators. Every change is judged by giving.ts inside its transaction, audited in it, and
 * ends what the changed person had open: they sign in again as what they now are.
 */
import * as Effect from "effect/Effect"
import { etagOf, fitsIfMatch } from "#engine/api/etag.ts"
import type { Unavailable } from "#engine/api/ports.ts"
import { Changed, Forbidden, NotFound, Refused } from "#engine/api/problems.ts"
import { recordAct, type Json } from "#engine/audit/act.ts"
import { away } from "#engine/people/away.ts"
import type { By } from "#engine/people/by.ts"
import { endEverything, type PeopleEnvironment } from "#engine/people/environment.ts"
import { cannotGive, cannotTouch, unknownRole, type Standing } from "#engine/people/giving.ts"
import { removeFactor } from "#engine/people/second-factor.ts"
import { checkSites, keepingAdministrators, readCustomRoles, takeTurn } from "#engine/people/standing.ts"
import type { DbError, Tx } from "#engine/storage/db.ts"
import { lockUser, pageUsers, readUser, type UserRecord } from "#engine/storage/users.ts"

/** Absent = as it is. */
export interface UserChange {
  readonly roles?: readonly string[]
  readonly sites?: readonly string[] | null
  readonly disabled?: boolean
}

export interface Users {
  readonly list: (
    by: By,
    page: { readonly after: string | null; readonly limit: number },
  ) => Effect.Effect<readonly UserRecord[], Unavailable>
  readonly get: (by: By, id: string) => Effect.Effect<UserRecord, NotFound | Unavailable>
  readonly update: (
    by: By,
    id: string,
    change: UserChange,
    ifMatch: string | undefined,
  ) => Effect.Effect<UserRecord, NotFound | Forbidden | Refused | Changed | Unavailable>
  readonly remove: (by: By, id: string) => Effect.Effect<void, NotFound | Forbidden | Refused | Unavailable>
  readonly resetTotp: (by: By, id: string) => Effect.Effect<void, NotFound | Forbidden | Unavailable>
  readonly signOut: (by: By, id: string) => Effect.Effect<void, NotFound | Unavailable>
}

export const userEtag = (user: UserRecord): string =>
  etagOf([user.id, user.roles, user.sites, user.disabled, user.secondFactor])

export const makeUsers = (environment: PeopleEnvironment): Users => {
  const { db, doors } = environment

  /** One change of one user: in turn, of a locked row; afterwards nothing that they had open stays as it was. */
  const acting = <A, E extends { readonly _tag: string }>(
    by: By,
    id: string,
    act: (tx: Tx, user: UserRecord) => Promise<A>,
  ) =>
    db
      .tenant(by.principal.tenant)<A, E | NotFound>(async (tx) => {
        await takeTurn(tx, by.principal.tenant)
        const user = await lockUser(tx, by.principal.tenant, id)
        if (user === null) throw new NotFound({})
        return act(tx, user)
      })
      .pipe(
        Effect.mapError((error) => away<E | NotFound | DbError>(error)),
        Effect.tap(() => Effect.sync(() => doors.forget({ userId: id }))),
      )

  return {
    list: (by, { after, limit }) =>
      db
        .tenant(by.principal.tenant)((tx) => pageUsers(tx, by.principal.tenant, after, limit))
        .pipe(Effect.mapError(away)),

    get: (by, id) =>
      db
        .tenant(by.principal.tenant)<UserRecord, NotFound>(async (tx) => {
          const user = await readUser(tx, by.principal.tenant, id)
          if (user === null) throw new NotFound({})
          return user
        })
        .pipe(Effect.mapError(away)),

    update: (by, id, change, ifMatch) =>
      acting<UserRecord, Forbidden | Refused | Changed>(by, id, (tx, user) =>
        update(environment, tx, by, user, change, ifMatch),
      ),

    remove: (by, id) =>
      acting<void, Forbidden | Refused>(by, id, async (tx, user) => {
        await mayTouch(tx, by, user)
        await keepingAdministrators(tx, user.tenant, async () => {
          await endEverything(environment, tx, user.tenant, user.id)
          await tx.query("delete from app_user where tenant_id = $1 and user_id = $2", [user.tenant, user.id])
        })
        await audited(tx, by, "user.remove", user, seen(user), null)
      }),

    resetTotp: (by, id) =>
      acting<void, Forbidden>(by, id, async (tx, user) => {
        await mayTouch(tx, by, user)
        const had = await removeFactor(tx, user)
        await endEverything(environment, tx, user.tenant, user.id)
        await audited(tx, by, "user.reset-totp", user, { secondFactor: had }, { secondFactor: false })
      }),

    signOut: (by, id) =>
      acting<void, never>(by, id, async (tx, user) => {
        await endEverything(environment, tx, user.tenant, user.id)
        await audited(tx, by, "user.sign-out", user, null, null)
      }),
  }
}

const update = async (
  environment: PeopleEnvironment,
  tx: Tx,
  by: By,
  user: UserRecord,
  change: UserChange,
  ifMatch: string | undefined,
): Promise<UserRecord> => {
  if (!fitsIfMatch(ifMatch, userEtag(user))) throw new Changed({})
  const after: UserRecord = {
    ...user,
    roles: change.roles === undefined ? user.roles : [...new Set(change.roles)],
    sites: change.sites === undefined ? user.sites : change.sites === null ? null : [...new Set(change.sites)],
    disabled: change.disabled ?? user.disabled,
  }
  await mayTouch(tx, by, user)
  await mayGive(tx, by, user, after)
  await keepingAdministrators(tx, user.tenant, async () => {
    await tx.query("update app_user set roles = $3, sites = $4, disabled = $5 where tenant_id = $1 and user_id = $2", [
      user.tenant,
      user.id,
      after.roles,
      after.sites,
      after.disabled,
    ])
  })
  if (userEtag(after) !== userEtag(user)) await endEverything(environment, tx, user.tenant, user.id)
  await audited(tx, by, "user.update", user, seen(user), seen(after))
  return after
}

const mayTouch = async (tx: Tx, { principal }: By, user: UserRecord): Promise<void> => {
  const refused = cannotTouch(principal, user, await readCustomRoles(tx, user.tenant))
  if (refused !== null) throw new Forbidden({ detail: refused })
}

/** Also for invitations: `before` null. Rejects with Refused for roles and sites that are not, with Forbidden for too much. */
export const mayGive = async (tx: Tx, { principal }: By, before: Standing | null, after: Standing): Promise<void> => {
  const custom = await readCustomRoles(tx, principal.tenant)
  const added = after.roles.filter((role) => before?.roles.includes(role) !== true)
  const unknown = unknownRole(added, custom)
  if (unknown !== null) throw new Refused({ detail: unknown })
  const addedSites = after.sites?.filter((site) => before?.sites?.includes(site) !== true) ?? null
  await checkSites(tx, principal.tenant, addedSites)
  const refused = cannotGive(principal, before, after, custom)
  if (refused !== null) throw new Forbidden({ detail: refused })
}

const seen = ({ roles, sites, disabled }: UserRecord): Json => ({ roles, sites, disabled })

const audited = (tx: Tx, by: By, action: string, user: UserRecord, before: Json | null, after: Json | null) =>
  recordAct(tx, user.tenant, by.actor, {
    action,
    object: { kind: "user", id: user.id, name: user.name },
    before,
    after,
  })
