/**
 * People and their passwords. A user belongs to one tenant; everything runs as the app role of that tenant. Only the
 * login itself must look a name up before the tenant is known: it reads `app_user` by name as the engine role, whose
 * policy on that table allows SELECT and nothing else, in every database that holds tenants.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { tenantId, type TenantId } from "#protocol/id.ts"
import type { DbError, DbShape, Tx } from "#engine/storage/db.ts"
import { hashPassword, MAX_PASSWORD, PasswordBusy, verifyNobody, verifyPassword } from "#engine/storage/password.ts"
import { pgText } from "#engine/storage/pg-text.ts"
import { uuidv7 } from "#engine/storage/uuidv7.ts"

export interface User {
  readonly id: string
  readonly tenant: TenantId
  readonly name: string
  /** Built-in ones and the tenant's own (protocol/permission.ts). */
  readonly roles: readonly string[]
}

/** A user with what administrators see. */
export interface UserRecord extends User {
  /** Site ids that limit what they see; null = all. */
  readonly sites: readonly string[] | null
  readonly disabled: boolean
  /** In force, not only begun. */
  readonly secondFactor: boolean
  readonly createdMs: number
  readonly lastSignInMs: number | null
}

/** The name is taken in this tenant, or name or password cannot be used. */
export class UserRefused extends Data.TaggedError("UserRefused")<{ readonly message: string }> {}

export const PASSWORD_MIN = 8
export const USER_NAME_MAX = 200

export const createUser = (
  db: DbShape,
  tenant: TenantId,
  user: { readonly name: string; readonly password: string; readonly roles: readonly string[] },
): Effect.Effect<User, UserRefused | PasswordBusy | DbError> =>
  Effect.gen(function* () {
    const refused = refuse(user.name, user.password)
    if (refused !== null) return yield* new UserRefused({ message: refused })
    const password = yield* passwordHash(user.password)
    return yield* db.tenant(tenant)<User, UserRefused>(async (tx) => {
      const made = await insertUser(tx, tenant, { ...user, password, sites: null })
      if (made === null) throw new UserRefused({ message: `a user ${JSON.stringify(user.name)} exists already` })
      return made
    })
  })

/** `password` is its hash. Null = the name is taken in this tenant. */
export const insertUser = async (
  tx: Tx,
  tenant: TenantId,
  user: {
    readonly name: string
    readonly password: string
    readonly roles: readonly string[]
    readonly sites: readonly string[] | null
  },
): Promise<User | null> => {
  const [id, name] = [uuidv7(), pgText(user.name, USER_NAME_MAX)]
  const { rowCount } = await tx.query(
    `insert into app_user (tenant_id, user_id, name, roles, sites, password, created_ms)
     values ($1, $2, $3, $4, $5, $6, $7) on conflict (tenant_id, name) do nothing`,
    [tenant, id, name, user.roles, user.sites, user.password, Date.now()],
  )
  return rowCount === 0 ? null : { id, tenant, name, roles: user.roles }
}

/** Why this name or password cannot be used; null = it can. */
export const refuse = (name: string, password: string): string | null => {
  if (pgText(name, USER_NAME_MAX).trim() === "") return "a user needs a name"
  if (password.length < PASSWORD_MIN) return `a password has at least ${PASSWORD_MIN} characters`
  if (password.length > MAX_PASSWORD) return `a password has at most ${MAX_PASSWORD} characters`
  return null
}

/** What a login found by name, with the hash that its password must fit. */
export interface Candidate extends User {
  readonly password: string
}

/**
 * Who signs in by this name. Where several tenants have the name, `slug` says whose; without it the name means the oldest
 * of them, so that nobody can take a name's sign-in away by making it again elsewhere. Null = there is none, or disabled.
 * A tenant's own database that is away is in nobody else's way; only a name that was found nowhere fails with it.
 */
export const findLogin = (
  db: DbShape,
  login: { readonly name: string; readonly slug: string | null },
): Effect.Effect<Candidate | null, DbError> =>
  Effect.gen(function* () {
    const asked = yield* Effect.forEach(db.engines, (engine) => Effect.result(engine((tx) => readLogin(tx, login))), {
      concurrency: "unbounded",
    })
    const found = asked.flatMap((answer) => (Result.isSuccess(answer) ? answer.success : []))
    const oldest = found.toSorted((a, b) => a.created - b.created || (a.user_id < b.user_id ? -1 : 1))[0]
    if (oldest !== undefined) return { ...userOf(oldest), password: oldest.password }
    const failed = asked.find(Result.isFailure)
    return failed === undefined ? null : yield* failed.failure
  })

const readLogin = async (
  tx: Tx,
  { name, slug }: { readonly name: string; readonly slug: string | null },
): Promise<readonly LoginRow[]> => {
  const { rows } = await tx.query<LoginRow>(
    `select u.user_id, u.tenant_id, u.name, u.roles, u.password, u.created_ms::float8 as created
     from app_user u join tenant t using (tenant_id)
     where u.name = $1 and not u.disabled and ($2::text is null or t.slug = $2)
     order by u.created_ms, u.user_id limit 1`,
    [pgText(name, USER_NAME_MAX), slug === null ? null : pgText(slug, 200)],
  )
  return rows
}

/** The user of this name and password, or null. One password is always weighed: an unknown name costs the same. */
export const verifyLogin = (
  db: DbShape,
  login: { readonly name: string; readonly password: string; readonly slug: string | null },
): Effect.Effect<Candidate | null, PasswordBusy | DbError> =>
  Effect.flatMap(findLogin(db, login), (candidate) =>
    candidate === null
      ? Effect.as(
          hashing(() => verifyNobody(login.password)),
          null,
        )
      : Effect.map(passwordFits(login.password, candidate.password), (fits) => (fits ? candidate : null)),
  )

export const passwordHash = (password: string): Effect.Effect<string, PasswordBusy> =>
  hashing(() => hashPassword(password))

export const passwordFits = (password: string, hash: string): Effect.Effect<boolean, PasswordBusy> =>
  hashing(() => verifyPassword(password, hash))

const RECORD = `u.user_id, u.tenant_id, u.name, u.roles, u.sites, u.disabled, u.created_ms::float8 as created_ms,
  u.last_sign_in_ms::float8 as last_sign_in_ms,
  exists (select 1 from user_totp f where f.tenant_id = u.tenant_id and f.user_id = u.user_id
    and f.confirmed_ms is not null) as second_factor`

/** Null = no such user in this tenant; an id that is no uuid is nobody's. */
export const readUser = async (tx: Tx, tenant: TenantId, id: string, lock = ""): Promise<UserRecord | null> => {
  if (!isUuid(id)) return null
  const sql = `select ${RECORD} from app_user u where u.tenant_id = $1 and u.user_id = $2 ${lock}`
  const { rows } = await tx.query<RecordRow>(sql, [tenant, id])
  return rows[0] === undefined ? null : recordOf(rows[0])
}

/** The same, and nobody else changes the row until the transaction ends. */
export const lockUser = (tx: Tx, tenant: TenantId, id: string): Promise<UserRecord | null> =>
  readUser(tx, tenant, id, "for update of u")

/** In the order they were made, after the user `after`. */
export const pageUsers = async (
  tx: Tx,
  tenant: TenantId,
  after: string | null,
  limit: number,
): Promise<readonly UserRecord[]> => {
  const { rows } = await tx.query<RecordRow>(
    `select ${RECORD} from app_user u where u.tenant_id = $1 and ($2::uuid is null or u.user_id > $2)
     order by u.user_id limit $3`,
    [tenant, after, limit],
  )
  return rows.map(recordOf)
}

/** Of the whole system; false means that the first start must make an administrator. */
export const hasUsers = (db: DbShape): Effect.Effect<boolean, DbError> =>
  Effect.gen(function* () {
    // The home database first: where it has users, a tenant's own database that is away does not matter.
    for (const engine of db.engines) {
      const { rows } = yield* engine((tx) => tx.query("select 1 from app_user limit 1"))
      if (rows.length > 0) return true
    }
    return false
  })

export const isUuid = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)

interface UserRow {
  readonly user_id: string
  readonly tenant_id: string
  readonly name: string
  readonly roles: readonly string[]
}
interface LoginRow extends UserRow {
  readonly password: string
  readonly created: number
}
interface RecordRow extends UserRow {
  readonly sites: readonly string[] | null
  readonly disabled: boolean
  readonly second_factor: boolean
  readonly created_ms: number
  readonly last_sign_in_ms: number | null
}

const userOf = (row: UserRow): User => ({
  id: row.user_id,
  tenant: tenantId(row.tenant_id),
  name: row.name,
  roles: row.roles,
})
const recordOf = (row: RecordRow): UserRecord => ({
  ...userOf(row),
  sites: row.sites,
  disabled: row.disabled,
  secondFactor: row.second_factor,
  createdMs: row.created_ms,
  lastSignInMs: row.last_sign_in_ms,
})

const hashing = <A>(run: () => Promise<A>): Effect.Effect<A, PasswordBusy> =>
  Effect.tryPromise({ try: run, catch: (error) => error }).pipe(
    Effect.catch((error) => (error instanceof PasswordBusy ? Effect.fail(error) : Effect.die(error))),
  )
