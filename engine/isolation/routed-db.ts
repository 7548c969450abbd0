/**
 * The door to several databases (PRODUCT.md T3): the home database holds the list of tenants and everything of those
 * that have no database of their own; a tenant that has one keeps all its rows there, behind the same roles and the same
 * row security. Its `tenant` row is copied there, because everything else refers to it.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { openOwnDatabase, type OwnDatabase } from "#engine/isolation/own-database.ts"
import { makeServers } from "#engine/isolation/servers.ts"
import type { TenantDatabases } from "#engine/isolation/tenant-databases-file.ts"
import { DbError, type DbShape, type Transaction } from "#engine/storage/db.ts"
import type { Database } from "#engine/storage/launcher.ts"
import * as Redacted from "effect/Redacted"
import type { TenantId } from "#protocol/id.ts"

export interface RoutedDb extends DbShape {
  /** Every tenant's own database, by slug. */
  readonly own: ReadonlyMap<string, OwnDatabase>
  /** Copies the tenant's row again after it was changed in the home database. */
  readonly tenantChanged: (tenant: TenantId) => Effect.Effect<void, DbError>
}

export interface RoutedDbOptions {
  readonly home: DbShape
  readonly homeDatabase: Pick<Database, "ownerUrl" | "roleSecret">
  readonly databases: TenantDatabases
  readonly migrations: string
  readonly log: (line: string) => void
  readonly pausesMs?: readonly number[]
}

/** Returns when each of them was tried once. One that is away is tried again until the scope closes. */
export const openRoutedDb = (options: RoutedDbOptions): Effect.Effect<RoutedDb, DbError, Scope.Scope> =>
  Effect.gen(function* () {
    const { home, homeDatabase, databases, log, migrations, pausesMs } = options
    if (databases.size === 0) return { ...home, own: new Map(), tenantChanged: () => Effect.void }
    const servers = makeServers()
    yield* Effect.tryPromise({
      try: () => servers.rememberHome(homeDatabase.ownerUrl, Redacted.value(homeDatabase.roleSecret)),
      catch: (error) => new DbError({ code: "AWAY", message: `the home database: ${(error as Error).message}` }),
    })
    const opened = yield* Effect.forEach(
      databases,
      ([slug, url]) =>
        openOwnDatabase({ slug, url, servers, migrations, log, ...(pausesMs === undefined ? {} : { pausesMs }) }),
      { concurrency: "unbounded" },
    )
    return routeTenants(home, new Map(opened.map((database) => [database.slug, database])))
  })

/** Where a tenant's rows are, and of which of the database's lives its copied `tenant` row is. */
interface Route {
  readonly own: OwnDatabase | null
  generation: number
}

export const routeTenants = (home: DbShape, own: ReadonlyMap<string, OwnDatabase>): RoutedDb => {
  const routes = new Map<TenantId, Route>()
  const routeOf = (tenant: TenantId): Effect.Effect<Route, DbError> =>
    Effect.suspend(() => {
      const known = routes.get(tenant)
      if (known !== undefined) return Effect.succeed(known)
      return Effect.map(readTenantRow(home, tenant), (row) => {
        // An id that no tenant has (a forged token's) finds nothing at home; it is not remembered, it may come to be.
        if (row === null) return { own: null, generation: 0 }
        const route = { own: own.get(String(row["slug"])) ?? null, generation: 0 }
        routes.set(tenant, route)
        return route
      })
    })
  const ready = (tenant: TenantId, route: Route, database: OwnDatabase): Effect.Effect<void, DbError> =>
    Effect.suspend(() => {
      const generation = database.generation()
      if (route.generation === generation) return Effect.void
      return Effect.tap(copyTenantRow(home, database, tenant), () =>
        Effect.sync(() => {
          route.generation = generation
        }),
      )
    })
  const through =
    (tenant: TenantId, way: "tenant" | "ingest"): Transaction =>
    (body) =>
      Effect.flatMap(routeOf(tenant), (route) => {
        const { own: database } = route
        if (database === null) return home[way](tenant)(body)
        return Effect.andThen(ready(tenant, route, database), database[way](tenant)(body))
      })
  return {
    // Known tenants of the home database, the usual case, go through without a detour.
    tenant: (tenant) => (routes.get(tenant)?.own === null ? home.tenant(tenant) : through(tenant, "tenant")),
    ingest: (tenant) => (routes.get(tenant)?.own === null ? home.ingest(tenant) : through(tenant, "ingest")),
    engine: home.engine,
    get engines() {
      const open = [...own.values()].filter((database) => database.state().kind === "open")
      return [home.engine, ...open.map((database) => database.engine)]
    },
    own,
    tenantChanged: (tenant) =>
      Effect.flatMap(routeOf(tenant), ({ own: database }) =>
        database === null ? Effect.void : copyTenantRow(home, database, tenant),
      ),
  }
}

type TenantRow = Readonly<Record<string, unknown>>

/** As the tenant itself: it sees its own row. Null = there is no such tenant. */
const readTenantRow = (home: DbShape, tenant: TenantId): Effect.Effect<TenantRow | null, DbError> =>
  home.tenant(tenant)(async (tx) => {
    const { rows } = await tx.query<{ row: TenantRow }>(
      "select to_jsonb(t) as row from tenant t where tenant_id = $1",
      [tenant],
    )
    return rows[0]?.row ?? null
  })

const copyTenantRow = (home: DbShape, database: OwnDatabase, tenant: TenantId): Effect.Effect<void, DbError> =>
  Effect.gen(function* () {
    yield* refuseLeftovers(home, database, tenant)
    const row = yield* readTenantRow(home, tenant)
    if (row === null) return
    const columns = Object.keys(row).map((name) => `"${name.replaceAll('"', '""')}"`)
    yield* database.engine((tx) =>
      tx.query(
        `insert into tenant (${columns.join(", ")})
         select ${columns.join(", ")} from jsonb_populate_record(null::tenant, $1)
         on conflict (tenant_id) do update set ${columns.map((name) => `${name} = excluded.${name}`).join(", ")}`,
        [JSON.stringify(row)],
      ),
    )
  })

/** Tables of which every tenant that was ever used has rows. */
const SIGNS_OF_LIFE = ["app_user", "tenant_lease"] as const

/** A tenant that lived in the home database would seem to have lost everything: it is refused until it was moved. */
const refuseLeftovers = (home: DbShape, database: OwnDatabase, tenant: TenantId): Effect.Effect<void, DbError> =>
  Effect.flatMap(
    home.tenant(tenant)(async (tx) => {
      const exists = SIGNS_OF_LIFE.map((table) => `exists (select 1 from ${table} where tenant_id = $1)`)
      const { rows } = await tx.query<{ found: boolean }>(`select ${exists.join(" or ")} as found`, [tenant])
      return rows[0]?.found === true
    }),
    (found) =>
      found
        ? new DbError({
            code: "AWAY",
            message:
              `tenant ${database.slug} still has its rows in the home database: export it, remove it there and import ` +
              "it again, or take it out of HELIOGRAPH_TENANT_DATABASES_FILE",
          })
        : Effect.void,
  )
