/** Partitions on a real PostgreSQL: made ahead beside busy readers and writers, dropped without holding a write up. */
import assert from "node:assert/strict"
import { after, before, describe, test } from "node:test"
import fc from "fast-check"
import * as Effect from "effect/Effect"
import { Client } from "pg"
import { NO_POSTGRES, useTestDatabase } from "#engine/storage/database.fixture.ts"
import { cutoffs, deleteBefore, keepOnce } from "#engine/storage/partitions-keeper.ts"
import {
  dropPartitions,
  ensurePartitions,
  listPartitions,
  missingOf,
  PARTITIONED,
  startOf,
  type Partition,
} from "#engine/storage/partitions.ts"
import { DAY_MS } from "#engine/storage/rollup.ts"
import { uuidv7 } from "#engine/storage/uuidv7.ts"
import type { TenantId } from "#protocol/id.ts"

test("property: what is missing covers the range once, without touching what is there", () => {
  const [chunk, event] = [PARTITIONED[0], PARTITIONED[1]]
  fc.assert(
    fc.property(
      fc.constantFrom(chunk, event),
      fc.array(fc.tuple(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 1, max: 9 })), { maxLength: 6 }),
      fc.integer({ min: 0, max: 300 }),
      fc.integer({ min: 0, max: 90 }),
      (table, days, from, length) => {
        const have: Partition[] = []
        let end = 0
        for (const [start, of] of days.toSorted(([a], [b]) => a - b)) {
          if (start < end) continue
          have.push({ name: `p${start}`, fromMs: start * DAY_MS, toMs: (end = start + of) * DAY_MS })
        }
        const [fromMs, toMs] = [from * DAY_MS + 1, (from + length) * DAY_MS + 1]
        const all = [...have, ...missingOf(table, have, fromMs, toMs)].toSorted((a, b) => a.fromMs! - b.fromMs!)
        for (const [i, one] of all.entries()) {
          assert.ok(one.fromMs! < one.toMs)
          assert.ok(i === 0 || all[i - 1]!.toMs <= one.fromMs!, "two overlap")
        }
        for (let at = fromMs; at <= toMs; at += DAY_MS)
          assert.equal(all.filter((one) => one.fromMs! <= at && at < one.toMs).length, 1, `day ${at / DAY_MS}`)
        assert.equal(new Set(all.map(({ name }) => name)).size, all.length, "a name is used twice")
      },
    ),
  )
})

test("what is there from the beginning of time is left alone", () => {
  const past = { name: "chunk_before", fromMs: null, toMs: 10 * DAY_MS }
  assert.deepEqual(missingOf(PARTITIONED[0], [past], 0, 9 * DAY_MS), [])
  assert.deepEqual(
    missingOf(PARTITIONED[1], [past], 0, 40 * DAY_MS).map(({ name, fromMs, toMs }) => [name, fromMs, toMs]),
    [
      ["event_19700111", 10 * DAY_MS, 31 * DAY_MS],
      ["event_19700201", 31 * DAY_MS, 59 * DAY_MS],
    ],
  )
})

test("months and years begin where they begin", () => {
  assert.equal(startOf("month", Date.UTC(2028, 1, 29, 23)), Date.UTC(2028, 1, 1))
  assert.equal(startOf("year", Date.UTC(2028, 11, 31, 23)), Date.UTC(2028, 0, 1))
})

test("[W10] rows are deleted at night, and by day only when nights were missed", () => {
  const [night, day] = [new Date(2026, 5, 1, 3).getTime(), new Date(2026, 5, 1, 14).getTime()]
  assert.equal(deleteBefore(night, night), night - DAY_MS)
  assert.equal(deleteBefore(day, day), day - 3 * DAY_MS)
})

describe("partitions", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()
  let owner: Client
  let tenant: TenantId
  const FUTURE = startOf("day", Date.now()) + 400 * DAY_MS

  before(async () => {
    owner = new Client({ connectionString: it.database.ownerUrl })
    // The server stops before the connection is closed.
    owner.on("error", () => {})
    await owner.connect()
    tenant = await it.newTenant()
  })
  after(() => owner.end().catch(() => {}))

  /** Refused with 55P03 when it waits longer for a lock: so long, not for a busy disk or processor. */
  const insert = (t0: number, bytes = 8, lockWaitMs = 0): Promise<unknown> =>
    Effect.runPromise(
      it.db.ingest(tenant)(async (tx) => {
        await tx.query("select set_config('lock_timeout', $1, true)", [String(lockWaitMs)])
        await tx.query(
          `insert into chunk (tenant_id, device_id, source, t0, t1, seq0, seq1, polls, data)
           values ($1, $2, 'snmp', $3, $3, 1, 1, 1, $4)`,
          [tenant, uuidv7(), t0, Buffer.alloc(bytes, 7)],
        )
      }),
    )

  test("a row without a partition is refused with 23514; making it again makes nothing", async () => {
    await assert.rejects(insert(FUTURE), { code: "23514" })
    const made = await ensurePartitions(it.database.ownerUrl, FUTURE, FUTURE + DAY_MS)
    assert.ok(made.includes(`chunk_${new Date(FUTURE).toISOString().slice(0, 10).replaceAll("-", "")}`), made.join(" "))
    assert.deepEqual(await ensurePartitions(it.database.ownerUrl, FUTURE, FUTURE + DAY_MS), [])
    await insert(FUTURE)
  })

  test("it is made while a reader holds a transaction on the table, and while somebody writes", async () => {
    const reader = new Client({ connectionString: it.database.ownerUrl })
    await reader.connect()
    await reader.query("begin; select count(*) from chunk; select count(*) from event; select count(*) from rollup")
    try {
      const made = await ensurePartitions(it.database.ownerUrl, FUTURE + 40 * DAY_MS, FUTURE + 42 * DAY_MS)
      assert.ok(made.length >= 6)
    } finally {
      await reader.end()
    }
  })

  test("[W10] dropping a large partition holds no write up for 100 ms, beside a reader that comes and goes", async (t) => {
    const old = FUTURE - 30 * DAY_MS
    await ensurePartitions(it.database.ownerUrl, old, old)
    await ensurePartitions(it.database.ownerUrl, FUTURE, FUTURE)
    await Effect.runPromise(
      it.db.ingest(tenant)((tx) =>
        tx.query(
          `insert into chunk (tenant_id, device_id, source, t0, t1, seq0, seq1, polls, data)
           select $1, gen_random_uuid(), 'snmp', $2::bigint + i, $2::bigint + i, 1, 1, 30, convert_to(repeat('x', 4000), 'utf8')
           from generate_series(1, 20000) i`,
          [tenant, old],
        ),
      ),
    )
    const size = await owner.query(
      "select sum(pg_total_relation_size(relid))::float8 as bytes from pg_partition_tree('chunk')",
    )
    const latencies: number[] = []
    const writing = { on: true }
    const writer = (async () => {
      for (let i = 0; writing.on; i++) {
        const startedMs = performance.now()
        await insert(FUTURE + i, 8, 100)
        latencies.push(performance.now() - startedMs)
      }
    })()
    const reader = (async () => {
      while (writing.on) await owner.query("select count(*), pg_sleep(0.12) from chunk where t0 > 5")
    })()
    const dropped = await dropPartitions(it.database.ownerUrl, { chunk: FUTURE - 20 * DAY_MS })
    writing.on = false
    await Promise.all([writer, reader])
    assert.ok(dropped.length >= 1 && dropped.every((name) => name.startsWith("chunk_")), dropped.join(" "))
    latencies.sort((a, b) => a - b)
    const worst = latencies.at(-1)!
    t.diagnostic(
      `${Math.round(size.rows[0].bytes / 2 ** 20)} MB; ${latencies.length} writes meanwhile, p50 ${latencies[latencies.length >> 1]!.toFixed(1)} ms, longest ${worst.toFixed(1)} ms`,
    )
    // No write was refused for waiting 100 ms for a lock; how long all of it took is measured at size in `bench samples`.
    assert.ok(latencies.length > 3, `${latencies.length} writes`)
  })

  test("[W10] the keeper makes a week ahead and drops what no tenant keeps", async () => {
    const logged: string[] = []
    const log = { info: (line: string) => logged.push(line), error: (line: string) => logged.push(`ERROR ${line}`) }
    const now = FUTURE + 800 * DAY_MS
    const keep = { samples: 14 * DAY_MS, events: 90 * DAY_MS }
    const options = {
      ownerUrls: () => [it.database.ownerUrl],
      longest: Effect.succeed(keep),
      log: log as never,
      nowMs: () => now,
    }
    assert.equal(await Effect.runPromise(keepOnce(options)), true)
    const limits = cutoffs(now, keep)
    for (const { parent } of PARTITIONED) {
      const there = await listPartitions(it.database.ownerUrl, parent)
      assert.ok(
        there.every(({ toMs }) => toMs > limits[parent]),
        `${parent}: ${JSON.stringify(there)}`,
      )
      assert.ok(Math.max(...there.map(({ toMs }) => toMs)) > now + 7 * DAY_MS, parent)
    }
    assert.deepEqual(logged, ["partitions of the history"])
    await assert.rejects(insert(1), { code: "23514" })
    await insert(now)
  })
})
