/**
 * People and their passwords. A user belongs to one tenant; all changes run as the app role of that tenant. Only the
 * login itself must look a name up before the tenant is known: it reads `app_user` by name as the engine role, whose
 * policy on that table allows SELECT and nothing else.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { tenantId, type TenantId } from "#protocol/id.ts"
import type { UserRole } from "#protocol/permission.ts"
import type { DbError, DbShape } from "#engine/storage/db.ts"
import { hashPassword, MAX_PASSWORD, PasswordBusy, verifyNobody, verifyPassword } from "#engine/storage/password.ts"
import { pgText } from "#engine/storage/pg-text.ts"
import { uuidv7 } from "#engine/storage/uuidv7.ts"

export interface User {
  readonly id: string
  readonly tenant: TenantId
  readonly name: string
  readonly role: UserRole
}

/** The name is taken in this tenant, or name or password cannot be used. */
export class UserRefused extends Data.TaggedError("UserRefused")<{ readonly message: string }> {}

export const PASSWORD_MIN = 8

export const createUser = (
  db: DbShape,
  tenant: TenantId,
  user: { readonly name: string; readonly password: string; readonly role: UserRole },
): Effect.Effect<User, UserRefused | PasswordBusy | DbError> =>
  Effect.gen(function* () {
    const name = pgText(user.name, 200)
    const refused = refuse(name, user.password)
    if (refused !== null) return yield* new UserRefused({ message: refused })
    const password = yield* hashing(() => hashPassword(user.password))
    return yield* db.tenant(tenant)<User, UserRefused>(async (tx) => {
      const id = uuidv7()
      const { rowCount } = await tx.query(
        `insert into app_user (tenant_id, user_id, name, role, password, created_ms) values ($1, $2, $3, $4, $5, $6)
         on conflict (tenant_id, name) do nothing`,
        [tenant, id, name, user.role, password, Date.now()],
      )
      if (rowCount === 0) throw new UserRefused({ message: `a user ${JSON.stringify(name)} exists already` })
      return { id, tenant, name, role: user.role }
    })
  })

const refuse = (name: string, password: string): string | null => {
  if (name === "") return "a user needs a name"
  if (password.length < PASSWORD_MIN) return `a password has at least ${PASSWORD_MIN} characters`
  if (password.length > MAX_PASSWORD) return `a password has at most ${MAX_PASSWORD} characters`
  return null
}

/**
 * The user of this name and password, or null. When several tenants have that name, `slug` says whose; without it the
 * login is refused unless exactly one of them (of the first four) fits. Takes about the same time for unknown names.
 */
export const verifyLogin = (
  db: DbShape,
  login: { readonly name: string; readonly password: string; readonly slug: string | null },
): Effect.Effect<User | null, PasswordBusy | DbError> =>
  Effect.gen(function* () {
    const candidates = yield* db.engine(async (tx) => {
      const { rows } = await tx.query<UserRow>(
        `select u.user_id, u.tenant_id, u.name, u.role, u.password
         from app_user u join tenant t using (tenant_id)
         where u.name = $1 and not u.disabled and ($2::text is null or t.slug = $2) order by t.slug limit 4`,
        [pgText(login.name, 200), login.slug === null ? null : pgText(login.slug, 200)],
      )
      return rows
    })
    if (candidates.length === 0) yield* hashing(() => verifyNobody(login.password))
    const fitting: User[] = []
    for (const row of candidates) {
      if (yield* hashing(() => verifyPassword(login.password, row.password))) fitting.push(userOf(row))
    }
    return fitting.length === 1 ? fitting[0]! : null
  })

/** Also ends all sessions of the user. False = there is no such user in this tenant. */
export const changePassword = (
  db: DbShape,
  tenant: TenantId,
  userId: string,
  password: string,
): Effect.Effect<boolean, UserRefused | PasswordBusy | DbError> =>
  Effect.gen(function* () {
    const refused = refuse("-", password)
    if (refused !== null) return yield* new UserRefused({ message: refused })
    const hash = yield* hashing(() => hashPassword(password))
    return yield* db.tenant(tenant)(async (tx) => {
      await tx.query("delete from session where tenant_id = $1 and user_id = $2", [tenant, userId])
      const changed = await tx.query("update app_user set password = $3 where tenant_id = $1 and user_id = $2", [
        tenant,
        userId,
        hash,
      ])
      return changed.rowCount === 1
    })
  })

/** Of the whole system: 0 means that the first start must make an administrator. */
export const userCount = (db: DbShape): Effect.Effect<number, DbError> =>
  db.engine(async (tx) => {
    const { rows } = await tx.query<{ n: number }>("select count(*)::int as n from app_user")
    return rows[0]?.n ?? 0
  })

interface UserRow {
  readonly user_id: string
  readonly tenant_id: string
  readonly name: string
  readonly role: string
  readonly password: string
}
const userOf = (row: UserRow): User => ({
  id: row.user_id,
  tenant: tenantId(row.tenant_id),
  name: row.name,
  role: row.role as UserRole,
})

const hashing = <A>(run: () => Promise<A>): Effect.Effect<A, PasswordBusy> =>
  Effect.tryPromise({ try: run, catch: (error) => error }).pipe(
    Effect.catch((error) => (error instanceof PasswordBusy ? Effect.fail(error) : Effect.die(error))),
  )
