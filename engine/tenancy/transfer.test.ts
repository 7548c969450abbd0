/** [T8] Export, then import into another engine: equal counts and hashes; no secret in the file; a cut file changes nothing. */
import assert from "node:assert/strict"
import { readFileSync, statSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { zstdCompressSync, zstdDecompressSync } from "node:zlib"
import { after, before, describe, test } from "node:test"
import * as Effect from "effect/Effect"
import { Client } from "pg"
import { verifyAudit } from "#engine/audit/verify.ts"
import { recordAct } from "#engine/audit/act.ts"
import { parseImport } from "#engine/import/parse.ts"
import { NO_POSTGRES, tempDataDir, useTestDatabase, type TestDatabase } from "#engine/storage/database.fixture.ts"
import { importInventory, loadTargets } from "#engine/storage/inventory.ts"
import { seedEveryTable } from "#engine/storage/seed.fixture.ts"
import { createTenant } from "#engine/storage/tenants.ts"
import { createUser } from "#engine/storage/users.ts"
import { openVault } from "#engine/storage/vault.ts"
import { removeRows, rowsOf } from "#engine/tenancy/offboard.ts"
import { LEFT_BEHIND } from "#engine/tenancy/portable.ts"
import { exportTenant, importTenant } from "#engine/tenancy/transfer.ts"
import type { TenantId } from "#protocol/id.ts"

const run = Effect.runPromise
const PASSPHRASE = "a long enough passphrase"
const COMMUNITY = "canary-community-1"
const PASSWORD = "canary-password-1"

const DOCUMENT = {
  sites: [{ id: "pop", name: "POP", latitude: -23.5, longitude: -46.6 }],
  devices: [{ name: "r9", address: "10.0.0.9", site: "pop", roles: ["core"], snmp: { community: COMMUNITY } }],
  links: [],
}

describe("a tenant's file", { skip: NO_POSTGRES }, () => {
  const here = useTestDatabase()
  const there = useTestDatabase()
  let owner: Client
  before(async () => {
    owner = new Client({ connectionString: here.database.ownerUrl })
    owner.on("error", () => {})
    await owner.connect()
    await owner.query("set search_path = heliograph")
  })
  after(() => owner.end())

  let made = 0
  const filled = async (): Promise<{ readonly slug: string; readonly id: TenantId }> => {
    const slug = `moving-${made++}`
    const { id } = await run(createTenant(here.db, { slug, name: "Moving", demo: false, tier: "medium" }))
    const vault = await run(openVault(here.db, here))
    const parsed = parseImport(Buffer.from(JSON.stringify(DOCUMENT)))
    assert.ok(parsed.ok)
    const mode = { defaultPollSeconds: 30, dryRun: false, replace: false }
    await run(importInventory(here.db, vault, id, parsed.document, mode))
    await run(createUser(here.db, id, { name: "ada", password: PASSWORD, roles: ["tenant_admin"] }))
    await run(
      here.db.tenant(id)((tx) =>
        recordAct(
          tx,
          id,
          { kind: "local", id: "", name: "test", source: null },
          { action: "a.b", object: { kind: "k", id: "1", name: 'é\t\n"' }, before: { big: 1.0 }, after: null },
        ),
      ),
    )
    await owner.query(
      `insert into event (tenant_id, seq, idx, at_ms, type, severity, subject, subject_kind, entity, source, raw)
       select $1, s, 0, s, 't', 'warning', 's', 'device', '', 'syslog', E'tab\\t back\\\\slash "q" é' from generate_series(1, 2500) s`,
      [id],
    )
    return { slug, id }
  }
  const undo = (at: TestDatabase) => (tenant: TenantId) => removeRows(at.database.ownerUrl, tenant)
  const nothingOf = async (at: TestDatabase, tenant: TenantId) =>
    Object.entries(await run(rowsOf(at.database.ownerUrl, tenant))).filter(([, count]) => count > 0)

  test("[T8] export -> import -> export: equal counts and hashes, the audit's chain whole, credentials opened by their passphrase", async (t) => {
    const { slug, id } = await filled()
    const dir = tempDataDir(t)
    const [first, second] = [join(dir, "first.hel"), join(dir, "second.hel")]
    const vaultHere = await run(openVault(here.db, here))
    const vaultThere = await run(openVault(there.db, there))
    const out = await run(exportTenant(here.db, vaultHere, slug, first, PASSPHRASE))
    assert.equal(statSync(first).mode & 0o777, 0o600)
    assert.equal(out["event"]?.rows, 2_500)
    const back = await run(importTenant(there.db, vaultThere, first, PASSPHRASE, undo(there)))
    assert.match(back.invitationToken, /^hgi_/)
    const again = await run(exportTenant(there.db, vaultThere, slug, second, null))
    const { credentials, ...rest } = out
    assert.equal(credentials?.rows, 1)
    assert.deepEqual(again, rest)
    assert.deepEqual(await counts(there, id), await counts(here, id))
    const targets = await run(loadTargets(there.db, vaultThere, id, (refused) => assert.fail(refused.what)))
    const [device] = targets
    assert.deepEqual(device?.snmp, (await run(loadTargets(here.db, vaultHere, id, () => assert.fail())))[0]?.snmp)
    const verdict = await run(verifyAudit(there.db, id, { anchors: [], publicKeys: new Map() }))
    assert.deepEqual([verdict.intact, verdict.problem, verdict.rows > 0], [true, null, true])
  })

  test("[T8] [S7] without a passphrase the file holds no secret; passwords never travel", async (t) => {
    const { slug, id } = await filled()
    const vault = await run(openVault(here.db, here))
    for (const passphrase of [null, PASSPHRASE]) {
      const path = join(tempDataDir(t), "file.hel")
      await run(exportTenant(here.db, vault, slug, path, passphrase))
      const text = zstdDecompressSync(readFileSync(path)).toString("utf8")
      for (const secret of [COMMUNITY, PASSWORD, "$argon2", ...sealedOf(await rowsIn(id))])
        assert.ok(!text.includes(secret), `${secret} is in the file`)
      for (const table of Object.keys(LEFT_BEHIND)) assert.ok(!text.includes(`\n${table}\t`), table)
    }
  })

  test("[T8] a file that was cut, changed, of another tenant's rows or with another passphrase changes nothing", async (t) => {
    const { slug, id } = await filled()
    const vaultHere = await run(openVault(here.db, here))
    const vaultThere = await run(openVault(there.db, there))
    const dir = tempDataDir(t)
    const good = join(dir, "good.hel")
    await run(exportTenant(here.db, vaultHere, slug, good, PASSPHRASE))
    const bytes = readFileSync(good)
    const text = zstdDecompressSync(bytes).toString("utf8")
    const variant = (name: string, content: string): string => {
      const path = join(dir, name)
      writeFileSync(path, zstdCompressSync(Buffer.from(content)))
      return path
    }
    const cut = join(dir, "cut.hel")
    writeFileSync(cut, bytes)
    truncateSync(cut, bytes.length - 20)
    const tries: ReadonlyArray<readonly [path: string, passphrase: string | null, tag: string]> = [
      [cut, PASSPHRASE, "TenantFileUnreadable"],
      [variant("changed.hel", text.replace('"POP"', '"P0P"')), PASSPHRASE, "TenantFileUnreadable"],
      [variant("noend.hel", text.slice(0, text.lastIndexOf('{"end"'))), PASSPHRASE, "TenantFileUnreadable"],
      [variant("other.hel", text.replace(/"schema":"[0-9a-f]+"/, '"schema":"0"')), PASSPHRASE, "TransferRefused"],
      [variant("noise.hel", "hello\n"), PASSPHRASE, "TenantFileUnreadable"],
      [good, "another long passphrase", "TransferRefused"],
      [good, null, "TransferRefused"],
    ]
    for (const [path, passphrase, tag] of tries) {
      const error = await run(Effect.flip(importTenant(there.db, vaultThere, path, passphrase, undo(there))))
      assert.equal(error._tag, tag, path)
      assert.deepEqual(await nothingOf(there, id), [], path)
    }
    const twice = await run(Effect.flip(importTenant(here.db, vaultHere, good, PASSPHRASE, undo(here))))
    assert.equal(twice._tag, "TransferRefused")
    assert.ok((await nothingOf(here, id)).length > 5, "the one that is there stays whole")
    const exists = await run(Effect.flip(exportTenant(here.db, vaultHere, slug, good, null)))
    assert.equal(exists._tag, "TransferRefused", "an existing file is not overwritten")
    assert.deepEqual(readFileSync(good), bytes)
  })

  test("[T1] [T8] a forged line that names another tenant is refused by row security, and nothing is left", async (t) => {
    const vaultThere = await run(openVault(there.db, there))
    const victim = await there.newTenant()
    const ownerThere = new Client({ connectionString: there.database.ownerUrl })
    await ownerThere.connect()
    await ownerThere.query("set search_path = heliograph")
    await seedEveryTable(ownerThere, victim)
    await ownerThere.end()
    const before = await run(rowsOf(there.database.ownerUrl, victim))
    const { slug, id } = await filled()
    const path = join(tempDataDir(t), "file.hel")
    const vault = await run(openVault(here.db, here))
    await run(exportTenant(here.db, vault, slug, path, null))
    // Sums are no signature: whoever forges a line can forge them too.
    const { createHash } = await import("node:crypto")
    const lines = zstdDecompressSync(readFileSync(path)).toString("utf8").trimEnd().split("\n")
    const forged = lines.slice(0, -1).map((line) => (line.startsWith("site\t") ? line.replaceAll(id, victim) : line))
    const tables: Record<string, { rows: number; sha256: string }> = {}
    for (const name of new Set(forged.slice(1).map((line) => line.slice(0, line.indexOf("\t"))))) {
      const rows = forged
        .filter((line) => line.startsWith(`${name}\t`))
        .map((line) => `${line.slice(name.length + 1)}\n`)
      tables[name] = { rows: rows.length, sha256: createHash("sha256").update(rows.join("")).digest("hex") }
    }
    const bad = `${path}.bad`
    writeFileSync(
      bad,
      zstdCompressSync(Buffer.from(`${[...forged, JSON.stringify({ end: true, tables })].join("\n")}\n`)),
    )
    const error = await run(Effect.flip(importTenant(there.db, vaultThere, bad, null, undo(there))))
    assert.equal(error._tag, "DbError")
    assert.equal((error as { code?: string }).code, "42501")
    assert.deepEqual(await run(rowsOf(there.database.ownerUrl, victim)), before)
    assert.deepEqual(await nothingOf(there, id), [])
  })

  /** Of what travels. */
  const counts = async (at: TestDatabase, tenant: TenantId) =>
    Object.fromEntries(
      Object.entries(await run(rowsOf(at.database.ownerUrl, tenant))).filter(
        ([table]) => !Object.hasOwn(LEFT_BEHIND, table) || table === "credential",
      ),
    )
  const rowsIn = async (tenant: TenantId): Promise<readonly Buffer[]> => {
    const { rows } = await owner.query<{ sealed: Buffer }>(
      "select sealed from credential where tenant_id = $1 union all select wrapped from tenant_key where tenant_id = $1",
      [tenant],
    )
    return rows.map(({ sealed }) => sealed)
  }
  const sealedOf = (sealed: readonly Buffer[]): readonly string[] => sealed.map((bytes) => bytes.toString("hex"))
})
