/** Imports, inventories and targets on a real PostgreSQL, as the app role of the tenant. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { Client } from "pg"
import * as Effect from "effect/Effect"
import type { ImportDevice, ImportDocument, ImportReport } from "#engine/import/document.ts"
import type { TenantId } from "#protocol/id.ts"
import { NO_POSTGRES, useTestDatabase } from "#engine/storage/database.fixture.ts"
import { importInventory, loadInventory, loadTargets, type ImportOptions } from "#engine/storage/inventory.ts"
import { openVault, type VaultRefused } from "#engine/storage/vault.ts"

const run = Effect.runPromise
const device = (name: string, more: Partial<ImportDevice> = {}): ImportDevice => ({
  name,
  address: "10.0.0.1",
  site: "sao-1",
  roles: ["core"],
  snmp: { version: "2c", port: 161, community: `c0mmunity-${name}` },
  routeros: null,
  pollSeconds: null,
  ...more,
})
const end = (name: string, port: string) => ({ device: name, interface: port })
const DOCUMENT: ImportDocument = {
  sites: [
    { id: "sao-1", name: "São Paulo", latitude: -23.5, longitude: -46.6 },
    { id: "rio-1", name: "Rio", latitude: -22.9, longitude: -43.2 },
  ],
  devices: [
    device("r2"),
    device("r1", {
      pollSeconds: 10,
      routeros: { port: 8728, user: "helio", password: "p4ssword", tls: false },
      roles: ["edge", "bng"],
    }),
    device("r3", { snmp: null, site: "rio-1" }),
  ],
  links: [
    { a: end("r1", "ether1"), b: end("r2", "ether1"), capacityBps: 10e9 },
    { a: end("r2", "ether2"), b: end("r3", "ether1"), capacityBps: null },
  ],
}
const change = (added: number, updated: number, unchanged: number) => ({ added, updated, unchanged, removed: 0 })

describe("inventory", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()
  const vault = () => run(openVault(it.db, { dataDir: it.dataDir }))
  const importing = async (
    tenant: TenantId,
    document: ImportDocument,
    more: Partial<ImportOptions> = {},
  ): Promise<ImportReport> =>
    run(importInventory(it.db, await vault(), tenant, document, { defaultPollSeconds: 30, ...more }))
  const nothing = (rev: number): ImportReport => ({
    rev,
    sites: change(0, 0, 2),
    devices: change(0, 0, 3),
    links: change(0, 0, 2),
  })

  test("a first import adds all, the second of the same document only says unchanged, also with links turned around", async () => {
    const tenant = await it.newTenant()
    assert.deepEqual(await run(loadInventory(it.db, tenant)), {
      rev: 0,
      inventory: { sites: [], devices: [], links: [] },
    })
    const report = await importing(tenant, DOCUMENT)
    assert.deepEqual(report, { rev: 1, sites: change(2, 0, 0), devices: change(3, 0, 0), links: change(2, 0, 0) })
    const first = await run(loadInventory(it.db, tenant))
    assert.deepEqual(await importing(tenant, DOCUMENT), nothing(1))
    const turned = { ...DOCUMENT, links: DOCUMENT.links.map(({ a, b, capacityBps }) => ({ a: b, b: a, capacityBps })) }
    assert.deepEqual(await importing(tenant, turned), nothing(1))
    assert.deepEqual(await run(loadInventory(it.db, tenant)), first)
    assert.equal(first.rev, 1)
  })

  test("the inventory is sorted and whole: defaults filled in, sources by credential, no secret in it", async () => {
    const tenant = await it.newTenant()
    await importing(tenant, DOCUMENT)
    const { inventory } = await run(loadInventory(it.db, tenant))
    assert.deepEqual(
      inventory.sites.map(({ id }) => id),
      ["rio-1", "sao-1"],
    )
    assert.deepEqual(
      inventory.devices.map(({ name, site, roles, pollSeconds, sources }) => [name, site, roles, pollSeconds, sources]),
      [
        ["r1", "sao-1", ["edge", "bng"], 10, ["snmp", "routeros", "probe"]],
        ["r2", "sao-1", ["core"], 30, ["snmp", "probe"]],
        ["r3", "rio-1", ["core"], 30, ["probe"]],
      ],
    )
    assert.deepEqual(
      inventory.links.map(({ id }) => id),
      inventory.links.map(({ id }) => id).toSorted(),
    )
    assert.ok(!/c0mmunity|p4ssword/.test(JSON.stringify(inventory)))
  })

  test("targets carry the opened credentials, by name", async () => {
    const tenant = await it.newTenant()
    await importing(tenant, DOCUMENT)
    const refused: VaultRefused[] = []
    const targets = await run(loadTargets(it.db, await vault(), tenant, (it) => refused.push(it)))
    assert.deepEqual(
      targets.map(({ name, snmp, routeros }) => [name, snmp, routeros]),
      [
        ["r1", DOCUMENT.devices[1]!.snmp, DOCUMENT.devices[1]!.routeros],
        ["r2", DOCUMENT.devices[0]!.snmp, null],
        ["r3", null, null],
      ],
    )
    assert.deepEqual(refused, [])
  })

  test("[C10] pings go by role unless the document says otherwise, probes are kept as given, and both can be taken back", async () => {
    const tenant = await it.newTenant()
    const probes = [{ kind: "tcp", port: 22, intervalSeconds: 30 } as const]
    const asking = (r2: Partial<ImportDevice>, r3: Partial<ImportDevice>): ImportDocument => ({
      ...DOCUMENT,
      devices: [device("r1", { roles: ["access"] }), device("r2", r2), device("r3", { snmp: null, ...r3 })],
    })
    const told = async () => {
      const targets = await run(loadTargets(it.db, await vault(), tenant, () => {}))
      return targets.map(({ ping, probes }) => [ping?.intervalSeconds ?? null, probes])
    }
    const sources = async () =>
      (await run(loadInventory(it.db, tenant))).inventory.devices.map((it) => it.sources.includes("probe"))
    await importing(tenant, asking({}, {}))
    assert.deepEqual(await told(), [
      [10, []],
      [2, []],
      [2, []],
    ])
    assert.equal((await importing(tenant, asking({ pingSeconds: 0 }, { pingSeconds: 25, probes }))).devices.updated, 2)
    assert.deepEqual(await told(), [
      [10, []],
      [null, []],
      [20, probes],
    ])
    assert.deepEqual(await sources(), [true, false, true])
    assert.equal((await importing(tenant, asking({ pingSeconds: 0 }, { pingSeconds: 25, probes }))).rev, 2)
    assert.equal((await importing(tenant, asking({}, {}))).devices.updated, 2)
    assert.deepEqual(await sources(), [true, true, true])
  })

  test("an import merges: ids stay, nothing is removed, a device without credentials keeps its own, rev grows only by changes", async () => {
    const tenant = await it.newTenant()
    await importing(tenant, DOCUMENT)
    const before = await run(loadInventory(it.db, tenant))
    const moved: ImportDocument = {
      sites: [],
      devices: [device("r2", { address: "10.0.0.99", snmp: null }), device("r4", { site: "rio-1" })],
      links: [{ a: end("r4", "sfp1"), b: end("r1", "sfp1"), capacityBps: 1e9 }],
    }
    const dry = await importing(tenant, moved, { dryRun: true })
    assert.deepEqual(await run(loadInventory(it.db, tenant)), before)
    const report = await importing(tenant, moved)
    assert.deepEqual(report, { rev: 2, sites: change(0, 0, 0), devices: change(1, 1, 0), links: change(1, 0, 0) })
    assert.deepEqual(dry, report)
    const after = await run(loadInventory(it.db, tenant))
    const find = (stored: typeof after, name: string) => stored.inventory.devices.find((it) => it.name === name)!
    assert.equal(find(after, "r2").id, find(before, "r2").id)
    assert.deepEqual([find(after, "r2").address, find(after, "r2").sources], ["10.0.0.99", ["snmp", "probe"]])
    assert.deepEqual(
      after.inventory.devices.map(({ name }) => name),
      ["r1", "r2", "r3", "r4"],
    )
    const rekeyed = {
      sites: [],
      devices: [device("r4", { site: "rio-1", snmp: { version: "2c", port: 161, community: "new" } as const })],
      links: [],
    }
    assert.equal((await importing(tenant, rekeyed)).rev, 3)
    assert.equal((await importing(tenant, rekeyed)).rev, 3)
  })

  test("an import that replaces removes what its document does not name, and only that; rev grows once", async () => {
    const tenant = await it.newTenant()
    await importing(tenant, DOCUMENT)
    const before = (await run(loadInventory(it.db, tenant))).inventory
    const smaller: ImportDocument = {
      sites: DOCUMENT.sites.slice(0, 1),
      devices: DOCUMENT.devices.slice(0, 2),
      links: DOCUMENT.links.slice(0, 1),
    }
    const dry = await importing(tenant, smaller, { replace: true, dryRun: true })
    assert.deepEqual([dry.sites.removed, dry.devices.removed, dry.links.removed], [1, 1, 1])
    assert.deepEqual((await run(loadInventory(it.db, tenant))).inventory, before, "a dry run removes nothing")
    assert.deepEqual(await importing(tenant, smaller, { replace: true }), dry)
    const { rev, inventory } = await run(loadInventory(it.db, tenant))
    assert.equal(rev, 2)
    const kept = before.devices.filter(({ name }) => name !== "r3")
    assert.deepEqual(inventory.devices, kept, "who stays keeps id and credentials")
    assert.deepEqual(
      inventory.links,
      before.links.filter(({ b }) => kept.some(({ id }) => id === b.device)),
    )
    assert.equal((await importing(tenant, smaller, { replace: true })).rev, 2, "a second time changes nothing")
    assert.equal((await importing(tenant, DOCUMENT)).devices.added, 1)
  })

  test("an unknown site or device is refused by name, and nothing of the document stays", async () => {
    const tenant = await it.newTenant()
    const options = { defaultPollSeconds: 30 }
    const refusal = async (document: ImportDocument): Promise<string> =>
      (await run(Effect.flip(importInventory(it.db, await vault(), tenant, document, options)))).message
    assert.match(
      await refusal({ ...DOCUMENT, devices: [device("r1", { site: "bsb-1" })] }),
      /device r1: there is no site bsb-1/,
    )
    const link = { a: end("r1", "ether1"), b: end("r9", "ether1"), capacityBps: null }
    assert.match(await refusal({ ...DOCUMENT, links: [link] }), /there is no device r9/)
    assert.equal((await run(loadInventory(it.db, tenant))).rev, 0)
  })

  test("[S7] no credential is readable in the database; one that was tampered with is told, the others open", async () => {
    const tenant = await it.newTenant()
    await importing(tenant, DOCUMENT)
    const owner = new Client({ connectionString: it.database.ownerUrl })
    await owner.connect()
    try {
      const { rows } = await owner.query(
        "select device_id, kind, sealed, encode(sealed, 'escape') as text from credential where tenant_id = $1",
        [tenant],
      )
      assert.equal(rows.length, 3)
      assert.ok(!/c0mmunity|p4ssword/.test(JSON.stringify(rows)))
      // Two rows exchanged: each is sealed correctly, only not here.
      const snmp = rows.filter((row: { kind: string }) => row.kind === "snmp")
      for (const [to, from] of [
        [0, 1],
        [1, 0],
      ] as const) {
        await owner.query("update credential set sealed = $3 where device_id = $1 and kind = $2", [
          snmp[to].device_id,
          "snmp",
          snmp[from].sealed,
        ])
      }
    } finally {
      await owner.end()
    }
    const refused: string[] = []
    const targets = await run(loadTargets(it.db, await vault(), tenant, (it) => refused.push(it.message)))
    assert.equal(refused.length, 2)
    assert.deepEqual(
      targets.map(({ name, snmp, routeros }) => [name, snmp === null, routeros === null]),
      [
        ["r1", true, false],
        ["r2", true, true],
        ["r3", true, true],
      ],
    )
    // Importing again is the cure.
    assert.deepEqual((await importing(tenant, DOCUMENT)).devices, change(0, 2, 1))
    const cured = await run(loadTargets(it.db, await vault(), tenant, () => assert.fail("all open again")))
    assert.deepEqual(cured[0]!.snmp, DOCUMENT.devices[1]!.snmp)
  })

  test("imports at the same time take turns; 2,000 devices in one import", async (t) => {
    const tenant = await it.newTenant()
    const many = (from: number, to: number): ImportDocument => ({
      ...DOCUMENT,
      devices: Array.from({ length: to - from }, (_, i) => device(`n${from + i}`)),
      links: Array.from({ length: to - from - 1 }, (_, i) => ({
        a: end(`n${from + i}`, "e1"),
        b: end(`n${from + i + 1}`, "e2"),
        capacityBps: 1e9,
      })),
    })
    const reports = await Promise.all([
      importing(tenant, many(0, 500)),
      importing(tenant, many(0, 500)),
      importing(tenant, many(500, 600)),
    ])
    assert.deepEqual(
      reports
        .map(({ rev }) => rev)
        .toSorted()
        .at(-1),
      2,
    )
    const began = performance.now()
    assert.equal((await importing(tenant, many(0, 2_000))).devices.added, 1_400)
    const imported = performance.now()
    assert.equal((await run(loadTargets(it.db, await vault(), tenant, () => {}))).length, 2_000)
    t.diagnostic(
      `import of 2,000 devices ${(imported - began).toFixed(0)} ms, targets ${(performance.now() - imported).toFixed(0)} ms`,
    )
  })

  test("[T1] another tenant sees and changes nothing of it", async () => {
    const [a, b] = [await it.newTenant(), await it.newTenant()]
    await importing(a, DOCUMENT)
    assert.equal((await run(loadInventory(it.db, b))).rev, 0)
    assert.deepEqual(await run(loadTargets(it.db, await vault(), b, () => {})), [])
    const report = await importing(b, DOCUMENT)
    assert.deepEqual([report.rev, report.devices.added], [1, 3])
  })
})
