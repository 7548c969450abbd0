/** The migration to partitions on a database that is full: every row is still there, old rows are reached through the parent. */
import assert from "node:assert/strict"
import { cpSync, mkdirSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { describe, test } from "node:test"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { Client } from "pg"
import { auditRls } from "#engine/storage/audit-rls.ts"
import { MIGRATIONS, NO_POSTGRES, tempDataDir } from "#engine/storage/database.fixture.ts"
import { openDatabase } from "#engine/storage/launcher.ts"
import { migrate } from "#engine/storage/migrate.ts"
import { ensurePartitions, listPartitions } from "#engine/storage/partitions.ts"
import { DAY_MS } from "#engine/storage/rollup.ts"
import { uuidv7 } from "#engine/storage/uuidv7.ts"

describe("the migration to partitions", { skip: NO_POSTGRES }, () => {
  test("[O5] rows of before it stay, of a clock that was ahead too, and new ones go into partitions of their own", async (t) => {
    const scope = Scope.makeUnsafe()
    t.after(() => Effect.runPromise(Scope.close(scope, Exit.void)))
    const dataDir = tempDataDir(t)
    const { ownerUrl } = await Effect.runPromise(
      Scope.provide(openDatabase({ dataDir, app: "heliograph", log: () => {} }), scope),
    )
    const old = join(dataDir, "old-migrations")
    mkdirSync(old)
    for (const name of readdirSync(MIGRATIONS)) if (name < "0016") cpSync(join(MIGRATIONS, name), join(old, name))
    const to = (dir: string) => Effect.runPromise(migrate({ ownerUrl, dir, log: () => {} }))
    await to(old)
    const owner = new Client({ connectionString: ownerUrl })
    owner.on("error", () => {})
    await owner.connect()
    t.after(() => owner.end().catch(() => {}))
    const tenant = uuidv7()
    await owner.query("insert into tenant (tenant_id, slug, name, demo, created_ms) values ($1, 'a', 'A', false, 1)", [
      tenant,
    ])
    const ahead = Date.now() + 40 * DAY_MS
    const insert = (atMs: number) =>
      owner.query(
        `insert into chunk (tenant_id, device_id, source, t0, t1, seq0, seq1, polls, data)
         values ($1, gen_random_uuid(), 'snmp', $2::bigint, $2::bigint, $2::bigint, $2::bigint, 1, '\\x07')`,
        [tenant, atMs],
      )
    const insertEvent = (atMs: number) =>
      owner.query(
        `insert into event (tenant_id, seq, idx, at_ms, type, severity, subject, subject_kind, entity, source)
         values ($1, $2::bigint, 0, $2::bigint, 'a', 'info', 'b', 'device', '', 'snmp')`,
        [tenant, atMs],
      )
    for (const atMs of [5, Date.now(), ahead]) {
      await insert(atMs)
      await insertEvent(atMs)
    }
    const rows = async (table: string) =>
      (await owner.query(`select to_jsonb(t)::text as row from ${table} t order by 1`)).rows
    const before = [await rows("chunk"), await rows("event")]
    await to(MIGRATIONS)
    assert.deepEqual([await rows("chunk"), await rows("event")], before)
    assert.deepEqual(await Effect.runPromise(auditRls(ownerUrl)), [])
    const [past] = await listPartitions(ownerUrl, "chunk")
    assert.ok(past!.fromMs === null && past!.toMs > ahead && past!.toMs <= ahead + DAY_MS)
    // What is beyond it gets partitions of its own, from where it ends.
    await ensurePartitions(ownerUrl, Date.now(), ahead + 3 * DAY_MS)
    await insert(ahead + 2 * DAY_MS)
    await insertEvent(ahead + 2 * DAY_MS)
    const { rows: where } = await owner.query("select count(distinct tableoid)::int as parts from chunk")
    assert.equal(where[0].parts, 2)
    // The index of the old rows belongs to the parent's: no second one was built.
    const indexes = await owner.query(
      "select count(*)::int as n from pg_index where indrelid = 'chunk_before'::regclass",
    )
    assert.equal(indexes.rows[0].n, 2)
  })
})
