/** People, keys and tokens on the test database, with what was told to the door and the log. */
import * as Effect from "effect/Effect"
import { makeDoors, type Which } from "#engine/access/doors.ts"
import type { Principal } from "#engine/access/principal.ts"
import type { Actor } from "#engine/audit/act.ts"
import { silentLog } from "#engine/log.ts"
import { openFamily } from "#engine/programs/families.ts"
import { keysUpTo } from "#engine/programs/keys.ts"
import { makeLastUsed } from "#engine/programs/last-used.ts"
import { makePrograms, type Authenticate } from "#engine/programs/programs.ts"
import { bearerResolve } from "#engine/programs/resolve.ts"
import type { TestDatabase } from "#engine/storage/database.fixture.ts"
import { uuidv7 } from "#engine/storage/uuidv7.ts"
import type { TenantId } from "#protocol/id.ts"
import { permissionsOf } from "#protocol/permission.ts"

export interface Person {
  readonly id: string
  readonly name: string
  readonly tenant: TenantId
}

/** Straight into the table: how people come to be is not what these tests are about. */
export const newPerson = async (it: TestDatabase, tenant: TenantId, roles: readonly string[]): Promise<Person> => {
  const id = uuidv7()
  const name = `person-${id}`
  await asTenant(
    it,
    tenant,
    `insert into app_user (tenant_id, user_id, name, roles, password, created_ms) values ($1, $2, $3, $4, '-', 1)`,
    [id, name, roles],
  )
  return { id, name, tenant }
}

/** `$1` is the tenant. */
export const asTenant = async <Row extends Record<string, unknown> = Record<string, unknown>>(
  it: TestDatabase,
  tenant: TenantId,
  sql: string,
  values: readonly unknown[] = [],
): Promise<readonly Row[]> =>
  (await Effect.runPromise(it.db.tenant(tenant)((tx) => tx.query<Row>(sql, [tenant, ...values])))).rows

/** What stands in the tenant's audit, oldest first. */
export const auditOf = async (it: TestDatabase, tenant: TenantId) =>
  asTenant<{ action: string; actor_kind: string; actor_id: string; object_id: string; before: object; after: object }>(
    it,
    tenant,
    "select action, actor_kind, actor_id, object_id, before, after from audit_entry where tenant_id = $1 order by seq",
  )

export const principalFor = (person: Person, roles: readonly string[], more: Partial<Principal> = {}): Principal => ({
  userId: person.id,
  userName: person.name,
  tenant: person.tenant,
  roles,
  permissions: new Set(permissionsOf(roles)),
  sites: null,
  credential: { kind: "session", id: "session-1", expiresAtMs: Number.MAX_SAFE_INTEGER },
  secondFactor: "ok",
  grant: null,
  ...more,
})
export const actorFor = (person: Person): Actor => ({
  kind: "user",
  id: person.id,
  name: person.name,
  source: "10.0.0.9",
})

/** The parts over one database, on a clock that the test turns. */
export const programsOn = (it: TestDatabase, options: { readonly keysMax?: number } = {}) => {
  const clock = { nowMs: 1_700_000_000_000 }
  const warnings: Array<{ readonly message: string; readonly fields: unknown }> = []
  const forgotten: Which[] = []
  const suspended = new Set<TenantId>()
  const nowMs = (): number => clock.nowMs
  const lastUsed = makeLastUsed(it.db)
  const resolve = bearerResolve({ db: it.db, lastUsed, isSuspended: (tenant) => suspended.has(tenant), nowMs })
  const doors = makeDoors(resolve, nowMs)
  doors.onForget((which) => forgotten.push(which))
  const log = { ...silentLog, warn: (message: string, fields?: unknown) => warnings.push({ message, fields }) }
  const admitKey = keysUpTo(options.keysMax ?? 100, nowMs)
  const authenticate: Authenticate = () => Effect.die("these tests verify no password")
  const programs = makePrograms({ db: it.db, doors, log, admitKey, authenticate, oidcName: null, nowMs })
  const signIn = (person: Person) =>
    Effect.runPromise(
      it.db.tenant(person.tenant)((tx) => openFamily(tx, person, "10.0.0.9", "token.create", clock.nowMs)),
    )
  const admit = (token: string) => Effect.runPromise(doors.admit({ kind: "bearer", token }))
  const resolved = (token: string) => Effect.runPromise(resolve({ kind: "bearer", token }))
  return { clock, warnings, forgotten, suspended, lastUsed, doors, programs, signIn, admit, resolved }
}
