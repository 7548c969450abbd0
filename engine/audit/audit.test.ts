/** [S6] The audit as the API offers it: pages, filters, one verification for all who ask, copies within a quota. */
import assert from "node:assert/strict"
import { before, describe, test } from "node:test"
import * as Effect from "effect/Effect"
import { recordAct, type Actor } from "#engine/audit/act.ts"
import { EXPORT_BYTES_MAX, makeAudit, type Audit, type AuditQuery, type AuditView } from "#engine/audit/audit.ts"
import { checkExport } from "#engine/audit/check.ts"
import { openSigner, type Signer } from "#engine/signing/signer.ts"
import { NO_POSTGRES, useTestDatabase } from "#engine/storage/database.fixture.ts"
import type { TenantId } from "#protocol/id.ts"

const ADA: Actor = { kind: "user", id: "u-ada", name: "Ada", source: null }
const BOB: Actor = { kind: "apiKey", id: "k-bob", name: "Bob", source: "192.0.2.9" }
const ALL: AuditQuery = {
  actor: null,
  action: null,
  object: null,
  fromMs: null,
  toMs: null,
  beforeSeq: null,
  limit: 100,
}

describe("[S6] the audit by the API's port", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()
  let [signer, audit, tenant, other] = [{} as Signer, {} as Audit, "" as TenantId, "" as TenantId]
  let quota = 1e9
  const exceeded: TenantId[] = []
  const record = (whose: TenantId, actor: Actor, action: string, id: string, name: string): Promise<void> =>
    Effect.runPromise(
      it.db.tenant(whose)((tx) =>
        recordAct(tx, whose, actor, { action, object: { kind: "x", id, name }, before: null, after: { name } }),
      ),
    )
  before(async () => {
    signer = Effect.runSync(openSigner(it.dataDir))
    const quotas = { limit: () => quota, exceeded: (whose: TenantId) => void exceeded.push(whose) }
    audit = makeAudit({ db: it.db, dataDir: it.dataDir, signer, quotas, nowMs: () => 1 })
    ;[tenant, other] = [await it.newTenant(), await it.newTenant()]
    await record(tenant, ADA, "user.create", "u1", "Zoë")
    await record(tenant, BOB, "user.update", "u1", "Zoë")
    await record(tenant, ADA, "device.update", "d1", "core-1")
    await record(tenant, BOB, "user.remove", "u1", "Zoë")
    await record(other, ADA, "user.create", "u9", "of another tenant")
  })
  const page = (query: Partial<AuditQuery>): Promise<readonly AuditView[]> =>
    Effect.runPromise(audit.page(tenant, { ...ALL, ...query }))
  const seqs = async (query: Partial<AuditQuery>): Promise<number[]> => (await page(query)).map(({ seq }) => seq)

  test("[S6] newest first, of this tenant alone, with what changed", async () => {
    assert.deepEqual(await seqs({}), [4, 3, 2, 1])
    const [newest] = await page({ limit: 1 })
    assert.deepEqual(
      { ...newest, atMs: 0, hash: "" },
      {
        seq: 4,
        atMs: 0,
        actor: BOB,
        action: "user.remove",
        object: { kind: "x", id: "u1", name: "Zoë" },
        before: null,
        after: { name: "Zoë" },
        reason: null,
        hash: "",
      },
    )
    assert.match(newest!.hash, /^[0-9a-f]{64}$/)
  })

  test("[S6] pages follow one another, each row once", async () => {
    assert.deepEqual(await seqs({ limit: 3 }), [4, 3, 2])
    assert.deepEqual(await seqs({ limit: 3, beforeSeq: 2 }), [1])
    assert.deepEqual(await seqs({ beforeSeq: 1 }), [])
  })

  test("[S6] filters by who, what, on what and when", async () => {
    assert.deepEqual(await seqs({ actor: "u-ada" }), [3, 1])
    assert.deepEqual(await seqs({ actor: "BO" }), [4, 2])
    assert.deepEqual(await seqs({ action: "user." }), [4, 2, 1])
    assert.deepEqual(await seqs({ action: "user.update" }), [2])
    assert.deepEqual(await seqs({ object: "CORE" }), [3])
    assert.deepEqual(await seqs({ object: "u1", actor: "ada" }), [1])
    assert.deepEqual(await seqs({ fromMs: Date.now() + 60_000 }), [])
    assert.deepEqual(await seqs({ toMs: 1 }), [])
  })

  test("[S6] what looks like a pattern or like SQL is a word like any other", async () => {
    for (const nasty of ["%", "_", "' or 1=1 --", "\u0000", "\ud800", "u.*"]) {
      assert.deepEqual(await seqs({ actor: nasty }), [], JSON.stringify(nasty))
      assert.deepEqual(await seqs({ action: nasty }), [])
      assert.deepEqual(await seqs({ object: nasty }), [])
    }
  })

  test("[S6] whoever asks for the proof meanwhile gets the same one", async () => {
    const verdicts = await Effect.runPromise(
      Effect.all([audit.verify(tenant), audit.verify(tenant), audit.verify(other)], { concurrency: "unbounded" }),
    )
    assert.equal(verdicts[0], verdicts[1])
    assert.deepEqual(
      verdicts.map(({ intact, rows }) => [intact, rows]),
      [
        [true, 4],
        [true, 4],
        [true, 1],
      ],
    )
  })

  test("[S6] an export holds its lines and signature; over the quota there is none", async () => {
    quota = 600
    const refused = await Effect.runPromise(Effect.flip(audit.export(tenant, ADA, { fromMs: null, toMs: null })))
    assert.ok(refused._tag === "ExportTooLarge" && refused.bytesMax === 600)
    assert.deepEqual(await seqs({ limit: 1 }), [4], "what was refused is no act")
    assert.deepEqual(exceeded, [tenant], "and is counted")
    quota = EXPORT_BYTES_MAX * 2
    const made = await Effect.runPromise(audit.export(tenant, ADA, { fromMs: null, toMs: null }))
    const checked = await checkExport([Buffer.from(made.lines)], made, signer.publicKeys)
    assert.deepEqual([checked.problem, checked.rows, made.rows], [null, 4, 4])
    assert.ok(!made.lines.includes("another tenant"))
    assert.deepEqual((await page({ limit: 1 }))[0]?.action, "audit.export")
  })
})
