/** More databases on a test's own server, for tests of tenants that have one of their own. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Client } from "pg"
import type { TestDatabase } from "#engine/storage/database.fixture.ts"

/** As the superuser of the test's server. */
export const adminUrl = (it: TestDatabase, database?: string): string => {
  const url = new URL(it.database.ownerUrl)
  url.username = "postgres"
  url.password = readFileSync(join(it.dataDir, "pg.secret"), "utf8").trim()
  if (database !== undefined) url.pathname = `/${database}`
  return url.toString()
}

export const asAdmin = async <A>(it: TestDatabase, body: (admin: Client) => Promise<A>): Promise<A> => {
  const admin = new Client({ connectionString: adminUrl(it, "postgres") })
  admin.on("error", () => {})
  await admin.connect()
  try {
    return await body(admin)
  } finally {
    await admin.end()
  }
}

/** An empty database; returns its superuser's URL. */
export const newDatabase = async (it: TestDatabase, name: string): Promise<string> => {
  await asAdmin(it, (admin) => admin.query(`create database ${name} template template0 encoding 'UTF8'`))
  return adminUrl(it, name)
}

/** What an outage is for its clients: whoever was connected is cut, nobody gets in. */
export const takeAway = (it: TestDatabase, name: string): Promise<unknown> =>
  asAdmin(it, async (admin) => {
    await admin.query(`alter database ${name} allow_connections false`)
    await admin.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", [name])
  })

export const bringBack = (it: TestDatabase, name: string): Promise<unknown> =>
  asAdmin(it, (admin) => admin.query(`alter database ${name} allow_connections true`))
