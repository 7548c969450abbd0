/**
 * What row security costs a query: the same page of the same table, asked by the app role with its tenant set (as every
 * request does), by a superuser in the same kind of transaction without any policy, and by a superuser without a
 * transaction. The engine's own storage on a database of its own, because no user can reach a superuser's.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import { Client } from "pg"
import { openDatabase } from "#engine/storage/launcher.ts"
import { migrate } from "#engine/storage/migrate.ts"
import { uuidv7 } from "#engine/storage/uuidv7.ts"

export interface QueryCost {
  /** Milliseconds, one per query. */
  readonly appWithRls: readonly number[]
  readonly superuserInTransaction: readonly number[]
  readonly superuserAlone: readonly number[]
  /** Rows that each of the three was given, which have to be the same ones. */
  readonly page: readonly string[]
}

const MIGRATIONS = fileURLToPath(new URL("../../migrations", import.meta.url))
const PAGE = 50
const SQL = `select site_id, name from heliograph.site where tenant_id = $1 order by site_id limit ${PAGE}`

export const measureQueries = (
  dataDir: string,
  size: { readonly tenants: number; readonly sites: number; readonly queries: number },
): Promise<QueryCost> =>
  Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const database = yield* openDatabase({ dataDir, app: "heliograph", log: () => undefined })
        yield* migrate({ ownerUrl: database.ownerUrl, dir: MIGRATIONS, log: () => undefined })
        const admin = new URL(database.ownerUrl)
        admin.username = "postgres"
        admin.password = readFileSync(join(dataDir, "pg.secret"), "utf8").trim()
        return yield* Effect.promise(() => measure(database.appUrl, admin.toString(), size))
      }),
    ),
  )

const measure = async (
  appUrl: string,
  adminUrl: string,
  { tenants, sites, queries }: { readonly tenants: number; readonly sites: number; readonly queries: number },
): Promise<QueryCost> => {
  const [app, admin] = [new Client({ connectionString: appUrl }), new Client({ connectionString: adminUrl })]
  for (const client of [app, admin]) await client.connect()
  try {
    const ids = Array.from({ length: tenants }, () => uuidv7())
    for (const [index, id] of ids.entries()) {
      await admin.query("insert into heliograph.tenant values ($1, $2, $2, false, 1)", [id, `bench-${index}`])
      await admin.query(
        `insert into heliograph.site (tenant_id, site_id, name, latitude, longitude)
         select $1, 'site-' || lpad(n::text, 6, '0'), 'POP ' || n, 0, 0 from generate_series(1, $2::int) n`,
        [id, sites],
      )
    }
    await admin.query("analyze heliograph.site")
    const cost = { appWithRls: [] as number[], superuserInTransaction: [] as number[], superuserAlone: [] as number[] }
    let page: readonly string[] = []
    const timed = async (into: number[], client: Client, tenant: string, begin: string | null): Promise<void> => {
      const startedMs = performance.now()
      if (begin !== null) await client.query(begin)
      const { rows } = await client.query(SQL, [tenant])
      if (begin !== null) await client.query("commit")
      into.push(performance.now() - startedMs)
      const found = rows.map((row: { site_id: string }) => row.site_id)
      if (page.length > 0 && found.join() !== page.join()) throw new Error("row security changed the answer")
      page = found
    }
    // In turns, so that whatever else the machine does falls on all three alike.
    for (let n = 0; n < queries; n++) {
      const tenant = ids[n % ids.length]!
      await timed(cost.appWithRls, app, tenant, `begin; set local app.tenant_id = '${tenant}'`)
      await timed(cost.superuserInTransaction, admin, tenant, "begin; set local application_name = 'bench'")
      await timed(cost.superuserAlone, admin, tenant, null)
    }
    return { ...cost, page }
  } finally {
    await app.end()
    await admin.end()
  }
}
