/**
 * The model of PostgreSQL answers as PostgreSQL does: random programs of the engine's own storage functions (leases, fenced
 * inserts, retries, pages, snapshots, events) on both, answer by answer. And the model's disk keeps what it promised.
 */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import * as Effect from "effect/Effect"
import fc from "fast-check"
import { NO_POSTGRES, useTestDatabase } from "#engine/storage/database.fixture.ts"
import type { DbShape } from "#engine/storage/db.ts"
import { appendEvents } from "#engine/storage/events.ts"
import { rowOf } from "#engine/storage/journal-row.ts"
import { insertMissing, insertRows, lastSeq, readPage } from "#engine/storage/journal-table.ts"
import { currentEpoch, takeLease } from "#engine/storage/lease.ts"
import { openSnapshots } from "#engine/storage/snapshots.ts"
import * as codec from "#engine/tenant/journal-codec.ts"
import { Database } from "#lab/sim/database.ts"
import { SimDisk } from "#lab/sim/disk.ts"
import { FOREVER, Loop } from "#lab/sim/loop.ts"
import { statementOf } from "#lab/sim/tables.ts"
import { tenantId } from "#protocol/id.ts"
import type { TenantId } from "#protocol/id.ts"

type Call =
  | { readonly kind: "lease" | "epoch" | "last" | "load" }
  | { readonly kind: "page"; readonly from: number }
  | {
      readonly kind: "insert" | "missing"
      readonly seq: number
      readonly counts: readonly number[]
      readonly epoch: number
    }
  | { readonly kind: "save"; readonly seq: number; readonly epoch: number }
  | { readonly kind: "events"; readonly seq: number }

const seq = fc.integer({ min: 1, max: 12 })
const epoch = fc.integer({ min: 1, max: 3 })
const counts = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 })
const calls: fc.Arbitrary<Call> = fc.oneof(
  fc.record({ kind: fc.constantFrom("lease" as const, "epoch" as const, "last" as const, "load" as const) }),
  fc.record({ kind: fc.constant("page" as const), from: seq }),
  {
    arbitrary: fc.record({ kind: fc.constantFrom("insert" as const, "missing" as const), seq, counts, epoch }),
    weight: 4,
  },
  fc.record({ kind: fc.constant("save" as const), seq, epoch }),
  fc.record({ kind: fc.constant("events" as const), seq }),
)

/** Rows that follow each other from `first` on. */
const rowsFrom = (first: number, sizes: readonly number[], ofEpoch: number) => {
  let next = first
  return sizes.map((count) => {
    const batch = Array.from({ length: count }, () => ({ seq: next, input: { kind: "tick" as const, atMs: next++ } }))
    return rowOf(batch, ofEpoch, codec)
  })
}

const perform = (db: DbShape, tenant: TenantId, call: Call): Effect.Effect<unknown, unknown> => {
  switch (call.kind) {
    case "lease":
      return takeLease(db, tenant, "test")
    case "epoch":
      return currentEpoch(db, tenant)
    case "last":
      return lastSeq(db, tenant)
    case "load":
      return Effect.promise(() => openSnapshots(db, tenant, { epoch: 0 }).load())
    case "page":
      return readPage(db, tenant, call.from)
    case "insert":
      return insertRows(db, tenant, call.epoch, rowsFrom(call.seq, call.counts, call.epoch))
    case "missing":
      return insertMissing(db, tenant, call.epoch, rowsFrom(call.seq, call.counts, call.epoch))
    case "save":
      return Effect.tryPromise({
        try: () => openSnapshots(db, tenant, { epoch: call.epoch }).save(call.seq, call.seq, Buffer.from("blob"), HASH),
        catch: (error) => error,
      })
    case "events":
      return appendEvents(db, tenant, [{ ...EVENT, id: `${call.seq}-0` }])
  }
}
const HASH = "0123456789abcdef"
const EVENT = {
  atMs: 1,
  type: "link.down",
  severity: "major",
  subject: "l",
  subjectKind: "link",
  entity: "",
  old: null,
  new: "down",
  raw: null,
  source: "twin",
} as const

/** What came back, or what it failed with: who took it over is told by the engine's own error. */
const told = (effect: Effect.Effect<unknown, unknown>): Effect.Effect<unknown> =>
  effect.pipe(
    Effect.catch((error) => Effect.succeed(`failed: ${(error as Error).message}`)),
    Effect.map((answer) => JSON.parse(JSON.stringify(answer ?? null)) as unknown),
  )

describe("the model of PostgreSQL", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()

  test("answers the engine's statements as PostgreSQL does", { timeout: 240_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(calls, { minLength: 4, maxLength: 14 }), fc.nat(), async (program, seed) => {
        const tenant = await it.newTenant()
        const loop = new Loop(seed, 0)
        const model = new Database(loop, seed, (detail) => assert.fail(detail)).shapeFor(FOREVER)
        for (const [step, call] of program.entries()) {
          const real = await Effect.runPromise(told(perform(it.db, tenant, call)))
          const answered = Effect.runPromise(told(perform(model, tenant, call)))
          await loop.runTo(loop.nowMs + 1_000)
          assert.deepEqual(await answered, real, `step ${step} of ${JSON.stringify(program)}`)
        }
      }),
      { numRuns: 40 },
    )
  })
})

test("a statement that the model does not know is refused, and one of another tenant is told", async () => {
  assert.throws(() => statementOf("select 1"), /does not know this statement: select 1/)
  const loop = new Loop(1, 0)
  const wrong: string[] = []
  const db = new Database(loop, 1, (detail) => void wrong.push(detail)).shapeFor(FOREVER)
  const [ours, theirs] = ["1", "2"].map((last) => tenantId(`00000000-0000-4000-8000-00000000000${last}`))
  const asked = Effect.runPromise(
    db.tenant(ours!)((tx) =>
      tx.query("select epoch::float8 as epoch from tenant_lease where tenant_id = $1", [theirs]),
    ),
  )
  await loop.runTo(1_000)
  await asked
  assert.match(wrong.join(), /names 00000000-0000-4000-8000-000000000002/)
})

test("a crash of the model keeps what it acknowledged, and a client that went away leaves no lock behind", async () => {
  const tenant = tenantId("00000000-0000-4000-8000-000000000001")
  const loop = new Loop(1, 0)
  const database = new Database(loop, 1, (detail) => assert.fail(detail))
  const life = { alive: true }
  const db = database.shapeFor(life)
  const run = async (effect: Effect.Effect<unknown, unknown>): Promise<unknown> => {
    const answered = Effect.runPromise(told(effect))
    await loop.runTo(loop.nowMs + 1_000)
    return answered
  }
  await run(takeLease(db, tenant, "first"))
  await run(insertRows(db, tenant, 1, rowsFrom(1, [2, 3], 1)))
  // Frozen with a transaction that holds the lease, and then its process dies.
  database.freeze(tenant)
  void Effect.runPromise(told(insertRows(db, tenant, 1, rowsFrom(6, [1], 1))))
  await loop.runTo(loop.nowMs + 100)
  life.alive = false
  database.killed(life)
  database.thaw(tenant)
  const next = database.shapeFor(FOREVER)
  const taken = Effect.runPromise(takeLease(next, tenant, "second"))
  await loop.runTo(loop.nowMs + 1_000)
  assert.deepEqual(await taken, { epoch: 2 })
  database.crash()
  const refused = Effect.runPromise(told(lastSeq(next, tenant)))
  await loop.runTo(loop.nowMs + 10)
  assert.match(String(await refused), /ECONNREFUSED/)
  database.away = false
  assert.equal(database.tables(tenant).epoch, 2)
  assert.equal(database.tables(tenant).lastSeq(), 5)
})

test("after a power cut the disk has what was synced, at its place; the rest is there, torn, zeros or gone", async () => {
  let [lost, kept] = [0, 0]
  for (let seed = 0; seed < 200; seed++) {
    const loop = new Loop(seed, 0)
    const sim = new SimDisk(loop, seed)
    const disk = sim.for(FOREVER)
    const done = (async () => {
      const file = await disk.open("/data/spool/a")
      if (seed % 2 === 0) await disk.syncFolder("/data/spool")
      for (let at = 0; at < 4;) at += await file.write(Buffer.from("safe").subarray(at), at)
      await file.datasync()
      for (let at = 0; at < 6;) at += await file.write(Buffer.from("unsure").subarray(at), 4 + at)
    })()
    await loop.runTo(1_000)
    await done
    sim.powerCut()
    const isThere = await disk.exists("/data/spool/a")
    if (seed % 2 === 0) assert.ok(isThere, "a synced name stays")
    if (!isThere) {
      lost++
      continue
    }
    const file = await disk.open("/data/spool/a")
    const bytes = Buffer.alloc(await file.size())
    await file.read(bytes, 0)
    assert.equal(bytes.subarray(0, 4).toString(), "safe")
    if (bytes.toString() === "safeunsure") kept++
  }
  assert.ok(lost > 10, "a name that was not synced may go")
  assert.ok(kept > 10 && kept < 150, "what was not synced may stay, and may not")
})
