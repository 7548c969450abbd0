/** [O3] A backup is whole or refused, and what is restored is what was: on the same server, a new one, an older schema. */
import assert from "node:assert/strict"
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, test, type TestContext } from "node:test"
import { zstdCompressSync, zstdDecompressSync } from "node:zlib"
import { Client } from "pg"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import fc from "fast-check"
import { writeBackup } from "#engine/backup/backup.ts"
import { readBackup } from "#engine/backup/read.ts"
import { restoreBackup, type RestoreOptions } from "#engine/backup/restore.ts"
import { tablesInOrder } from "#engine/backup/tables.ts"
import { auditRls } from "#engine/storage/audit-rls.ts"
import { MIGRATIONS, NO_POSTGRES, tempDataDir, useTestDatabase } from "#engine/storage/database.fixture.ts"
import { dropPartitions, PARTITIONED } from "#engine/storage/partitions.ts"
import { openDatabase } from "#engine/storage/launcher.ts"
import { migrate } from "#engine/storage/migrate.ts"
import { seedEveryTable } from "#engine/storage/seed.fixture.ts"

/** A server of its own, empty: where a backup is restored to. */
const emptyServer = async (t: TestContext): Promise<string> => {
  const scope = Scope.makeUnsafe()
  t.after(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  const dataDir = tempDataDir(t)
  const { ownerUrl } = await Effect.runPromise(
    Scope.provide(openDatabase({ dataDir, app: "heliograph", log: () => {} }), scope),
  )
  return ownerUrl
}

const asOwner = async <A>(ownerUrl: string, use: (client: Client) => Promise<A>): Promise<A> => {
  const client = new Client({ connectionString: ownerUrl })
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}

/** Every row of every table as text, sorted: equal contents are equal values. */
const contents = (ownerUrl: string): Promise<Record<string, readonly string[]>> =>
  asOwner(ownerUrl, async (client) => {
    const all: Record<string, readonly string[]> = {}
    for (const { name } of await tablesInOrder(client)) {
      const { rows } = await client.query<{ row: string }>(
        `select to_jsonb(t)::text as row from heliograph."${name}" t`,
      )
      all[name] = rows.map(({ row }) => row).sort()
    }
    return all
  })

describe("backup", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()
  const restore = (ownerUrl: string, file: string, more: Partial<RestoreOptions> = {}) =>
    restoreBackup({ ownerUrl, file, migrations: MIGRATIONS, replace: false, log: () => {}, ...more })

  test("[O3] every table of two tenants comes back exactly, isolation included, on a server that never saw them", async (t) => {
    const { ownerUrl } = it.database
    for (const tenant of [await it.newTenant(), await it.newTenant()])
      await asOwner(ownerUrl, (client) => seedEveryTable(client, tenant))
    const before = await contents(ownerUrl)
    assert.ok(
      Object.values(before).every((rows) => rows.length > 0),
      "every table has a row to lose",
    )
    const file = join(tempDataDir(t), "backup.zst")
    const report = await writeBackup(ownerUrl, file, 1_700_000_000_000)
    assert.equal(
      report.rows,
      Object.values(before).reduce((sum, rows) => sum + rows.length, 0),
    )
    const target = await emptyServer(t)
    const restored = await restore(target, file)
    assert.deepEqual([restored.rows, restored.createdMs], [report.rows, 1_700_000_000_000])
    assert.deepEqual(await contents(target), before)
    assert.deepEqual(await Effect.runPromise(auditRls(target)), [])
  })

  test("[O3] what people and devices write survives: any text, any bytes, any number", async (t) => {
    const tenant = await it.newTenant()
    const { ownerUrl } = it.database
    const nasty = ["\u2028line\u2029", "a\nb\r\n\t\\", '{"end":"site"', "\\x00", "ÿ\u{1F600}", "\u0001", "%_'\"", "NaN"]
    const texts = [...nasty, ...fc.sample(fc.string({ unit: "grapheme", maxLength: 40 }), 50)].map((text) =>
      text.replaceAll("\0", "").toWellFormed(),
    )
    await asOwner(ownerUrl, async (client) => {
      for (const [i, text] of texts.entries())
        await client.query("insert into site values ($1, $2, $3, $4, $5)", [tenant, `s${i}`, text, 0.1 + 0.2, -1e-7])
      for (const [seq, size] of [1, 255, 70_000].entries())
        await client.query("insert into snapshot values ($1, $2, 1, 1, $3)", [
          tenant,
          seq,
          Buffer.from(Array.from({ length: size }, (_, i) => (i * 31) % 256)),
        ])
    })
    const file = join(tempDataDir(t), "backup.zst")
    await writeBackup(ownerUrl, file, 1)
    const target = await emptyServer(t)
    await restore(target, file)
    assert.deepEqual(await contents(target), await contents(ownerUrl))
  })

  test("[O3] a table of a later migration is never forgotten, and an older backup is brought on", async (t) => {
    const source = await emptyServer(t)
    const dir = join(tempDataDir(t), "migrations")
    mkdirSync(dir)
    for (const name of readdirSync(MIGRATIONS).filter((one) => one < "0005"))
      cpSync(join(MIGRATIONS, name), join(dir, name))
    await Effect.runPromise(migrate({ ownerUrl: source, dir, log: () => {} }))
    await asOwner(source, (client) =>
      client.query("insert into tenant values ('01890000-0000-7000-8000-000000000001', 'old', 'Old', false, 1)"),
    )
    const file = join(tempDataDir(t), "old.zst")
    await writeBackup(source, file, 1)
    const target = await emptyServer(t)
    await restore(target, file)
    const { tenant, audit_entry: audit } = await contents(target)
    assert.deepEqual([tenant?.length, audit], [1, []])
    // And the other way: what this build does not know it refuses.
    const newer = join(dir, "9001_later.sql")
    writeFileSync(newer, "create table later (n int); insert into later values (7)")
    for (const name of readdirSync(MIGRATIONS)) cpSync(join(MIGRATIONS, name), join(dir, name))
    const ahead = await emptyServer(t)
    await Effect.runPromise(migrate({ ownerUrl: ahead, dir, log: () => {} }))
    await writeBackup(ahead, file, 1)
    assert.ok((await readBackup(file)).manifest.tables["later"]?.rows === 1)
    await assert.rejects(restore(await emptyServer(t), file), /newer Heliograph.*9001_later/)
  })

  test("[O3] a database that is in use is refused untouched; --replace makes room", async (t) => {
    const { ownerUrl } = it.database
    const file = join(tempDataDir(t), "backup.zst")
    const before = await contents(ownerUrl)
    await writeBackup(ownerUrl, file, 1)
    await asOwner(ownerUrl, (client) =>
      client.query("insert into tenant values ('01890000-0000-7000-8000-00000000000f', 'late', 'Late', false, 1)"),
    )
    const changed = await contents(ownerUrl)
    await assert.rejects(restore(ownerUrl, file), /holds \d+ tenants? already/)
    assert.deepEqual(await contents(ownerUrl), changed)
    await restore(ownerUrl, file, { replace: true })
    assert.deepEqual(await contents(ownerUrl), before)
  })

  test("[O3] rows of times that the database has no partition for any more are restored all the same", async (t) => {
    const tenant = await it.newTenant()
    const { ownerUrl } = it.database
    await asOwner(ownerUrl, (client) => seedEveryTable(client, tenant))
    const file = join(tempDataDir(t), "backup.zst")
    await writeBackup(ownerUrl, file, 1)
    const before = await contents(ownerUrl)
    // The rows of the fixture are of 1970: their partitions are the first that an engine drops.
    const all = Object.fromEntries(PARTITIONED.map(({ parent }) => [parent, Number.MAX_SAFE_INTEGER]))
    const dropped = await dropPartitions(ownerUrl, all)
    assert.ok(dropped.includes("chunk_before") && dropped.includes("event_before"), dropped.join(" "))
    await restore(ownerUrl, file, { replace: true })
    assert.deepEqual(await contents(ownerUrl), before)
    assert.deepEqual(await Effect.runPromise(auditRls(ownerUrl)), [])
  })

  test("[O3] any change of the file is found, and a database is never half filled", async (t) => {
    const { ownerUrl } = it.database
    const file = join(tempDataDir(t), "backup.zst")
    await writeBackup(ownerUrl, file, 1)
    const whole = zstdDecompressSync(readFileSync(file)).toString("utf8")
    const lines = whole.split("\n")
    const target = await emptyServer(t)
    await Effect.runPromise(migrate({ ownerUrl: target, dir: MIGRATIONS, log: () => {} }))
    const rows = lines.flatMap((line, i) => (/^\{"(table|end|manifest|format)":/.test(line) || line === "" ? [] : [i]))
    const damages: ReadonlyArray<readonly [what: string, text: string]> = [
      ["a row is missing", lines.toSpliced(rows[3]!, 1).join("\n")],
      ["a row is there twice", lines.toSpliced(rows[3]!, 0, lines[rows[3]!]!).join("\n")],
      ["a digit is another", lines.with(rows[0]!, lines[rows[0]!]!.replace(/\d(?=\D*$)/, "x")).join("\n")],
      ["it is cut off", lines.slice(0, -4).join("\n")],
      ["something follows", `${whole}{}\n`],
      ["it is no backup", "{}\n"],
      ["it is nothing", ""],
    ]
    for (const [what, text] of damages) {
      writeFileSync(file, zstdCompressSync(text))
      await assert.rejects(restore(target, file, { replace: true }), { _tag: "BackupUnreadable" }, what)
    }
    writeFileSync(file, readFileSync(file).subarray(0, 20))
    await assert.rejects(restore(target, file), { _tag: "BackupUnreadable" })
    await assert.rejects(restore(target, join(file, "nowhere")), { _tag: "BackupUnreadable" })
    assert.ok(Object.values(await contents(target)).every((all) => all.length === 0))
  })

  test("[O3] taken while others write, it is one moment: a row never without the row it refers to", async (t) => {
    const { ownerUrl } = it.database
    const tenant = await it.newTenant()
    const writing = new AbortController()
    const writer = asOwner(ownerUrl, async (client) => {
      for (let i = 0; !writing.signal.aborted; i++) {
        await client.query("begin")
        await client.query("insert into site values ($1, $2, '', 0, 0)", [tenant, `p${i}`])
        await client.query(
          "insert into device (tenant_id, device_id, name, address, site_id, roles, poll_seconds) values ($1, gen_random_uuid(), $2, '10.0.0.1', $3, '{}', 30)",
          [tenant, `r${i}`, `p${i}`],
        )
        await client.query("commit")
      }
    })
    const file = join(tempDataDir(t), "backup.zst")
    await writeBackup(ownerUrl, file, 1)
    writing.abort()
    await writer
    const target = await emptyServer(t)
    await restore(target, file)
    const { site, device } = await contents(target)
    const ours = (rows: readonly string[] | undefined) => rows?.filter((row) => row.includes(tenant)).length
    assert.equal(ours(site), ours(device))
  })
})
