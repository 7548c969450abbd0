/** [S7] New keys while secrets are read and written, a kill in the middle, and the day that a master key is lost. */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { describe, test } from "node:test"
import { Client } from "pg"
import * as Effect from "effect/Effect"
import type { TenantId } from "#protocol/id.ts"
import { NO_POSTGRES, useTestDatabase } from "#engine/storage/database.fixture.ts"
import { addMasterKey, openMasterKeys } from "#engine/storage/master-keys.ts"
import { SEALED_COLUMNS } from "#engine/storage/sealed-columns.ts"
import { uuidv7 } from "#engine/storage/uuidv7.ts"
import { BATCH, rewrapAll, rotateMaster, rotateTenant } from "#engine/storage/vault-rotation.ts"
import { forgetDead, tenantVault } from "#engine/storage/vault-status.ts"
import { MasterKeyUnusable, openVault, VaultRefused, type TenantKey, type Vault } from "#engine/storage/vault.ts"

const run = Effect.runPromise
const BY = { kind: "local", id: "", name: "test", source: null } as const
/** `VAULT_SECRETS=100000 node --test ...` measures the promise of notes/security.md 28. */
const SECRETS = Number(process.env["VAULT_SECRETS"] ?? 3_000)

describe("rotation", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()
  const file = (): string => join(it.dataDir, "master.key")
  const open = (): Promise<Vault> => run(openVault(it.db, { dataDir: it.dataDir }))
  const as = <A>(tenant: TenantId, body: (key: TenantKey) => A | Promise<A>, vault: Vault): Promise<A> =>
    run(
      it.db.tenant(tenant)<A, MasterKeyUnusable | VaultRefused>(async (tx) => body(await vault.tenantKey(tx, tenant))),
    )
  const keysOf = (tenant: TenantId): Promise<ReadonlyArray<{ version: number; id: string }>> =>
    run(
      it.db.tenant(tenant)(async (tx) => {
        const { rows } = await tx.query<{ version: number; id: string }>(
          "select version, master_key_id as id from tenant_key order by version",
        )
        return rows
      }),
    )
  /** Devices with one credential each, sealed as the inventory seals them. */
  const fill = async (tenant: TenantId, count: number, vault: Vault): Promise<readonly string[]> => {
    const ids = Array.from({ length: count }, () => uuidv7())
    await run(
      it.db.tenant(tenant)<void, MasterKeyUnusable | VaultRefused>(async (tx) => {
        const key = await vault.tenantKey(tx, tenant)
        await tx.query("insert into site values ($1, 'pop', 'POP', 0, 0)", [tenant])
        await tx.query(
          `insert into device (tenant_id, device_id, name, address, site_id, roles, poll_seconds)
           select $1, id::uuid, id, '10.0.0.1', 'pop', '{}', 30 from unnest($2::text[]) id`,
          [tenant, ids],
        )
        await tx.query(
          `insert into credential (tenant_id, device_id, kind, key_version, sealed)
           select $1, id::uuid, 'snmp', $4, sealed from unnest($2::text[], $3::bytea[]) g (id, sealed)`,
          [tenant, ids, ids.map((id) => key.seal(id, "snmp", `secret of ${id}`)), key.version],
        )
      }),
    )
    return ids
  }
  const wrong = (tenant: TenantId, vault: Vault): Promise<number> =>
    run(
      it.db.tenant(tenant)<number, MasterKeyUnusable | VaultRefused>(async (tx) => {
        const key = await vault.tenantKey(tx, tenant)
        const { rows } = await tx.query<{ id: string; sealed: Buffer }>(
          "select device_id as id, sealed from credential",
        )
        return rows.filter(({ id, sealed }) => key.open(id, "snmp", sealed) !== `secret of ${id}`).length
      }),
    )

  test("[S7] every sealed column is in the list that rotation goes through", async () => {
    const owner = new Client({ connectionString: it.database.ownerUrl })
    await owner.connect()
    try {
      const { rows } = await owner.query(
        `select c.relname || '.' || a.attname as name from pg_attribute a join pg_class c on c.oid = a.attrelid
         join pg_namespace n on n.oid = c.relnamespace
         where n.nspname = 'heliograph' and c.relkind in ('r', 'p') and not a.attisdropped and a.attname ~ 'seal|secret|cipher'
         order by 1`,
      )
      assert.deepEqual(
        rows.map((row: { name: string }) => row.name),
        SEALED_COLUMNS.map(({ table, column }) => `${table}.${column}`).toSorted(),
      )
    } finally {
      await owner.end()
    }
  })

  test("[S7] a new master key takes over every tenant's data key; the running vault finds it without a restart", async () => {
    const vault = await open()
    const tenants = [await it.newTenant(), await it.newTenant(), await it.newTenant()]
    const sealed = await Promise.all(tenants.map((tenant) => as(tenant, (key) => key.seal("x", "y", "kept"), vault)))
    const keys = openMasterKeys(file())
    const before = keys.ring()[0]!.id
    const { id, rewrapped } = await run(rotateMaster(it.db, keys, tenants, BY))
    assert.notEqual(id, before)
    assert.equal(rewrapped, 3)
    assert.equal(statSync(file()).mode & 0o777, 0o600)
    for (const [index, tenant] of tenants.entries()) {
      assert.deepEqual(await keysOf(tenant), [{ version: 1, id }])
      assert.equal(await as(tenant, (key) => key.open("x", "y", sealed[index]!), vault), "kept")
    }
    assert.equal(await run(rewrapAll(it.db, keys, tenants, BY)), 0, "nothing is left to do, and nothing is said")
    for (const tenant of tenants) {
      const acts = await run(
        it.db.tenant(tenant)(async (tx) => {
          const { rows } = await tx.query<{ action: string; actor_name: string; after: object }>(
            "select action, actor_name, after from audit_entry where tenant_id = $1",
            [tenant],
          )
          return rows
        }),
      )
      assert.deepEqual(acts, [{ action: "vault.rewrap", actor_name: "test", after: { masterKey: id, dataKeys: 1 } }])
    }
    const young = await it.newTenant()
    await as(young, () => null, vault)
    assert.deepEqual(await keysOf(young), [{ version: 1, id }], "a new tenant is wrapped by the new key at once")
  })

  test(`[S7] a new data key seals ${SECRETS} secrets anew while they are read and written; old copies then open no more`, async (t) => {
    const vault = await open()
    const tenant = await it.newTenant()
    const ids = await fill(tenant, SECRETS, vault)
    const old = await run(
      it.db.tenant(tenant)(async (tx) => {
        const { rows } = await tx.query<{ sealed: Buffer }>("select sealed from credential where device_id = $1", [
          ids[0],
        ])
        return rows[0]!.sealed
      }),
    )
    let [reads, writes] = [0, 0]
    const over = new AbortController()
    const reader = (async () => {
      while (!over.signal.aborted) {
        const id = ids[reads % ids.length]!
        await run(
          it.db.tenant(tenant)<void, MasterKeyUnusable | VaultRefused>(async (tx) => {
            const key = await vault.tenantKey(tx, tenant)
            const { rows } = await tx.query<{ sealed: Buffer }>("select sealed from credential where device_id = $1", [
              id,
            ])
            assert.equal(key.open(id, "snmp", rows[0]!.sealed), `secret of ${id}`)
          }),
        )
        reads += 1
      }
    })()
    const writer = (async () => {
      while (!over.signal.aborted) {
        const id = ids[(writes * 7919) % ids.length]!
        await run(
          it.db.tenant(tenant)<void, MasterKeyUnusable | VaultRefused>(async (tx) => {
            const key = await vault.tenantKey(tx, tenant)
            await tx.query(
              "update credential set sealed = $3, key_version = $4 where tenant_id = $1 and device_id = $2",
              [tenant, id, key.seal(id, "snmp", `secret of ${id}`), key.version],
            )
          }),
        )
        writes += 1
      }
    })()
    const startedMs = performance.now()
    const keys = openMasterKeys(file())
    const done = await run(rotateTenant(it.db, vault, keys, tenant, BY))
    const ms = performance.now() - startedMs
    over.abort()
    await Promise.all([reader, writer])
    t.diagnostic(`${SECRETS} secrets in ${ms.toFixed(0)} ms, ${reads} reads and ${writes} writes meanwhile`)
    assert.deepEqual([done.version, done.dead, done.retired], [2, 0, 0])
    assert.ok(done.resealed > SECRETS * 0.5 && done.resealed <= SECRETS)
    assert.equal(await wrong(tenant, vault), 0)
    const stand = await run(tenantVault(it.db, tenant, keys.ring()))
    assert.deepEqual(
      stand.keys.map(({ version, secrets }) => [version, secrets]),
      [
        [1, 0],
        [2, SECRETS],
      ],
    )
    assert.equal(await as(tenant, (key) => key.open(ids[0]!, "snmp", old), vault), `secret of ${ids[0]}`)
    assert.equal((await run(rotateTenant(it.db, vault, keys, tenant, BY, { resume: true }))).retired, 1)
    await assert.rejects(
      as(tenant, (key) => key.open(ids[0]!, "snmp", old), vault),
      VaultRefused,
    )
    assert.equal(await wrong(tenant, vault), 0)
    assert.ok(ms <= 60_000)
    const acts = await run(
      it.db.tenant(tenant)((tx) => tx.query("select 1 from audit_entry where action = 'vault.rotate'")),
    )
    assert.equal(acts.rows.length, 2, "each rotation is an act")
  })

  test("[S7] what version 1 sealed before there were versions still opens, and a version that is none is refused", async () => {
    const vault = await open()
    const tenant = await it.newTenant()
    await as(
      tenant,
      (key) => {
        const sealed = key.seal("d", "snmp", "text")
        const first = Buffer.concat([Buffer.of(1), sealed.subarray(5)])
        assert.equal(key.open("d", "snmp", first), "text")
        for (const head of [[0], [3, 0, 0, 0, 1], [2, 0, 0, 0, 2], [2, 255, 255, 255, 255], [2, 0], []])
          assert.throws(
            () => key.open("d", "snmp", Buffer.concat([Buffer.from(head), sealed.subarray(5)])),
            VaultRefused,
          )
      },
      vault,
    )
  })

  /** Starts a rotation, kills it with SIGKILL after some words, and says how far it was. */
  const killed = async (args: readonly string[], afterWords: number): Promise<boolean> => {
    const child = spawn(
      process.execPath,
      [
        join(import.meta.dirname, "vault-rotation.fixture.ts"),
        "--app",
        it.database.appUrl,
        "--engine",
        it.database.engineUrl,
        "--dir",
        it.dataDir,
        ...args,
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    )
    let [words, finished] = [0, false]
    for await (const line of createInterface({ input: child.stdout })) {
      finished ||= line === "done"
      if (++words === afterWords) child.kill("SIGKILL")
    }
    return finished
  }

  test("[S7] kill -9 anywhere in a rotation loses nothing, and the next one finishes it", async () => {
    const vault = await open()
    const tenant = await it.newTenant()
    await fill(tenant, 3 * BATCH, vault)
    for (const words of [1, 2, 3]) {
      assert.equal(await killed(["--tenant", tenant], words), false, `killed after ${words}`)
      assert.equal(await wrong(tenant, vault), 0, `after ${words}`)
    }
    const keys = openMasterKeys(file())
    await run(rotateTenant(it.db, vault, keys, tenant, BY, { resume: true }))
    assert.equal(await wrong(tenant, vault), 0)
    assert.equal((await keysOf(tenant)).length, 1)
    const others = [tenant, await it.newTenant(), await it.newTenant()]
    for (const other of others) await as(other, () => null, vault)
    await killed(["--master", others.join(",")], 1)
    await run(rewrapAll(it.db, openMasterKeys(file()), others, BY))
    const top = openMasterKeys(file()).ring()[0]!.id
    for (const other of others) assert.ok((await keysOf(other)).every(({ id }) => id === top))
    assert.equal(await wrong(tenant, await open()), 0)
  })

  test("[S7] a master key that is lost: refused by default; by choice the engine starts, names the dead, and takes them anew", async () => {
    const vault = await open()
    const tenant = await it.newTenant()
    const [device] = await fill(tenant, 2, vault)
    const kept = readFileSync(file())
    rmSync(file())
    const refusal = (await run(Effect.flip(openVault(it.db, { dataDir: it.dataDir })))) as MasterKeyUnusable
    assert.match(refusal.message, /HELIOGRAPH_DEAD_CREDENTIALS=allow/)
    assert.ok(!existsSync(file()))

    const reborn = await run(openVault(it.db, { dataDir: it.dataDir, dead: "allow" }))
    const { ring } = openMasterKeys(file())
    const stand = await run(tenantVault(it.db, tenant, ring()))
    assert.deepEqual([stand.deadCount, stand.dead.length], [2, 2])
    assert.ok(stand.dead.every((name) => name.startsWith("snmp credential of ")))
    await run(
      it.db.tenant(tenant)<void, MasterKeyUnusable | VaultRefused>(async (tx) => {
        const key = await reborn.tenantKey(tx, tenant)
        assert.equal(key.version, 2)
        const { rows } = await tx.query<{ sealed: Buffer }>("select sealed from credential where device_id = $1", [
          device,
        ])
        assert.throws(() => key.open(device!, "snmp", rows[0]!.sealed), VaultRefused)
        await tx.query("update credential set sealed = $2, key_version = $3 where device_id = $1", [
          device,
          key.seal(device!, "snmp", `secret of ${device}`),
          key.version,
        ])
      }),
    )
    assert.equal((await run(tenantVault(it.db, tenant, ring()))).deadCount, 1, "one was entered again")
    assert.equal(await run(forgetDead(it.db, tenant, ring(), BY)), 1)
    assert.equal(await wrong(tenant, reborn), 0)
    assert.equal((await keysOf(tenant)).length, 1)

    // The old ring turns up below the new key: what other tenants sealed is alive again.
    writeFileSync(file(), `${readFileSync(file(), "utf8")}${kept.toString()}`, { mode: 0o600 })
    await open()
    addMasterKey(file())
    assert.equal(openMasterKeys(file()).ring().length, 2 + kept.toString().match(/^heliograph/gm)!.length)
  })
})
