/** Storage for commands that run beside the engine, or instead of it: opened as a tool, brought up to date, closed. */
import { resolve } from "node:path"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { Config } from "#engine/config.ts"
import { openRoutedDb, type RoutedDb } from "#engine/isolation/routed-db.ts"
import { readTenantDatabases, type TenantDatabasesUnusable } from "#engine/isolation/tenant-databases-file.ts"
import { openDb, type DbError } from "#engine/storage/db.ts"
import { openDatabase } from "#engine/storage/launcher.ts"
import type { Database, DatabaseUnavailable } from "#engine/storage/launcher.ts"
import type { DataDirInUse } from "#engine/storage/data-lock.ts"
import { migrate } from "#engine/storage/migrate.ts"
import type { MigrationFailed } from "#engine/storage/migrate.ts"

const MIGRATIONS = fileURLToPath(new URL("../../migrations", import.meta.url))

export interface ToolStorage {
  readonly database: Database
  /** A command finds a tenant's rows where the engine keeps them. */
  readonly db: RoutedDb
}

export const openToolStorage = (
  config: Config,
  log: (line: string) => void,
): Effect.Effect<
  ToolStorage,
  DataDirInUse | DatabaseUnavailable | MigrationFailed | TenantDatabasesUnusable | DbError,
  Scope.Scope
> =>
  Effect.gen(function* () {
    const database = yield* openDatabase({
      dataDir: resolve(config.dataDir),
      ...(config.databaseUrl === null ? {} : { databaseUrl: Redacted.value(config.databaseUrl) }),
      app: "heliograph",
      log,
      purpose: "tool",
    })
    yield* migrate({ ownerUrl: database.ownerUrl, dir: MIGRATIONS, log })
    const db = yield* openRoutedDb({
      home: yield* openDb(database),
      homeDatabase: database,
      databases: yield* readTenantDatabases(config.tenantDatabasesFile),
      migrations: MIGRATIONS,
      log,
    })
    return { database, db }
  })
