/** Transactions by tenant on a real PostgreSQL: isolation through the pool, honest failures, interruption, recovery. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { tenantId } from "#protocol/id.ts"
import { NO_POSTGRES, useTestDatabase } from "#engine/storage/database.fixture.ts"
import { DbError, openDb } from "#engine/storage/db.ts"

class Refused extends Data.TaggedError("Refused")<{ readonly why: string }> {}
const run = Effect.runPromise

describe("db", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()

  /** Statements of the app role with this text that run on the server (another role would not be shown them). */
  const busy = async (marker: string): Promise<number> => {
    const { rows } = await run(
      it.db.ingest(await it.newTenant())((tx) =>
        tx.query<{ n: number }>(
          "select count(*)::int as n from pg_stat_activity where state = 'active' and query like $1 and pid <> pg_backend_pid()",
          [`%${marker}%`],
        ),
      ),
    )
    return rows[0]!.n
  }
  const until = async (condition: () => Promise<boolean>, what: string): Promise<void> => {
    for (let tries = 0; !(await condition()); tries++) {
      assert.ok(tries < 3_000, `timed out: ${what}`)
      await sleep(20)
    }
  }

  test("[T1] 400 interleaved transactions of 8 tenants over 10 connections each see only their own rows", async () => {
    const tenants = await Promise.all(Array.from({ length: 8 }, () => it.newTenant()))
    const insert = "insert into site (tenant_id, site_id, name, latitude, longitude) values ($1, $2, 'x', 0, 0)"
    await Promise.all(
      Array.from({ length: 400 }, (_, i) => {
        const tenant = tenants[i % 8]!
        const one = it.db.tenant(tenant)(async (tx) => {
          await tx.query(insert, [tenant, `site-${i}`])
          const { rows } = await tx.query<{ tenant_id: string }>("select distinct tenant_id from site")
          assert.deepEqual(
            rows.map((row) => row.tenant_id),
            [tenant],
          )
        })
        // Who has waited five seconds for a connection is told so: on a very busy machine some of 400 are.
        return run(Effect.retry(one, { times: 50, while: (error) => error instanceof DbError && error.isAway }))
      }),
    )
    const unset = it.db.engine((tx) => tx.query("select current_setting('app.tenant_id', true) as it"))
    assert.equal((await run(unset)).rows[0]?.["it"] ?? "", "")
  })

  test("[T1] writing another tenant's row fails with 42501, and nothing of the transaction stays", async () => {
    const [a, b] = [await it.newTenant(), await it.newTenant()]
    const sql = "insert into site (tenant_id, site_id, name, latitude, longitude) values ($1, 'pop', 'x', 0, 0)"
    const error = await run(
      Effect.flip(
        it.db.tenant(a)(async (tx) => {
          await tx.query(sql, [a])
          await tx.query(sql, [b])
        }),
      ),
    )
    assert.ok(error instanceof DbError)
    assert.equal(error.code, "42501")
    assert.equal((await run(it.db.tenant(a)((tx) => tx.query("select 1 from site")))).rowCount, 0)
  })

  test("a tenant id that is not a uuid never reaches SQL", async () => {
    assert.throws(() => it.db.tenant(tenantId("x'; drop table site; --")), RangeError)
  })

  test("an SQL error that the body swallowed makes the transaction fail: it is never a silent rollback", async () => {
    const tenant = await it.newTenant()
    const error = await run(
      Effect.flip(
        it.db.tenant(tenant)(async (tx) => {
          await tx.query("select 1 / 0").catch(() => {})
          return "looks fine"
        }),
      ),
    )
    assert.equal((error as DbError).code, "25P02")
  })

  test("errors say what failed without the values: a unique violation and a bad cast", async () => {
    const tenant = await it.newTenant()
    const insert =
      "insert into site (tenant_id, site_id, name, latitude, longitude) values ($1, 's3cret-id', 'x', 0, 0)"
    const twice = it.db.tenant(tenant)(async (tx) => {
      await tx.query(insert, [tenant])
      await tx.query(insert, [tenant])
    })
    const violation = (await run(Effect.flip(twice))) as DbError
    assert.deepEqual([violation.code, violation.table, violation.constraint], ["23505", "site", "site_pkey"])
    const cast = (await run(
      Effect.flip(it.db.tenant(tenant)((tx) => tx.query("select $1::text::uuid", ["s3cret"]))),
    )) as DbError
    assert.equal(cast.code, "22P02")
    for (const error of [violation, cast]) {
      assert.ok(
        !JSON.stringify(error).includes("s3cret") &&
          !error.message.includes("s3cret") &&
          !String(error.stack).includes("s3cret"),
      )
    }
  })

  test("a typed failure of the body rolls back and comes out as itself, from promises and effects; anything else is a defect", async () => {
    const tenant = await it.newTenant()
    const insert = "insert into site (tenant_id, site_id, name, latitude, longitude) values ($1, 'pop', 'x', 0, 0)"
    const byPromise = it.db.tenant(tenant)<void, Refused>(async (tx) => {
      await tx.query(insert, [tenant])
      throw new Refused({ why: "promise" })
    })
    const byEffect = it.db.tenant(tenant)<void, Refused>((tx) =>
      Effect.andThen(
        Effect.promise(() => tx.query(insert, [tenant])),
        Effect.fail(new Refused({ why: "effect" })),
      ),
    )
    assert.equal(((await run(Effect.flip(byPromise))) as Refused).why, "promise")
    assert.equal(((await run(Effect.flip(byEffect))) as Refused).why, "effect")
    await assert.rejects(run(it.db.tenant(tenant)(async () => Promise.reject(new TypeError("bug")))), TypeError)
    assert.equal((await run(it.db.tenant(tenant)((tx) => tx.query("select 1 from site")))).rowCount, 0)
  })

  test("interruption returns at once, and the statement is cancelled on the server", async () => {
    const tenant = await it.newTenant()
    const fiber = Effect.runFork(it.db.tenant(tenant)((tx) => tx.query("select pg_sleep(25) /* long one */")))
    await until(async () => (await busy("long one")) === 1, "the statement runs")
    const began = performance.now()
    await run(Fiber.interrupt(fiber))
    assert.ok(performance.now() - began < 5_000)
    await until(async () => (await busy("long one")) === 0, "the statement is gone")
  })

  test("after all backends were killed the pool works again, and the process lives", async () => {
    const tenant = await it.newTenant()
    await Promise.all(
      Array.from({ length: 10 }, () => run(it.db.tenant(tenant)((tx) => tx.query("select pg_sleep(0.02)")))),
    )
    const kill =
      "select pg_terminate_backend(pid) from pg_stat_activity where usename = current_user and pid <> pg_backend_pid()"
    const inFlight = Effect.runPromiseExit(it.db.tenant(tenant)((tx) => tx.query("select pg_sleep(20)")))
    await sleep(50)
    await run(it.db.tenant(tenant)((tx) => tx.query(kill)))
    assert.equal((await inFlight)._tag, "Failure")
    const again = it.db.tenant(tenant)((tx) => tx.query("select 1"))
    await run(Effect.retry(again, { times: 20 }))
  })

  test("a database that cannot be reached is a DbError that says so, without the password", async () => {
    const appUrl = "postgres://app:s3cret@127.0.0.1:1/none"
    const error = await run(
      Effect.scoped(
        Effect.flatMap(openDb({ appUrl, engineUrl: appUrl }), (db) =>
          Effect.flip(db.engine((tx) => tx.query("select 1"))),
        ),
      ),
    )
    assert.ok(error instanceof DbError && error.isAway)
    assert.ok(!`${error.message}${error.stack}`.includes("s3cret"))
  })
})
