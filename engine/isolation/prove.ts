/**
 * The proof that tenants are isolated, on a live installation (`heliograph prove-isolation`): the catalogue of every
 * database, the roles' flags, row security tried out, and another tenant's ids tried at the running engine's API with a
 * key that lives as long as the run.
 */
import * as Effect from "effect/Effect"
import { knock, type CallsReport } from "#engine/isolation/foreign-calls.ts"
import { readRoleFlags, tryRows } from "#engine/isolation/live-rows.ts"
import { judge, type DatabaseProof, type IsolationReport } from "#engine/isolation/report.ts"
import type { RoutedDb } from "#engine/isolation/routed-db.ts"
import { createKey, revokeKey } from "#engine/programs/keys.ts"
import { AUDIT_RULES, auditRls } from "#engine/storage/audit-rls.ts"
import type { DbError } from "#engine/storage/db.ts"
import type { Database } from "#engine/storage/launcher.ts"
import { listTenants } from "#engine/storage/tenants.ts"
import type { TenantInfo } from "#engine/tenant/live-twin.ts"
import { permissionsOf } from "#protocol/permission.ts"

export interface ProveOptions {
  readonly db: RoutedDb
  readonly home: Database
  /** Of the running engine; null = there is none. */
  readonly url: string | null
  readonly calls: number
  readonly seed: number
  readonly version: string
  readonly nowMs: () => number
}

export const proveIsolation = (options: ProveOptions): Effect.Effect<IsolationReport, DbError> =>
  Effect.gen(function* () {
    const { db, home } = options
    const notDone: string[] = []
    const databases: DatabaseProof[] = [yield* proveDatabase("home", home)]
    for (const [slug, own] of db.own) {
      const [state, urls] = [own.state(), own.urls()]
      if (urls !== null) databases.push(yield* proveDatabase(slug, urls))
      if (state.kind === "away") notDone.push(`the database of tenant ${slug} is away: ${state.why}`)
    }
    const calls = yield* proveCalls(options, notDone)
    return judge({ atMs: options.nowMs(), heliograph: options.version, databases, calls, notDone })
  })

const proveDatabase = (database: string, urls: { readonly ownerUrl: string; readonly appUrl: string }) =>
  Effect.gen(function* () {
    const findings = yield* auditRls(urls.ownerUrl)
    const roles = yield* readRoleFlags(urls.ownerUrl)
    return { database, rules: AUDIT_RULES.length, findings, roles, rows: yield* tryRows(urls) }
  })

/** Null when it could not be done; why is added to `notDone`. */
const proveCalls = (options: ProveOptions, notDone: string[]): Effect.Effect<CallsReport | null, DbError> =>
  Effect.gen(function* () {
    const { db, url } = options
    const giveUp = (why: string): null => {
      notDone.push(`calls with foreign ids: ${why}`)
      return null
    }
    if (url === null) return giveUp("no engine runs on this data directory")
    const tenants = yield* listTenants(db)
    const [caller] = yield* Effect.filter(tenants, (tenant) => Effect.map(findOwner(db, tenant), (it) => it !== null))
    const others = tenants.filter(({ id }) => id !== caller?.id)
    if (caller === undefined) return giveUp("no tenant has a user who could ask")
    if (others.length === 0) return giveUp("there is only one tenant")
    const own = new Set(yield* idsOf(db, caller))
    const foreign = (yield* Effect.forEach(others, (tenant) => idsOf(db, tenant))).flat().filter((id) => !own.has(id))
    return yield* withKey(options, caller, (bearer) =>
      Effect.tryPromise(() => knock({ url, bearer, calls: options.calls, seed: options.seed, foreign })).pipe(
        Effect.catch((error) => Effect.sync(() => giveUp(`the engine at ${url} cannot be asked: ${reasonOf(error)}`))),
      ),
    )
  })

const reasonOf = ({ cause }: { readonly cause?: unknown }): string =>
  cause instanceof Error ? cause.message : "unknown reason"

interface Owner {
  readonly id: string
  readonly roles: readonly string[]
}

/** The user who may do most, so that the most doors are tried. */
const findOwner = (db: RoutedDb, tenant: TenantInfo): Effect.Effect<Owner | null, DbError> =>
  db.tenant(tenant.id)(async (tx) => {
    const { rows } = await tx.query<Owner>(
      "select user_id as id, roles from app_user where tenant_id = $1 and not disabled order by created_ms limit 100",
      [tenant.id],
    )
    const most = rows.toSorted((a, b) => permissionsOf(b.roles).length - permissionsOf(a.roles).length)[0]
    return most === undefined || permissionsOf(most.roles).length === 0 ? null : most
  })

/** Tables whose ids stand in paths of the API; at most this many ids of each and tenant. */
const IDS_MAX = 500
const ID_COLUMNS: ReadonlyArray<readonly [table: string, column: string]> = [
  ["device", "device_id"],
  ["link", "link_id"],
  ["site", "site_id"],
  ["app_user", "user_id"],
  ["api_key", "key_id"],
]

const idsOf = (db: RoutedDb, tenant: TenantInfo): Effect.Effect<readonly string[], DbError> =>
  db.tenant(tenant.id)(async (tx) => {
    const ids: string[] = []
    for (const [table, column] of ID_COLUMNS) {
      const sql = `select ${column}::text as id from ${table} where tenant_id = $1 limit ${IDS_MAX}`
      ids.push(...(await tx.query<{ id: string }>(sql, [tenant.id])).rows.map(({ id }) => id))
    }
    return ids
  })

const ACTOR = { kind: "local", id: "", name: "heliograph prove-isolation", source: null } as const
/** The key ends by itself should this program be killed. */
const KEY_LIFE_MS = 3_600_000

const withKey = <A>(
  { db, nowMs }: ProveOptions,
  tenant: TenantInfo,
  use: (bearer: string) => Effect.Effect<A>,
): Effect.Effect<A | null, DbError> =>
  Effect.gen(function* () {
    const owner = yield* findOwner(db, tenant)
    if (owner === null) return null
    const wanted = {
      ownerId: owner.id,
      name: "isolation proof (temporary)",
      scope: permissionsOf(owner.roles),
      expiresMs: nowMs() + KEY_LIFE_MS,
    }
    return yield* Effect.acquireUseRelease(
      createKey(db, tenant.id, ACTOR, wanted, async () => {}, nowMs()).pipe(
        Effect.catchTag("QuotaExceeded", (error) => Effect.die(error)),
      ),
      ({ secret }) => use(secret),
      ({ key }) => revokeKey(db, tenant.id, ACTOR, key.id),
    )
  })
