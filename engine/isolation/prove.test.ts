/** The proof of isolation (PRODUCT.md T1, T2, T10), run on a whole engine with two tenants, and on planted holes. */
import assert from "node:assert/strict"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, test } from "node:test"
import { Client } from "pg"
import { main } from "#engine/cli.ts"
import * as Effect from "effect/Effect"
import { knock } from "#engine/isolation/foreign-calls.ts"
import { tryRows } from "#engine/isolation/live-rows.ts"
import { checkReport, judge, readSigned, summaryOf, type IsolationReport } from "#engine/isolation/report.ts"
import { call, somebody, useTwoTenants } from "#engine/isolation/two-tenants.fixture.ts"
import { NO_POSTGRES } from "#engine/storage/database.fixture.ts"

describe("prove-isolation", { skip: NO_POSTGRES, timeout: 180_000 }, () => {
  const it = useTwoTenants()
  const heliograph = async (...args: readonly string[]): Promise<{ code: number; out: string }> => {
    let out = ""
    const write = (line: string): void => void (out += `${line}\n`)
    const code = await main(args, { env: { HELIOGRAPH_DATA_DIR: it.dataDir }, out: write, err: write })
    return { code, out }
  }
  const asOwner = async (sql: string): Promise<void> => {
    const owner = new Client({ connectionString: it.database.ownerUrl })
    await owner.connect()
    await owner.query(sql)
    await owner.end()
  }

  test("[T1] [T2] one signed report of a clean installation; the key it made is gone and on record", async (t) => {
    const file = join(it.dataDir, "proof.json")
    const done = await heliograph("prove-isolation", "--out", file, "--calls", "400", "--seed", "7")
    t.diagnostic(done.out)
    assert.equal(done.code, 0, done.out)
    const report = readSigned(readFileSync(file, "utf8"))!.report
    assert.equal(report.verdict, "isolated")
    assert.ok(report.databases[0]!.rows.tables >= 20 && report.databases[0]!.rows.checks > 100)
    assert.deepEqual(
      report.databases[0]!.roles.map(({ role }) => role),
      ["heliograph_app", "heliograph_engine", "heliograph_owner"],
    )
    assert.equal(report.calls?.calls, 400)
    assert.deepEqual(report.calls?.byStatus, { 404: 400 })
    assert.ok((report.calls?.foreignIds ?? 0) >= 5)
    const left = await Effect.runPromise(
      it.db.tenant(it.a.id)(async (tx) => ({
        keys: (await tx.query("select 1 from api_key")).rowCount,
        acts: (
          await tx.query<{ action: string }>("select action from audit_entry where action like 'key.%' order by seq")
        ).rows,
      })),
    )
    assert.deepEqual(left, { keys: 0, acts: [{ action: "key.create" }, { action: "key.revoke" }] })
  })

  test("[T1] --check knows the genuine report from an altered one, and from a stranger's", async () => {
    const file = join(it.dataDir, "proof.json")
    assert.equal((await heliograph("prove-isolation", "--check", file)).code, 0)
    const text = readFileSync(file, "utf8")
    writeFileSync(file, text.replace(/"calls": 400/, '"calls": 10000'))
    const altered = await heliograph("prove-isolation", "--check", file)
    assert.deepEqual([altered.code, /altered/.test(altered.out)], [1, true])
    assert.match(checkReport(text, new Map()) ?? "", /not among the known keys/)
    for (const nonsense of ["", "[]", "null", "{}", '{"report":{"kind":"heliograph isolation report"}}'])
      assert.match(checkReport(nonsense, new Map()) ?? "", /no isolation report/)
  })

  test("[T1] a table that lets another tenant through is found by the catalogue and by trying", async () => {
    await asOwner("create policy hole on site to heliograph_app using (true) with check (true)")
    try {
      const rows = await Effect.runPromise(tryRows(it.database))
      const kinds = new Set(rows.failures.map((failure) => `${failure.split(":")[0]} ${failure.split(" ").at(-3)}`))
      assert.ok(
        rows.failures.length > 0 && [...kinds].every((kind) => kind.startsWith("site ")),
        rows.failures.join("\n"),
      )
      assert.ok(rows.failures.some((failure) => failure.includes("without a tenant")))
      assert.ok(rows.failures.some((failure) => failure.includes("reads")))
      const done = await heliograph("prove-isolation", "--calls", "10")
      assert.equal(done.code, 1)
      assert.match(done.out, /FOUND site.hole[^]*WRONG site:[^]*verdict: broken/)
    } finally {
      await asOwner("drop policy hole on site")
    }
  })

  test("[T2] a door that opens for an id is told with its path", async () => {
    const reader = await somebody(it, it.a, ["viewer"], ["network.read"])
    const own = await call(it, "GET", "/api/v1/devices", reader.headers)
    const { items } = (await own.json()) as { items: ReadonlyArray<{ id: string }> }
    const bearer = reader.headers["authorization"]!.slice("Bearer ".length)
    const found = await knock({ url: it.url, bearer, calls: 200, seed: 1, foreign: [items[0]!.id] })
    assert.ok(
      found.unexpected.some((what) => what === `GET /api/v1/devices/${items[0]!.id} -> 200`),
      JSON.stringify(found),
    )
    const again = await knock({ url: it.url, bearer, calls: 200, seed: 1, foreign: [items[0]!.id] })
    assert.deepEqual(again.byRoute, found.byRoute)
  })

  test("what could not be looked at makes a report incomplete, never clean", () => {
    const whole: Parameters<typeof judge>[0] = {
      atMs: 1,
      heliograph: "0",
      databases: [],
      calls: { calls: 1, seed: 1, foreignIds: 1, byStatus: { 404: 1 }, byRoute: { x: 1 }, unexpected: [] },
      notDone: [],
    }
    const verdict = (more: Partial<IsolationReport>): string => judge({ ...whole, ...more }).verdict
    assert.equal(verdict({}), "isolated")
    assert.equal(verdict({ notDone: ["calls: no engine"], calls: null }), "incomplete")
    assert.equal(verdict({ calls: { ...whole.calls!, unexpected: ["GET / -> 200"] }, notDone: ["x"] }), "broken")
    assert.match(summaryOf(judge({ ...whole, notDone: ["x"] })).join("\n"), /not done: x\nverdict: incomplete/)
  })
})
