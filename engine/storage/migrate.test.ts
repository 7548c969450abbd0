/** Migrations on a real PostgreSQL: once, in order, atomic, refused when edited, polite to readers. */
import assert from "node:assert/strict"
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, test, type TestContext } from "node:test"
import { Client } from "pg"
import * as Effect from "effect/Effect"
import { MIGRATIONS, NO_POSTGRES, tempDataDir, useTestDatabase } from "#engine/storage/database.fixture.ts"
import { migrate, type MigrateOptions, type MigrationFailed, type MigrationReport } from "#engine/storage/migrate.ts"

describe("migrate", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()

  /** The real migrations, which are applied, and some more. */
  const dirWith = (t: TestContext, more: Readonly<Record<string, string>>): string => {
    const dir = join(tempDataDir(t), "migrations")
    mkdirSync(dir)
    for (const name of readdirSync(MIGRATIONS)) writeFileSync(join(dir, name), readFileSync(join(MIGRATIONS, name)))
    for (const [name, sql] of Object.entries(more)) writeFileSync(join(dir, name), sql)
    return dir
  }
  const apply = (dir: string, more: Partial<MigrateOptions> = {}): Promise<MigrationReport> =>
    Effect.runPromise(migrate({ ownerUrl: it.database.ownerUrl, dir, log: () => {}, ...more }))
  const failure = async (dir: string, more: Partial<MigrateOptions> = {}): Promise<MigrationFailed> =>
    (await apply(dir, more).then(
      () => assert.fail("it must not apply"),
      (error: unknown) => error,
    )) as MigrationFailed
  const owner = async (sql: string): Promise<readonly Record<string, unknown>[]> => {
    const client = new Client({ connectionString: it.database.ownerUrl })
    await client.connect()
    try {
      const result = await client.query(sql)
      return result.rows as readonly Record<string, unknown>[]
    } finally {
      await client.end()
    }
  }

  test("applied once: a second run does nothing, five runners at once apply a new file once", async (t) => {
    assert.deepEqual(await apply(MIGRATIONS), { applied: [], newer: [] })
    const dir = dirWith(t, { "9001_once.sql": "create table once (n int); insert into once values (1)" })
    const reports = await Promise.all(Array.from({ length: 5 }, () => apply(dir)))
    assert.deepEqual(
      reports.flatMap((report) => report.applied),
      ["9001_once.sql"],
    )
    assert.deepEqual(await owner("select n from once"), [{ n: 1 }])
  })

  test("a file that fails leaves nothing behind and is named with its line", async (t) => {
    const dir = dirWith(t, { "9100_bad.sql": "create table half (n int);\n\ncreate table worse (n nonsense);\n" })
    const failed = await failure(dir)
    assert.equal(failed._tag, "MigrationFailed")
    assert.match(failed.message, /^9100_bad\.sql:3: type "nonsense" does not exist \(42704\)/)
    assert.deepEqual(await owner("select to_regclass('half') as half"), [{ half: null }])
  })

  test("a file that was applied and edited is refused; the same text with CRLF is not an edit", async (t) => {
    const text = "create table kept_as_is (n int);\ninsert into kept_as_is values (1);\n"
    const dir = dirWith(t, { "9200_kept.sql": text })
    await apply(dir)
    writeFileSync(join(dir, "9200_kept.sql"), text.replaceAll("\n", "\r\n"))
    assert.deepEqual((await apply(dir)).applied, [])
    writeFileSync(join(dir, "9200_kept.sql"), `${text}-- a small edit\n`)
    assert.match((await failure(dir)).message, /9200_kept\.sql was changed after/)
  })

  test("a database that is newer than the build is a warning; a file out of order and a bad name are refused", async (t) => {
    await apply(dirWith(t, { "9300_newer.sql": "create table newer (n int)" }))
    const lines: string[] = []
    const report = await apply(MIGRATIONS, { log: (line) => lines.push(line) })
    assert.ok(report.newer.includes("9300_newer.sql"))
    assert.ok(lines.some((line) => line.includes("newer than this build")))
    const late = dirWith(t, { "9300_newer.sql": "create table newer (n int)", "9299_late.sql": "select 1" })
    assert.match((await failure(late)).message, /9299_late\.sql comes before 9300_newer\.sql/)
    assert.match((await failure(dirWith(t, { "oops.sql": "select 1" }))).message, /not named NNNN_words/)
    assert.match((await failure(dirWith(t, { "0001_again.sql": "select 1" }))).message, /number 0001 is taken/)
  })

  test("a table in use is waited for in short attempts, so that its readers are not stalled", async (t) => {
    await owner("create table busy (n int)")
    const dir = dirWith(t, { "9400_alter.sql": "alter table busy add column m int" })
    const reader = new Client({ connectionString: it.database.ownerUrl })
    await reader.connect()
    t.after(() => reader.end())
    await reader.query("begin; select * from busy")
    const waiting: string[] = []
    const applying = apply(dir, { lockTimeoutMs: 100, log: (line) => waiting.push(line) })
    while (!waiting.some((line) => line.includes("waits for a table")))
      await new Promise((done) => setTimeout(done, 10))
    assert.deepEqual(await owner("select count(*)::int as n from busy"), [{ n: 0 }])
    await reader.query("commit")
    assert.deepEqual((await applying).applied, ["9400_alter.sql"])
    const gives = dirWith(t, {
      "9400_alter.sql": "alter table busy add column m int",
      "9401_more.sql": "alter table busy add o int",
    })
    await reader.query("begin; select * from busy")
    assert.match((await failure(gives, { lockTimeoutMs: 20, attempts: 2 })).message, /9401_more\.sql.*55P03/)
    await reader.query("rollback")
  })

  test("a `-- no-transaction` file runs outside a transaction", async (t) => {
    await owner("create table indexed (n int)")
    const sql = "-- no-transaction\ncreate index concurrently indexed_n on indexed (n)"
    assert.deepEqual(
      (await apply(dirWith(t, { "9400_alter.sql": "alter table busy add column m int", "9500_index.sql": sql })))
        .applied,
      ["9500_index.sql"],
    )
    assert.deepEqual(await owner("select indisvalid as ok from pg_index where indexrelid = 'indexed_n'::regclass"), [
      { ok: true },
    ])
  })
})
