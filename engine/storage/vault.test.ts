/** The vault on a real PostgreSQL: what is sealed opens only where it was sealed, and a lost key is named. */
import assert from "node:assert/strict"
import { chmodSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, test } from "node:test"
import { Client } from "pg"
import * as Effect from "effect/Effect"
import type { TenantId } from "#protocol/id.ts"
import { NO_POSTGRES, useTestDatabase } from "#engine/storage/database.fixture.ts"
import { MasterKeyUnusable, openVault, VaultRefused, type TenantKey, type Vault } from "#engine/storage/vault.ts"

const run = Effect.runPromise
const DEVICE = "019a0000-0000-7000-8000-000000000001"

describe("vault", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()
  const file = (): string => join(it.dataDir, "master.key")
  const open = (masterKeyFile = file()): Promise<Vault> => run(openVault(it.db, { dataDir: it.dataDir, masterKeyFile }))
  const refusal = (masterKeyFile = file()): Promise<MasterKeyUnusable> =>
    run(Effect.flip(openVault(it.db, { dataDir: it.dataDir, masterKeyFile }))) as Promise<MasterKeyUnusable>
  const keyOf = (vault: Vault, tenant: TenantId): Promise<TenantKey> =>
    run(it.db.tenant(tenant)<TenantKey, MasterKeyUnusable | VaultRefused>((tx) => vault.tenantKey(tx, tenant)))

  test("[S7] the first start makes the key file, private to its owner; nothing is sealed with it yet", async () => {
    assert.ok(!existsSync(file()))
    await open()
    assert.equal(statSync(file()).mode & 0o777, 0o600)
    const before = readFileSync(file(), "utf8")
    await open()
    assert.equal(readFileSync(file(), "utf8"), before)
  })

  test("[S7] sealed text opens again, is different each time, and shows nothing of itself", async () => {
    const key = await keyOf(await open(), await it.newTenant())
    const sealed = key.seal(DEVICE, "snmp", "community é 秘密")
    assert.equal(key.open(DEVICE, "snmp", sealed), "community é 秘密")
    assert.notDeepEqual(key.seal(DEVICE, "snmp", "community é 秘密"), sealed)
    assert.ok(!sealed.includes("community"))
    assert.equal(sealed.length - Buffer.byteLength("community é 秘密"), 33, "bytes on top")
  })

  test("[S7] altered, shortened, moved to another device, field or tenant: refused, by name and without the text", async () => {
    const vault = await open()
    const [a, b] = [await it.newTenant(), await it.newTenant()]
    const [key, other] = [await keyOf(vault, a), await keyOf(vault, b)]
    const sealed = key.seal(DEVICE, "snmp", "public")
    const refused = (run: () => string): void =>
      assert.throws(run, (error: unknown) => error instanceof VaultRefused && !error.message.includes("public"))
    for (let i = 0; i < sealed.length; i++) {
      const altered = Buffer.from(sealed)
      altered[i]! ^= 1
      refused(() => key.open(DEVICE, "snmp", altered))
      refused(() => key.open(DEVICE, "snmp", sealed.subarray(0, i)))
    }
    refused(() => key.open(DEVICE.replace("1", "2"), "snmp", sealed))
    refused(() => key.open(DEVICE, "routeros", sealed))
    refused(() => other.open(DEVICE, "snmp", sealed))
  })

  test("[S7] a tenant's key survives restarts; its row moved to another tenant does not open", async () => {
    const [a, b] = [await it.newTenant(), await it.newTenant()]
    const sealed = (await keyOf(await open(), a)).seal(DEVICE, "snmp", "public")
    assert.equal((await keyOf(await open(), a)).open(DEVICE, "snmp", sealed), "public")
    const owner = new Client({ connectionString: it.database.ownerUrl })
    await owner.connect()
    try {
      await owner.query(
        `insert into tenant_key (tenant_id, version, master_key_id, wrapped, created_ms)
         select $2, version, master_key_id, wrapped, created_ms from tenant_key where tenant_id = $1`,
        [a, b],
      )
    } finally {
      await owner.end()
    }
    await assert.rejects(keyOf(await open(), b), VaultRefused)
  })

  test("[S7] rotation: a new key on top rewraps a tenant when it is used, nothing sealed changes", async () => {
    const tenant = await it.newTenant()
    const sealed = (await keyOf(await open(), tenant)).seal(DEVICE, "snmp", "public")
    const fresh = join(it.dataDir, "fresh.key")
    const old = readFileSync(file(), "utf8")
    writeFileSync(fresh, `heliograph-master-key-1 ${Buffer.alloc(32, 7).toString("base64url")}\n${old}`, {
      mode: 0o600,
    })
    const rotated = await open(fresh)
    assert.equal((await keyOf(rotated, tenant)).open(DEVICE, "snmp", sealed), "public")
    const ids = await run(it.db.tenant(tenant)((tx) => tx.query("select master_key_id as id from tenant_key")))
    assert.equal(ids.rows.length, 1)
    // The tenant now needs the new key, and the start says so when it is gone again.
    const lost = await refusal()
    assert.equal(lost.reason, "unknown-key")
    assert.ok(lost.message.includes(String(ids.rows[0]!["id"])))
    assert.equal((await keyOf(await open(fresh), tenant)).open(DEVICE, "snmp", sealed), "public")
    writeFileSync(file(), readFileSync(fresh), { mode: 0o600 })
  })

  test("[S7] a missing key file with sealed credentials is a named error and no new key; others' eyes and damage too", async () => {
    await keyOf(await open(), await it.newTenant())
    const kept = readFileSync(file())
    rmSync(file())
    const missing = await refusal()
    assert.deepEqual([missing._tag, missing.reason], ["MasterKeyUnusable", "missing"])
    assert.ok(missing.message.includes(file()) && missing.message.includes("backup"))
    assert.ok(!existsSync(file()))
    writeFileSync(file(), kept, { mode: 0o600 })
    chmodSync(file(), 0o640)
    assert.equal((await refusal()).reason, "readable-by-others")
    chmodSync(file(), 0o600)
    writeFileSync(file(), "heliograph-master-key-1 c2hvcnQ\n")
    const damaged = await refusal()
    assert.equal(damaged.reason, "malformed")
    assert.ok(!damaged.message.includes("c2hvcnQ"))
    writeFileSync(file(), kept)
    await open()
  })
})
