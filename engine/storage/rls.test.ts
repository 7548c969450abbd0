/** Row security on the real catalogue and the real roles: PRODUCT.md T1 on every table that has a tenant_id. */
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import test, { after, before, describe } from "node:test"
import { Client } from "pg"
import * as Effect from "effect/Effect"
import type { TenantId } from "#protocol/id.ts"
import { auditRls } from "#engine/storage/audit-rls.ts"
import { NO_POSTGRES, useTestDatabase, type TestDatabase } from "#engine/storage/database.fixture.ts"
import { seedEveryTable } from "#engine/storage/seed.fixture.ts"

describe("row security", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()
  let a: TenantId
  let b: TenantId
  let owner: Client
  let app: Client
  let tables: readonly string[]

  before(async () => {
    a = await it.newTenant()
    b = await it.newTenant()
    owner = new Client({ connectionString: it.database.ownerUrl })
    app = new Client({ connectionString: it.database.appUrl })
    for (const client of [owner, app]) {
      client.on("error", () => {})
      await client.connect()
    }
    await seedEveryTable(owner, a)
    await seedEveryTable(owner, b)
    const { rows } = await owner.query(
      `select c.oid::regclass::text as name from pg_class c join pg_attribute t on t.attrelid = c.oid
       where t.attname = 'tenant_id' and c.relkind in ('r', 'p') and not c.relispartition order by 1`,
    )
    tables = rows.map((row: { name: string }) => row.name)
  })
  after(async () => {
    await owner.end()
    await app.end()
  })

  const count = async (client: Client, table: string, tenant: string): Promise<number> => {
    const { rows } = await client.query(`select count(*)::int as n from ${table} where tenant_id = $1`, [tenant])
    return rows[0].n as number
  }
  const asTenant = async (tenant: string, body: () => Promise<void>): Promise<void> => {
    await app.query("begin")
    await app.query("select set_config('app.tenant_id', $1, true)", [tenant])
    try {
      await body()
    } finally {
      await app.query("rollback")
    }
  }

  test("[T1] every tenant table holds rows of both tenants, so that the rules below can fail", async () => {
    assert.ok(tables.length >= 14, tables.join(" "))
    for (const table of tables) {
      for (const tenant of [a, b]) assert.ok((await count(owner, table, tenant)) > 0, `${table} is not seeded`)
    }
  })

  test("[T1] tenant A reads its own rows and 0 rows of B on every table", async () => {
    await asTenant(a, async () => {
      for (const table of tables) {
        assert.ok((await count(app, table, a)) > 0, table)
        assert.equal(await count(app, table, b), 0, table)
      }
    })
  })

  test("[T1] no partition can be read or written beside its parent, whatever tenant is set", async () => {
    const { rows } = await owner.query<{ name: string }>(
      "select oid::regclass::text as name from pg_class where relispartition and relkind in ('r', 'p')",
    )
    assert.ok(rows.length >= 6, rows.map(({ name }) => name).join(" "))
    for (const { name } of rows) {
      for (const sql of [`select 1 from ${name}`, `insert into ${name} default values`, `delete from ${name}`]) {
        await asTenant(a, () => assert.rejects(app.query(sql), { code: "42501" }, sql))
      }
    }
  })

  test("[T1] writing a row of B as A is refused with 42501 on every table", async () => {
    for (const table of tables) {
      const { rows } = await owner.query(`select to_jsonb(t) as row from ${table} t where tenant_id = $1 limit 1`, [b])
      const refused = (sql: string, values: unknown[]): Promise<void> =>
        asTenant(a, () => assert.rejects(app.query(sql, values), { code: "42501" }, `${table}: ${sql}`))
      await refused(`insert into ${table} select * from jsonb_populate_record(null::${table}, $1)`, [rows[0].row])
      await refused(`update ${table} set tenant_id = $1`, [b])
      await asTenant(a, async () => {
        const outcome = await app.query(`delete from ${table} where tenant_id = $1`, [b]).then(
          (done) => done.rowCount,
          (error: { code: string }) => error.code,
        )
        assert.ok(outcome === 0 || outcome === "42501", `${table}: ${outcome}`)
      })
    }
  })

  test("[T1] with nothing set every table shows 0 rows and no error, also after an earlier SET LOCAL has ended", async () => {
    const fresh = new Client({ connectionString: it.database.appUrl })
    await fresh.connect()
    try {
      for (const table of tables) assert.equal((await fresh.query(`select 1 from ${table}`)).rowCount, 0, table)
    } finally {
      await fresh.end()
    }
    await asTenant(a, async () => {})
    assert.equal((await app.query("select current_setting('app.tenant_id') as it")).rows[0].it, "")
    for (const table of tables) assert.equal((await app.query(`select 1 from ${table}`)).rowCount, 0, table)
  })

  test("[T1] the catalogue audit finds nothing in our schema", async () => {
    assert.deepEqual(await Effect.runPromise(auditRls(it.database.ownerUrl)), [])
  })

  const HOLES: ReadonlyArray<readonly [rule: string, plant: string, mend: string]> = [
    [
      "tenant table without forced row security and a policy",
      "alter table site no force row level security",
      "alter table site force row level security",
    ],
    [
      "tenant table without forced row security and a policy",
      "create table hole (tenant_id uuid not null)",
      "drop table hole",
    ],
    [
      "policy for the app role that does not compare app.tenant_id",
      "create policy hole on site for select to heliograph_app using (true)",
      "drop policy hole on site",
    ],
    [
      "policy for the app role that does not compare app.tenant_id",
      "create policy hole on site for insert to public with check (true)",
      "drop policy hole on site",
    ],
    [
      "partition that can be reached beside its parent's policy",
      `create table hole (tenant_id uuid not null) partition by hash (tenant_id);
       alter table hole enable row level security, force row level security;
       create policy p on hole to heliograph_app
         using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
       create table hole_0 partition of hole for values with (modulus 1, remainder 0);
       grant select on hole_0 to heliograph_app`,
      "drop table hole",
    ],
    [
      "view that runs with its owner's rights",
      "create view hole as select * from site; grant select on hole to heliograph_app",
      "drop view hole",
    ],
    [
      "materialised view or foreign table (no row security) that a bound role can reach",
      "create materialized view hole as select * from site; grant select on hole to heliograph_engine",
      "drop materialized view hole",
    ],
    [
      "unique key of a writable tenant table that does not open with tenant_id",
      "create unique index hole on site (name, tenant_id)",
      "drop index hole",
    ],
    [
      "table without tenant_id that the app role can reach",
      "create table hole (secret text); grant select on hole to heliograph_app",
      "drop table hole",
    ],
    [
      "function with its owner's rights that a bound role may call",
      "create function hole() returns bigint security definer language sql as 'select count(*) from heliograph.site'",
      "drop function hole()",
    ],
    [
      "bound role that owns a table or is a member of another role",
      "grant heliograph_owner to heliograph_app",
      "revoke heliograph_owner from heliograph_app",
    ],
    [
      "tenant_id may be null",
      "alter table event drop constraint event_pkey, alter tenant_id drop not null",
      "alter table event alter tenant_id set not null, add primary key (tenant_id, seq, idx, at_ms)",
    ],
    [
      "foreign key between tenant tables that leaves tenant_id out",
      "alter table device add constraint device_id_key unique (device_id); alter table event add column hole uuid references device (device_id)",
      "alter table event drop column hole; alter table device drop constraint device_id_key",
    ],
    [
      "policy for the app role that does not compare app.tenant_id",
      `create policy hole on site for select to heliograph_app
         using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid) or name = 'shared')`,
      "drop policy hole on site",
    ],
    [
      "policy for the app role that does not compare app.tenant_id",
      `create policy hole on site for update to heliograph_app
         using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid)) with check (true)`,
      "drop policy hole on site",
    ],
    [
      "unique key of a writable tenant table that does not open with tenant_id",
      "create unique index hole on app_user (user_id)",
      "drop index hole",
    ],
    [
      "role with power over row security",
      "alter role heliograph_app bypassrls",
      "alter role heliograph_app nobypassrls",
    ],
    [
      "role with power over row security",
      "alter role heliograph_engine superuser",
      "alter role heliograph_engine nosuperuser",
    ],
    [
      "bound role that owns a table or is a member of another role",
      "alter table site owner to heliograph_app",
      "alter table site owner to heliograph_owner",
    ],
    [
      "privilege that row security does not bound (truncate, references, trigger)",
      "grant truncate on site to heliograph_app",
      "revoke truncate on site from heliograph_app",
    ],
    [
      "bound role that may make objects in our schema",
      "grant create on schema heliograph to heliograph_app",
      "revoke create on schema heliograph from heliograph_app",
    ],
    [
      "tenant that is set without anybody setting it",
      "alter role heliograph_app set app.tenant_id = '018f0000-0000-7000-8000-000000000000'",
      "alter role heliograph_app reset app.tenant_id",
    ],
    [
      "materialised view or foreign table (no row security) that a bound role can reach",
      `create foreign data wrapper hole; create server hole foreign data wrapper hole;
       create foreign table hole (tenant_id uuid not null) server hole; grant select on hole to heliograph_app`,
      "drop foreign data wrapper hole cascade",
    ],
  ]
  for (const [rule, plant, mend] of HOLES) {
    test(`[T1] the audit finds a planted hole: ${rule} (${plant.split("\n")[0]})`, async () => {
      const admin = new Client({ connectionString: adminUrl(it) })
      await admin.connect()
      try {
        // What only an administrator can break is broken as one; everything else as a migration would break it.
        const asOwner =
          /^(create (table|policy|view|mat|unique|function)|alter table)/.test(plant) && !plant.includes(" owner to ")
        await admin.query(
          `set role ${asOwner ? "heliograph_owner" : "postgres"}; set search_path = heliograph; ${plant}`,
        )
        const found = await Effect.runPromise(auditRls(it.database.ownerUrl))
        assert.ok(
          found.some((finding) => finding.rule === rule),
          JSON.stringify(found),
        )
      } finally {
        await admin.query(`reset role; ${mend}`)
        await admin.end()
      }
      assert.deepEqual(await Effect.runPromise(auditRls(it.database.ownerUrl)), [])
    })
  }
})

/** Superuser of the test's own server. */
const adminUrl = (it: TestDatabase): string => {
  const url = new URL(it.database.ownerUrl)
  url.username = "postgres"
  url.password = readFileSync(join(it.dataDir, "pg.secret"), "utf8").trim()
  return url.toString()
}
