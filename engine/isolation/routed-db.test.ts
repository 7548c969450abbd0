/** Tenants with a database of their own (PRODUCT.md T3), on one real server with several databases. */
import assert from "node:assert/strict"
import { after, before, describe, test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { Client } from "pg"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import { adminUrl, bringBack, newDatabase, takeAway } from "#engine/isolation/databases.fixture.ts"
import { openRoutedDb, type RoutedDb } from "#engine/isolation/routed-db.ts"
import { auditRls } from "#engine/storage/audit-rls.ts"
import { MIGRATIONS, NO_POSTGRES, useTestDatabase } from "#engine/storage/database.fixture.ts"
import { DbError, openDb } from "#engine/storage/db.ts"
import { createTenant } from "#engine/storage/tenants.ts"
import type { TenantId } from "#protocol/id.ts"

const run = Effect.runPromise
const PAUSES_MS = [20, 50]

describe("a database per tenant", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()
  const scope = Scope.makeUnsafe()
  const told: string[] = []
  let db: RoutedDb
  let home: TenantId
  let alpha: TenantId
  let beta: TenantId

  const openWith = (databases: ReadonlyMap<string, Redacted.Redacted>, into: Scope.Scope = scope): Promise<RoutedDb> =>
    run(
      Scope.provide(
        openRoutedDb({
          home: it.db,
          homeDatabase: it.database,
          databases,
          migrations: MIGRATIONS,
          log: (line) => told.push(line),
          pausesMs: PAUSES_MS,
        }),
        into,
      ),
    )
  before(async () => {
    const urls = [await newDatabase(it, "t_alpha"), await newDatabase(it, "t_beta")]
    db = await openWith(
      new Map([
        ["alpha", Redacted.make(urls[0]!)],
        ["beta", Redacted.make(urls[1]!)],
        ["nowhere", Redacted.make("postgres://u:S3CRET-password@127.0.0.1:1/none")],
      ]),
    )
    const make = async (slug: string): Promise<TenantId> =>
      (await run(createTenant(db, { slug, name: slug, demo: false }))).id
    home = await make("home")
    alpha = await make("alpha")
    beta = await make("beta")
  })
  after(() => run(Scope.close(scope, Exit.void)))

  const addSite = (tenant: TenantId, name: string) =>
    run(
      db.tenant(tenant)((tx) =>
        tx.query("insert into site (tenant_id, site_id, name, latitude, longitude) values ($1, $2, $2, 0, 0)", [
          tenant,
          name,
        ]),
      ),
    )
  const sitesIn = async (database: string): Promise<readonly string[]> => {
    const client = new Client({ connectionString: adminUrl(it, database) })
    await client.connect()
    const { rows } = await client.query("select site_id from heliograph.site order by 1")
    await client.end()
    return rows.map((row: { site_id: string }) => row.site_id)
  }

  test("[T3] each tenant's rows are in its own database and nowhere else; others stay at home", async () => {
    await addSite(home, "at-home")
    await addSite(alpha, "in-alpha")
    await addSite(beta, "in-beta")
    assert.deepEqual(await sitesIn("heliograph"), ["at-home"])
    assert.deepEqual(await sitesIn("t_alpha"), ["in-alpha"])
    assert.deepEqual(await sitesIn("t_beta"), ["in-beta"])
  })

  test("[T3] an own database has the same schema, roles and row security, and the audit finds nothing in it", async () => {
    for (const slug of ["alpha", "beta"])
      assert.deepEqual(await run(auditRls(db.own.get(slug)?.urls()?.ownerUrl ?? "")), [], slug)
    const others = await run(db.tenant(alpha)((tx) => tx.query("select 1 from site where tenant_id <> $1", [alpha])))
    assert.equal(others.rowCount, 0)
    const refused = await run(
      Effect.flip(db.tenant(alpha)((tx) => tx.query("insert into site values ($1, 'x', 'x', 0, 0)", [beta]))),
    )
    assert.equal((refused as DbError).code, "42501")
  })

  test("[T3] the engine role works in every database that is there, the home database first", async () => {
    const names = await run(
      Effect.forEach(db.engines, (engine) =>
        engine(async (tx) => (await tx.query<{ name: string }>("select current_database() as name")).rows[0]!.name),
      ),
    )
    assert.deepEqual(names, ["heliograph", "t_alpha", "t_beta"])
  })

  test("[T3] the copied tenant row follows the directory, and an unknown tenant finds nothing anywhere", async () => {
    await run(it.db.engine((tx) => tx.query("update tenant set name = 'Alpha Ltd' where tenant_id = $1", [alpha])))
    await run(db.tenantChanged(alpha))
    const { rows } = await run(db.tenant(alpha)((tx) => tx.query("select name from tenant")))
    assert.deepEqual(rows, [{ name: "Alpha Ltd" }])
    const nobody = "00000000-0000-7000-8000-000000000000" as TenantId
    assert.equal((await run(db.tenant(nobody)((tx) => tx.query("select 1 from site")))).rowCount, 0)
  })

  test("[T3] a database that never answers leaves only its tenant out, and no word of its URL is told", async () => {
    assert.equal(db.own.get("nowhere")?.state().kind, "away")
    const nowhere = (await run(createTenant(db, { slug: "nowhere", name: "n", demo: false }))).id
    const startedMs = performance.now()
    const error = await run(Effect.flip(db.tenant(nowhere)((tx) => tx.query("select 1"))))
    assert.ok(error instanceof DbError && error.isAway, String(error))
    assert.ok(performance.now() - startedMs < 2_000, "it is not waited for")
    assert.equal(told.filter((line) => line.includes("nowhere")).length, 1, told.join("\n"))
    assert.ok(!`${told.join()}${error.message}`.includes("S3CRET"))
    await addSite(home, "still-here")
  })

  test("[T3] a database goes away in mid-run: others are answered as before, and it comes back by itself", async (t) => {
    const others = [home, beta]
    const measure = async (rounds: number): Promise<{ readonly p50: number; readonly p99: number }> => {
      const times: number[] = []
      for (let round = 0; round < rounds; round++)
        for (const tenant of others) {
          const startedMs = performance.now()
          await run(db.ingest(tenant)((tx) => tx.query("select count(*) from site")))
          times.push(performance.now() - startedMs)
        }
      times.sort((x, y) => x - y)
      return { p50: times[times.length >> 1]!, p99: times[Math.floor(times.length * 0.99)]! }
    }
    await measure(50)
    const before = await measure(300)
    await takeAway(it, "t_alpha")
    // Whoever uses it goes on trying, as its fleet and viewers would.
    const asking = new AbortController()
    const answers = { away: 0, other: 0 }
    const crowd = Array.from({ length: 8 }, async () => {
      do {
        const error = await run(Effect.flip(db.ingest(alpha)((tx) => tx.query("select 1")))).catch(() => null)
        if (error instanceof DbError && error.isAway) answers.away += 1
        else answers.other += 1
        await sleep(5)
      } while (!asking.signal.aborted)
    })
    const during = await measure(300)
    asking.abort()
    await Promise.all(crowd)
    const words = (of: "p50" | "p99"): string =>
      `${of} ${before[of].toFixed(2)} ms before, ${during[of].toFixed(2)} ms while one is away`
    t.diagnostic(`the others: ${words("p50")}; ${words("p99")}`)
    assert.ok(answers.away > 20 && answers.other === 0, JSON.stringify(answers))
    assert.equal(db.own.get("alpha")?.state().kind, "away")
    assert.equal(db.engines.length, 2)
    // The usual one: a p99 is the machine's own pauses. Waiting for the one that is away would be in each.
    assert.ok(during.p50 < before.p50 * 3 + 50, words("p50"))
    await bringBack(it, "t_alpha")
    await run(db.own.get("alpha")!.whenOpen.pipe(Effect.timeout(60_000)))
    await addSite(alpha, "after-the-outage")
    assert.deepEqual(await sitesIn("t_alpha"), ["after-the-outage", "in-alpha"])
  })

  test("[T3] rows that are still in the home database are not lost from sight: the tenant is refused", async () => {
    const own = Scope.makeUnsafe()
    const late = await run(createTenant(it.db, { slug: "late", name: "late", demo: false }))
    await run(
      it.db.ingest(late.id)((tx) => tx.query("insert into tenant_lease values ($1, 1, 'engine', 1)", [late.id])),
    )
    const moved = await openWith(new Map([["late", Redacted.make(await newDatabase(it, "t_late"))]]), own)
    const error = await run(Effect.flip(moved.tenant(late.id)((tx) => tx.query("select 1"))))
    assert.match((error as DbError).message, /still has its rows in the home database/)
    await run(Scope.close(own, Exit.void))
  })

  test("[T3] the home database, or another tenant's, is nobody's own", async () => {
    const own = Scope.makeUnsafe()
    const socket = new URL(adminUrl(it, "t_beta"))
    socket.searchParams.set("application_name", "another-name-for-it")
    const wrong = await openWith(
      new Map([
        ["greedy", Redacted.make(adminUrl(it, "heliograph"))],
        ["one", Redacted.make(adminUrl(it, "t_beta"))],
        ["two", Redacted.make(socket.toString())],
      ]),
      own,
    )
    assert.match(JSON.stringify(wrong.own.get("greedy")?.state()), /home database itself/)
    const states = ["one", "two"].map((slug) => wrong.own.get(slug)?.state().kind)
    assert.deepEqual(states.toSorted(), ["away", "open"])
    await run(Scope.close(own, Exit.void))
  })

  test("[T3] a hole in an own database keeps this tenant out, and only this one", async () => {
    const admin = new Client({ connectionString: adminUrl(it, "t_beta") })
    await admin.connect()
    await admin.query("alter table heliograph.site no force row level security")
    const own = Scope.makeUnsafe()
    const holed = await openWith(new Map([["beta", Redacted.make(adminUrl(it, "t_beta"))]]), own)
    assert.match(JSON.stringify(holed.own.get("beta")?.state()), /site: tenant table without forced row security/)
    await admin.query("alter table heliograph.site force row level security")
    await run(holed.own.get("beta")!.whenOpen.pipe(Effect.timeout(60_000)))
    await admin.end()
    await run(Scope.close(own, Exit.void))
  })

  test("[T3] without such databases nothing changes", async () => {
    const plain = await openWith(new Map())
    assert.deepEqual([plain.own.size, plain.engines.length], [0, 1])
    const own = Scope.makeUnsafe()
    const direct = await run(Scope.provide(openDb(it.database), own))
    assert.deepEqual(Object.keys(direct).toSorted(), ["engine", "engines", "ingest", "tenant"])
    await run(Scope.close(own, Exit.void))
  })
})
