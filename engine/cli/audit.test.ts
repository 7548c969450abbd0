/** [S6] `heliograph audit` as an operator and an auditor call it, on a data directory without an engine. */
import assert from "node:assert/strict"
import { appendFileSync, copyFileSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, test } from "node:test"
import * as Effect from "effect/Effect"
import { Client } from "pg"
import { recordAct } from "#engine/audit/act.ts"
import { writeAnchors } from "#engine/audit/anchors.ts"
import { main } from "#engine/cli.ts"
import { silentLog } from "#engine/log.ts"
import { openSigner } from "#engine/signing/signer.ts"
import { NO_POSTGRES, useTestDatabase } from "#engine/storage/database.fixture.ts"
import { findTenant } from "#engine/storage/tenants.ts"
import type { TenantId } from "#protocol/id.ts"

const run = async (env: Record<string, string>, ...words: readonly string[]) => {
  const [out, err]: [string[], string[]] = [[], []]
  const code = await main(["audit", ...words], { env, out: (line) => out.push(line), err: (line) => err.push(line) })
  return { code, out: out.join("\n"), err: err.join("\n") }
}

test("[S6] wrong words are told, and nothing is tried", async () => {
  for (const [words, why] of [
    [[], /verify, export, check or key is missing/],
    [["prove"], /there is no "audit prove"/],
    [["constructor"], /there is no "audit constructor"/],
    [["export"], /FILE is missing/],
    [["verify", "x"], /what is "x"/],
    [["key", "a", "b"], /what is "b"/],
    [["export", "x", "--from", "yesterday"], /--from and --to are dates/],
    [["export", "x", "--to", "-5"], /to/],
  ] as const) {
    const { code, err } = await run({ HELIOGRAPH_DATA_DIR: "/nonexistent/heliograph" }, ...words)
    assert.equal(code, 2, words.join(" "))
    assert.match(err, why)
  }
})

describe("[S6] heliograph audit", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()
  let tenant: TenantId
  let owner: Client
  const slugs: string[] = []
  const env = (): Record<string, string> => ({ HELIOGRAPH_DATA_DIR: it.dataDir })
  const file = (name: string): string => join(it.dataDir, name)
  const act = (name: string): Promise<void> =>
    Effect.runPromise(
      it.db.tenant(tenant)((tx) =>
        recordAct(
          tx,
          tenant,
          { kind: "user", id: "u", name: "ada", source: null },
          { action: "site.create", object: { kind: "site", id: name, name }, before: null, after: { name } },
        ),
      ),
    )
  before(async () => {
    owner = new Client({ connectionString: it.database.ownerUrl })
    owner.on("error", () => undefined)
    await owner.connect()
    tenant = await it.newTenant()
    await it.newTenant()
    const { rows } = await owner.query<{ slug: string }>("select slug from tenant order by created_ms, tenant_id")
    slugs.push(...rows.map(({ slug }) => slug))
    assert.equal((await Effect.runPromise(findTenant(it.db, slugs[0]!)))?.id, tenant)
    for (const name of ["one", "two", "three"]) await act(name)
  })
  after(() => owner.end())

  test("[S6] the public key is printed alone, the key is made once", async () => {
    const { code, out, err } = await run(env(), "key")
    assert.equal(code, 0)
    assert.match(out, /^-----BEGIN PUBLIC KEY-----\n[A-Za-z0-9+/=]+\n-----END PUBLIC KEY-----$/)
    assert.match(err, /^key [0-9a-f]{16}$/)
    assert.equal((await run(env(), "key")).out, out)
    writeFileSync(file("auditor.pem"), `${out}\n`)
  })

  test("[S6] every tenant's chain is verified, or the one that is asked for", async () => {
    const all = await run(env(), "verify")
    assert.deepEqual([all.code, all.out.split("\n").length], [0, 2])
    assert.match(all.out, new RegExp(`^${slugs[0]}: intact, 3 rows, 0 anchors`, "m"))
    const one = await run(env(), "verify", "--tenant", slugs[1]!, "--json")
    assert.deepEqual(
      { ...JSON.parse(one.out), seconds: 0 },
      {
        tenant: slugs[1],
        rows: 0,
        intact: true,
        brokenAtSeq: null,
        problem: null,
        head: null,
        anchors: 0,
        seconds: 0,
      },
    )
    assert.equal((await run(env(), "verify", "--tenant", "nobody")).code, 2)
  })

  test("[S6] an export checks with nothing but its files and the public key, and no longer when a byte is changed", async () => {
    const copy = file("copy.jsonl")
    const made = await run(env(), "export", copy, "--tenant", slugs[0]!)
    assert.equal(made.code, 0, made.err)
    assert.match(made.out, /3 entries/)
    assert.equal(statSync(copy).mode & 0o777, 0o600)
    assert.match((await run(env(), "verify", "--tenant", slugs[0]!)).out, /intact, 4 rows/, "the export is an act")
    // Elsewhere: no database, no key of ours, no settings that could be right.
    const elsewhere = file("elsewhere")
    mkdirSync(elsewhere)
    copyFileSync(copy, join(elsewhere, "a"))
    copyFileSync(`${copy}.sig`, join(elsewhere, "a.sig"))
    const check = (): ReturnType<typeof run> =>
      run({ HELIOGRAPH_PORT: "nonsense" }, "check", join(elsewhere, "a"), "--key", file("auditor.pem"))
    const good = await check()
    assert.deepEqual([good.code, good.err], [0, ""])
    assert.match(good.out, /intact, 3 entries/)
    for (const spoil of [
      (text: string) => text.replace("three", "threE"),
      (text: string) => text.replaceAll("\n", "\r\n"),
      (text: string) => text.slice(0, -1),
      (text: string) => `${text}\n`,
    ]) {
      writeFileSync(join(elsewhere, "a"), spoil(readFileSync(copy, "utf8")))
      const bad = await check()
      assert.equal(bad.code, 1, `${bad.out} ${spoil.toString()}`)
    }
    rmSync(join(elsewhere, "a.sig"))
    assert.equal((await check()).code, 1)
  })

  test("[S6] a refused export leaves no file behind", async () => {
    const refused = await run(env(), "export", file("none.jsonl"))
    assert.equal(refused.code, 2, "which of the two tenants?")
    assert.throws(() => statSync(file("none.jsonl")))
    assert.throws(() => statSync(file("none.jsonl.part")))
  })

  test("[S6] what was altered is told with its row, and the exit code is 1", async () => {
    const signer = await Effect.runPromise(openSigner(it.dataDir))
    const anchored = { db: it.db, dataDir: it.dataDir, signer, tenants: () => [tenant], log: silentLog }
    assert.equal(await Effect.runPromise(writeAnchors(anchored)), 1)
    appendFileSync(file("audit-anchors.jsonl"), "nonsense\n")
    const good = await run(env(), "verify")
    assert.deepEqual([good.code, /4 rows, 1 anchors/.test(good.out)], [0, true])
    assert.match(good.err, /1 lines cannot be read/)
    await owner.query("delete from audit_entry where tenant_id = $1 and seq = 4", [tenant])
    const cut = await run(env(), "verify")
    assert.equal(cut.code, 1)
    assert.match(cut.out, /BROKEN at row 4: the audit ends at row 3, but row 4 was anchored at .*backup/)
    await owner.query("update audit_entry set actor_name = 'eve' where tenant_id = $1 and seq = 2", [tenant])
    assert.match((await run(env(), "verify")).out, /BROKEN at row 2: row 2 was changed/)
  })
})
