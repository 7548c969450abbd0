/** [S6] The chain in a real database: what was written is what is verified, and no one can change it unseen. */
import assert from "node:assert/strict"
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, test } from "node:test"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import fc from "fast-check"
import { Client } from "pg"
import type { TenantId } from "#protocol/id.ts"
import { recordAct, type Act, type Actor } from "#engine/audit/act.ts"
import { headOf, keepAnchors, writeAnchors } from "#engine/audit/anchors.ts"
import { checkExport } from "#engine/audit/check.ts"
import { exportAudit, ExportTooLarge } from "#engine/audit/export.ts"
import { verifyAudit, type Verdict } from "#engine/audit/verify.ts"
import { makeLog } from "#engine/log.ts"
import { anchorPath, readAnchors } from "#engine/signing/anchor-file.ts"
import { openSigner, type Signer } from "#engine/signing/signer.ts"
import { NO_POSTGRES, useTestDatabase } from "#engine/storage/database.fixture.ts"

const ADA: Actor = { kind: "user", id: "u1", name: "ada", source: "192.0.2.1" }
const act = (name: string): Act => ({
  action: "device.update",
  object: { kind: "device", id: "d1", name },
  before: { name: "old" },
  after: { name },
})

describe("[S6] the audit's chain", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()
  let owner: Client
  let dir: string
  let signer: Signer
  before(async () => {
    owner = new Client({ connectionString: it.database.ownerUrl })
    // The fixture stops its server before this client is closed.
    owner.on("error", () => undefined)
    await owner.connect()
    dir = mkdtempSync(join(tmpdir(), "heliograph-audit-"))
    signer = Effect.runSync(openSigner(dir))
  })
  after(async () => {
    await owner.end()
    rmSync(dir, { recursive: true, force: true })
  })

  const record = (tenant: TenantId, ...acts: readonly Act[]): Promise<void> =>
    Effect.runPromise(
      it.db.tenant(tenant)(async (tx) => {
        for (const one of acts) await recordAct(tx, tenant, ADA, one)
      }),
    )
  const tenantWith = async (rows: number): Promise<TenantId> => {
    const tenant = await it.newTenant()
    await record(tenant, ...Array.from({ length: rows }, (_, index) => act(`router ${index}`)))
    return tenant
  }
  const verify = (tenant: TenantId, pageRows = 7): Promise<Verdict> =>
    Effect.runPromise(
      verifyAudit(
        it.db,
        tenant,
        {
          anchors: readAnchors(dir).anchors.filter((anchor) => anchor.tenant === tenant),
          publicKeys: signer.publicKeys,
        },
        pageRows,
      ),
    )
  const anchor = (...tenants: readonly TenantId[]): Promise<number> =>
    Effect.runPromise(writeAnchors({ db: it.db, dataDir: dir, signer, tenants: () => tenants, log: quiet }))
  const quiet = makeLog({ level: "error", format: "json", write: () => undefined })

  test("[S6] whatever an act holds, its hash recomputed from what PostgreSQL gives back is the one stored", async () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("\u0000", "\ud800x", "__proto__", "x".repeat(500)),
    )
    const side = fc.option(fc.dictionary(text, fc.oneof(fc.jsonValue(), fc.double(), fc.constantFrom(1e21, -0, 1e-7))))
    const acts = fc.record({
      action: fc.constantFrom("user.create", "session.remove", "apikey.rotate-now"),
      object: fc.record({ kind: text, id: text, name: text }),
      before: side,
      after: side,
      reason: text,
    })
    const sources = fc.option(text)
    await fc.assert(
      fc.asyncProperty(fc.array(acts, { minLength: 1, maxLength: 12 }), sources, text, async (some, source, name) => {
        const tenant = await it.newTenant()
        await Effect.runPromise(
          it.db.tenant(tenant)(async (tx) => {
            for (const one of some) await recordAct(tx, tenant, { kind: "apiKey", id: name, name, source }, one)
          }),
        )
        const verdict = await verify(tenant, 5)
        assert.deepEqual([verdict.problem, verdict.rows], [null, some.length])
      }),
      { numRuns: 40 },
    )
  })

  test("[S6] 50 writers of one tenant leave 1..50 without a gap or a fork, and other tenants do not wait for them", async () => {
    const tenant = await it.newTenant()
    await Promise.all(Array.from({ length: 50 }, (_, index) => record(tenant, act(`r${index}`))))
    const { rows } = await owner.query<{ seq: string; hash: Buffer; previous: Buffer }>(
      "select seq, hash, previous from audit_entry where tenant_id = $1 order by seq",
      [tenant],
    )
    assert.deepEqual(
      rows.map(({ seq }) => Number(seq)),
      Array.from({ length: 50 }, (_, index) => index + 1),
    )
    assert.equal(new Set(rows.map(({ previous }) => previous.toString("hex"))).size, 50)
    assert.equal((await verify(tenant)).intact, true)
  })

  test("[S6] an act that rolls back leaves no row, and its number is used by the next", async () => {
    const tenant = await tenantWith(2)
    const failed = await Effect.runPromiseExit(
      it.db.tenant(tenant)(async (tx) => {
        await recordAct(tx, tenant, ADA, act("gone"))
        throw Object.assign(new Error("refused"), { _tag: "Refused" })
      }),
    )
    assert.ok(Exit.isFailure(failed))
    await record(tenant, act("kept"))
    const verdict = await verify(tenant)
    assert.deepEqual([verdict.intact, verdict.rows, verdict.head?.seq], [true, 3, 3])
  })

  test("[S6] the app role can neither change nor remove a row", async () => {
    const tenant = await tenantWith(1)
    for (const sql of ["update audit_entry set reason = 'x'", "delete from audit_entry", "truncate audit_entry"]) {
      const exit = await Effect.runPromiseExit(it.db.tenant(tenant)((tx) => tx.query(sql)))
      assert.ok(Exit.isFailure(exit), sql)
    }
    assert.equal((await verify(tenant)).intact, true)
  })

  /** What somebody with the owner's rights may do to rows, and the first row that must be named. */
  const CRIMES: ReadonlyArray<readonly [what: string, sql: readonly string[], brokenAt: number, words: RegExp]> = [
    ["an edited name", ["update audit_entry set actor_name = 'bob' where tenant_id = $1 and seq = 10"], 10, /changed/],
    [
      "one digit",
      [`update audit_entry set after = '{"name":"router 8"}' where tenant_id = $1 and seq = 10`],
      10,
      /changed/,
    ],
    [
      "one space",
      [`update audit_entry set after = '{"name": "router 9"}' where tenant_id = $1 and seq = 10`],
      10,
      /changed/,
    ],
    ["a null", ["update audit_entry set before = null where tenant_id = $1 and seq = 20"], 20, /changed/],
    ["a time", ["update audit_entry set at_ms = at_ms + 1 where tenant_id = $1 and seq = 1"], 1, /changed/],
    ["a hash", ["update audit_entry set hash = sha256('x') where tenant_id = $1 and seq = 20"], 20, /changed/],
    ["the head removed", ["delete from audit_entry where tenant_id = $1 and seq = 1"], 1, /row 1 is missing/],
    ["the middle", ["delete from audit_entry where tenant_id = $1 and seq in (8, 9)"], 8, /rows 8 to 9 are missing/],
    [
      "two rows in each other's place",
      [
        "update audit_entry set seq = 1000 where tenant_id = $1 and seq = 5",
        "update audit_entry set seq = 5 where tenant_id = $1 and seq = 6",
        "update audit_entry set seq = 6 where tenant_id = $1 and seq = 1000",
      ],
      5,
      /does not follow/,
    ],
    [
      "a gap that was closed",
      [
        "delete from audit_entry where tenant_id = $1 and seq = 19",
        "update audit_entry set seq = 19 where tenant_id = $1 and seq = 20",
      ],
      19,
      /does not follow/,
    ],
    [
      "a row put between",
      [
        "update audit_entry set seq = 21 where tenant_id = $1 and seq = 20",
        `insert into audit_entry select tenant_id, 20, at_ms, actor_kind, actor_id, actor_name, source, action,
           object_kind, object_id, object_name, before, after, reason, hash, sha256('forged')
         from audit_entry where tenant_id = $1 and seq = 19`,
      ],
      20,
      /changed/,
    ],
  ]
  for (const [what, statements, brokenAt, words] of CRIMES) {
    test(`[S6] found at its row: ${what}`, async () => {
      const tenant = await tenantWith(20)
      assert.equal((await verify(tenant)).intact, true)
      for (const sql of statements) await owner.query(sql, [tenant])
      const verdict = await verify(tenant)
      assert.deepEqual([verdict.intact, verdict.brokenAtSeq], [false, brokenAt])
      assert.match(verdict.problem ?? "", words)
    })
  }

  test("[S6] a tail that was cut off is whole in itself; the anchor outside tells", async () => {
    const tenant = await tenantWith(9)
    assert.equal(await anchor(tenant), 1)
    assert.equal(await anchor(tenant), 0, "nothing moved: nothing is written")
    await owner.query("delete from audit_entry where tenant_id = $1 and seq > 6", [tenant])
    const verdict = await verify(tenant)
    assert.deepEqual([verdict.intact, verdict.brokenAtSeq, verdict.head?.seq], [false, 7, 6])
    assert.match(verdict.problem ?? "", /ends at row 6, but row 9 was anchored at .*older than the anchor/)
    await owner.query("delete from audit_entry where tenant_id = $1", [tenant])
    assert.equal((await verify(tenant)).brokenAtSeq, 1)
  })

  test("[S6] a restored backup that went on its own way contradicts the anchor, and the start says so", async () => {
    const tenant = await tenantWith(5)
    await anchor(tenant)
    await owner.query("delete from audit_entry where tenant_id = $1 and seq > 3", [tenant])
    await record(tenant, act("another"), act("life"))
    const verdict = await verify(tenant)
    assert.equal(verdict.brokenAtSeq, 5)
    assert.match(verdict.problem ?? "", /row 5 is not the row that was anchored/)
    const said: string[] = []
    const log = makeLog({ level: "error", format: "json", write: (line) => said.push(line) })
    const scope = Scope.makeUnsafe()
    await Effect.runPromise(
      Scope.provide(keepAnchors({ db: it.db, dataDir: dir, signer, tenants: () => [tenant], log }), scope),
    )
    assert.match(said.join(), /row 5 of tenant .* is not in the database any more/)
    await record(tenant, act("the last one before the stop"))
    await Effect.runPromise(Scope.close(scope, Exit.void))
    assert.equal(readAnchors(dir).anchors.findLast((one) => one.tenant === tenant)?.seq, 6, "a clean stop anchors")
  })

  test("[S6] an anchor that was edited, or signed by another key, is told", async () => {
    const tenant = await tenantWith(3)
    await anchor(tenant)
    const path = anchorPath(dir)
    const whole = readFileSync(path, "utf8")
    const last = whole.trimEnd().split("\n").at(-1)!
    writeFileSync(path, whole.replace(last, last.replace('"seq":3', '"seq":2')))
    assert.match((await verify(tenant)).problem ?? "", /row 2 is not the row that was anchored/)
    writeFileSync(path, whole)
    appendFileSync(path, `${last.replace(signer.keyId, "0123456789abcdef")}\n`)
    assert.match((await verify(tenant)).problem ?? "", /not signed by a key of this engine/)
    writeFileSync(path, whole)
    const verdict = await verify(tenant)
    assert.deepEqual([verdict.intact, verdict.anchors], [true, 1])
  })

  // --- exports

  const exported = async (tenant: TenantId, range: { fromMs: number | null; toMs: number | null }, bytesMax = 1e9) => {
    const parts: string[] = []
    const made = await Effect.runPromise(
      exportAudit(it.db, signer, tenant, ADA, { ...range, bytesMax, nowMs: 1, write: (part) => parts.push(part) }),
    )
    return { ...made, lines: parts.join("").split("\n").slice(0, -1) }
  }
  const ALL = { fromMs: null, toMs: null }
  /** Cut at places that are no line's end. */
  const chunks = (lines: readonly string[]): Buffer[] => {
    const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""))
    return Array.from({ length: Math.ceil(bytes.length / 997) }, (_, nth) => bytes.subarray(nth * 997, nth * 997 + 997))
  }

  test("[S6] an export checks offline, and is itself one act", async () => {
    const tenant = await tenantWith(2_500)
    const { lines, ...made } = await exported(tenant, ALL)
    assert.equal(lines.length, 2_501)
    const checked = await checkExport(chunks(lines), made, signer.publicKeys)
    assert.deepEqual([checked.problem, checked.rows], [null, 2_500])
    const { rows } = await owner.query<{ seq: string; after: unknown }>(
      "select seq, after from audit_entry where tenant_id = $1 and action = 'audit.export'",
      [tenant],
    )
    assert.deepEqual(rows, [
      {
        seq: "2501",
        after: { ...ALL, rows: 2_500, bytes: made.bytes, sha256: made.sha256, keyId: signer.keyId },
      },
    ])
  })

  test("[S6] a byte changed, a line dropped or moved, and another key are found in an export", async () => {
    const tenant = await it.newTenant()
    await record(tenant, { ...act("é\u2028"), after: JSON.parse('{"__proto__":{"9":1,"10":-0},"b":1e21}') }, act("two"))
    await record(tenant, ...Array.from({ length: 8 }, (_, index) => act(`r${index}`)))
    const { lines, ...made } = await exported(tenant, ALL)
    const check = (some: readonly string[], keys = signer.publicKeys) => checkExport(chunks(some), made, keys)
    assert.equal((await check(lines)).problem, null)
    assert.match((await check(lines.with(3, lines[3]!.replace("ada", "bob")))).problem ?? "", /signature/)
    assert.match((await check(lines.toSpliced(4, 1))).problem ?? "", /signature/)
    assert.match((await check(lines, new Map())).problem ?? "", /none of the given public keys/)
    // Signed anew by somebody who has the key: the chain still tells.
    const forge = async (some: readonly string[]) => {
      const { createHash } = await import("node:crypto")
      const sha256 = createHash("sha256")
        .update(some.map((line) => `${line}\n`).join(""))
        .digest()
      return checkExport(chunks(some), signer.sign(sha256), signer.publicKeys)
    }
    assert.equal((await forge(lines)).problem, null)
    assert.match(
      (await forge(lines.with(3, lines[3]!.replace("ada", "bob")))).problem ?? "",
      /line 4: row 3 was changed/,
    )
    assert.match((await forge(lines.toSpliced(4, 1))).problem ?? "", /row 4 is missing/)
    assert.match((await forge(lines.slice(0, -1))).problem ?? "", /promises 10 entries, and there are 9/)
    assert.match((await forge(lines.with(5, "{}"))).problem ?? "", /line 6 is not an entry/)
    assert.match((await forge(lines.slice(1))).problem ?? "", /not the header/)
    assert.match((await forge([])).problem ?? "", /empty/)
  })

  test("[S6] a range has no gap though clocks went back, and an empty one is a signed empty file", async () => {
    const tenant = await tenantWith(10)
    await owner.query("update audit_entry set at_ms = 1000 where tenant_id = $1 and seq in (4, 6)", [tenant])
    const { lines } = await exported(tenant, { fromMs: 1000, toMs: 1000 })
    assert.deepEqual(
      lines.slice(1).map((line) => (JSON.parse(line) as { seq: number }).seq),
      [4, 5, 6],
    )
    const { lines: none, ...made } = await exported(tenant, { fromMs: 1, toMs: 2 })
    assert.equal(none.length, 1)
    assert.equal((await checkExport(chunks(none), made, signer.publicKeys)).problem, null)
  })

  test("[S6] an export over its quota gives nothing and records nothing", async () => {
    const tenant = await tenantWith(10)
    const error = await Effect.runPromise(
      Effect.flip(exportAudit(it.db, signer, tenant, ADA, { ...ALL, bytesMax: 900, nowMs: 1, write: () => undefined })),
    )
    assert.ok(error instanceof ExportTooLarge)
    assert.equal((await Effect.runPromise(headOf(it.db, tenant)))?.seq, 10)
  })
})
